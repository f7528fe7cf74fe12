"""Dags: which step waits for which."""

from __future__ import annotations

from typing import Any, Callable, Optional, Union

from tiphys.couler.core import scope, session, states
from tiphys.couler.core.location import locate
from tiphys.couler.core.step_update_utils import task_names
from tiphys.couler.core.templates.output import OutputArtifact, OutputJob, OutputParameter
from tiphys.couler.core.unknown_arguments import told
from tiphys.couler.core.utils import did_you_mean


@told
def dag(dependency_graph: list[list[Callable[[], Any]]]) -> None:
    """A dag by its edges: [[a], [a, b], [a, c]] runs b and c after a. Steps are told apart by step_name."""
    if not isinstance(dependency_graph, list):
        raise SyntaxError(f"dag needs a list of edges, [[a], [a, b]], not {type(dependency_graph).__name__}")
    for edge in dependency_graph:
        _check_edge(edge)
    _forbid_among_steps("dag")
    states.workflow.enable_dag_mode()
    states.workflow.dag_line = locate().line
    for edge in dependency_graph:
        with scope.entered(upstream=None, depends=None, linked=True):
            for node in edge:
                node()


@told
def set_dependencies(step_function: Callable[[], Any], dependencies: Union[None, str, list[str]] = None) -> Any:
    """Steps of a dag that wait for others: for the steps of a list, or as an expression says, such as "a.Succeeded || b.Failed".

    With a list, the steps get the parameters and files that those make as further arguments.
    """
    if dependencies is not None and not isinstance(dependencies, (list, tuple, str)):
        raise SyntaxError(f"dependencies has to be a list of names of steps, or an expression of them, not {type(dependencies).__name__}")
    if not callable(step_function):
        raise SyntaxError(f"set_dependencies needs a function that makes steps: write `lambda: step()`, not `step()`; it got {type(step_function).__name__}")
    _forbid_among_steps("set_dependencies")
    states.workflow.enable_dag_mode()
    upstream: Optional[list[str]] = None
    depends: Optional[str] = None
    if isinstance(dependencies, str):
        depends = dependencies.replace("_", "-")
    elif dependencies is not None:
        upstream = task_names(list(dependencies))
    inherited = [output for name in upstream or [] for output in _passed_on(name)]
    with scope.entered(upstream=upstream, depends=depends, inherited=inherited, linked=True, named_once=True):
        return step_function()


def _passed_on(name: str) -> list[Any]:
    outputs = session.steps_outputs.get(name)
    if outputs is None:
        raise ValueError(f"dependencies name step {name!r}, which is not made yet{did_you_mean(name, session.steps_outputs)}; make it before what waits for it")
    return [output for output in outputs if isinstance(output, (OutputArtifact, OutputParameter, OutputJob))]


def _check_edge(edge: Any) -> None:
    if not isinstance(edge, (list, tuple)):
        raise TypeError("each edge of dag is a list of functions that make steps, [a, b]: write [a] for one that waits for nobody")
    for node in edge:
        if not callable(node):
            raise TypeError(f"an edge of dag holds functions that make steps: write `lambda: step()`, not `step()`; it got {type(node).__name__}")


def _forbid_among_steps(name: str) -> None:
    if scope.current.steps is not None:
        raise SyntaxError(f"{name} cannot stand within exec_while or subtasks of concurrent: those are made of steps")
    if states.workflow.steps:
        made = ", ".join(step.name for group in states.workflow.steps.values() for step in group)
        raise SyntaxError(f"a workflow is made of steps or of a dag: {name} comes after {made}; make those with set_dependencies or dag, too")
