"""Steps that are repeated."""

from __future__ import annotations

from typing import Any, Callable

from tiphys.couler.core import scope, states
from tiphys.couler.core.scope import Groups
from tiphys.couler.core.step_update_utils import place
from tiphys.couler.core.syntax.conditional import compared
from tiphys.couler.core.syntax.predicates import Condition
from tiphys.couler.core.templates.output import Output, first_output
from tiphys.couler.core.templates.step import Step, Steps, groups
from tiphys.couler.core.unknown_arguments import told


@told
def exec_while(condition: Condition, inner_while: Callable[[], Any]) -> None:
    """The steps that the function makes run, and again as long as the condition holds for its output: exec_while(equal("tails"), lambda: flip())."""
    if not callable(inner_while):
        raise TypeError(f"exec_while needs a function that makes steps: write `lambda: step()`, not `step()`; it got {type(inner_while).__name__}")
    if not isinstance(condition, dict) or "condition" not in condition or condition["pre"] is None:
        raise TypeError("exec_while needs a condition with the value that is compared, such as couler.equal(value)")
    if states.workflow.dag_mode_enabled() and not scope.current.exit_handler:
        raise SyntaxError("exec_while is made of steps, and cannot stand in a workflow that is a dag (set_dependencies, dag)")
    value = first_output(condition["pre"])
    if isinstance(value, Output):
        raise TypeError("the condition of exec_while has one side, the value with which the output of the last round is compared: couler.equal(value)")
    body: Groups = {}
    with scope.entered(steps=body, when=None, group=None, concurrent_line=None):
        returned = inner_while()
    if returned is None:
        raise SyntaxError("the function of exec_while has to return what its last step returned: its output decides whether there is another round")
    output = compared(returned)
    name = f"exec-while-{output.template_name}"
    if states.workflow.get_template(name) is not None:
        raise SyntaxError(f"{output.template_name!r} is repeated twice: give the steps of the second loop another name, by step_name=")
    again = f"{output.tag('steps')} {condition['condition']} {value}"
    body[f"{name}-exit"] = [Step(f"{name}-exit", name, when=again)]
    states.workflow.add_template(Steps(name, groups(body)))
    place(Step(f"exec-while-{output.step_name}", name))
