"""Kubernetes' own kinds that make pods, as kubectl's users see them."""

import json
import shutil
import subprocess

import pytest

from cli_support import cli  # noqa: F401

pytestmark = pytest.mark.skipif(not shutil.which("kubectl"), reason="needs kubectl")

JOB = """
apiVersion: batch/v1
kind: Job
metadata: {name: sums}
spec:
  completions: 3
  parallelism: 2
  completionMode: Indexed
  template:
    spec:
      restartPolicy: Never
      containers: [{name: add, image: busybox, command: [sh, -c, "echo index $JOB_COMPLETION_INDEX"]}]
"""

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: serve, image: busybox, command: [sleep, "1000"]}]
"""


@pytest.fixture
def kubectl(cli):
    cli.up()

    def call(*arguments, stdin="", code=0, both=False):
        command = ["kubectl", "--kubeconfig", str(cli.data_dir / "kubeconfig"), *arguments]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=120)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + (done.stderr if both else "")

    return call


def items(kubectl, *arguments):
    return json.loads(kubectl("get", *arguments, "-o", "json"))["items"]


def test_a_job_runs_to_its_end(kubectl):
    kubectl("apply", "-f", "-", stdin=JOB)
    kubectl("wait", "--for=condition=complete", "job/sums", "--timeout=60s")
    status = json.loads(kubectl("get", "job/sums", "-o", "json"))["status"]
    assert status["succeeded"] == 3 and status["completedIndexes"] == "0-2"
    logs = kubectl("logs", "-l", "job-name=sums", "--tail=-1").split("\n")
    assert sorted(line for line in logs if line) == ["index 0", "index 1", "index 2"]
    kubectl("delete", "job", "sums")
    assert not items(kubectl, "pods")


def test_a_deployment_rolls_out_scales_and_rolls_back(kubectl):
    kubectl("apply", "-f", "-", stdin=DEPLOYMENT)
    kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    kubectl("scale", "deployment/web", "--replicas=3")
    kubectl("wait", "--for=jsonpath={.status.availableReplicas}=3", "deployment/web", "--timeout=60s")
    kubectl("set", "env", "deployment/web", "A=b")
    kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    assert len(items(kubectl, "replicasets")) == 2
    assert "2" in kubectl("rollout", "history", "deployment/web")
    kubectl("rollout", "undo", "deployment/web")
    kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    assert "3" in kubectl("rollout", "history", "deployment/web")
    kubectl("delete", "deployment", "web", "--cascade=foreground")
    assert not items(kubectl, "replicasets,pods")


DAEMONS = """
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: watch}
spec:
  selector: {matchLabels: {app: watch}}
  template:
    metadata: {labels: {app: watch}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: look, image: busybox, command: [sh, -c, "echo looking; sleep 1000"]}]
"""

CONTROLLER = """
apiVersion: v1
kind: ReplicationController
metadata: {name: old}
spec:
  replicas: 2
  template:
    metadata: {labels: {app: old}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: serve, image: busybox, command: [sleep, "1000"]}]
"""


def test_a_daemon_set_has_a_pod_on_the_node(kubectl):
    kubectl("apply", "-f", "-", stdin=DAEMONS)
    told = kubectl("rollout", "status", "ds/watch", "--timeout=60s")
    assert 'daemon set "watch" successfully rolled out' in told
    assert kubectl("get", "ds", "watch", "--no-headers").split()[:7] == ["watch", "1", "1", "1", "1", "1", "<none>"]
    (pod,) = items(kubectl, "pods")
    assert pod["spec"]["nodeName"] == kubectl("get", "nodes", "-o", "jsonpath={.items[0].metadata.name}")
    kubectl("set", "env", "ds/watch", "A=b")
    kubectl("rollout", "status", "ds/watch", "--timeout=60s")
    assert items(kubectl, "pods")[0]["metadata"]["uid"] != pod["metadata"]["uid"]
    assert "2" in kubectl("rollout", "history", "ds/watch")
    kubectl("rollout", "undo", "ds/watch")
    kubectl("rollout", "status", "ds/watch", "--timeout=60s")
    (pod,) = items(kubectl, "pods")
    assert "env" not in pod["spec"]["containers"][0]
    node = pod["spec"]["nodeName"]
    assert "ignoring DaemonSet-managed Pods" in drain(kubectl, node)
    assert [one["metadata"]["name"] for one in items(kubectl, "pods")] == [pod["metadata"]["name"]]
    kubectl("delete", "ds", "watch", "--cascade=foreground")
    assert not items(kubectl, "pods,controllerrevisions")


def drain(kubectl, node):
    kubectl("cordon", node)
    told = kubectl("drain", node, "--ignore-daemonsets", "--timeout=60s", both=True)
    kubectl("uncordon", node)
    return told


def test_a_replication_controller_keeps_its_number_of_pods(kubectl):
    kubectl("apply", "-f", "-", stdin=CONTROLLER)
    kubectl("wait", "--for=jsonpath={.status.readyReplicas}=2", "rc/old", "--timeout=60s")
    kubectl("scale", "rc/old", "--replicas=3")
    kubectl("wait", "--for=jsonpath={.status.readyReplicas}=3", "rc/old", "--timeout=60s")
    assert kubectl("get", "rc", "old", "--no-headers").split()[:4] == ["old", "3", "3", "3"]
    assert "Replicas:     3 current / 3 desired" in kubectl("describe", "rc", "old")
    kubectl("delete", "rc", "old")
    kubectl("wait", "--for=delete", "pods", "-l", "app=old", "--timeout=60s")


def test_all_that_there_is(kubectl):
    for manifest in (DAEMONS, CONTROLLER, DEPLOYMENT):
        kubectl("apply", "-f", "-", stdin=manifest)
    kubectl("rollout", "status", "ds/watch", "--timeout=60s")
    kubectl("wait", "--for=jsonpath={.status.readyReplicas}=2", "rc/old", "--timeout=60s")
    kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    shown = kubectl("get", "all", "-A")
    for name in ("daemonset.apps/watch", "replicationcontroller/old", "deployment.apps/web", "replicaset.apps/web-", "pod/watch-", "service/kubernetes"):
        assert name in shown, shown


def test_a_dump_of_the_cluster(kubectl):
    kubectl("apply", "-f", "-", stdin=DAEMONS)
    kubectl("rollout", "status", "ds/watch", "--timeout=60s")
    (pod,) = items(kubectl, "pods")
    dump = kubectl("cluster-info", "dump", "--namespaces=default")
    for text in ('"kind": "NodeList"', '"kind": "DaemonSetList"', '"kind": "ReplicationControllerList"', '"kind": "PodList"', "looking",
                 f"==== START logs for container look of pod default/{pod['metadata']['name']} ===="):
        assert text in dump, text


def test_what_is_orphaned_stays(kubectl):
    kubectl("apply", "-f", "-", stdin=DEPLOYMENT)
    kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    kubectl("delete", "deployment", "web", "--cascade=orphan")
    (left,) = items(kubectl, "replicasets")
    assert "ownerReferences" not in left["metadata"]
    assert len(items(kubectl, "pods")) == 2
    kubectl("delete", "replicaset", left["metadata"]["name"])
    kubectl("wait", "--for=delete", "pods", "-l", "app=web", "--timeout=60s")


def test_what_any_object_owns_stays_or_goes_first(kubectl):
    def make(kind, name, owner=None, **members):
        metadata = {"name": name}
        if owner:
            metadata["ownerReferences"] = [{"apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": owner["metadata"]["name"],
                                            "uid": owner["metadata"]["uid"], "blockOwnerDeletion": True}]
        document = {"apiVersion": "v1", "kind": kind, "metadata": metadata, **members}
        return json.loads(kubectl("create", "-o", "json", "-f", "-", stdin=json.dumps(document)))

    owner = make("ConfigMap", "letting-go")
    make("Secret", "let-go", owner)
    kubectl("delete", "configmap", "letting-go", "--cascade=orphan")
    assert "ownerReferences" not in json.loads(kubectl("get", "secret", "let-go", "-o", "json"))["metadata"]

    first = make("ConfigMap", "first")
    second = make("ConfigMap", "second", first)
    make("Pod", "last", second, spec={"containers": [{"name": "main", "image": "busybox", "command": ["sleep", "1000"]}], "terminationGracePeriodSeconds": 1})
    kubectl("wait", "--for=condition=Ready", "pod/last", "--timeout=60s")
    kubectl("patch", "pod", "last", "-p", '{"metadata": {"finalizers": ["example.com/hold"]}}')
    kubectl("delete", "configmap", "first", "--cascade=foreground", "--wait=false")
    kubectl("wait", "--for=jsonpath={.metadata.deletionTimestamp}", "configmap/second", "pod/last", "--timeout=60s")
    assert json.loads(kubectl("get", "configmap", "first", "-o", "json"))["metadata"]["finalizers"] == ["foregroundDeletion"]
    kubectl("patch", "pod", "last", "--type=merge", "-p", '{"metadata": {"finalizers": null}}')
    kubectl("wait", "--for=delete", "configmap/first", "configmap/second", "pod/last", "--timeout=60s")


def test_a_pod_that_fails_is_started_again(kubectl):
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "again"},
           "spec": {"restartPolicy": "OnFailure", "volumes": [{"name": "v", "emptyDir": {}}],
                    "containers": [{"name": "c", "image": "busybox", "volumeMounts": [{"name": "v", "mountPath": "/v"}],
                                    "command": ["sh", "-c", "test -f /v/once && echo second || { touch /v/once; echo first; exit 3; }"]}]}}
    kubectl("apply", "-f", "-", stdin=json.dumps(pod))
    kubectl("wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/again", "--timeout=60s")
    status = json.loads(kubectl("get", "pod/again", "-o", "json"))["status"]
    assert status["containerStatuses"][0]["restartCount"] == 1, status
    assert status["containerStatuses"][0]["lastState"]["terminated"]["exitCode"] == 3
    assert status["qosClass"] == "BestEffort"
    assert kubectl("logs", "again") == "second\n"
    assert kubectl("logs", "again", "--previous") == "first\n"


def test_many_are_started_again_at_once(kubectl):
    """Their roots are cleared while the next containers begin."""
    command = "test -f /v/once && cat /v/once || { echo kept > /v/once; echo left > /tmp/left; exit 3; }"
    for number in range(10):
        kubectl("create", "-f", "-", stdin=json.dumps({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"again-{number}"},
            "spec": {"restartPolicy": "OnFailure", "volumes": [{"name": "v", "emptyDir": {}}],
                     "containers": [{"name": "c", "image": "busybox", "volumeMounts": [{"name": "v", "mountPath": "/v"}], "command": ["sh", "-c", command]}]}}))
    kubectl("wait", "--for=jsonpath={.status.phase}=Succeeded", "pod", "--all", "--timeout=60s")
    assert [pod["status"]["containerStatuses"][0]["restartCount"] for pod in items(kubectl, "pods")] == [1] * 10

