"""kill -9 of the server at any point loses nothing and runs nothing twice."""

import json
import os
import random
import signal

import pytest

from conftest import ENGINES

COUNT = 60
COUNT_OF_CONTAINERS = 12  # each takes a second
ROUNDS = int(os.environ.get("TIPHYS_CRASH_ROUNDS", "4"))


def manifest(ran, count=COUNT):
    """Steps that fail when they run twice: each makes a folder of its own on the host."""
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"generateName": "crash-"},
        "spec": {
            "entrypoint": "main",
            "templates": [
                {"name": "main", "steps": [
                    [{"name": "one", "template": "step", "withSequence": {"count": str(count // 2)}, "arguments": {"parameters": [{"name": "n", "value": "a{{item}}"}]}}],
                    [{"name": "two", "template": "step", "withSequence": {"count": str(count // 2)}, "arguments": {"parameters": [{"name": "n", "value": "b{{item}}"}]}}],
                ]},
                {"name": "step", "inputs": {"parameters": [{"name": "n"}]},
                 "container": {"image": "busybox", "command": ["sh", "-c", "mkdir /ran/{{inputs.parameters.n}} && echo did {{inputs.parameters.n}}"],
                               "volumeMounts": [{"name": "ran", "mountPath": "/ran"}]},
                 "volumes": [{"name": "ran", "hostPath": {"path": str(ran)}}]},
            ],
        },
    }


@pytest.mark.parametrize("tiphys, round_number", [("process", n) for n in range(ROUNDS)] + [(engine, 0) for engine in ENGINES], indirect=["tiphys"])
def test_kill_the_server_in_the_middle(tiphys, tmp_path, round_number):
    seed = int(os.environ.get("TIPHYS_SEED", random.randrange(2**32)))
    print(f"TIPHYS_SEED={seed}")
    chance = random.Random(seed + round_number)
    count = COUNT if tiphys.where == "process" else COUNT_OF_CONTAINERS
    ran = tmp_path / "ran"
    ran.mkdir()
    path = tmp_path / "crash.json"
    path.write_text(json.dumps(manifest(ran, count)))

    server = tiphys.up()
    name = tiphys("submit", path, "-o", "name").stdout.strip()
    for kill_at in sorted(chance.sample(range(1, count), 3)):
        watcher = tiphys.start("watch", name)
        while len(os.listdir(ran)) < kill_at and watcher.poll() is None:
            watcher.stdout.readline()
        server.send_signal(signal.SIGKILL)
        server.wait()
        watcher.kill()
        watcher.communicate()
        server = tiphys.up()
    tiphys("wait", name, code=None)

    workflow = tiphys.object(name)
    pods = [node for node in workflow["status"]["nodes"].values() if node["type"] == "Pod"]
    assert {node["phase"] for node in pods} == {"Succeeded"}, [node for node in pods if node["phase"] != "Succeeded"]
    assert len(pods) == count
    assert len(os.listdir(ran)) == count
    assert tiphys("logs", name).stdout.count("did ") == count


def test_kill_the_run_command_and_go_on_with_up(tiphys, tmp_path):
    ran = tmp_path / "ran"
    ran.mkdir()
    path = tmp_path / "crash.json"
    path.write_text(json.dumps(manifest(ran)))
    run = tiphys.start("run", path, "--runtime", "process")
    run.stdout.readline()
    run.send_signal(signal.SIGKILL)
    run.communicate()
    tiphys.up()
    name = tiphys("list", "-o", "name").stdout.strip()
    tiphys("wait", name)
    assert len(os.listdir(ran)) == COUNT
