"""Run, watch and test Argo workflows on this machine. docs/python.md tells of all of it."""

from __future__ import annotations

from tiphys._binary import find_program
from tiphys._errors import (
    ApiError,
    ManifestError,
    NotFound,
    ProgramNotFound,
    RunFailed,
    ServerNotStarted,
    ServerUnreachable,
    TiphysError,
)

TYPE_CHECKING = False  # typing is imported while the program comes up
if TYPE_CHECKING:
    from typing import Any

    from tiphys._artifacts import Artifact
    from tiphys._calls import arun, connect, get, run, runs
    from tiphys._client import Client
    from tiphys._events import Event
    from tiphys._nodes import Node, Nodes, Outputs, Parameters
    from tiphys._run import Run
    from tiphys._run_async import AsyncRun
    from tiphys._server import Server
    from tiphys._shared import shutdown
    from tiphys._warnings import ManifestWarning

__version__ = "0.1.0"

# Imported as they are first used: `import tiphys` costs next to nothing.
_PLACES = {
    "Artifact": "_artifacts",
    "AsyncRun": "_run_async",
    "Client": "_client",
    "Event": "_events",
    "ManifestWarning": "_warnings",
    "Node": "_nodes",
    "Nodes": "_nodes",
    "Outputs": "_nodes",
    "Parameters": "_nodes",
    "Run": "_run",
    "Server": "_server",
    "arun": "_calls",
    "connect": "_calls",
    "get": "_calls",
    "run": "_calls",
    "runs": "_calls",
    "shutdown": "_shared",
}

__all__ = [
    "ApiError",
    "Artifact",
    "AsyncRun",
    "Client",
    "Event",
    "ManifestError",
    "ManifestWarning",
    "Node",
    "Nodes",
    "NotFound",
    "Outputs",
    "Parameters",
    "ProgramNotFound",
    "Run",
    "RunFailed",
    "Server",
    "ServerNotStarted",
    "ServerUnreachable",
    "TiphysError",
    "__version__",
    "arun",
    "connect",
    "find_program",
    "get",
    "run",
    "runs",
    "shutdown",
]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'tiphys' has no attribute {name!r}")
    import importlib

    value = globals()[name] = getattr(importlib.import_module("tiphys." + _PLACES[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
