"""Waiting for a run's end, without a server."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "src"))

from tiphys._follow import SLICE_SECONDS, Following


class Over:
    """Stands for the lock that is free when there is nothing left to wait for; it never is."""

    def __init__(self, following, times):
        self.following, self.left, self.waits = following, times, []

    def acquire(self, timeout):
        self.waits.append(timeout)
        self.left -= 1
        self.following._ended = self.left == 0
        return False


def waited(times, timeout=None):
    following = Following.__new__(Following)
    following._ended, following.process = False, os.getpid()
    following._over = Over(following, times)
    return following.wait(timeout), following._over.waits


def test_a_wait_looks_for_signals_now_and_then():
    """Ctrl-C that comes between the interpreter's look for signals and its wait would be seen when the run ends."""
    assert waited(3) == (True, [SLICE_SECONDS] * 3)


def test_a_wait_ends_with_its_time():
    ended, waits = waited(10**9, 0.01)
    assert not ended and max(waits) <= 0.01
