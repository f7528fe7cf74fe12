"""Hera's scripts run where they are: by its runner, with types, files and classes of Pydantic, from this file and one beside it; no image is built."""

import json
from pathlib import Path
from typing import Annotated, List, Optional

from hera_shapes import Shape, area
from pydantic import BaseModel

import tiphys
from hera.shared import global_config
from hera.shared.serialization import serialize
from hera.workflows import (
    DAG,
    Artifact,
    CronWorkflow,
    Input,
    NoneArchiveStrategy,
    Output,
    Parameter,
    Script,
    Steps,
    Task,
    Workflow,
    models,
    script,
)
from hera.workflows.artifact import ArtifactLoader

global_config.image = "none"


@script()
def inline(number: int):
    import sys

    print(number * 2, sys.executable)


@script(constructor="runner")
def measure(shape: Shape) -> float:
    return area(shape)


@script(constructor="runner")
def shapes(sides: List[int], name: str = "square") -> List[Shape]:
    return [Shape(name=name, sides=[side, side]) for side in sides]


@script(constructor="runner")
def total(found: List[Shape], factor: Annotated[Optional[float], Parameter(name="by-how-much")] = None) -> float:
    return sum(map(area, found)) * (factor or 1)


@script(constructor="runner")
def write() -> Annotated[Shape, Artifact(name="shape", archive=NoneArchiveStrategy())]:
    return Shape(name="made", sides=[2, 5])


@script(constructor="runner")
def read(
    as_json: Annotated[dict, Artifact(name="shape", loader=ArtifactLoader.json)],
    text: Annotated[str, Artifact(name="text", loader=ArtifactLoader.file)],
    where: Annotated[Path, Artifact(name="path", loader=None)],
) -> Annotated[str, Parameter(name="told")]:
    assert json.loads(text) == as_json == json.loads(where.read_text())
    return as_json["name"]


class In(Input):
    limit: int
    shape: Annotated[Shape, Parameter(name="the-shape")]
    words: List[str] = ["a"]


class Out(Output):
    big: bool
    names: Annotated[List[str], Parameter(name="all-names")]
    report: Annotated[str, Artifact(name="report", archive=NoneArchiveStrategy())]


@script(constructor="runner")
def judge(given: In) -> Out:
    return Out(big=area(given.shape) > given.limit, names=given.words, report="fine", result="judged", exit_code=0)


@script(constructor="runner")
def leave(where: Annotated[Path, Parameter(name="where", output=True)], how: Annotated[Path, Artifact(name="how", output=True)]):
    where.write_text("here")
    how.write_text("so")


@script(constructor="runner")
def fail(text: str) -> str:
    raise ValueError(text)


def run(workflow, **options):
    made = tiphys.run(workflow, runtime="process", wait=True, **options)
    return {node.name: node for node in made.nodes}, made


def typed():
    with Workflow(generate_name="typed-", entrypoint="main") as workflow:
        with Steps(name="main"):
            inline(name="inline", arguments={"number": 4})
            measure(name="measure", arguments={"shape": Shape(name="s", sides=[2, 3])})
            made = shapes(name="shapes", arguments={"sides": [1, 2, 3]})
            total(name="total", arguments={"found": made.result, "by-how-much": 2})
    nodes, done = run(workflow)
    assert done.logs(nodes["inline"]).startswith("8 "), done.logs(nodes["inline"])
    assert done.logs(nodes["measure"]) == "6.0"
    assert json.loads(nodes["shapes"].outputs.result)[2] == {"name": "square", "sides": [3, 3]}
    assert done.logs(nodes["total"]) == "28.0"


def files():
    with Workflow(generate_name="files-", entrypoint="main") as workflow:
        with DAG(name="main"):
            made = write(name="write")
            artifact = made.get_artifact("shape")
            told = read(name="read", arguments=[artifact.with_name("shape"), artifact.with_name("text"), artifact.with_name("path")])
            left = leave(name="leave")
            made >> told >> left
    nodes, done = run(workflow)
    assert nodes["read"].outputs["told"] == "made"
    assert nodes["leave"].outputs["where"] == "here"
    assert nodes["leave"].outputs.artifacts["how"].text() == "so"


def classes():
    with Workflow(generate_name="classes-", entrypoint="main") as workflow:
        with Steps(name="main"):
            judge(name="judge", arguments={"limit": 5, "the-shape": Shape(name="s", sides=[2, 3]), "words": ["x", "y"]})
    nodes, done = run(workflow)
    outputs = nodes["judge"].outputs
    assert outputs["big"] == "true", outputs["big"]
    assert json.loads(outputs["all-names"]) == ["x", "y"]
    assert outputs.artifacts["report"].text() == "fine"
    assert "judged" in done.logs(nodes["judge"])


def fanned_out():
    with Workflow(generate_name="fan-", entrypoint="main") as workflow:
        with DAG(name="main"):
            made = shapes(name="shapes", arguments={"sides": [1, 2, 3]})
            each = measure(name="each", arguments={"shape": "{{item}}"}, with_param=made.result)
            all_ = total(name="total", arguments={"found": made.result})
            made >> each >> all_
    nodes, done = run(workflow)
    assert sorted(done.logs(node) for name, node in nodes.items() if name.startswith("each(")) == ["1.0", "4.0", "9.0"]


def failed():
    with Workflow(generate_name="failing-", entrypoint="main", on_exit="end") as workflow:
        with Steps(name="main"):
            fail(name="fail", arguments={"text": "on purpose"})
        with Steps(name="end"):
            inline(name="told", arguments={"number": 1})
    try:
        run(workflow)
    except tiphys.RunFailed as error:
        assert "ValueError: on purpose" in str(error) and error.node.name == "fail", error
    else:
        raise AssertionError("it was to fail")


def scheduled():
    with CronWorkflow(generate_name="daily-", entrypoint="main", schedules=["0 0 1 1 *"], timezone="Europe/Berlin") as cron:
        with Steps(name="main"):
            measure(name="measure", arguments={"shape": Shape(name="s", sides=[2, 3])})
    assert cron.build().spec.schedules == ["0 0 1 1 *"]


if __name__ == "__main__":
    for check in (typed, files, classes, fanned_out, failed, scheduled):
        check()
    print("done")
