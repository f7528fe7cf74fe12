"""Artifacts of plugins (artifactDrivers), by a plugin of Python that keeps them in a folder of its own."""

import json
import pathlib

import pytest

from cli_support import cli
from conftest import every_runtime, nodes_by_name
from stores import shell, steps, workflow
from test_s3_artifacts import artifact_of

SOURCE = (pathlib.Path(__file__).parent / "artifact_plugin.py").read_text()
IMAGE = "tiphys-tests/grpc-python:latest"  # tools/images


def config(cli, *more, name="keeper", **fields):
    """A configuration file with the plugin, and other drivers."""
    driver = {"name": name, "command": ["python3", "-c", SOURCE], **fields}
    if cli.tiphys.where != "process":
        driver["image"] = IMAGE
    return cli.file(json.dumps({"artifactDrivers": [driver, *more]}), "config.yaml")


def place(key, name="keeper", **more):
    return {"plugin": {"name": name, "key": key, **more}}


def run(cli, manifest, *arguments, code=0, objects=()):
    cli.last = cli.run("\n---\n".join(json.dumps(each) for each in (*objects, manifest)), *arguments, code=code)
    found = cli.workflow()
    return nodes_by_name(found) if "nodes" in found["status"] else {}


MAKE = "mkdir -p /out/deep; printf 1 >/out/a; printf 2 >/out/deep/b; ln -s a /out/link"
NONE = {"none": {}}


@every_runtime
def test_plugin_artifacts(cli):
    listing = {"name": "list", "data": {"source": {"artifactPaths": {"name": "in", **place("out")}}, "transformation": [{"expression": "data"}]}}
    nodes = run(cli, workflow("plugged", [
        steps("make", "read", "list"),
        shell("make", MAKE, outputs=[{"name": "tgz", "path": "/out", **place("out/all.tgz")},
                                     {"name": "tree", "path": "/out", "archive": NONE, **place("out/tree", configuration="fine")},
                                     {"name": "file", "path": "/out/a", "archive": NONE, **place("out/file")},
                                     {"name": "no", "path": "/no", "optional": True, **place("out/no")}]),
        shell("read", "cat /tgz/deep/b /tree/deep/b /file; test ! -e /maybe",
              inputs=[{"name": "tgz", "path": "/tgz", **place("out/all.tgz")}, {"name": "tree", "path": "/tree", **place("out/tree")},
                      {"name": "file", "path": "/file", **place("out/file")},
                      {"name": "no", "path": "/maybe", "optional": True, **place("out/no")}]),
        listing,
    ]), "--config", config(cli))
    assert cli("logs", "plugged").stdout.rstrip().endswith(": 221")
    assert artifact_of(nodes["[0].make"], "tree") == {"name": "tree", "path": "/out", "archive": NONE, **place("out/tree", configuration="fine")}
    listed = json.loads(nodes["[2].list"]["outputs"]["result"])
    assert listed == ["out/all.tgz", "out/file", "out/tree/a", "out/tree/deep/b", "out/tree/link"]


def test_a_plugin_is_a_repository(cli):
    """Keys and logs go there; what was made is deleted by it."""
    repository = {"apiVersion": "v1", "kind": "ConfigMap",
                  "metadata": {"name": "artifact-repositories", "annotations": {"workflows.argoproj.io/default-artifact-repository": "kept"}},
                  "data": {"kept": json.dumps({"plugin": {"name": "keeper", "keyFormat": "runs/{{workflow.name}}/{{pod.name}}"}})}}
    make = shell("make", "echo 1 >/out; echo said", outputs=[{"name": "out", "path": "/out"}, {"name": "stays", "path": "/out", "artifactGC": {"strategy": "Never"}}])
    read = shell("read", "cat /in", inputs=[{"name": "in", "path": "/in"}])
    both = [{"name": "main", "steps": [[{"name": "make", "template": "make"}],
                                       [{"name": "read", "template": "read",
                                         "arguments": {"artifacts": [{"name": "in", "from": "{{steps.make.outputs.artifacts.out}}"}]}}],
                                       [{"name": "list", "template": "list"}]]},
            make, read, {"name": "list", "data": {"source": {"artifactPaths": {"name": "in", "plugin": {"key": "runs"}}}, "transformation": [{"expression": "data"}]}}]
    cli.up("--config", config(cli, connectionTimeoutSeconds=20))
    cli.run(json.dumps(repository) + "\n---\n" + json.dumps(workflow("kept", both, archiveLogs=True, artifactGC={"strategy": "OnWorkflowCompletion"})))
    nodes = nodes_by_name(cli.workflow())
    made = artifact_of(nodes["[0].make"], "out")
    assert made["plugin"]["key"].startswith("runs/kept/kept-make-") and made["deleted"] is True
    assert "deleted" not in artifact_of(nodes["[0].make"], "stays")
    assert artifact_of(nodes["[0].make"], "main-logs")["plugin"]["key"].endswith("/main.log")
    keys = json.loads(nodes["[2].list"]["outputs"]["result"])
    assert sorted(key.split("/")[-1] for key in keys) == ["main.log", "main.log", "out.tgz", "stays.tgz"]
    [log] = (pathlib.Path(cli.data_dir) / "plugins").glob("keeper-*/log")
    log = log.read_text()
    assert "Save out /out runs/kept/" in log and "out.tgz 20\n" in log
    assert "Delete out" in log


def test_logs_are_archived_by_a_plugin(cli):
    make = {**shell("make", "echo said"), "archiveLocation": {"archiveLogs": True, **place("logs/{{pod.name}}")}}
    listing = {"name": "list", "data": {"source": {"artifactPaths": {"name": "in", **place("logs")}}, "transformation": [{"expression": "data"}]}}
    nodes = run(cli, workflow("archived", [steps("make", "list"), make, listing]), "--config", config(cli))
    log = artifact_of(nodes["[0].make"], "main-logs")
    assert json.loads(nodes["[1].list"]["outputs"]["result"]) == [log["plugin"]["key"]]


def test_what_a_plugin_refuses_is_told(cli):
    def fails(workflow_name, **fields):
        outputs = [{"name": "out", "path": "/out", "archive": NONE, **place("x", **fields)}]
        return run(cli, workflow(workflow_name, [shell("main", "echo 1 >/out", outputs=outputs)]), "--config", config(cli), code=1)[""]

    node = fails("refused", configuration="fail: no room")
    assert node["phase"] == "Error" and "plugin keeper save failed: no room" in node["message"]
    node = fails("died", configuration="die")
    assert node["phase"] == "Error" and "plugin keeper save failed" in node["message"]
    node = fails("unknown", name="kepeer")
    assert node["phase"] == "Error" and "artifact driver kepeer not found: the plane's configuration (--config) has artifactDrivers keeper" in node["message"]
    missing = workflow("missing", [shell("main", "cat /in", inputs=[{"name": "in", "path": "/in", **place("nothing")}])])
    node = run(cli, missing, "--config", config(cli), code=1)[""]
    assert "plugin keeper load failed: rpc error: code = NotFound desc = no nothing" in node["message"]


def test_a_plugin_that_ends_is_started_again(cli):
    cli.up("--config", config(cli))
    out = [{"name": "out", "path": "/out", "archive": NONE}]
    for name, configuration, code in (("first", "die", 1), ("second", "", 0)):
        outputs = [{**out[0], **place("x", configuration=configuration)}]
        cli.run(json.dumps(workflow(name, [shell("main", "echo 1 >/out", outputs=outputs)])), code=code)


def test_a_plugin_that_cannot_run_is_told(cli):
    """By what is wrong with it: no command, no such program, one that ends at once."""
    manifest = workflow("bad", [shell("main", "echo 1 >/out", outputs=[{"name": "out", "path": "/out", **place("x")}])])
    ends = config(cli, command=["sh", "-c", "echo cannot begin; exit 5"])
    node = run(cli, manifest, "--config", ends, code=1)[""]
    assert "it has ended with exit code 5; it said: cannot begin" in node["message"]
    none = config(cli, command=["/no/such/plugin"])
    node = run(cli, {**manifest, "metadata": {"name": "none"}}, "--config", none, code=1)[""]
    assert "plugin keeper cannot start" in node["message"] and "/no/such/plugin" in node["message"]


@pytest.mark.parametrize("drivers, message", [
    ([{"name": "a"}], "artifactDrivers[0] needs an image, or a command for the process runtime"),
    ([{"image": "x"}], "artifactDrivers[0].name is required"),
    ([{"name": "A/b", "image": "x"}], "is part of a container's name"),
    ([{"name": "a", "image": "x"}, {"name": "a", "image": "y"}], 'there is a driver "a" already'),
    ([{"name": "a", "image": "x", "timeout": 3}], 'unknown field "timeout"'),
])
def test_drivers_are_checked(cli, drivers, message):
    assert message in cli.run(json.dumps(workflow("w", [shell("main", "true")])), "--config", cli.file(json.dumps({"artifactDrivers": drivers}), "c.yaml"), code=2).stderr
