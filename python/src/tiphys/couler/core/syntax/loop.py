"""A step for each item of lists."""

from __future__ import annotations

from typing import Any, Callable

from tiphys.couler.core import scope, states
from tiphys.couler.core.manifest import dump, parse
from tiphys.couler.core.step_update_utils import place
from tiphys.couler.core.templates.job import Job
from tiphys.couler.core.templates.output import Output, first_output, quoted
from tiphys.couler.core.templates.step import Step

Document = dict[str, Any]


def map(function: Callable[..., Any], *arguments: Any) -> Step:
    """The step that the function makes runs for each item: of more lists, for the first of each, the second of each, ..."""
    if not callable(function):
        raise TypeError(f"map needs a function that makes a step of an item, not {type(function).__name__}")
    lists = [list(each) if not isinstance(each, (str, dict)) else [each] for each in arguments]
    if not lists or not lists[0]:
        raise ValueError("map needs a list that is not empty: what the step is to run for")
    if len({len(each) for each in lists}) > 1:
        raise ValueError(f"the lists of map have to be of the same length, not {', '.join(str(len(each)) for each in lists)}")
    with scope.entered(recording=True, inherited=None):
        inner = function(*(each[0] for each in lists))
    if inner is None:
        raise SyntaxError("map's function has to return what run_container, run_script or run_job returned")
    output = first_output(inner)
    if not isinstance(output, Output):
        raise TypeError(f"map's function has to return what run_container, run_script or run_job returned, not {inner!r}")
    names = _parameters(output.template_name)
    if len(names) < len(lists):
        raise ValueError(f"map has {len(lists)} lists, and the step takes {len(names)} argument(s): pass each item on by args=")
    step = Step(output.step_name, output.template_name)
    step.arguments = {"parameters": [{"name": name, "value": quoted(f"{{{{item.{name}}}}}")} for name in names]}
    step.with_items = [dict(zip(names, items)) for items in zip(*lists)]
    place(step)
    return step


def _parameters(template_name: str) -> list[str]:
    """What the template takes. An object that is made for each item takes its name from it."""
    template = states.workflow.get_template(template_name)
    if isinstance(template, Job):
        name = f"{template_name}-para-name"
        if {"name": name} not in template.args:
            manifest = parse(template.manifest)
            manifest.setdefault("metadata", {})["name"] = f"{{{{inputs.parameters.{name}}}}}"
            template.manifest = dump(manifest)
            template.args.append({"name": name})
        return [name]
    inputs = template.to_dict().get("inputs", {}) if template is not None else {}
    if not inputs.get("parameters"):
        raise ValueError(f"map's function passes no item on: template {template_name!r} takes no arguments; give run_container or run_script args=")
    return [parameter["name"] for parameter in inputs["parameters"]]
