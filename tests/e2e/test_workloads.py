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

    def call(*arguments, stdin="", code=0):
        command = ["kubectl", "--kubeconfig", str(cli.data_dir / "kubeconfig"), *arguments]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=120)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

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


def test_what_is_orphaned_stays(kubectl):
    kubectl("apply", "-f", "-", stdin=DEPLOYMENT)
    kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    kubectl("delete", "deployment", "web", "--cascade=orphan")
    (left,) = items(kubectl, "replicasets")
    assert "ownerReferences" not in left["metadata"]
    assert len(items(kubectl, "pods")) == 2
    kubectl("delete", "replicaset", left["metadata"]["name"])
    kubectl("wait", "--for=delete", "pods", "-l", "app=web", "--timeout=60s")


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

