"""The variables of an object that run_job makes; those that other steps make come as parameters."""

from __future__ import annotations

from typing import Any, NamedTuple, Optional

from tiphys.couler.core.templates.arguments import argument_list, container_args
from tiphys.couler.core.templates.output import Output, OutputArtifact, OutputJob

Document = dict[str, Any]


class Environment(NamedTuple):
    entries: list[Document]
    args: list[Any]  # of the step: the outputs that the entries refer to


def of(template: str, env: Optional[dict[str, Any]], inherited: Optional[list[Output]]) -> Environment:
    if env is None:
        return Environment([], [])
    if not isinstance(env, dict):
        raise TypeError(f"env has to be a dict of names and values, not {type(env).__name__}")
    entries: list[Document] = []
    names: list[str] = []
    args: list[Any] = []
    for name, value in env.items():
        if name == "secrets":
            if not isinstance(value, list):
                raise ValueError('env["secrets"] has to be a list of entries of env')
            entries.extend(value)
        elif isinstance(value, (list, tuple)) and value and isinstance(value[0], Output):
            names.append(name)
            args.append(value[0])
        else:
            entries.append({"name": name, "value": value})
    for number, output in enumerate(_values(inherited)):
        names.append(f"couler.inferred_outputs.{number}")
        args.append(output)
    tags = container_args(template, argument_list(args))
    return Environment(entries + [{"name": name, "value": tag.strip('"')} for name, tag in zip(names, tags)], args)


def _values(outputs: Optional[list[Output]]) -> list[Output]:
    """Files cannot be variables."""
    found: list[Output] = []
    for output in outputs or []:
        if isinstance(output, OutputJob):
            found.extend(output.parts())
        elif not isinstance(output, OutputArtifact):
            found.append(output)
    return found
