"""Programs of Couler, run as they are."""

from __future__ import annotations

import contextlib
import os
import runpy
import sys
from typing import Any, Iterator, Sequence

from tiphys.couler import argo, capture, import_hook

Document = dict[str, Any]


def run(path: str, arguments: Sequence[str] = ()) -> None:
    """Runs the file as Python would, but that its `import couler` finds this package."""
    import_hook.install()
    with _called(path, arguments):
        runpy.run_path(path, run_name="__main__")


def documents(path: str, arguments: Sequence[str] = ()) -> list[Document]:
    """What the program would submit; where it submits nothing, the workflow that it leaves behind."""
    found: list[Document] = []
    with capture.captured(found.extend):
        run(path, arguments)
    if not found and not argo.workflow.empty:
        found = argo.manifests()
        argo._cleanup()
    return found


@contextlib.contextmanager
def _called(path: str, arguments: Sequence[str]) -> Iterator[None]:
    argv, first = sys.argv, sys.path[:1]
    sys.argv = [path, *arguments]
    sys.path[:1] = [os.path.dirname(os.path.abspath(path))]
    try:
        yield
    finally:
        sys.argv = argv
        sys.path[:1] = first
