"""tiphys.Server() and tiphys.connect(): what other libraries find within."""

import gc
import json
import os
import subprocess
import sys
import urllib.request

import pytest
from client_environments import PATIENCE, environment
from conftest import ROOT
from python_support import SOURCES, clean_environment, plane, shell, tiphys, workflow  # noqa: F401

HELLO = workflow(shell("main", "echo hello"))
VARIABLES = ("KUBECONFIG", "ARGO_SERVER", "ARGO_TOKEN", "ARGO_SECURE", "ARGO_NAMESPACE", "KF_PIPELINES_ENDPOINT")


def test_a_server_of_its_own(tmp_path):
    before = {name: os.environ.get(name) for name in VARIABLES}
    with tiphys.Server(tmp_path / "data", runtime="process") as server:
        assert server.run(HELLO, wait=True).logs() == "hello"
        assert tiphys.run(HELLO, wait=True).client is server
        request = urllib.request.Request(f"{server.url}/api/v1/workflows/default", headers={"Authorization": f"Bearer {server.token}"})
        with urllib.request.urlopen(request) as answer:
            assert len(json.load(answer)["items"]) == 2
        assert os.environ["KUBECONFIG"] == server.kubeconfig and os.path.exists(server.kubeconfig)
        assert os.environ["ARGO_SERVER"] == server.url.removeprefix("http://")
    assert {name: os.environ.get(name) for name in VARIABLES} == before
    assert not (tmp_path / "data" / "server.json").exists()


def test_a_temporary_server_leaves_nothing(tmp_path):
    with tiphys.Server(runtime="process") as server:
        run = server.run(workflow(shell("main", "sleep 1000")))
        folder = server.data_dir
        for event in run:
            if event.name == run.name and event.phase == "Running":
                break
    assert not os.path.exists(folder)


def test_a_server_that_was_stopped_stays_so():
    with tiphys.Server(runtime="process") as server:
        run = server.run(workflow(shell("main", "sleep 1000")))
        following = iter(run)
        next(following)
    with pytest.raises(tiphys.ServerUnreachable, match="was stopped"):
        run.workflow["status"]
    assert not os.path.exists(server.data_dir)


def test_a_server_does_not_take_anothers_plane(tiphys_up, tmp_path):
    with pytest.raises(tiphys.ServerNotStarted, match="another process runs the plane"):
        tiphys.Server(tiphys_up).start()


@pytest.fixture
def tiphys_up(request):
    program = request.getfixturevalue("tiphys")
    program.up()
    return program.data_dir


def test_connect(tiphys_up):
    announced = json.loads((tiphys_up / "server.json").read_text())
    client = tiphys.connect(announced["address"], announced["token"])
    run = client.run(HELLO, wait=True)
    assert run.logs() == "hello" and [each.name for each in client.runs()] == [run.name]
    text = json.dumps({"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", **HELLO})
    assert client.run(text, wait=True, runtime="process").succeeded
    events = [(event.name, event.phase) for event in client.run(HELLO, runtime="process")]
    assert events[-1] == ("", "Succeeded")


def test_connect_with_tls(tiphys_up):
    announced = json.loads((tiphys_up / "server.json").read_text())
    authority = next((tiphys_up / "tls").glob("ca*"))
    client = tiphys.connect(f"https://{announced['address']}", announced["token"], authority=authority)
    assert client.run(HELLO, wait=True).succeeded


WRONG = [
    ("no scheme that is known", lambda: tiphys.connect("ftp://a:1"), ValueError, "no address of a server"),
    ("nobody there", lambda: tiphys.connect("127.0.0.1:1").runs(), tiphys.ServerUnreachable, "no server answers at http://127.0.0.1:1"),
]


@pytest.mark.parametrize("call, kind, message", [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_wrong_connections_are_told(call, kind, message):
    with pytest.raises(kind, match=message):
        call()


def test_a_wrong_token_is_told(tiphys_up):
    announced = json.loads((tiphys_up / "server.json").read_text())
    with pytest.raises(tiphys.ApiError) as refused:
        tiphys.connect(announced["address"], "wrong").runs()
    assert refused.value.status == 401


def test_a_program_that_cannot_start_says_why(tmp_path, recwarn):
    (tmp_path / "config.yaml").write_text("nothing: true\n")
    with pytest.raises(tiphys.ServerNotStarted, match="nothing"):
        tiphys.Server(tmp_path / "data", config=tmp_path / "config.yaml").start()
    gc.collect()
    assert not [str(each.message) for each in recwarn if issubclass(each.category, ResourceWarning) and "file" in str(each.message)], "it leaves files open"


def test_a_program_that_is_missing_is_told(monkeypatch):
    monkeypatch.setenv("TIPHYS_BIN", "/nowhere/tiphys")
    with pytest.raises(tiphys.ProgramNotFound, match="TIPHYS_BIN names /nowhere/tiphys"):
        tiphys.find_program()


INTERPRETER = """
import sys, tiphys
script = {"spec": {"entrypoint": "main", "templates": [{"name": "main", "script": {"image": "python", "command": ["COMMAND"], "source": "import sys, os; print(sys.prefix); import only_here; print(only_here.__name__)"}}]}}
run = tiphys.run(script, runtime="process", wait=True)
print(run.logs())
print(sys.prefix)
"""


@pytest.mark.parametrize("command", ["python", "python3"])
def test_script_steps_find_the_callers_interpreter_and_packages(tmp_path, command):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    packages = next((tmp_path / "venv/lib").glob("python*/site-packages"))
    (packages / "only_here.py").write_text("")
    (packages / "sources.pth").write_text(f"{SOURCES}\n")
    environment = clean_environment(tmp_path)
    del environment["PYTHONPATH"]
    done = subprocess.run([tmp_path / "venv/bin/python", "-c", INTERPRETER.replace("COMMAND", command)], env=environment, capture_output=True, text=True, timeout=120, check=False)
    prefix = str(tmp_path / "venv")
    assert done.stdout.split() == [prefix, "only_here", prefix], done.stderr


def test_steps_find_an_interpreter_of_another_name(tmp_path):
    """As on a Debian without `python`, and where Pythons are told apart by their versions; the data directory is new."""
    (tmp_path / "bin").mkdir()
    called = tmp_path / "bin/python-of-ours"
    called.symlink_to(sys.executable)
    code = "import tiphys\nfor name in ('python', 'python3'):\n    script = {'image': 'x', 'command': [name], 'source': 'import sys; print(sys.executable)'}\n"
    code += "    print(tiphys.run({'spec': {'entrypoint': 'main', 'templates': [{'name': 'main', 'script': script}]}}, runtime='process', wait=True).logs())"
    done = subprocess.run([called, "-c", code], env=clean_environment(tmp_path), capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout.split() == [str(called), str(called)], done.stderr


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("library, where", [("hera", "hera"), ("kubernetes", "kubernetes-37"), ("kubernetes", "kubernetes-30")])
def test_other_libraries_find_the_server(tmp_path, library, where, when):
    """Whether they were imported before it started or after."""
    done = subprocess.run([environment(where), ROOT / "tests/clients/pointed_at_server.py", library, when], env=clean_environment(tmp_path),
                          capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.stdout == "done\n", done.stdout + done.stderr


@pytest.mark.parametrize("when", ["before", "after"])
def test_kubeflow_pipelines_finds_the_server(tmp_path, when):
    done = subprocess.run([environment("kfp"), ROOT / "tests/clients/kfp_client.py", when], env=clean_environment(tmp_path), cwd=tmp_path,
                          capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.stdout.splitlines()[-1:] == ["done"], done.stdout + done.stderr
