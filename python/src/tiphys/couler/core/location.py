"""Where in the user's program a call comes from: steps are named by it."""

from __future__ import annotations

import os
import re
import sys
from types import FrameType
from typing import NamedTuple, Optional

_OWN = __name__.rsplit(".", 2)[0]  # tiphys.couler
_COMPREHENSIONS = {"<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>"}  # frames of their own before Python 3.12


class Call(NamedTuple):
    """A call of this package."""

    function: str  # what the calling function is named, fit for Argo
    line: int  # where that function was called; at the top of a program, the line of the call itself
    own_line: int  # of the call itself
    anonymous: bool  # the function is a lambda, so that others may be named alike


def locate(callers: int = 0) -> Call:
    """Where the call that is under way comes from: the innermost function that is none of this package; with `callers`, so many outside of it."""
    inner = _next_user_frame(sys._getframe(1))
    while callers > 0 and inner is not None and not _is_top(inner):
        inner, callers = _next_user_frame(inner.f_back), callers - 1
    if inner is None:
        raise RuntimeError("couler is called from no Python code")
    if inner.f_code.co_name == "<module>" or _is_notebook_cell(inner):
        return Call(f"{program_name(inner)}-{inner.f_lineno}", inner.f_lineno, inner.f_lineno, False)
    outer = None if _is_top(inner) else _next_user_frame(inner.f_back)
    line = inner.f_lineno if outer is None else outer.f_lineno
    name = inner.f_code.co_name
    return Call(safe_name(name), line, inner.f_lineno, name == "<lambda>")


def safe_name(name: str) -> str:
    """Without what Python's names have and Kubernetes' have not: dots and underscores, and the brackets of <stdin>."""
    if name.startswith("<") and name.endswith(">"):
        name = name[1:-1]
    return re.sub(r"[_.]", "-", name)


def program_name(frame: Optional[FrameType] = None) -> str:
    """The program's file without its ending, as a name of Kubernetes: what workflows are named after."""
    path = _program_file() if frame is None or _is_top(frame) else frame.f_code.co_filename
    stem = os.path.splitext(os.path.basename(path))[0]
    if stem in ("__main__", "__init__"):  # python -m package
        stem = os.path.basename(os.path.dirname(os.path.abspath(path)))
    safe = re.sub(r"[^a-z0-9-]", "-", safe_name(stem).lower()).strip("-")
    return safe or "workflow"


def _program_file() -> str:
    main = sys.modules.get("__main__")
    path = getattr(main, "__file__", None)
    if path:
        return path
    if _in_notebook():
        return os.environ.get("JPY_SESSION_NAME") or "notebook"  # Jupyter names the notebook there
    return "<stdin>"


def _in_notebook() -> bool:
    return "ipykernel" in sys.modules


def _is_notebook_cell(frame: FrameType) -> bool:
    return frame.f_code.co_name.startswith("<cell line")


def _is_top(frame: FrameType) -> bool:
    """What is beyond a program's own module belongs to whoever runs it."""
    return frame.f_code.co_name == "<module>" and frame.f_globals.get("__name__") == "__main__"


def _next_user_frame(frame: Optional[FrameType]) -> Optional[FrameType]:
    while frame is not None and (_is_own(frame) or frame.f_code.co_name in _COMPREHENSIONS):
        frame = frame.f_back
    return frame


def _is_own(frame: FrameType) -> bool:
    module = frame.f_globals.get("__name__", "")
    return module == _OWN or module.startswith(_OWN + ".")
