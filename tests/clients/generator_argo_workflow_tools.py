"""argo-workflow-tools: functions as tasks, a DAG of them, a loop, conditions."""

import tiphys
from argo_workflow_tools.dsl import Workflow
from argo_workflow_tools.dsl.condition import Condition
from argo_workflow_tools.dsl.dsl_decorators import DAG, Task


@Task(image="python:3.10")
def numbers(count: int):
    return list(range(count))


@Task(image="python:3.10")
def square(number: int):
    return number * number


@Task(image="python:3.10")
def total(parts: list):
    return sum(map(int, parts))


@Task(image="python:3.10")
def say(text: str):
    print("it is", text)


@DAG()
def sums(count: int):
    made = numbers(count)
    squares = [square(each) for each in made]
    with Condition().equals(count, 3):
        say("three")
    with Condition().equals(count, 4):
        say("four")
    return total(squares)


if __name__ == "__main__":
    text = Workflow(name="sums", entrypoint=sums, arguments={"count": 3}).to_yaml()
    run = tiphys.run(text, runtime="process", wait=True)
    assert run.outputs == {"result": "5"}, run.outputs
    said = [(node.phase, node.logs().strip() if node.type == "Pod" else "") for node in run.nodes if node.name.startswith("say-")]
    assert sorted(said) == [("Skipped", ""), ("Succeeded", "it is three")], said
    print("done")
