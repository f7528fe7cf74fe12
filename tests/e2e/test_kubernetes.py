"""`tiphys controller` on a real kube-apiserver, whose pods the test plays."""

import stat

import pytest

from kube_server import PODS, TOKEN, WORKFLOWS, Kubernetes, PodPlayer, why_not

REASON = why_not()
pytestmark = pytest.mark.skipif(bool(REASON), reason=f"SKIPPED: {REASON}")


@pytest.fixture(scope="module")
def kubernetes(tmp_path_factory):
    kubernetes = Kubernetes(tmp_path_factory.mktemp("kubernetes"))
    yield kubernetes
    kubernetes.close()


@pytest.fixture
def player(kubernetes):
    failing = set()
    player = PodPlayer(kubernetes, lambda pod: 1 if pod["metadata"]["annotations"]["workflows.argoproj.io/node-name"] in failing else 0)
    player.failing = failing
    yield player
    player.closing = True
    assert player.error is None


@pytest.fixture
def controller(tiphys, kubernetes):
    """Starts the controller with a kubeconfig, and waits until it works."""

    def start(kubeconfig=kubernetes.kubeconfig):
        process = tiphys.start("controller", "--kubeconfig", kubeconfig)
        tiphys.servers.append(process)
        line = process.stdout.readline()
        assert "runs the workflows of all namespaces" in line, line + process.stderr.read()
        return process

    return start


def workflow(name, spec):
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"name": name, "namespace": "default"}, "spec": spec}


CONTAINER = {"image": "busybox", "command": ["true"]}
CHAIN = {"entrypoint": "main", "templates": [
    {"name": "main", "dag": {"tasks": [{"name": "a", "template": "step"}, {"name": "b", "template": "step", "depends": "a"},
                                       {"name": "c", "template": "step", "depends": "a", "withItems": [1, 2]}]}},
    {"name": "step", "container": CONTAINER}]}


def phases(finished):
    return {node["displayName"]: node["phase"] for node in finished["status"]["nodes"].values()}


def test_runs_a_workflow(kubernetes, player, controller):
    controller()
    kubernetes.request("POST", WORKFLOWS, workflow("chain", CHAIN))
    finished = kubernetes.finished_workflow("chain")
    assert finished["status"]["phase"] == "Succeeded"
    assert finished["metadata"]["labels"]["workflows.argoproj.io/completed"] == "true"
    assert phases(finished) == {name: "Succeeded" for name in ["chain", "a", "b", "c", "c(0:1)", "c(1:2)"]}
    assert len(player.played) == 4


def test_tells_what_failed(kubernetes, player, controller):
    controller()
    player.failing.add("fails.a")
    kubernetes.request("POST", WORKFLOWS, workflow("fails", CHAIN))
    finished = kubernetes.finished_workflow("fails")
    assert finished["status"]["phase"] == "Failed"
    assert phases(finished)["a"] == "Failed"
    assert phases(finished)["b"] == "Omitted"


def test_goes_on_where_another_has_stopped(kubernetes, controller, tiphys):
    first = controller()
    kubernetes.request("POST", WORKFLOWS, workflow("taken-up", CHAIN))
    for event in kubernetes.watch(WORKFLOWS, "&fieldSelector=metadata.name%3Dtaken-up"):
        if any(node["type"] == "Pod" for node in event["object"].get("status", {}).get("nodes", {}).values()):
            break
    first.kill()
    first.wait()
    player = PodPlayer(kubernetes)
    controller()
    finished = kubernetes.finished_workflow("taken-up")
    player.closing = True
    assert finished["status"]["phase"] == "Succeeded"
    assert len(player.played) == len(set(player.played)) == 4


def test_stops_what_is_told_to(kubernetes, controller):
    controller()
    kubernetes.request("POST", WORKFLOWS, workflow("waits", {"entrypoint": "main", "templates": [{"name": "main", "suspend": {}}]}))
    kubernetes.workflow_in_phase("waits", "Running")
    kubernetes.request("PATCH", f"{WORKFLOWS}/waits", {"spec": {"shutdown": "Terminate"}}, "application/merge-patch+json")
    assert kubernetes.finished_workflow("waits")["status"]["phase"] == "Failed"


def test_goes_on_when_the_server_comes_back(kubernetes, controller):
    controller()
    kubernetes.request("POST", WORKFLOWS, workflow("before", {"entrypoint": "main", "templates": [{"name": "main", "suspend": {}}]}))
    kubernetes.workflow_in_phase("before", "Running")
    kubernetes.restart_apiserver()
    player = PodPlayer(kubernetes)
    kubernetes.request("POST", WORKFLOWS, workflow("after", CHAIN))
    kubernetes.request("PATCH", f"{WORKFLOWS}/before", {"spec": {"shutdown": "Stop"}}, "application/merge-patch+json")
    assert kubernetes.finished_workflow("after")["status"]["phase"] == "Succeeded"
    assert kubernetes.finished_workflow("before")["status"]["phase"] == "Failed"
    player.closing = True


def test_pods_and_workflows_are_deleted_in_time(kubernetes, player, controller):
    controller()
    kubernetes.request("POST", WORKFLOWS, workflow("passing", {**CHAIN, "podGC": {"strategy": "OnPodSuccess", "deleteDelayDuration": "0s"},
                                                               "ttlStrategy": {"secondsAfterCompletion": 0}}))
    for event in kubernetes.watch(WORKFLOWS, "&fieldSelector=metadata.name%3Dpassing"):
        if event["type"] == "DELETED":
            assert event["object"]["status"]["phase"] == "Succeeded"
            break
    selector = "labelSelector=workflows.argoproj.io%2Fworkflow%3Dpassing"
    pods = kubernetes.request("GET", f"{PODS}?{selector}")
    left = len(pods["items"])
    changes = kubernetes.watch(PODS, f"&{selector}&resourceVersion={pods['metadata']['resourceVersion']}")
    while left > 0:
        left -= next(changes)["type"] == "DELETED"


def test_templates_parameters_and_locks_of_the_cluster(kubernetes, player, controller):
    kubernetes.request("POST", "/api/v1/namespaces/default/configmaps", {
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings", "labels": {"workflows.argoproj.io/configmap-type": "Parameter"}},
        "data": {"word": "hello", "limit": "1"}})
    kubernetes.request("POST", WORKFLOWS.replace("workflows", "workflowtemplates"), {
        **workflow("kept", {"entrypoint": "main", "synchronization": {"semaphores": [{"configMapKeyRef": {"name": "settings", "key": "limit"}}]},
                            "arguments": {"parameters": [{"name": "word", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "word"}}}]},
                            "templates": [{"name": "main", "container": {**CONTAINER, "args": ["{{workflow.parameters.word}}"]}}]}), "kind": "WorkflowTemplate"})
    controller()
    for name in ("first", "second"):
        kubernetes.request("POST", WORKFLOWS, workflow(name, {"workflowTemplateRef": {"name": "kept"}}))
    finished = [kubernetes.finished_workflow(name)["status"] for name in ("first", "second")]
    assert [status["phase"] for status in finished] == ["Succeeded", "Succeeded"]
    pods = [pod for pod in kubernetes.request("GET", PODS)["items"] if pod["metadata"]["labels"]["workflows.argoproj.io/workflow"] in ("first", "second")]
    assert [pod["spec"]["containers"][0]["args"] for pod in pods] == [["hello"], ["hello"]]
    first, second = sorted(finished, key=lambda status: status["startedAt"])
    assert first["finishedAt"] <= next(iter(second["nodes"].values()))["finishedAt"]


def test_large_statuses_are_packed(kubernetes, player, controller):
    controller()
    items = [f"{number}-{'x' * 10000}" for number in range(30)]
    spec = {"entrypoint": "main", "parallelism": 20, "templates": [
        {"name": "main", "steps": [[{"name": "each", "template": "step", "withItems": items, "arguments": {"parameters": [{"name": "p", "value": "{{item}}"}]}}]]},
        {"name": "step", "inputs": {"parameters": [{"name": "p"}]}, "container": CONTAINER}]}
    kubernetes.request("POST", WORKFLOWS, workflow("large", spec))
    finished = kubernetes.finished_workflow("large")
    assert finished["status"]["phase"] == "Succeeded"
    assert finished["status"]["compressedNodes"] and "nodes" not in finished["status"]


@pytest.mark.parametrize("way", ["certificate", "exec plugin"])
def test_ways_in(kubernetes, controller, way):
    if way == "certificate":
        user = {"client-certificate": "client.crt", "client-key": "client.key"}
    else:
        plugin = kubernetes.folder / "login"
        plugin.write_text('#!/bin/sh\nprintf \'{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"%s"}}\' "$WORD"\n')
        plugin.chmod(plugin.stat().st_mode | stat.S_IXUSR)
        user = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "./login", "env": [{"name": "WORD", "value": TOKEN}], "interactiveMode": "Never"}}
    controller(kubernetes.write_kubeconfig(f"kubeconfig-{way.replace(' ', '-')}", user))


def test_refusals(kubernetes, tiphys):
    wrong = tiphys("controller", "--kubeconfig", kubernetes.write_kubeconfig("wrong", {"token": "nobody"}), code=1)
    assert "Unauthorized" in wrong.stderr
    strange = kubernetes.write_kubeconfig("strange", {"token": TOKEN}, **{"tls-server-name": "elsewhere"})
    assert "is not trusted" in tiphys("controller", "--kubeconfig", strange, code=1).stderr
    broken = kubernetes.folder / "broken"
    broken.write_text("current-context: test\ncontexts: nothing\n")
    assert f"{broken}:2:1: contexts: it must be a list" in tiphys("controller", "--kubeconfig", broken, code=2).stderr
