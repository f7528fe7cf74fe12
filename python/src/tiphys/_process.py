"""A program that this process starts and ends, without the standard library's subprocess: that takes longer to import than the program to come up."""

from __future__ import annotations

import os
import select
from _signal import SIGKILL, SIGPIPE, SIGTERM, SIGXFSZ
from _thread import allocate_lock

TYPE_CHECKING = False  # typing is imported while the program comes up
if TYPE_CHECKING:
    from typing import IO, List, Mapping, Optional, Sequence

_FIRST_FREE = 3  # descriptors below are the program's own streams


class Process:
    """A program in a session of its own, with pipes to its input and from its output; it inherits nothing else but `errors`.
    Threads may share it."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], errors: int) -> None:
        self._lock = allocate_lock()
        self.returncode: Optional[int] = None  # below zero: the signal that ended it
        its_input, our_input = _pipe()
        our_output, its_output = _pipe()
        streams = [(os.POSIX_SPAWN_DUP2, its, number) for number, its in enumerate((its_input, its_output, errors))]
        closed = [(os.POSIX_SPAWN_CLOSE, left) for left in _inheritable()]
        try:
            # What Python ignores, programs do not expect to be ignored.
            self.pid = os.posix_spawn(
                command[0], list(command), environment, file_actions=[*streams, *closed], setsid=True, setsigdef=[SIGPIPE, SIGXFSZ]
            )
        except OSError:
            os.close(our_input)
            os.close(our_output)
            raise
        finally:
            os.close(its_input)
            os.close(its_output)
        self.stdin: IO[bytes] = os.fdopen(our_input, "wb", 0)
        self.stdout: IO[bytes] = os.fdopen(our_output, "rb")

    def poll(self) -> Optional[int]:
        """How it has ended; None while it runs."""
        with self._lock:
            self._reap(os.WNOHANG)
            return self.returncode

    def wait(self) -> int:
        # Nobody else is kept from asking while one waits.
        self.ends_within(None)
        with self._lock:
            self._reap(0)
            assert self.returncode is not None
            return self.returncode

    def ends_within(self, seconds: Optional[float]) -> bool:
        """Tells at the moment in which it ends; None waits for ever."""
        if self.poll() is not None:
            return True
        try:
            handle = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return True  # somebody else has waited for it
        try:
            ended = select.poll()
            ended.register(handle, select.POLLIN)
            return bool(ended.poll(None if seconds is None else seconds * 1000))
        finally:
            os.close(handle)

    def terminate(self) -> None:
        self._signal(SIGTERM)

    def kill(self) -> None:
        self._signal(SIGKILL)

    def _signal(self, number: int) -> None:
        with self._lock:
            self._reap(os.WNOHANG)
            if self.returncode is None:
                os.kill(self.pid, number)

    def _reap(self, options: int) -> None:
        if self.returncode is not None:
            return
        try:
            pid, status = os.waitpid(self.pid, options)
        except ChildProcessError:  # a handler of the program's has waited for all children
            self.returncode = 0
            return
        if pid:
            self.returncode = os.waitstatus_to_exitcode(status)


def _pipe() -> "tuple[int, int]":
    """Beyond the streams, which may be closed in this process."""
    return _moved(os.pipe())


def _moved(ends: "tuple[int, int]") -> "tuple[int, int]":
    import fcntl

    for end in ends:
        if end < _FIRST_FREE:
            high = (fcntl.fcntl(ends[0], fcntl.F_DUPFD_CLOEXEC, _FIRST_FREE), fcntl.fcntl(ends[1], fcntl.F_DUPFD_CLOEXEC, _FIRST_FREE))
            os.close(ends[0])
            os.close(ends[1])
            return high
    return ends


def _inheritable() -> List[int]:
    """Descriptors that a new program would have without asking."""
    found = []
    for name in os.listdir("/proc/self/fd"):
        try:
            if int(name) >= _FIRST_FREE and os.get_inheritable(int(name)):
                found.append(int(name))
        except OSError:
            pass  # the one of the folder itself, or another thread's that has gone
    return found
