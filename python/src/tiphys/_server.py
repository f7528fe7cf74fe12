"""The embedded plane, started by this process."""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import tempfile
import threading
from typing import IO, Any, Dict, List, Mapping, Optional, Sequence, Tuple

from tiphys._binary import find_program
from tiphys._client import Client
from tiphys._errors import ApiError, ServerNotStarted, ServerUnreachable
from tiphys._http import Endpoint, Http
from tiphys._interpreter import host_paths, program_paths
from tiphys._submit import RUNTIMES

_STOP_SECONDS = 20
_SOCKET = "api.sock"
_ANNOUNCEMENT = "server.json"


class Plane:
    """A data directory and the process that has it: one of ours, or another that was there before."""

    def __init__(self, data_dir: Optional[str], options: Sequence[str]) -> None:
        self.data_dir = os.path.abspath(data_dir or default_data_dir())
        self.http = Http(Endpoint(socket=os.path.join(self.data_dir, _SOCKET)))
        self._options = list(options)
        self._process: Optional[subprocess.Popen[bytes]] = None
        self._said: Optional[IO[bytes]] = None
        self._owner = os.getpid()
        self._lock = threading.Lock()

    @property
    def ours(self) -> bool:
        """This process has started it, and it runs."""
        return self._process is not None and self._owner == os.getpid() and self._process.poll() is None

    def answers(self) -> bool:
        try:
            self.http.ask("GET", "/healthz")
        except ServerUnreachable:
            return False
        except ValueError:
            pass  # it says "ok"
        return True

    def ensure(self) -> None:
        """Starts it where nobody has."""
        with self._lock:
            if not (self.ours or self.http.is_connected() or self.answers()):
                self._start()

    def replace(self) -> None:
        """Starts it anew where a connection was lost because it has ended, or is about to."""
        with self._lock:
            if self.answers():
                return
            if self._process and self._owner == os.getpid():
                self._process.wait()
            self._start()

    def stop(self) -> None:
        """Ends what this process has started: steps that run go on, and the next one adopts them."""
        with self._lock:
            process, self._process = self._process, None
            self.http.close()
            if process is None or self._owner != os.getpid():
                return
            if process.stdin:
                process.stdin.close()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdout:
                process.stdout.close()
            if self._said:
                self._said.close()

    def announced(self) -> Mapping[str, Any]:
        """Address and token of the port on which it listens; nothing where it does not."""
        try:
            with open(os.path.join(self.data_dir, _ANNOUNCEMENT), encoding="utf-8") as file:
                return dict(json.load(file))
        except FileNotFoundError:
            return {}

    def _start(self) -> None:
        os.makedirs(self.data_dir, mode=0o700, exist_ok=True)
        command = [find_program(), "up", "--until-eof", "--data-dir", self.data_dir, *self._options]
        for flag, folders in (("--program-path", program_paths(self.data_dir)), ("--host-path", host_paths())):
            for folder in folders:
                command += [flag, folder]
        self._said = tempfile.TemporaryFile(prefix="tiphys-")
        self._owner = os.getpid()
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._said, start_new_session=True, env=_environment()
        )
        assert self._process.stdout
        if self._process.stdout.readline():
            return
        self._process.wait()
        if self.answers():  # another one was quicker
            self._process = None
            return
        self._said.seek(0)
        raise ServerNotStarted(self._said.read().decode(errors="replace").strip() or f"{command[0]} ended with {self._process.returncode}")


class SocketClient(Client):
    """Works on a plane of this host by the socket in its data directory: what tiphys.run() takes."""

    streams_nodes = True

    def __init__(self, plane: Plane, namespace: str = "default") -> None:
        super().__init__(plane.http.endpoint, namespace)
        self._http = plane.http
        self.plane = plane
        self.data_dir = plane.data_dir

    @property
    def http(self) -> Http:
        self.plane.ensure()
        return self._http

    def program_options(self) -> Tuple[List[str], Dict[str, str]]:
        self.plane.ensure()
        return ["-n", self.namespace, "--data-dir", self.plane.data_dir], _environment()

    def revive(self) -> bool:
        self.plane.replace()
        return True


class Server(SocketClient):
    """The embedded plane with a port for others, as `tiphys up` has it. As a context manager it is up within; Hera, Couler,
    the Kubernetes client and the SDKs on top of it, and tiphys.run(), work on it there.

    data_dir: where it keeps what it has; a temporary one that goes with it when it is None.
    runtime: what runs steps that do not say it themselves, "process" or "container".
    host_paths: further folders of this host that steps of the process runtime see, read-only.
    config: the controller's configuration, as a file (docs/configuration.md)."""

    def __init__(
        self,
        data_dir: "Optional[str | os.PathLike[str]]" = None,
        *,
        port: int = 0,
        runtime: Optional[str] = None,
        engine: Optional[str] = None,
        offline: bool = False,
        host_paths: Sequence["str | os.PathLike[str]"] = (),
        config: "Optional[str | os.PathLike[str]]" = None,
        namespace: str = "default",
    ) -> None:
        if runtime not in (None, *RUNTIMES):
            raise ValueError(f"runtime is {' or '.join(map(repr, RUNTIMES))}, not {runtime!r}")
        options = ["--port", str(port)]
        for flag, value in (("--runtime", runtime), ("--engine", engine), ("--config", config)):
            options += [flag, os.fspath(value)] if value else []
        options += ["--offline"] if offline else []
        for path in host_paths:
            options += ["--host-path", os.path.abspath(path)]
        self._folder = None if data_dir else tempfile.TemporaryDirectory(prefix="tiphys-server-", ignore_cleanup_errors=True)
        super().__init__(Plane(os.fspath(data_dir) if data_dir else self._folder.name, options), namespace)  # type: ignore[union-attr]
        self._listens: Optional[Endpoint] = None

    def start(self) -> Server:
        """Is up when it returns. Not needed in a `with`."""
        if self._listens:
            return self
        self.plane.ensure()
        announced = self.plane.announced()
        if not self.plane.ours or not announced:
            raise ServerNotStarted(f"another process runs the plane in {self.plane.data_dir}: end it, or give another data_dir, or connect() to it")
        host, port = announced["address"].rsplit(":", 1)
        self._listens = Endpoint(host=host, port=int(port), token=announced["token"])
        self.kubeconfig = os.path.join(self.plane.data_dir, "kubeconfig")
        atexit.register(self.stop)
        return self

    def stop(self) -> None:
        """Ends it; runs end too where the data directory is a temporary one."""
        atexit.unregister(self.stop)
        self._listens = None
        if self._folder and self.plane.ours:
            self._terminate_runs()
        self.plane.stop()
        if self._folder:
            self._folder.cleanup()

    def _terminate_runs(self) -> None:
        for run in self.runs("workflows.argoproj.io/completed!=true"):
            try:
                run.terminate()
                run.follow(with_nodes=False).wait(_STOP_SECONDS)
            except ApiError:
                pass  # it has just ended, or was deleted

    @property
    def endpoint(self) -> Endpoint:
        return self.start()._listens or Endpoint()

    @property
    def certificate(self) -> str:
        """The PEM file that clients with TLS trust."""
        return os.path.join(self.plane.data_dir, "tls", "ca.crt")

    def close(self) -> None:
        self.stop()

    def __enter__(self) -> Server:
        self.start()
        super().__enter__()
        return self


def default_data_dir() -> str:
    """As the program chooses it."""
    named = os.environ.get("TIPHYS_DATA_DIR")
    if named:
        return named
    return os.path.join(os.environ.get("XDG_DATA_HOME") or os.path.expanduser("~/.local/share"), "tiphys")


def _environment() -> Dict[str, str]:
    """Without what would lead the program elsewhere."""
    return {name: value for name, value in os.environ.items() if name not in ("TIPHYS_SERVER", "ARGO_SERVER")}
