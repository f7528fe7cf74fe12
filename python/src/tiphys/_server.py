"""The embedded plane, started by this process."""

from __future__ import annotations

import atexit
import json
import os
import threading
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from tiphys._client import Client
from tiphys._errors import ApiError, ServerNotStarted, ServerUnreachable
from tiphys._forks import tell_of_forks
from tiphys._http import Endpoint, Http
from tiphys._launch import SOCKET, Launched, environment, launch, launched_early
from tiphys._submit import Warm, check_runtime, warm_text

_STOP_SECONDS = 20
_MOST_REMOVALS = 20  # of a folder in which what dies with the supervisor may write a file yet
_ANNOUNCEMENT = "server.json"


class Plane:
    """A data directory and the process that has it: one of ours, or another that was there before."""

    def __init__(self, data_dir: str, options: Sequence[str]) -> None:
        self.data_dir = os.path.abspath(data_dir)
        self.http = Http(Endpoint(socket=os.path.join(self.data_dir, SOCKET)), self.replace)
        self._options = list(options)
        self._launched: Optional[Launched] = None
        self._lock = threading.Lock()
        self.closed = False  # it is not to come back when somebody still asks
        tell_of_forks(self)

    def in_child(self) -> None:
        """What the parent has started is another's here."""
        self._lock = threading.Lock()
        if self._launched:
            self._launched.leave()
            self._launched = None

    @property
    def ours(self) -> bool:
        """This process has started it, and it runs."""
        return self._launched is not None and self._launched.process.poll() is None

    def answers(self) -> bool:
        if not os.path.exists(self.http.endpoint.socket):
            return False  # one that is connected yet has lost its folder
        try:
            self.http.ask_once("GET", "/version")
        except ServerUnreachable:
            return False
        return True

    def ensure(self) -> None:
        """Starts it where nobody has."""
        with self._lock:
            self._check_open()
            if os.path.exists(self.http.endpoint.socket) and (self.ours or self.http.is_connected()):
                return
            early = launched_early(self.data_dir)
            if early or not self.answers():
                self._end_ours()
                self._start(early)

    def replace(self) -> None:
        """Starts it anew where a connection was lost because it has ended, or is about to."""
        with self._lock:
            self._check_open()
            if self.answers():
                return
            self._end_ours()
            self._start()

    def _check_open(self) -> None:
        if self.closed:
            raise ServerUnreachable(f"the server in {self.data_dir} was stopped")

    def stop(self) -> None:
        """Ends what this process has started: steps that run go on, and the next one adopts them."""
        with self._lock:
            launched, self._launched = self._launched, None
            self.http.close()
            if launched:
                launched.end(_STOP_SECONDS)

    def announced(self) -> Mapping[str, Any]:
        """Address and token of the port on which it listens; nothing where it does not."""
        try:
            with open(os.path.join(self.data_dir, _ANNOUNCEMENT), encoding="utf-8") as file:
                return dict(json.load(file))
        except FileNotFoundError:
            return {}

    def _end_ours(self) -> None:
        """It ends by itself, unless somebody has removed its folder."""
        if self._launched:
            if not os.path.exists(self.data_dir) or not self._launched.process.ends_within(_STOP_SECONDS):
                self._launched.end(_STOP_SECONDS)
            self.http.close()

    def _start(self, early: Optional[Launched] = None) -> None:
        launched = early or launch(self.data_dir, self._options)
        if launched.wait_until_up():
            self._launched = launched
            return
        why = launched.said()
        launched.leave()
        if not self.answers():  # no other one was quicker either
            raise ServerNotStarted(why)


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
        return ["-n", self.namespace, "--data-dir", self.plane.data_dir], environment()

    def revive(self) -> bool:
        if not self.plane.closed:
            self.plane.replace()
        return not self.plane.closed


class Server(SocketClient):
    """The embedded plane with a port for others, as `tiphys up` has it. As a context manager it is up within; Hera, Couler,
    the Kubernetes client and the SDKs on top of it, and tiphys.run(), work on it there.

    data_dir: where it keeps what it has; a temporary one that goes with it when it is None.
    runtime: what runs steps that do not say it themselves, "process" or "container".
    host_paths: further folders of this host that steps of the process runtime see, read-only.
    config: the controller's configuration, as a file (docs/configuration.md).
    warm: of runs that do not say it themselves, as of tiphys.run()."""

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
        warm: Warm = None,
    ) -> None:
        import tempfile

        check_runtime(runtime)
        options = ["--port", str(port)]
        for flag, value in (("--runtime", runtime), ("--engine", engine), ("--config", config)):
            options += [flag, os.fspath(value)] if value else []
        options += ["--offline"] if offline else []
        options += [f"--warm-python={warm_text(warm)}"] if warm_text(warm) else []
        for path in host_paths:
            options += ["--host-path", os.path.abspath(path)]
        self._folder = "" if data_dir else tempfile.mkdtemp(prefix="tiphys-server-")
        super().__init__(Plane(os.fspath(data_dir) if data_dir else self._folder, options), namespace)
        self._listens: Optional[Endpoint] = None

    def start(self) -> Server:
        """Is up when it returns. Not needed in a `with`."""
        if self._listens:
            return self
        self.plane.closed = False
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
        self.plane.closed = True
        self.plane.stop()
        if self._folder:
            import shutil

            self._wait_for_supervisor()
            for _ in range(_MOST_REMOVALS):
                shutil.rmtree(self._folder, ignore_errors=True)
                if not os.path.exists(self._folder):
                    break

    def _wait_for_supervisor(self) -> None:
        """It has the folder until nothing runs any more, and its lock until it ends."""
        import fcntl

        def wait() -> None:
            try:
                with open(os.path.join(self._folder, "supervisor", "lock"), "rb") as lock:
                    fcntl.flock(lock, fcntl.LOCK_EX)
            except FileNotFoundError:
                pass  # it never began

        waiting = threading.Thread(target=wait, name="tiphys supervisor", daemon=True)
        waiting.start()
        waiting.join(_STOP_SECONDS)

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
