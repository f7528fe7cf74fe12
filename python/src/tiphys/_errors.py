"""What can go wrong, as exceptions."""

from __future__ import annotations

TYPE_CHECKING = False  # typing is imported while the program comes up
if TYPE_CHECKING:
    from typing import Optional

    from tiphys._nodes import Node
    from tiphys._run import Run


class TiphysError(Exception):
    """Any error of this package."""


class ProgramNotFound(TiphysError, FileNotFoundError):
    """There is no program `tiphys` to call."""


class ServerNotStarted(TiphysError):
    """The program `tiphys` did not come up; the message has what it said."""


class ServerUnreachable(TiphysError, ConnectionError):
    """No server answers, or it went away."""


class ManifestError(TiphysError, ValueError):
    """A workflow that cannot run as it is; the message lists each finding, with its place where there is a file."""


class ApiError(TiphysError):
    """The server refused. `code` is gRPC's, `status` that of HTTP; 0 where there is none."""

    def __init__(self, message: str, code: int = 0, status: int = 0) -> None:
        super().__init__(message)
        self.code, self.status = code, status


class NotFound(ApiError, LookupError):
    """There is no such workflow, node or artifact."""


class RunFailed(TiphysError):
    """A run that ended in Failed or Error."""

    def __init__(self, message: str, run: Run, node: Optional[Node], log: str) -> None:
        super().__init__(message)
        self.run = run
        self.node = node  # that failed first, None where the workflow itself did
        self.log = log  # the end of what its main container wrote
