"""Where this process's interpreter and packages are, for steps of the process runtime."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # typing is imported while the program comes up
if TYPE_CHECKING:
    from typing import List

_SHOWN_ANYWAY = ("/usr", "/etc", "/opt", "/bin", "/lib", "/sbin")  # by the process runtime


def program_paths(data_dir: str) -> List[str]:
    """Folders in which steps find `python` and `python3` as this process's interpreter, and its scripts beside it."""
    if not sys.executable:
        return []
    beside = os.path.dirname(sys.executable)
    missing = [name for name in ("python", "python3") if not os.path.exists(os.path.join(beside, name))]
    return [beside] + ([_links(data_dir, missing)] if missing else [])


def host_paths() -> List[str]:
    """Folders beyond the system's that hold the interpreter and what it imports: of its environment and of those that were
    installed to be edited. Where the program itself lies is not among them: what it imports from there goes by Hera's or
    Couler's own ways into the manifest."""
    folders = [sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix]
    folders += [os.path.dirname(os.path.realpath(sys.executable))] if sys.executable else []
    folders += [path for path in sys.path if path not in _of_the_program()]
    return _without_nested([os.path.realpath(folder) for folder in folders if os.path.isdir(folder)])


def _of_the_program() -> List[str]:
    main = getattr(sys.modules.get("__main__"), "__file__", None)
    mine = ["", ".", os.getcwd()] + os.environ.get("PYTHONPATH", "").split(os.pathsep)
    return mine + ([os.path.dirname(os.path.abspath(main))] if main else [])


def _without_nested(folders: List[str]) -> List[str]:
    kept: List[str] = []
    for folder in sorted(set(folders)):
        if folder != "/" and not any(_lies_in(folder, other) for other in (*_SHOWN_ANYWAY, *kept)):
            kept.append(folder)
    return kept


def _lies_in(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder + "/")


def _links(data_dir: str, names: List[str]) -> str:
    """A folder of its own for each interpreter, as planes may follow each other. An environment's interpreter knows it by
    the path under which it was called, so it is called by that."""
    import shlex

    folder = os.path.join(data_dir, "python", sys.executable.strip("/").replace("/", "-"))
    os.makedirs(folder, exist_ok=True)
    for name in names:
        path = os.path.join(folder, name)
        text = f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n'
        if os.path.exists(path):
            continue
        with open(f"{path}.{os.getpid()}", "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(file.name, 0o755)
        os.replace(file.name, path)
    return folder
