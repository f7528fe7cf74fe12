"""What a process that was forked has to have for itself: locks, which other threads of its parent may have held as it was made."""

from __future__ import annotations

import os
import weakref
from typing import Protocol


class Forked(Protocol):
    def in_child(self) -> None:
        """Called in a child, before anything else is done there."""


_known: "weakref.WeakSet[Forked]" = weakref.WeakSet()


def tell_of_forks(of: Forked) -> None:
    _known.add(of)


def _in_child() -> None:
    for each in list(_known):
        each.in_child()


os.register_at_fork(after_in_child=_in_child)
