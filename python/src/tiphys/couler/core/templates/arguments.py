"""What a step is called with: how arguments become a template's inputs and a step's parameters and artifacts.

A parameter is named para-TEMPLATE-POSITION; an object that a job made takes three positions: its uid, its name, the whole.
"""

from __future__ import annotations

from typing import Any, Iterator, Optional

from tiphys.couler.core.templates.output import Output, OutputArtifact, OutputEmpty, OutputJob, quoted
from tiphys.couler.core.utils import input_parameter_name

Document = dict[str, Any]


def argument_list(arguments: Any) -> Optional[list[Any]]:
    """args= as one list; what a step returned may stand in it as it is."""
    if arguments is None:
        return None
    found: list[Any] = []
    for each in arguments if isinstance(arguments, (list, tuple)) else [arguments]:
        if isinstance(each, (list, tuple)) and each and isinstance(each[0], Output):
            found.extend(each)
        else:
            found.append(each)
    if any(each is None for each in found):
        raise ValueError("an argument is None: a function that makes a step has to return what run_container, run_script or run_job returned")
    return found


def inputs(template: str, arguments: Optional[list[Any]]) -> list[Document]:
    """The parameters that the template takes."""
    return [{"name": input_parameter_name(template, position)} for position, _, part in _positions(arguments or []) if part is not None]


def container_args(template: str, arguments: Optional[list[Any]]) -> list[str]:
    """What the container is called with: each argument's first parameter."""
    firsts: dict[int, str] = {}
    for position, index, part in _positions(arguments or []):
        if part is not None:
            firsts.setdefault(index, quoted(f"{{{{inputs.parameters.{input_parameter_name(template, position)}}}}}"))
    return list(firsts.values())


def of_step(template: str, arguments: Optional[list[Any]], prefix: str) -> Document:
    """A step's arguments; prefix: how it refers to others, "steps" or "tasks"."""
    parameters, artifacts = [], []
    for position, index, part in _positions(arguments or []):
        if part is None:
            artifacts.append(_artifact((arguments or [])[index], prefix))
        else:
            parameters.append({"name": input_parameter_name(template, position), "value": _value(part, prefix)})
    found: Document = {}
    if parameters:
        found["parameters"] = parameters
    if artifacts:
        # The same artifact may come from the program and from the dependency that makes it.
        found["artifacts"] = list({artifact["from"]: artifact for artifact in artifacts}.values())
    return found


def _positions(arguments: list[Any]) -> Iterator[tuple[int, int, Any]]:
    """Position, index of the argument, and the value there; None for an artifact."""
    position = 0
    for index, argument in enumerate(arguments):
        parts: list[Any] = argument.parts() if isinstance(argument, OutputJob) else [None if isinstance(argument, OutputArtifact) else argument]
        for part in parts:
            yield position, index, part
            position += 1


def _value(value: Any, prefix: str) -> Any:
    if isinstance(value, OutputEmpty):
        raise ValueError(
            f"step {value.step_name!r} has no output that could be passed on: give it output=couler.create_parameter_artifact(path=...), or use run_script, "
            "whose output is what it prints"
        )
    if isinstance(value, Output):
        return quoted(value.tag(prefix))
    return f"'{value}'" if isinstance(value, (bool, int, float)) else value


def _artifact(output: OutputArtifact, prefix: str) -> Document:
    return {"name": output.artifact["name"], "from": quoted(output.tag(prefix))}
