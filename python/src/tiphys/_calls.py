"""The calls of the package, on the plane of this machine or the one within which they are made."""

from __future__ import annotations

TYPE_CHECKING = False  # typing is imported while the program comes up
if TYPE_CHECKING:
    import os
    from typing import Any, List, Mapping, Optional

    from tiphys._client import Client
    from tiphys._run import Run
    from tiphys._run_async import AsyncRun
    from tiphys._submit import Warm

_PORTS = {"http": 80, "https": 443}


def run(
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
    """Begins a run of x: a path, text of YAML, a dict, a Hera Workflow or a Couler program. Of a template or a CronWorkflow
    it begins one workflow, as `argo submit --from` does.

    parameters: arguments by name; what is no text is given as JSON.
    artifacts: arguments by name: paths of files and folders, bytes, data frames, arrays, artifacts of other runs.
    runtime: "process" runs steps as commands of this host, "container" in their images; None leaves it to the workflow.
    wait: to its end, with progress shown on a terminal or in a notebook; it raises RunFailed if the run fails, TimeoutError
    after `timeout` seconds, and an interrupt stops the run.
    warm: True has the process runtime run steps of Python as forks of an interpreter that it keeps, names of modules, such
    as ["numpy"], have that one import these beforehand; None leaves it to the plane.

    Raises ManifestError for what cannot run as it is, with each finding and its place."""
    return _client().run(x, parameters, runtime, wait, name=name, entrypoint=entrypoint, labels=labels, artifacts=artifacts, progress=progress, timeout=timeout, warm=warm)


async def arun(x: Any, parameters: Optional[Mapping[str, Any]] = None, runtime: Optional[str] = None, wait: bool = False, **options: Any) -> AsyncRun:
    """run() for asyncio, with the same options but progress; cancelled while it waits, it leaves the run alone."""
    return await _client().arun(x, parameters, runtime, wait, **options)


def get(name: str) -> Run:
    """A run by its name; "@latest" is the newest."""
    return _client().get(name)


def runs(labels: str = "", limit: int = 0) -> List[Run]:
    """The runs that are known, the newest first; labels select as kubectl's -l does."""
    return _client().runs(labels, limit)


def connect(
    address: str,
    token: str = "",
    *,
    namespace: str = "default",
    authority: "str | os.PathLike[str]" = "",
    verify: bool = True,
    kubeconfig: "Optional[str | os.PathLike[str]]" = None,
) -> Client:
    """A server elsewhere, of tiphys or of Argo: "https://argo.example:2746", "localhost:2746". As a context manager it is
    what other libraries work on within, as with Server.

    token: as `argo auth token` gives it. authority: a PEM file of who is trusted, verify=False trusts anybody.
    kubeconfig: a file by which clients of Kubernetes reach the same plane."""
    import os
    from urllib.parse import urlsplit

    from tiphys._client import Client
    from tiphys._http import Endpoint

    parts = urlsplit(address if "://" in address else f"http://{address}")
    if parts.scheme not in _PORTS or not parts.hostname or parts.path.strip("/"):
        raise ValueError(f"{address!r} is no address of a server: it looks like https://argo.example:2746")
    client = Client(
        Endpoint(
            host=parts.hostname,
            port=parts.port or _PORTS[parts.scheme],
            tls=parts.scheme == "https",
            authority=os.fspath(authority),
            verify=verify,
            token=token,
        ),
        namespace,
    )
    client.kubeconfig = os.fspath(kubeconfig) if kubeconfig else None
    return client


def _client() -> Client:
    """What calls work on; the first of them starts its server, which comes up while the rest is imported."""
    import sys

    if "tiphys._shared" not in sys.modules:
        from tiphys._launch import launch_early

        launch_early()
    import tiphys._run
    from tiphys._shared import shared_client

    return shared_client()
