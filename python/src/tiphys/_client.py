"""A plane to run workflows on: the ground of Server and of what connect() gives."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any, Dict, List, Mapping, Optional, Tuple, Type

from tiphys._api import WorkflowApi
from tiphys._http import Endpoint, Http
from tiphys._submit import Submission, Warm, submit

if TYPE_CHECKING:
    from typing_extensions import Self

    from tiphys._environment import Pointing
    from tiphys._run import Run
    from tiphys._run_async import AsyncRun


class Client:
    """Runs workflows on a server. As a context manager it has tiphys.run() work on it, and other libraries of this process,
    and programs that are started within: Hera, Couler, the Kubernetes client and the SDKs on top of it."""

    data_dir: Optional[str] = None  # of a plane of this host
    kubeconfig: Optional[str] = None
    streams_nodes = False  # it is tiphys: nodes are told one by one

    def __init__(self, endpoint: Endpoint, namespace: str = "default") -> None:
        self.namespace = namespace
        self._http = Http(endpoint)
        self._pointing: List[Pointing] = []

    @property
    def endpoint(self) -> Endpoint:
        """Where clients of Argo reach it."""
        return self._http.endpoint

    @property
    def url(self) -> str:
        return self.endpoint.url

    @property
    def token(self) -> str:
        return self.endpoint.token

    @property
    def http(self) -> Http:
        return self._http

    @property
    def api(self) -> WorkflowApi:
        return WorkflowApi(self.http, self.namespace)

    def run(
        self,
        x: Any,
        parameters: Optional[Mapping[str, Any]] = None,
        runtime: Optional[str] = None,
        wait: bool = False,
        *,
        name: str = "",
        entrypoint: str = "",
        labels: Optional[Mapping[str, str]] = None,
        artifacts: Optional[Mapping[str, Any]] = None,
        progress: Optional[bool] = None,
        timeout: Optional[float] = None,
        warm: Warm = None,
    ) -> Run:
        """As tiphys.run()."""
        from tiphys._run import Run

        run = Run(self, submit(self, x, Submission(parameters, runtime, name, entrypoint, labels or {}, artifacts, warm)))
        if wait:
            try:
                run.wait(timeout, progress=progress)
            except KeyboardInterrupt:
                run.stop()
                raise
        return run

    async def arun(self, x: Any, parameters: Optional[Mapping[str, Any]] = None, runtime: Optional[str] = None, wait: bool = False, **options: Any) -> AsyncRun:
        """As tiphys.arun()."""
        from tiphys._run_async import arun

        return await arun(self, x, parameters, runtime, wait, **options)

    def get(self, name: str) -> Run:
        """A run by its name; "@latest" is the newest."""
        from tiphys._run import Run

        return Run(self, self.api.get(name))

    def runs(self, labels: str = "", limit: int = 0) -> List[Run]:
        """Those that the server has, the newest first; labels select as kubectl's -l does."""
        from tiphys._run import Run

        return [Run(self, each) for each in self.api.list(labels, limit)]

    def environment(self) -> Dict[str, str]:
        """Variables by which other programs find this server."""
        end = self.endpoint
        variables = {
            "ARGO_SERVER": f"{end.host}:{end.port}",
            "ARGO_HTTP1": "true",
            "ARGO_SECURE": str(end.tls).lower(),
            "ARGO_TOKEN": end.token if end.token.startswith(("Bearer ", "Basic ")) or not end.token else f"Bearer {end.token}",
            "ARGO_NAMESPACE": self.namespace,
        }
        if self.kubeconfig:
            variables["KUBECONFIG"] = self.kubeconfig
        return variables

    def program_options(self) -> Tuple[List[str], Dict[str, str]]:
        """Flags and variables with which the program works on this plane."""
        end = self.endpoint
        return ["-n", self.namespace, "--server", f"{end.host}:{end.port}"], {"TIPHYS_TOKEN": end.token}

    def revive(self) -> bool:
        """Whether it answers again after it has gone away."""
        import time

        time.sleep(1)
        return True

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Self:
        from tiphys._environment import Pointing

        self._pointing.append(Pointing.at(self))
        _entered.append(self)
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]) -> None:
        _entered.remove(self)
        self._pointing.pop().undo()
        self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.url}>"


_entered: List[Client] = []


def current() -> Optional[Client]:
    """Within which tiphys.run() is called; None for the plane of this machine."""
    return _entered[-1] if _entered else None
