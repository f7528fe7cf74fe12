"""What runs, and cannot be meant as it is."""

from __future__ import annotations

import re
import sys
import warnings
from typing import Iterable

# Where arguments may be used that are not named: all of them as a whole, by a name that is made, or by what the workflow refers to.
_UNNAMED = re.compile(r"[rR]ef\b|workflow\.parameters(?!\.[\w-]|\[\\?['\"])|workflow\.parameters\.json\b|workflow(\[|\?)")
_WORD = re.compile(r"[\w-]+")
_PACKAGE = __name__.partition(".")[0]


class ManifestWarning(UserWarning):
    """A workflow runs, and cannot be meant as it is."""


def warn(text: str) -> None:
    """At the line that has called this package."""
    level, frame = 2, sys._getframe(1)
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] == _PACKAGE:
        level, frame = level + 1, frame.f_back
    warnings.warn(text, ManifestWarning, stacklevel=level)


def warn_of_untaken(names: Iterable[str], manifest: str) -> None:
    """Of parameters that the text of a manifest does not have as a word anywhere, though all that could take them is in it:
    a slip of the pen, with which it would run as if nothing had been given."""
    names = list(names)
    if not names or _UNNAMED.search(manifest):
        return
    words = set(_WORD.findall(manifest))
    for name in names:
        if name not in words:
            import difflib

            near = difflib.get_close_matches(name, words, 1)
            warn(f"nothing takes the parameter {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
