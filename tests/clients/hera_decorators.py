"""Hera's decorators of a workflow, @script(), @dag(), @steps(): functions of this file are run where they are."""

import tiphys
from hera.shared import global_config
from hera.workflows import Input, Output, Workflow, parallel

global_config.experimental_features["decorator_syntax"] = True
global_config.image = "none"


class Number(Input):
    value: int


class Sum(Input):
    left: int
    right: int


class Result(Output):
    value: int


in_steps = Workflow(generate_name="steps-")


@in_steps.script()
def double(given: Number) -> Result:
    return Result(value=given.value * 2, result=given.value * 2)


@in_steps.set_entrypoint
@in_steps.steps()
def main() -> Result:
    first = double(Number(value=4), name="first")
    with parallel():
        double(Number(value=first.value), name="second")
        double(Number(value=5), name="third")
    return Result(value=first.value)


in_dag = Workflow(generate_name="dag-")


@in_dag.script()
def square(given: Number) -> Result:
    return Result(value=given.value**2)


@in_dag.script()
def add(given: Sum) -> Result:
    return Result(value=given.left + given.right)


@in_dag.set_entrypoint
@in_dag.dag()
def pythagoras(legs: Sum) -> Result:
    a = square(Number(value=legs.left), name="a")
    b = square(Number(value=legs.right), name="b")
    c = add(Sum(left=a.value, right=b.value), name="c")
    return Result(value=c.value)


if __name__ == "__main__":
    nodes = tiphys.run(in_steps, runtime="process", wait=True).nodes
    assert {name: nodes[name].outputs["value"] for name in ("first", "second", "third")} == {"first": "8", "second": "16", "third": "10"}
    done = tiphys.run(in_dag, runtime="process", parameters={"left": 3, "right": 4}, wait=True)
    assert done.nodes["c"].outputs["value"] == "25"
    assert done.outputs["value"] == "25"
    print("done")
