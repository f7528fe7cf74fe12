"""Artifacts that are deleted: at the end of their workflow or along with it, from S3 and from the plane's own repository."""

import json
import pathlib

import pytest

from cli_support import cli
from stores import SECRET, http_store, s3, shell, workflow
from test_s3_artifacts import artifact_of, config_map, run

FINALIZER = "workflows.argoproj.io/artifact-gc"


def makes(*outputs):
    return shell("main", "echo 1 >/out", outputs=[{"name": name, "path": "/out", **fields} for name, fields in outputs])


def strategy(name):
    return {"artifactGC": {"strategy": name}}


def test_artifacts_go_with_their_workflow(cli, s3):
    template = makes(("ends", {}), ("goes", strategy("OnWorkflowDeletion")), ("stays", strategy("Never")), ("there", {"s3": s3.place("there")}))
    nodes = run(cli, config_map(s3), workflow("gc", [template], artifactGC={"strategy": "OnWorkflowCompletion"}))
    assert sorted(key.split("/")[-1] for key in s3.keys()) == ["goes.tgz", "stays.tgz"]
    assert {name: artifact_of(nodes[""], name).get("deleted") for name in ("ends", "goes", "stays", "there")} == {
        "ends": True, "goes": None, "stays": None, "there": True}
    kept = cli.workflow()
    assert kept["metadata"]["finalizers"] == [FINALIZER]
    assert kept["status"]["artifactGCStatus"] == {"podsRecouped": {"gc-artgc-wfcomp-2166136261": True}, "strategiesProcessed": {"OnWorkflowCompletion": True}}
    cli("delete", "gc")
    assert [key.split("/")[-1] for key in s3.keys()] == ["stays.tgz"]
    assert "not found" in cli("get", "gc", code=None).stderr


def test_artifacts_of_the_planes_own_repository_go(cli):
    run(cli, workflow("own", [makes(("out", {}))], artifactGC={"strategy": "OnWorkflowCompletion"}))
    assert "finalizers" not in cli.workflow()["metadata"] and "tiphys.io/expires" not in cli.workflow()["metadata"]["labels"]
    assert not [path for path in (pathlib.Path(cli.data_dir) / "artifacts").rglob("*.tgz")]
    run(cli, workflow("none", [makes(("out", {}))]))
    assert cli.workflow()["status"]["artifactGCStatus"] == {"notSpecified": True}
    assert "finalizers" not in cli.workflow()["metadata"]


def test_what_cannot_be_deleted_keeps_the_workflow(cli):
    with http_store() as store:
        out = ("out", {"archive": {"none": {}}, "http": {"url": store.url + "/out"}})
        nodes = run(cli, workflow("kept", [makes(out)], artifactGC={"strategy": "OnWorkflowDeletion"}))
        assert cli.workflow()["metadata"]["finalizers"] == [FINALIZER]
        assert "workflow 'kept' stays until its artifacts can be deleted" in cli("delete", "kept", code=1).stderr
        kept = cli.workflow("kept")
        condition = next(each for each in kept["status"]["conditions"] if each["type"] == "ArtifactGCError")
        assert condition["message"].startswith("delete not supported for this artifact storage") and condition["message"].endswith(
            "(artifactGCTask: kept-artgc-wfdel-2166136261-0)")
        event = cli("get", "kept", "--events").stdout.split("Events:")[1]
        assert "Artifact Garbage Collection failed for strategy OnWorkflowDeletion, err:delete not supported for this" in event
        cli("delete", "--force", "kept")
        assert "not found" in cli("get", "kept", code=None).stderr
        run(cli, workflow("forced", [makes(out)], artifactGC={"strategy": "OnWorkflowCompletion", "forceFinalizerRemoval": True}))
        assert not cli.workflow()["metadata"].get("finalizers")


def test_a_server_deletes_what_others_have_left(cli, s3):
    """The artifacts of a workflow that ends while a server runs, and goes by its time to live."""
    run(cli, config_map(s3), workflow("first", [makes(("out", {}))], artifactGC={"strategy": "OnWorkflowDeletion"}))
    assert len(s3.keys()) == 1
    cli.tiphys.up()
    cli("delete", "first")
    assert s3.keys() == []
