"""Steps beside each other."""

from __future__ import annotations

from typing import Any, Callable

from tiphys.couler.core import scope, states
from tiphys.couler.core.location import Call, locate
from tiphys.couler.core.scope import Groups
from tiphys.couler.core.step_update_utils import update_step
from tiphys.couler.core.templates.dependencies import merged
from tiphys.couler.core.templates.step import Steps, groups
from tiphys.couler.core.unknown_arguments import told


@told
def concurrent(function_list: list[Callable[[], Any]], subtasks: bool = False) -> list[Any]:
    """What the functions make runs at the same time; with subtasks, each one's steps run one after the other. Gives what the functions return."""
    if not isinstance(function_list, list):
        raise SyntaxError(f"concurrent needs a list of functions, not {type(function_list).__name__}")
    for function in function_list:
        if not callable(function):
            raise TypeError(f"concurrent needs functions that make steps: write `lambda: step()`, not `step()`; it got {type(function).__name__}")
    call = locate()
    if states.workflow.dag_mode_enabled():
        return _in_dag(function_list)
    returned = []
    for number, function in enumerate(function_list, 1):
        if subtasks:
            returned.append(_subtask(function, number, call))
        else:
            with scope.entered(concurrent_line=call.line, concurrent_number=number):
                returned.append(function())
    return returned


def _subtask(function: Callable[[], Any], number: int, call: Call) -> Any:
    """The function's steps become a template of their own."""
    steps: Groups = {}
    with scope.entered(steps=steps, concurrent_line=None, group=None, when=None):
        returned = function()
    if not steps:
        raise ValueError("a function of concurrent makes no steps")
    while states.workflow.get_template(f"concurrent-task-{number}") is not None:
        number += 1
    template = Steps(f"concurrent-task-{number}", groups(steps))
    states.workflow.add_template(template)
    with scope.entered(concurrent_line=call.line, concurrent_number=number):
        update_step(template.name, None, None, call)
    return returned


def _in_dag(functions: list[Callable[[], Any]]) -> list[Any]:
    """All wait for the same, and what comes after waits for all."""
    around, returned, ends = scope.current, [], []
    for function in functions:
        with scope.entered() as inner:
            returned.append(function())
        ends.append(inner.upstream)
    around.upstream, around.depends = merged(*ends), None
    return returned
