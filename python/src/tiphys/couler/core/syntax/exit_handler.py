"""Steps at a workflow's end."""

from __future__ import annotations

from typing import Any, Callable

from tiphys.couler.core import scope
from tiphys.couler.core.constants import WFStatus
from tiphys.couler.core.unknown_arguments import told


@told
def set_exit_handler(status: WFStatus, exit_handler: Callable[[], Any]) -> None:
    """The steps that the function makes run when the workflow has ended so: couler.WFStatus.Succeeded, Failed or Error."""
    if not callable(exit_handler):
        raise SyntaxError(f"set_exit_handler needs a function that makes steps, not {type(exit_handler).__name__}")
    if not isinstance(status, WFStatus):
        raise SyntaxError(f"the status has to be one of couler.WFStatus: {', '.join(each.name for each in WFStatus)}; not {status!r}")
    with scope.entered(exit_handler=True, when=f"{{{{workflow.status}}}} == {status.value}", group=None, steps=None, inherited=None, depends=None):
        if exit_handler() is None:
            raise SyntaxError("the exit handler has to return what run_container, run_script or run_job returned")
