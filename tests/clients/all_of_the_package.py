"""What the package does with the standard library alone: each of its modules is imported, and its main ways are gone once. For all Pythons that it is for."""

import asyncio
import importlib
import pathlib
import pkgutil
import sys

import tiphys
from tiphys.testing import Mock, play

OF_OTHERS = ("pytest", "yaml", "kubernetes")  # that some modules import
STEPS = {
    "metadata": {"generateName": "all-"},
    "spec": {
        "entrypoint": "main",
        "arguments": {"parameters": [{"name": "count", "value": "1"}]},
        "templates": [
            {"name": "main", "inputs": {"artifacts": [{"name": "given"}]},
             "steps": [[{"name": "read", "template": "read", "arguments": {"artifacts": [{"name": "given", "from": "{{inputs.artifacts.given}}"}]}}]]},
            {"name": "read", "inputs": {"artifacts": [{"name": "given", "path": "/tmp/given"}]},
             "outputs": {"artifacts": [{"name": "copied", "path": "/tmp/copied", "archive": {"none": {}}}]},
             "script": {"image": "none", "command": ["python3"], "source": "import shutil, sys\nshutil.copy('/tmp/given', '/tmp/copied')\nprint({{workflow.parameters.count}}, sys.version_info[:2])"}},
        ],
    },
}


def import_all():
    for found in pkgutil.walk_packages(tiphys.__path__, "tiphys."):
        if found.name.endswith("__main__"):
            continue
        try:
            importlib.import_module(found.name)
        except ModuleNotFoundError as missing:
            assert (missing.name or "").partition(".")[0] in OF_OTHERS, missing


def run():
    made = tiphys.run(STEPS, {"count": 3}, runtime="process", artifacts={"given": b"content"}, wait=True)
    read = made.nodes["read"]
    assert read.artifacts["copied"].bytes() == b"content"
    assert read.logs() == f"3 {sys.version_info[:2]}", read.logs()
    assert [event.phase for event in made if not event.name][-1] == "Succeeded"
    assert "read" in made._repr_mimebundle_()["text/html"]
    template = {**STEPS, "apiVersion": "argoproj.io/v1alpha1", "kind": "WorkflowTemplate", "metadata": {"name": "all"}}
    assert tiphys.run(template, runtime="process", artifacts={"given": pathlib.Path(__file__)}, wait=True).succeeded


def fail():
    broken = {"spec": {"entrypoint": "main", "templates": [{"name": "main", "container": {"image": "none", "command": ["false"]}}]}}
    try:
        tiphys.run(broken, runtime="process", wait=True)
    except tiphys.RunFailed as failed:
        assert failed.node is not None and failed.node.name == failed.run.name
    else:
        raise AssertionError("it was to fail")


async def run_async():
    made = await tiphys.arun(STEPS, runtime="process", artifacts={"given": b""}, wait=True)
    assert await made.status() == "Succeeded"


def test():
    one = {"spec": {"entrypoint": "main", "templates": [{"name": "main", "container": {"image": "none", "command": ["true"]}}]}}
    played = play(one, mocks={"main": Mock(duration=5)})
    assert played.phase == "Succeeded" and played.duration == 5


def submit_by_couler():
    import tiphys.couler.argo as couler

    def program():
        couler.run_container(image="none", command=["echo", "hello"], step_name="hello")

    assert tiphys.run(program, runtime="process", wait=True).succeeded


if __name__ == "__main__":
    import_all()
    run()
    fail()
    asyncio.run(run_async())
    test()
    submit_by_couler()
    print("done")
