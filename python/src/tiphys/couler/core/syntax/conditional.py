"""Steps that run on a condition."""

from __future__ import annotations

from typing import Any, Callable

from tiphys.couler.core import scope, session, states
from tiphys.couler.core.syntax.predicates import Condition
from tiphys.couler.core.templates.output import Output, OutputArtifact, OutputEmpty, first_output
from tiphys.couler.core.unknown_arguments import told
from tiphys.couler.core.utils import did_you_mean


@told
def when(condition: Condition, function: Callable[[], Any]) -> None:
    """The steps that the function makes run where the condition holds: couler.when(couler.equal(result, "heads"), lambda: heads())."""
    if not isinstance(condition, dict) or "condition" not in condition:
        raise TypeError(f"when needs a condition, such as couler.equal(step, value), not {condition!r}")
    if condition["pre"] is None or condition["post"] is None:
        raise SyntaxError("a side of the condition is None: a function that makes a step has to return what run_script or run_container returned")
    if not callable(function):
        raise TypeError(f"when needs a function that makes the steps: write `lambda: step()`, not `step()`; it got {type(function).__name__}")
    left = compared(condition["pre"])
    outer = scope.current
    prefix = "tasks" if states.workflow.dag_mode_enabled() and not outer.exit_handler else "steps"
    right = first_output(condition["post"])
    text = f"{left.tag(prefix)} {condition['condition']} {compared(right).tag(prefix) if isinstance(right, Output) else right}"
    around = {"when": f"{outer.when} && {text}" if outer.when else text, "when_task": None if left.is_global else left.step_name}
    if prefix == "steps" and not left.is_global:
        around["group"] = f"{left.step_name}.{left.reference}"
    with scope.entered(**around) as inner:
        function()
    outer.upstream, outer.depends = inner.upstream, inner.depends


def compared(side: Any) -> Output:
    """The output of a step of this workflow that a condition is about."""
    output = first_output(side)
    if not isinstance(output, Output):
        raise TypeError(f"a condition compares what a step returned with a value: its left side is {side!r}; write couler.equal(step(), value)")
    if isinstance(output, OutputEmpty):
        raise ValueError(
            f"step {output.step_name!r} has no output to compare: use run_script, whose output is what it prints, "
            "or give it output=couler.create_parameter_artifact(path=...)"
        )
    if isinstance(output, OutputArtifact):
        raise ValueError(f"the output of step {output.step_name!r} is a file, which cannot be compared: use couler.create_parameter_artifact(path=...)")
    if not output.is_global and output.step_name not in session.steps_outputs:
        raise ValueError(
            f"the condition is about step {output.step_name!r}, which is none of this workflow{did_you_mean(output.step_name, session.steps_outputs)}: "
            "make the step before its condition, and anew after couler.run()"
        )
    return output
