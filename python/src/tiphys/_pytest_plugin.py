"""The pytest plugin: test files of workflows are tests, and fixtures play and run workflows."""

from __future__ import annotations

import os
import pathlib
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterator, List, Optional, Tuple

import pytest

if TYPE_CHECKING:
    from tiphys._run import Run
    from tiphys._server import Server
    from tiphys.testing import Played

_SUFFIX = ".test.yaml"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("tiphys", "workflows")
    group.addoption("--no-workflow-tests", action="store_true", help=f"Leave files *{_SUFFIX} alone, which `tiphys test` reads")
    parser.addini("workflow_tests", f"Take files *{_SUFFIX} as tests", type="bool", default=True)


def pytest_collect_file(file_path: pathlib.Path, parent: pytest.Collector) -> Optional[pytest.Collector]:
    config = parent.config
    if not file_path.name.endswith(_SUFFIX) or config.getoption("--no-workflow-tests") or not config.getini("workflow_tests"):
        return None
    return WorkflowTestFile.from_parent(parent, path=file_path)


class WorkflowTestFile(pytest.File):
    """A file of `tiphys test`. It is played once, as it is collected: that costs milliseconds, and tells the tests' names."""

    def collect(self) -> Iterator[pytest.Item]:
        from tiphys._errors import TiphysError
        from tiphys.testing import run_test_file

        try:
            tests = run_test_file(self.path)
        except TiphysError as wrong:
            raise self.CollectError(str(wrong)) from None
        for outcome in tests:
            yield WorkflowTest.from_parent(self, name=outcome["name"], outcome=outcome)


class WorkflowTest(pytest.Item):
    def __init__(self, *, outcome: Dict[str, Any], **options: Any) -> None:
        super().__init__(**options)
        self._outcome = outcome

    def runtest(self) -> None:
        if not self._outcome["passed"]:
            raise WorkflowTestFailed(self.path, self._outcome)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        return str(excinfo.value) if isinstance(excinfo.value, WorkflowTestFailed) else super().repr_failure(excinfo, style)

    def reportinfo(self) -> Tuple["os.PathLike[str] | str", Optional[int], str]:
        return self.path, None, self.name


class WorkflowTestFailed(Exception):
    def __init__(self, path: pathlib.Path, outcome: Dict[str, Any]) -> None:
        from tiphys._played import Played

        lines: List[str] = [outcome["error"].rstrip()] if outcome.get("error") else []
        for difference in outcome.get("differences") or []:
            lines.append(f"{path}:{difference['line']}:{difference['column']}: {difference['what']}: expected {difference['expected']}, got {difference['got']}")
        if outcome.get("nodes"):
            lines += ["", repr(Played(outcome))]
        super().__init__("\n".join(lines))


@pytest.fixture
def play_workflow() -> Callable[..., Played]:
    """tiphys.testing.play."""
    from tiphys.testing import play

    return play


@pytest.fixture(scope="session")
def tiphys_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A plane of the tests' own, on which tiphys.run(), Hera, Couler and clients of Kubernetes work from here on."""
    from tiphys._server import Server

    with Server(tmp_path_factory.mktemp("tiphys"), runtime="process") as server:
        yield server


@pytest.fixture
def run_workflow(tiphys_server: Server) -> Callable[..., Run]:
    """Runs a workflow to its end on a plane of the tests' own, as commands of this host: run_workflow(x, parameters=...).
    RunFailed fails the test, unless check=False is given."""

    def run(x: Any, parameters: Any = None, *, check: bool = True, timeout: float = 300, **options: Any) -> Run:
        return tiphys_server.run(x, parameters, **options).wait(timeout, check=check, progress=False)

    return run
