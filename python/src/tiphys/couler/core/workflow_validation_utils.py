"""What cannot run is refused before it is submitted, in the words of the program."""

from __future__ import annotations

import re
from typing import Any, Iterator

from tiphys.couler.core.utils import did_you_mean

Document = dict[str, Any]
_STATES = r"(?:\.(?:Succeeded|Failed|Errored|Skipped|Omitted|Daemoned|AnySucceeded|AllFailed))?"
_OPERAND = re.compile(rf"([A-Za-z0-9][-A-Za-z0-9]*){_STATES}")
_REFERENCE = re.compile(r"\{\{(steps|tasks)\.([^.{}]+)\.")


def validate_workflow_yaml(workflow: Document) -> None:
    """Raises ValueError: nothing to run, unknown steps in dependencies and conditions, steps that wait for each other."""
    spec = workflow["spec"]
    if workflow["kind"] == "CronWorkflow":
        spec = spec.get("workflowSpec") or {}
    templates = spec.get("templates") or []
    if not templates:
        raise ValueError(f"{workflow['kind']} has no templates")
    names = {template["name"] for template in templates}
    for template in templates:
        if "steps" in template:
            _check_steps(template, names)
        elif "dag" in template:
            _check_dag(template, names)


def _check_steps(template: Document, templates: set[str]) -> None:
    if not template["steps"]:
        raise ValueError("there is nothing to run: make a step first, by run_container, run_script or run_job")
    seen: list[str] = []
    for group in template["steps"]:
        for step in group:
            _check_template(step, templates)
            _check_references(step, "step", seen, "steps before it")
        seen.extend(step["name"] for step in group)


def _check_dag(template: Document, templates: set[str]) -> None:
    tasks = (template["dag"] or {}).get("tasks")
    if not tasks:
        raise ValueError("there is nothing to run: make a step first, by set_dependencies or dag")
    names = [task["name"] for task in tasks]
    waits: dict[str, list[str]] = {}
    for task in tasks:
        _check_template(task, templates)
        _check_references(task, "step", names, "steps")
        waits[task["name"]] = list(_waits_for(task))
        for name in waits[task["name"]]:
            if name not in names:
                raise ValueError(f"step {task['name']!r} waits for {name!r}, which is no step{did_you_mean(name, names)}")
    cycle = find_cycle(waits)
    if cycle:
        hint = ": steps of a dag are told apart by step_name=" if len(cycle) == 2 else ""
        raise ValueError(f"steps wait for each other in a circle: {' waits for '.join(cycle)}{hint}")


def _waits_for(task: Document) -> Iterator[str]:
    yield from task.get("dependencies") or []
    yield from (match.group(1) for match in _OPERAND.finditer(task.get("depends") or ""))


def find_cycle(waits: dict[str, list[str]]) -> list[str]:
    """A circle of names, the first one again at the end; empty where there is none."""
    done: set[str] = set()
    for start in waits:
        path: list[str] = []
        under_way: set[str] = set()
        pending = [(start, iter(waits[start]))] if start not in done else []
        if pending:
            path.append(start)
            under_way.add(start)
        while pending:
            name, others = pending[-1]
            following = next((other for other in others if other in waits and other not in done), None)
            if following is None:
                pending.pop()
                path.pop()
                under_way.discard(name)
                done.add(name)
            elif following in under_way:
                return [*path[path.index(following) :], following]
            else:
                pending.append((following, iter(waits[following])))
                path.append(following)
                under_way.add(following)
    return []


def _check_template(step: Document, templates: set[str]) -> None:
    if step.get("template") not in templates:
        raise ValueError(f"step {step['name']!r} calls template {step.get('template')!r}, which does not exist")


def _check_references(step: Document, what: str, known: list[str], where: str) -> None:
    texts = [step.get("when") or ""]
    arguments = step.get("arguments") or {}
    texts += [str(parameter.get("value", "")) for parameter in arguments.get("parameters") or []]
    texts += [artifact.get("from", "") for artifact in arguments.get("artifacts") or []]
    for text in texts:
        for _, name in _REFERENCE.findall(text):
            if name not in known:
                raise ValueError(f"{what} {step['name']!r} refers to {name!r}, which is none of the {where}{did_you_mean(name, known)}: {text}")
