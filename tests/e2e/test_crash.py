"""kill -9 of the server at any point loses nothing and runs nothing twice."""

import json
import os
import random
import signal
import threading

import pytest

from conftest import ENGINES
from stores import SECRET, Elsewhere, elsewhere, secret

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


class Bucket(Elsewhere):
    """Objects by path. The deletion with the number `held` is carried out, or not, and never answered: `waiting` tells of it."""

    def handle_any(self):
        body, objects = self.body(), self.server.objects
        if self.command == "PUT":
            objects[self.path] = body
            return self.answer(200)
        assert self.command == "DELETE", self.command
        self.server.deletions.append(self.path)
        held = len(self.server.deletions) == self.server.held
        if not held or self.server.obeys:
            objects.pop(self.path, None)
        if held:
            self.server.waiting.set()
            self.server.over.wait()
        self.answer(204)

    do_PUT = do_DELETE = do_GET = do_HEAD = handle_any


def collected(store, turns):
    place = {"endpoint": store.url.removeprefix("http://"), "bucket": "data", "region": "us-east-1", "insecure": True,
             "accessKeySecret": secret("access"), "secretKeySecret": secret("secret")}

    def output(name, strategy=None):
        return {"name": name, "path": "/out", "archive": {"none": {}}, "s3": {**place, "key": "%s-{{inputs.parameters.n}}" % name},
                **({"artifactGC": {"strategy": strategy}} if strategy else {})}

    return {
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"name": "collected"},
        "spec": {
            "entrypoint": "main", "artifactGC": {"strategy": "OnWorkflowCompletion"},
            "templates": [
                {"name": "main", "steps": [[{"name": "turn", "template": "turn", "withSequence": {"count": str(turns)},
                                             "arguments": {"parameters": [{"name": "n", "value": "{{item}}"}]}}]]},
                {"name": "turn", "inputs": {"parameters": [{"name": "n"}]}, "container": {"image": "busybox", "command": ["sh", "-c", "echo 1 >/out"]},
                 "outputs": {"artifacts": [output("ends"), output("goes", "OnWorkflowDeletion"), output("stays", "Never")]}},
            ],
        },
    }


def objects(store):
    return sorted({path.rsplit("/", 1)[-1].split("-")[0] for path in store.objects})


@pytest.mark.parametrize("held, obeys", [(1, False), (3, True), (4, False)])
def test_kill_the_server_while_it_deletes_artifacts(tiphys, tmp_path, held, obeys):
    turns = 4
    with elsewhere(Bucket, tmp_path, objects={}, deletions=[], held=held, obeys=obeys, waiting=threading.Event(), over=threading.Event()) as store:
        def kill_when_held(server):
            assert store.waiting.wait(60)
            server.send_signal(signal.SIGKILL)
            server.wait()
            # What was asked before is asked again.
            store.waiting.clear()
            store.held = 0

        path = tmp_path / "first.yaml"
        first = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"name": "first"},
                 "spec": {"entrypoint": "main", "templates": [{"name": "main", "suspend": {"duration": "0"}}]}}
        path.write_text(f"{json.dumps(SECRET)}\n---\n{json.dumps(first)}")
        tiphys("run", path, *tiphys.runtime)
        path = tmp_path / "collected.json"
        path.write_text(json.dumps(collected(store, turns)))
        server = tiphys.up()
        tiphys("submit", path)
        kill_when_held(server)
        server = tiphys.up()
        tiphys("wait", "collected")
        assert objects(store) == ["goes", "stays"]
        status = tiphys.object("collected")["status"]
        assert status["artifactGCStatus"] == {"podsRecouped": {"collected-artgc-wfcomp-2166136261": True}, "strategiesProcessed": {"OnWorkflowCompletion": True}}
        told = {(each["name"], each.get("deleted")) for node in status["nodes"].values() if node["type"] == "Pod" for each in node["outputs"]["artifacts"]}
        assert told == {("ends", True), ("goes", None), ("stays", None)}

        store.held = len(store.deletions) + held
        deletion = tiphys.start("delete", "collected")
        kill_when_held(server)
        deletion.communicate()
        assert "goes" in objects(store)
        tiphys.up()
        # It was asked for before the server was killed: this one waits for its end.
        tiphys("delete", "collected", code=None)
        assert objects(store) == ["stays"]
        assert "not found" in tiphys("get", "collected", code=None).stderr
        store.over.set()
