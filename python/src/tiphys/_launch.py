"""Starting the program as a server: little is imported here, as this goes first, while it comes up the rest is imported."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from typing import IO, Dict, NamedTuple, Optional, Sequence

from tiphys._binary import find_program
from tiphys._errors import ServerNotStarted
from tiphys._interpreter import host_paths, program_paths

SOCKET = "api.sock"
FOR_THIS_PROCESS = ("--no-port",)  # options of the plane that all calls share


class Launched(NamedTuple):
    """A server that comes up, or has."""

    process: "subprocess.Popen[bytes]"
    errors: IO[bytes]

    def wait_until_up(self) -> bool:
        """False where it has ended instead: said() is why."""
        assert self.process.stdout
        if self.process.stdout.readline():
            return True
        self.process.wait()
        return False

    def said(self) -> str:
        self.errors.seek(0)
        return self.errors.read().decode(errors="replace").strip() or f"it ended with {self.process.returncode}"

    def end(self, seconds: float) -> None:
        if self.process.stdin:
            self.process.stdin.close()
        self.process.terminate()  # a process that was forked may have its input open yet
        if not _ends_within(self.process, seconds):
            self.process.kill()
        self.process.wait()
        if self.process.stdout:
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
        return Launched(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, start_new_session=True, env=environment()), errors)
    except OSError as wrong:
        errors.close()
        raise ServerNotStarted(f"{command[0]} cannot be started: {wrong}") from wrong


def _ends_within(process: "subprocess.Popen[bytes]", seconds: float) -> bool:
    """At the moment in which it ends: Popen.wait() with a time looks from time to time."""
    if process.poll() is not None:
        return True
    handle = os.pidfd_open(process.pid)
    try:
        ended = select.poll()
        ended.register(handle, select.POLLIN)
        return bool(ended.poll(seconds * 1000))
    finally:
        os.close(handle)


def launch_early() -> None:
    """Begins the plane that calls share, before anything of it is imported: where there is none yet, and no other is meant."""
    data_dir = os.path.abspath(default_data_dir())
    if "tiphys._client" in sys.modules or os.path.exists(os.path.join(data_dir, SOCKET)):
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
