"""Starting the program as a server: little is imported here, as this goes first, while it comes up the rest is imported."""

from __future__ import annotations

import os
import sys
from _thread import allocate_lock

from tiphys._binary import find_program
from tiphys._errors import ServerNotStarted
from tiphys._interpreter import host_paths, program_paths
from tiphys._process import Process

TYPE_CHECKING = False  # typing is imported while the program comes up
if TYPE_CHECKING:
    from typing import IO, Dict, Optional, Sequence

SOCKET = "api.sock"
FOR_THIS_PROCESS = ("--no-port",)  # options of the plane that all calls share


class Launched:
    """A server that comes up, or has."""

    def __init__(self, process: Process, errors: IO[bytes]) -> None:
        self.process, self.errors = process, errors

    def wait_until_up(self) -> bool:
        """False where it has ended instead: said() is why."""
        if self.process.stdout.readline():
            return True
        self.process.wait()
        return False

    def said(self) -> str:
        self.errors.seek(0)
        return self.errors.read().decode(errors="replace").strip() or f"it ended with {self.process.returncode}"

    def leave(self) -> None:
        """Of one that has ended, or in a process that was forked: it ends with those that have its input open."""
        for end in (self.process.stdin, self.process.stdout, self.errors):
            end.close()

    def end(self, seconds: float) -> None:
        self.process.stdin.close()
        self.process.terminate()  # a process that was forked may have its input open yet
        if not self.process.ends_within(seconds):
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.errors.close()


def launch(data_dir: str, options: Sequence[str]) -> Launched:
    """Begins it; it ends with this process, however that ends, since its standard input does."""
    os.makedirs(data_dir, mode=0o700, exist_ok=True)
    command = [find_program(), "up", "--until-eof", "--data-dir", data_dir, *options]
    for flag, folders in (("--program-path", program_paths(data_dir)), ("--host-path", host_paths())):
        for folder in folders:
            command += [flag, folder]
    errors = os.fdopen(os.memfd_create("tiphys"), "w+b")
    try:
        return Launched(Process(command, environment(), errors.fileno()), errors)
    except OSError as wrong:
        errors.close()
        raise ServerNotStarted(f"{command[0]} cannot be started: {wrong}") from wrong


def launch_early() -> None:
    """Begins the plane that calls share, before anything of it is imported: where there is none yet, and no other is meant."""
    data_dir = os.path.abspath(default_data_dir())
    with _early_lock:
        if _early or "tiphys._client" in sys.modules or os.path.exists(os.path.join(data_dir, SOCKET)):
            return
        _early[data_dir] = launch(data_dir, FOR_THIS_PROCESS)


def launched_early(data_dir: str) -> Optional[Launched]:
    return _early.pop(data_dir, None)


def default_data_dir() -> str:
    """As the program chooses it."""
    named = os.environ.get("TIPHYS_DATA_DIR")
    if named:
        return named
    return os.path.join(os.environ.get("XDG_DATA_HOME") or os.path.expanduser("~/.local/share"), "tiphys")


def environment() -> Dict[str, str]:
    """Without what would lead the program elsewhere."""
    return {name: value for name, value in os.environ.items() if name not in ("TIPHYS_SERVER", "ARGO_SERVER")}


_early: Dict[str, Launched] = {}
_early_lock = allocate_lock()


def _in_child() -> None:
    global _early_lock
    _early_lock = allocate_lock()
    _early.clear()


os.register_at_fork(after_in_child=_in_child)
