"""Artifacts as arguments of tiphys.run(): files, folders, bytes, data frames, arrays."""

import json
import os
import subprocess

import pytest
from client_environments import PATIENCE, environment
from conftest import ROOT
from python_support import clean_environment, plane, shell, tiphys, workflow  # noqa: F401


def reads(command, path="/tmp/in", **more):
    """A workflow that reads its argument `data`."""
    return workflow(shell("main", command, inputs={"artifacts": [{"name": "data", "path": path}]}), **more)


def as_text(document):
    return json.dumps({"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", **document}, indent=1)


def as_template(document):
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": "WorkflowTemplate", "metadata": {"name": "reads"}, "spec": document["spec"]}


FORMS = [("a dict", lambda each: each), ("text", as_text), ("a template", as_template), ("a template as text", lambda each: json.dumps(as_template(each), indent=1))]
every_form = pytest.mark.parametrize("form", [row[1] for row in FORMS], ids=[row[0] for row in FORMS])


@every_form
def test_bytes(plane, form):
    assert plane.run(form(reads("wc -c </tmp/in")), artifacts={"data": bytes(range(256)) * 10}, runtime="process", wait=True).logs().strip() == "2560"


def packed(folder):
    subprocess.run(["tar", "-czf", folder / "packed.tgz", "-C", folder, "rows"], check=True)
    return folder / "packed.tgz"


PATHS = [
    ("a file", lambda folder: folder / "rows", "cat /tmp/in", "1\n2"),
    ("its path as text", lambda folder: str(folder / "rows"), "cat /tmp/in", "1\n2"),
    ("a folder", lambda folder: folder, "cat /tmp/in/rows /tmp/in/below/deep", "1\n2\ndeep"),
    ("an archive, which stays one", packed, "tar -xzOf /tmp/in rows", "1\n2"),
]


@pytest.mark.parametrize("give, command, expected", [row[1:] for row in PATHS], ids=[row[0] for row in PATHS])
def test_paths(plane, tmp_path, give, command, expected):
    folder = tmp_path / "given"
    (folder / "below").mkdir(parents=True)
    (folder / "rows").write_text("1\n2\n")
    (folder / "below/deep").write_text("deep\n")
    assert plane.run(reads(command), artifacts={"data": give(folder)}, runtime="process", wait=True).logs() == expected


def test_what_a_run_takes_stays_as_it_was_given(plane, tmp_path):
    path = tmp_path / "rows"
    path.write_text("before")
    gate = workflow({"name": "main", "steps": [[{"name": "gate", "template": "gate"}], [{"name": "read", "template": "read", "arguments": {"artifacts": [{"name": "data", "from": "{{inputs.artifacts.data}}"}]}}]],
                     "inputs": {"artifacts": [{"name": "data"}]}},
                    {"name": "gate", "suspend": {}}, shell("read", "cat /tmp/in", inputs={"artifacts": [{"name": "data", "path": "/tmp/in"}]}))
    run = plane.run(gate, artifacts={"data": path}, runtime="process")
    path.write_text("after")
    assert run.resume().wait().logs() == "before"


def test_artifacts_of_a_run(plane):
    made = plane.run(workflow(shell("main", "mkdir /tmp/d; echo made >/tmp/d/it", outputs={"artifacts": [{"name": "folder", "path": "/tmp/d"}]})), runtime="process", wait=True)
    run = plane.run(reads("cat /tmp/in/it"), artifacts={"data": made.artifacts["folder"]}, runtime="process", wait=True)
    assert run.logs() == "made"
    assert not list((os.scandir(os.path.join(made.client.data_dir, "artifacts", "uploads"))) if os.path.exists(os.path.join(made.client.data_dir, "artifacts", "uploads")) else [])


def test_a_place_as_manifests_name_it(plane):
    assert plane.run(reads("cat /tmp/in"), artifacts={"data": {"raw": {"data": "so"}}}, runtime="process", wait=True).logs() == "so"


def test_what_is_declared_is_replaced(plane):
    declared = reads("cat /tmp/in", arguments={"artifacts": [{"name": "data", "raw": {"data": "default"}}]})
    assert plane.run(declared, runtime="process", wait=True).logs() == "default"
    assert plane.run(declared, artifacts={"data": b"given"}, runtime="process", wait=True).logs() == "given"


WRONG = [
    ("no such argument", {"dta": b""}, tiphys.ManifestError, "takes no artifact 'dta'; did you mean 'data'?"),
    ("no such file", {"data": "nowhere.csv"}, FileNotFoundError, "artifact 'data': there is no file 'nowhere.csv'; what is in it can be given as bytes"),
    ("a number", {"data": 5}, TypeError, "artifact 'data' is a int: give a path, bytes"),
    ("a dict of something", {"data": {"a": 1}}, ValueError, "artifact 'data' is a dict, which names none of s3"),
]


@every_form
@pytest.mark.parametrize("given, kind, message", [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_what_cannot_be_given_is_told(plane, given, kind, message, form):
    with pytest.raises(kind, match=message):
        plane.run(form(reads("cat /tmp/in")), artifacts=given, runtime="process")
    assert not plane.runs()


def test_text_that_is_no_yaml_is_told_with_its_place(plane):
    with pytest.raises(tiphys.ManifestError, match="stdin:1:7"):
        plane.run("kind: Workflow\n a: [\n", artifacts={"data": b""})


@pytest.fixture
def far(tiphys):
    """A server to which files of this host are as far as if it were elsewhere."""
    tiphys.up()
    announced = json.loads((tiphys.data_dir / "server.json").read_text())
    import tiphys as package

    return package.connect(announced["address"], announced["token"])


def test_text_goes_to_servers_elsewhere(far, tmp_path):
    (tmp_path / "text").write_text("grüße\n")
    for value in ("grüße\n".encode(), tmp_path / "text"):
        assert far.run(reads("cat /tmp/in"), artifacts={"data": value}, runtime="process", wait=True).logs() == "grüße"


FAR = [("no text", b"\xff", "is no text"), ("what would be filled in", b"{{workflow.name}}", "text with {{ in it"), ("much", b"x" * 200_000, "more than 128 KiB"),
       ("a folder", ROOT, "is a folder")]


@pytest.mark.parametrize("value, message", [row[1:] for row in FAR], ids=[row[0] for row in FAR])
def test_what_does_not_reach_a_server_elsewhere_is_told(far, value, message):
    with pytest.raises(tiphys.TiphysError, match=message) as told:
        far.run(reads("cat /tmp/in"), artifacts={"data": value}, runtime="process")
    assert "name its place" in str(told.value)


def test_a_repository_that_is_configured_takes_no_files_of_this_host(tmp_path):
    config = tmp_path / "config.yaml"
    config.write_text("artifactRepository: {s3: {endpoint: 127.0.0.1:1, bucket: b, insecure: true}}\n")
    with tiphys.Server(tmp_path / "data", runtime="process", config=config) as server:
        assert server.run(reads("cat /tmp/in"), artifacts={"data": b"text"}, wait=True).logs() == "text"
        with pytest.raises(tiphys.TiphysError, match="is no text"):
            server.run(reads("cat /tmp/in"), artifacts={"data": b"\xff"})


def test_data_frames_and_arrays(tmp_path):
    done = subprocess.run([environment("data"), ROOT / "tests/clients/data_arguments.py"], env=clean_environment(tmp_path), cwd=tmp_path, capture_output=True, text=True,
                          timeout=PATIENCE, check=False)
    assert done.stdout.splitlines()[-1:] == ["done"], done.stdout + done.stderr
