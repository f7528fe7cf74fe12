"""Where a step goes: to a group of steps, or to the dag."""

from __future__ import annotations

import re
from typing import Any, Optional

from tiphys.couler.core import scope, states, utils
from tiphys.couler.core.location import Call
from tiphys.couler.core.scope import Groups
from tiphys.couler.core.templates import arguments
from tiphys.couler.core.templates.dependencies import merged
from tiphys.couler.core.templates.step import Step

CONCURRENT = "concurrent_func_name"


def update_step(template: str, args: Optional[list[Any]], step_name: Optional[str], call: Call) -> str:
    """Adds a step that calls the template; gives the name that it got."""
    if scope.current.recording:
        return task_name(template, step_name) if states.workflow.dag_mode_enabled() else utils.invocation_name(template, call.line)
    if states.workflow.dag_mode_enabled():
        return _add_task(template, args, step_name)
    return _add_step(template, args, call.line)


def task_name(template: str, step_name: Optional[str]) -> str:
    return utils.invocation_name(template, states.workflow.dag_line) if step_name is None else task_names([step_name])[0]


def task_names(names: list[str]) -> list[str]:
    """Fit for Argo; those that are stay what they are."""
    return [re.sub(r"[^A-Za-z0-9-]", "-", name) for name in names]


def _add_step(template: str, args: Optional[list[Any]], line: int) -> str:
    around = scope.current
    if around.concurrent_line is not None:
        name = f"{utils.invocation_name(template, around.concurrent_line)}-{around.concurrent_number}"
        key = utils.invocation_name(CONCURRENT, around.concurrent_line)
    else:
        name = key = utils.invocation_name(template, line)
    groups = _groups()
    # A line that runs twice, in a loop, makes two steps, one after the other.
    unique = distinct_name(name, _names(groups))
    if around.group is not None:
        key = around.group
    elif around.concurrent_line is None:
        key = unique
    step = Step(unique, template, arguments.of_step(template, args, "steps") or None, around.when)
    groups.setdefault(key, []).append(step)
    return unique


def _groups() -> Groups:
    around = scope.current
    if around.steps is not None:
        return around.steps
    return states.workflow.exit_handler_step if around.exit_handler else states.workflow.steps


def _names(groups: Groups) -> set[str]:
    return {step.name for group in groups.values() for step in group}


def distinct_name(name: str, taken: Any) -> str:
    found, number = name, 1
    while found in taken:
        number += 1
        found = f"{name}-{number}"
    return found


def _add_task(template: str, args: Optional[list[Any]], step_name: Optional[str]) -> str:
    around = scope.current
    name = task_name(template, step_name)
    if around.exit_handler:
        # What runs at the end is no dag, whatever the rest is.
        step = Step(name, template, arguments.of_step(template, args, "steps") or None, around.when)
        states.workflow.exit_handler_step.setdefault(name, []).append(step)
    else:
        task = states.workflow.get_dag_task(name)
        if task is None:
            task = {"name": name, "template": template}
            passed = arguments.of_step(template, args, "tasks")
            if passed:
                task["arguments"] = passed
            states.workflow.update_dag_task(name, task)
        elif step_name is None and around.named_once:
            raise ValueError(f"two steps are named {name!r}: tell them apart, by step_name= of run_container, run_script or run_job")
        _depend(task)
    _waited_for(name)
    return name


def _depend(task: dict[str, Any]) -> None:
    """Makes the task wait for what the scope says; without a word, for the one that was made last."""
    around, last = scope.current, states.workflow.last_task
    names = around.upstream
    if around.when is not None:
        task["when"] = around.when
        names = merged([around.when_task] if around.when_task else [], around.upstream)
    elif not around.linked and last is not None:
        names = [last]
    waits = merged(task.get("dependencies"), names)
    if waits:
        task["dependencies"] = waits
    if around.depends is not None:
        task["depends"] = around.depends


def _waited_for(name: str) -> None:
    scope.current.upstream, scope.current.depends = [name], None
    states.workflow.last_task = name


def place(step: Step) -> None:
    """Adds a step that is whole but for its condition and what it waits for."""
    around = scope.current
    if states.workflow.dag_mode_enabled() and not around.exit_handler:
        task = step.to_dict()
        _depend(task)
        states.workflow.update_dag_task(step.name, task)
        _waited_for(step.name)
        return
    groups = _groups()
    step.name = distinct_name(step.name, _names(groups))
    step.when = around.when if step.when is None else step.when
    groups.setdefault(around.group or step.name, []).append(step)
