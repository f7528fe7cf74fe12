"""The commands that a person types, with every kubectl that is at hand: the one on the PATH (or TIPHYS_KUBECTL), Debian's
1.20 (tools/bootstrap unpacks it), and those that TIPHYS_KUBECTLS names, with colons between."""

import json
import os
import pathlib
import pty
import re
import shutil
import stat
import subprocess
import urllib.request

import pytest

PATIENCE = 120  # seconds after which a hanging program fails its test
ROOT = pathlib.Path(__file__).resolve().parents[2]
DEBIAN = ROOT / ".deps" / "kubernetes-client" / "usr" / "bin" / "kubectl"

WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 0
      containers: [{name: serve, image: busybox, command: [sleep, "1000"]}]
"""

# One object of each built-in kind that is not there anyway.
KINDS = """
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: kept}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}
---
apiVersion: v1
kind: LimitRange
metadata: {name: limits}
spec: {limits: [{type: Container, default: {memory: 100Mi}}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: set}
spec: {serviceName: set, replicas: 0, selector: {matchLabels: {app: set}}, template: {metadata: {labels: {app: set}}, spec: {containers: [{name: main, image: x}]}}}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: daemons}
spec: {selector: {matchLabels: {app: daemons}}, template: {metadata: {labels: {app: daemons}}, spec: {nodeSelector: {rack: none}, containers: [{name: main, image: x}]}}}
---
apiVersion: v1
kind: ReplicationController
metadata: {name: controller}
spec: {replicas: 0, template: {metadata: {labels: {app: controller}}, spec: {containers: [{name: main, image: x}]}}}
---
apiVersion: coordination.k8s.io/v1
kind: Lease
metadata: {name: leader}
spec: {holderIdentity: me}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: budget}
spec: {minAvailable: 1, selector: {matchLabels: {app: web}}}
---
apiVersion: argoproj.io/v1alpha1
kind: WorkflowTemplate
metadata: {name: template}
spec: {templates: [{name: main, container: {image: x, command: ["true"]}}]}
"""


def binaries():
    """{name: path} of every kubectl."""
    named = [os.environ.get("TIPHYS_KUBECTL") or shutil.which("kubectl"), DEBIAN, *os.environ.get("TIPHYS_KUBECTLS", "").split(":")]
    return {str(path): str(path) for path in named if path and os.access(path, os.X_OK)}


class Kubectl:
    def __init__(self, binary, tiphys, folder):
        self.binary, self.folder = binary, folder
        self.env = tiphys.env | {"KUBECONFIG": f"{tiphys.data_dir}/kubeconfig", "HOME": str(folder), "TERM": "dumb"}
        version = json.loads(subprocess.run([binary, "version", "--client", "-o", "json"], capture_output=True, check=True).stdout)
        self.minor = int(re.match(r"v1\.(\d+)", version["clientVersion"]["gitVersion"])[1])

    def run(self, *arguments, code=0, stdin=""):
        done = subprocess.run([self.binary, *map(str, arguments)], env=self.env, input=stdin, capture_output=True, text=True, timeout=PATIENCE, check=False)
        assert code is None or done.returncode == code, f"kubectl {arguments}: exit {done.returncode}, expected {code}\n{done.stdout}\n{done.stderr}"
        return done

    def __call__(self, *arguments, code=0, stdin=""):
        done = self.run(*arguments, code=code, stdin=stdin)
        return done.stdout + done.stderr

    def start(self, *arguments, **how):
        how = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True} | how
        return subprocess.Popen([self.binary, *map(str, arguments)], env=self.env, **how)

    def since(self, minor):
        return self.minor >= minor

    def file(self, text, name="manifest.yaml"):
        path = self.folder / name
        path.write_text(text)
        return path

    def deploy(self):
        self("apply", "-f", self.file(WEB, "web.yaml"))
        self("rollout", "status", "deployment/web", f"--timeout={PATIENCE}s")

    def run_pod(self, name, *command):
        self("run", name, "--image=busybox", "--restart=Never", "--labels=app=web", "--command", "--", *command)
        self("wait", "--for=condition=Ready", f"pod/{name}", f"--timeout={PATIENCE}s")


def version_of(binary):
    text = subprocess.run([binary, "version", "--client", "-o", "json"], capture_output=True, check=False).stdout
    found = re.search(rb'"gitVersion": "v(\d+\.\d+)', text)
    return found[1].decode() if found else binary


@pytest.fixture(params=binaries() or [None], ids=lambda binary: version_of(binary) if binary else "none")
def kubectl(tiphys, tmp_path, request):
    if not request.param:
        pytest.skip("no kubectl: put one into PATH, or name it by TIPHYS_KUBECTL")
    tiphys.up()
    return Kubectl(request.param, tiphys, tmp_path)


def test_get(kubectl):
    kubectl.deploy()
    assert "web" in kubectl("get", "deploy,rs,pods", "-o", "wide")
    assert "NAME" in kubectl("get", "all")
    assert "kind: Deployment" in kubectl("get", "deploy", "web", "-o", "yaml")
    assert kubectl("get", "deploy", "web", "-o", "jsonpath={.spec.replicas}") == "2"
    assert kubectl("get", "deploy", "-o", "custom-columns=N:.metadata.name,R:.spec.replicas").split() == ["N", "R", "web", "2"]
    assert kubectl("get", "deploy", "-o", "go-template={{range .items}}{{.metadata.name}}{{end}}") == "web"
    assert len(kubectl("get", "pods", "-l", "app=web", "-o", "name").split()) == 2
    assert "No resources found" in kubectl("get", "pods", "-l", "app in (other)")
    assert len(kubectl("get", "pods", "--field-selector", "status.phase=Running", "-o", "name").split()) == 2
    assert "field label not supported" in kubectl("get", "pods", "--field-selector", "spec.color=red", code=1)
    names = kubectl("get", "pods", "--sort-by=.metadata.name", "-o", "name").split()
    assert names == sorted(names)
    assert kubectl("get", "pods", "--show-labels").count("app=web") == 2
    assert "default" in kubectl("get", "pods", "-A")
    assert 'deployments.apps "none" not found' in kubectl("get", "deploy", "none", code=1)
    watch = kubectl.start("get", "configmaps", "--watch", "-o", "name")
    kubectl("create", "configmap", "seen", "--from-literal=a=b")
    while watch.stdout.readline() != "configmap/seen\n":
        assert watch.poll() is None, watch.stderr.read()
    watch.kill()
    watch.communicate()


def test_describe_every_kind(kubectl):
    kubectl.deploy()
    kubectl("apply", "-f", kubectl.file(KINDS))
    kubectl("create", "service", "clusterip", "web", "--tcp=80:80")
    kubectl("create", "quota", "all", "--hard=count/secrets=100")
    kubectl("create", "secret", "generic", "hidden", "--from-literal=a=hunter2")
    kubectl("create", "role", "reader", "--verb=get", "--resource=pods")
    kubectl("create", "rolebinding", "readers", "--role=reader", "--user=ann")
    kubectl("create", "job", "once", "--image=x", "--", "true")
    shown = ""
    for resource in kubectl("api-resources", "--verbs=list", "-o", "name").split():
        # Asked for at versions that Kubernetes 1.25 has given up.
        if not kubectl.since(21) and resource in ("cronjobs.batch", "endpointslices.discovery.k8s.io", "poddisruptionbudgets.policy"):
            continue
        shown += kubectl("describe", resource, "-A")
    for text in ("web", "kept", "limits", "leader", "readers", "template", "Min available" if kubectl.since(21) else ""):
        assert text in shown, text
    assert "hunter2" not in shown
    events = kubectl("describe", "deployment", "web").split("Events:")[1]
    assert "ScalingReplicaSet" in events
    assert "Allocated resources:" in kubectl("describe", "nodes")


def test_apply_diff_and_prune(kubectl):
    both = "\n---\n".join(f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, labels: {{set: one}}}}\ndata: {{k: v}}\n" for name in "ab")
    one = both.split("---")[0].replace("k: v", "k: w")
    assert kubectl("apply", "-f", kubectl.file(both)).count("created") == 2
    assert kubectl("apply", "-f", kubectl.file(both)).count("unchanged") == 2
    assert "+  k: w" in kubectl("diff", "-f", kubectl.file(one), code=1)
    assert kubectl("diff", "-f", kubectl.file(both)) == ""
    assert "(server dry run)" in kubectl("apply", "--dry-run=server", "-f", kubectl.file(one))
    assert kubectl("get", "configmap", "a", "-o", "jsonpath={.data.k}") == "v"
    allowed = "--prune-allowlist" if kubectl.since(26) else "--prune-whitelist"
    assert "configmap/b pruned" in kubectl("apply", "-f", kubectl.file(one), "--prune", "-l", "set=one", f"{allowed}=core/v1/ConfigMap")
    assert kubectl("get", "configmaps", "-l", "set=one", "-o", "name") == "configmap/a\n"
    conflict = kubectl("apply", "--server-side", "--field-manager=other", "-f", kubectl.file(both.split("---")[0]), code=1)
    assert "conflict" in conflict and ".data.k" in conflict
    assert "serverside-applied" in kubectl("apply", "--server-side", "--field-manager=other", "--force-conflicts", "-f", kubectl.file(one))


def test_edit_and_replace(kubectl):
    kubectl("create", "configmap", "c", "--from-literal=k=v")
    editor = kubectl.file("#!/bin/sh\nsed -i 's/k: v$/k: edited/' \"$1\"\n", "editor")
    editor.chmod(editor.stat().st_mode | stat.S_IXUSR)
    kubectl.env["EDITOR"] = str(editor)
    assert "configmap/c edited" in kubectl("edit", "configmap", "c")
    assert kubectl("get", "configmap", "c", "-o", "jsonpath={.data.k}") == "edited"
    whole = kubectl.run("get", "configmap", "c", "-o", "yaml").stdout
    assert "configmap/c replaced" in kubectl("replace", "-f", kubectl.file(whole.replace("k: edited", "k: again")))
    assert "the object has been modified" in kubectl("replace", "-f", kubectl.file(whole), code=1)
    before = kubectl("get", "configmap", "c", "-o", "jsonpath={.metadata.uid}")
    assert "configmap/c replaced" in kubectl("replace", "--force", "-f", kubectl.file(whole))
    assert kubectl("get", "configmap", "c", "-o", "jsonpath={.metadata.uid}") != before
    assert "labeled" in kubectl("label", "configmap", "c", "a=b")
    assert "--overwrite is false" in kubectl("label", "configmap", "c", "a=c", code=1)
    assert "labeled" in kubectl("label", "--overwrite", "configmap", "c", "a=c")
    assert kubectl("label", "configmap", "c", "a-").rstrip().endswith("labeled")
    assert "annotated" in kubectl("annotate", "configmap", "c", "a=b")


def test_rollouts(kubectl):
    kubectl.deploy()
    assert "scaled" in kubectl("scale", "deployment/web", "--replicas=3")
    assert "scaled" in kubectl("scale", "deployment/web", "--replicas=1", "--current-replicas=3")
    kubectl("set", "env", "deployment/web", "A=b")
    kubectl("rollout", "status", "deployment/web", f"--timeout={PATIENCE}s")
    assert [line.split()[0] for line in kubectl("rollout", "history", "deployment/web").strip().splitlines()[2:]] == ["1", "2"]
    assert "A:" in kubectl("rollout", "history", "deployment/web", "--revision=2")
    assert "rolled back" in kubectl("rollout", "undo", "deployment/web")
    kubectl("rollout", "status", "deployment/web", f"--timeout={PATIENCE}s")
    assert kubectl("get", "deployment", "web", "-o", "jsonpath={.spec.template.spec.containers[0].env}") == ""
    assert "paused" in kubectl("rollout", "pause", "deployment/web")
    assert "can't restart paused deployment" in kubectl("rollout", "restart", "deployment/web", code=1)
    assert "resumed" in kubectl("rollout", "resume", "deployment/web")
    assert "restarted" in kubectl("rollout", "restart", "deployment/web")
    kubectl("rollout", "status", "deployment/web", f"--timeout={PATIENCE}s")
    refused = kubectl("autoscale", "deployment/web", "--max=3", code=1)
    assert "could not find the requested resource" in refused or "failed to create autoscaling/v2 HPA" in refused


def test_logs(kubectl):
    kubectl.run_pod("talker", "sh", "-c", "echo one; echo two; mkfifo /tmp/go; cat /tmp/go; sleep 1000")
    assert kubectl("logs", "talker") == "one\ntwo\n"
    assert kubectl("logs", "talker", "--tail=1") == "two\n"
    assert kubectl("logs", "talker", "--since=1h", "-c", "talker") == "one\ntwo\n"
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z one\n", kubectl("logs", "talker", "--timestamps"))
    assert kubectl("logs", "-l", "app=web", "--tail=-1") == "one\ntwo\n"
    assert kubectl("logs", "talker", "--limit-bytes=5") == "one\nt"
    follower = kubectl.start("logs", "-f", "talker", "--tail=1")
    assert follower.stdout.readline() == "two\n"
    kubectl("exec", "talker", "--", "sh", "-c", "echo three > /tmp/go")
    assert follower.stdout.readline() == "three\n"
    follower.kill()
    follower.communicate()
    assert 'previous terminated container "talker" in pod "talker" not found' in kubectl("logs", "talker", "--previous", code=1)
    assert "container other is not valid for pod talker" in kubectl("logs", "talker", "-c", "other", code=1)
    refused = kubectl("get", "--raw", "/api/v1/namespaces/default/pods/talker/log?tailLines=-1", code=1)
    assert "tailLines: Invalid value: -1: must be greater than or equal to 0" in refused
    assert "container other is not valid" in kubectl("get", "--raw", "/api/v1/namespaces/default/pods/talker/log?container=other", code=1)


def test_exec_cp_and_port_forward(kubectl, free_port):
    kubectl.run_pod("box", "sleep", "1000")
    assert kubectl("exec", "box", "--", "echo", "hello") == "hello\n"
    assert kubectl("exec", "-i", "box", "--", "cat", stdin="typed") == "typed"
    assert "exit code 3" in kubectl("exec", "box", "--", "sh", "-c", "exit 3", code=3)
    ours, theirs = pty.openpty()
    shell = kubectl.start("exec", "-it", "box", "--", "sh", "-c", "test -t 0 && echo a terminal", stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
    assert shell.wait(PATIENCE) == 0
    assert b"a terminal" in os.read(ours, 4096)
    os.close(ours)
    os.close(theirs)
    folder = kubectl.folder / "there"
    folder.mkdir()
    (folder / "a.txt").write_text("a")
    kubectl("cp", folder, "box:/tmp/there")
    kubectl("cp", "box:/tmp/there", kubectl.folder / "back")
    assert (kubectl.folder / "back" / "a.txt").read_text() == "a"
    server = f"import http.server; http.server.test(HandlerClass=http.server.SimpleHTTPRequestHandler, port={free_port}, bind='127.0.0.1')"
    kubectl.run_pod("server", "python3", "-c", server)
    client = kubectl.start("port-forward", "server", f":{free_port}")
    port = re.search(r"127.0.0.1:(\d+) ->", client.stdout.readline())[1]
    kubectl("exec", "server", "--", "sh", "-c", f"until python3 -c 'import socket; socket.create_connection((\"127.0.0.1\", {free_port}))' 2>/dev/null; do :; done")
    assert urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=PATIENCE).status == 200
    client.kill()
    client.communicate()


def test_delete_and_wait(kubectl):
    for cascade in ("foreground", "background", "orphan"):
        kubectl.deploy()
        assert "condition met" in kubectl("wait", "--for=condition=Available", "deployment/web", f"--timeout={PATIENCE}s")
        if kubectl.since(23):
            kubectl("wait", "--for=jsonpath={.status.readyReplicas}=2", "deployment/web", f"--timeout={PATIENCE}s")
        kubectl("delete", "deployment", "web", f"--cascade={cascade}")
        left = kubectl("get", "rs", "-o", "name").split()
        if cascade == "orphan":
            assert len(left) == 1
            kubectl("delete", *left)
        # Which may be gone already.
        kubectl("wait", "--for=delete", "rs,pods", "-l", "app=web", f"--timeout={PATIENCE}s", code=None)
        assert "No resources found" in kubectl("get", "rs,pods")
    assert "timed out" in kubectl("wait", "--for=condition=Never", "namespace/default", "--timeout=1s", code=1)
    kubectl.run_pod("box", "sleep", "1000")
    assert "deleted" in kubectl("delete", "pod", "box", "--grace-period=0", "--force")
    kubectl("delete", "configmap", "none", "--ignore-not-found")
    assert 'pods "box" not found' in kubectl("delete", "pod", "box", code=1)


def test_what_the_api_says_of_itself(kubectl):
    versions = kubectl("api-versions").split()
    assert {"v1", "apps/v1", "events.k8s.io/v1", "policy/v1"} <= set(versions)
    resources = kubectl("api-resources")
    for line in (r"events\s+ev\s+(events.k8s.io|events.k8s.io/v1)\s+true\s+Event", r"poddisruptionbudgets\s+pdb\s+policy(/v1)?\s+true\s+PodDisruptionBudget"):
        assert re.search(line, resources), resources
    assert "Containers that run together" in kubectl("explain", "pod")
    assert "The image that it runs in." in kubectl("explain", "pod.spec.containers.image")
    assert "How many pods must succeed." in kubectl("explain", "job.spec")
    everything = kubectl("explain", "cronjob", "--recursive")
    assert "jobTemplate" in everything and "imagePullPolicy" in everything
    assert "The template that runs first." in kubectl("explain", "workflow.spec.entrypoint")
    assert "does not exist" in kubectl("explain", "pod.color", code=1)
    assert "is running at" in kubectl("cluster-info")
    assert "v1.34" in kubectl("version", *([] if kubectl.since(25) else ["--short"]))
    for kind in ("node", "pod"):
        assert "Metrics API not available" in kubectl("top", kind, code=1)


def test_rights(kubectl):
    assert "yes" in kubectl("auth", "can-i", "delete", "nodes")
    assert "no" in kubectl("auth", "can-i", "delete", "nodes", "--as=ann", code=1)
    assert "*.*" in kubectl("auth", "can-i", "--list")
    kubectl("create", "role", "reader", "--verb=get,list", "--resource=pods,configmaps")
    kubectl("create", "rolebinding", "readers", "--role=reader", "--serviceaccount=default:robot")
    kubectl("create", "clusterrole", "reader", "--verb=get", "--resource=nodes")
    kubectl("create", "clusterrolebinding", "readers", "--clusterrole=reader", "--user=ann")
    assert "pods" in kubectl("auth", "can-i", "--list", "--as=system:serviceaccount:default:robot")
    kubectl("create", "serviceaccount", "robot")
    if kubectl.since(26):
        assert "system:masters" in kubectl("auth", "whoami")
    if kubectl.since(24):
        token = kubectl.run("create", "token", "robot", "--duration=20m").stdout.strip()
        assert "No resources found" in kubectl("get", "pods", f"--token={token}")
        assert "forbidden" in kubectl("get", "secrets", f"--token={token}", code=1)


def test_create(kubectl):
    for arguments, made in ((("configmap", "c", "--from-literal=a=b"), "configmap/c"), (("secret", "generic", "s", "--from-literal=a=b"), "secret/s"),
                            (("quota", "q", "--hard=pods=9"), "resourcequota/q"), (("namespace", "n"), "namespace/n"), (("serviceaccount", "sa"), "serviceaccount/sa"),
                            (("deployment", "d", "--image=x"), "deployment.apps/d"), (("service", "clusterip", "sv", "--tcp=80:80"), "service/sv"),
                            (("job", "j", "--image=x", "--", "true"), "job.batch/j"), (("priorityclass", "p", "--value=5"), "priorityclass.scheduling.k8s.io/p"),
                            (("poddisruptionbudget", "b", "--selector=app=d", "--min-available=50%"), "poddisruptionbudget.policy/b")):
        if kubectl.since(21) or arguments[0] != "poddisruptionbudget":  # at policy/v1beta1, which Kubernetes 1.25 has given up
            assert f"{made} created" in kubectl("create", *arguments)
    assert "exposed" in kubectl("expose", "deployment", "d", "--port=80", "--name=more")
    if kubectl.since(21):
        kubectl("create", "cronjob", "cj", "--image=x", "--schedule=0 0 1 1 *", "--", "true")
        kubectl("create", "job", "now", "--from=cronjob/cj")
        kubectl("wait", "--for=condition=complete", "job/now", f"--timeout={PATIENCE}s")
    assert "Used" in kubectl("describe", "quota", "q")


def test_the_node(kubectl):
    (node,) = kubectl("get", "nodes", "-o", "jsonpath={.items[*].metadata.name}").split()
    assert "tainted" in kubectl("taint", "nodes", node, "a=b:NoSchedule")
    assert "untainted" in kubectl("taint", "nodes", node, "a-")
    kubectl.deploy()
    assert "cordoned" in kubectl("cordon", node)
    assert "SchedulingDisabled" in kubectl("get", "nodes")
    assert "uncordoned" in kubectl("uncordon", node)
    drained = kubectl("drain", node, "--ignore-daemonsets", f"--timeout={PATIENCE}s")
    assert len(re.findall(r"pod/\S+ evicted", drained)) == 2, drained
    kubectl("uncordon", node)
    kubectl("rollout", "status", "deployment/web", f"--timeout={PATIENCE}s")
    refused = kubectl("debug", kubectl("get", "pods", "-o", "jsonpath={.items[0].metadata.name}"), "--image=busybox", code=1)
    assert "ephemeral containers are disabled for this cluster" in refused


DAEMON = """
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: daemon}
spec:
  selector: {matchLabels: {app: daemon}}
  template:
    metadata: {labels: {app: daemon}}
    spec: {containers: [{name: main, image: busybox, command: [sleep, "1000"]}]}
"""


def test_a_cordoned_node_takes_no_new_pods(kubectl):
    (node,) = kubectl("get", "nodes", "-o", "jsonpath={.items[*].metadata.name}").split()
    kubectl.deploy()
    drained = kubectl("drain", node, "--ignore-daemonsets", f"--timeout={PATIENCE}s")
    assert len(re.findall(r"pod/\S+ evicted", drained)) == 2, drained
    # Their successors wait, and so does what somebody makes; a daemon does not.
    kubectl("run", "late", "--image=busybox", "--restart=Never", "--command", "--", "sleep", "1000")
    kubectl("wait", "--for=condition=PodScheduled=False", "pod", "--all", f"--timeout={PATIENCE}s")
    assert kubectl("get", "pods", "-o", "jsonpath={.items[*].status.phase}").split() == ["Pending"] * 3
    told = kubectl("describe", "pod", "late")
    assert re.search(r"Warning +FailedScheduling .* default-scheduler +0/1 nodes are available: 1 node\(s\) were unschedulable\.", told), told
    kubectl("apply", "-f", kubectl.file(DAEMON))
    kubectl("rollout", "status", "daemonset/daemon", f"--timeout={PATIENCE}s")
    kubectl("uncordon", node)
    kubectl("wait", "--for=condition=Ready", "pod/late", f"--timeout={PATIENCE}s")
    kubectl("rollout", "status", "deployment/web", f"--timeout={PATIENCE}s")


def test_a_budget_keeps_pods_from_a_drain(kubectl):
    kubectl.deploy()
    budget = "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: all}\nspec: {minAvailable: 2, selector: {matchLabels: {app: web}}}\n"
    kubectl("apply", "-f", kubectl.file(budget))
    (node,) = kubectl("get", "nodes", "-o", "jsonpath={.items[*].metadata.name}").split()
    refused = kubectl("drain", node, "--ignore-daemonsets", "--timeout=2s", code=1)
    assert "Cannot evict pod as it would violate the pod's disruption budget." in refused
    assert len(kubectl("get", "pods", "-o", "name").split()) == 2
    if kubectl.since(21):
        assert kubectl("get", "pdb", "all", "--no-headers").split()[:4] == ["all", "2", "N/A", "0"]
    kubectl("patch", "poddisruptionbudgets.v1.policy", "all", "--type=merge", "-p", '{"spec": {"minAvailable": 0}}')
    drained = kubectl("drain", node, "--ignore-daemonsets", f"--timeout={PATIENCE}s")
    assert len(re.findall(r"pod/\S+ evicted", drained)) == 2, drained


def test_events(kubectl):
    kubectl.run_pod("box", "sleep", "1000")
    kubectl("create", "job", "once", "--image=x", "--", "true")
    kubectl("wait", "--for=condition=complete", "job/once", f"--timeout={PATIENCE}s")
    assert "SuccessfulCreate" in kubectl("get", "events")
    assert "SuccessfulCreate" in kubectl("get", "events.v1.events.k8s.io")
    assert "SuccessfulCreate" in kubectl("get", "events", "--field-selector", "involvedObject.kind=Job,reason=SuccessfulCreate", "--sort-by=.lastTimestamp")
    assert "SuccessfulCreate" in kubectl("get", "events.v1.events.k8s.io", "--field-selector", "regarding.kind=Job,reason=SuccessfulCreate", "-o", "wide")
    note = kubectl("get", "events.v1.events.k8s.io", "-o", "jsonpath={.items[?(@.reason=='SuccessfulCreate')].note}")
    assert note.startswith("Created pod: once-")
    if kubectl.since(26):
        assert "SuccessfulCreate" in kubectl("events", "--for", "job/once")


def test_no_request_fails_that_nobody_asked_for(kubectl):
    """What -v=6 tells of each request."""
    kubectl.deploy()
    pod = kubectl("get", "pods", "-o", "jsonpath={.items[0].metadata.name}")
    manifest = kubectl.folder / "web.yaml"
    for command in (["get", "pods"], ["get", "all"], ["get", "nodes", "-o", "wide"], ["describe", "pod", pod], ["describe", "deployment", "web"],
                    ["apply", "-f", manifest], ["apply", "-f", manifest, "--server-side", "--force-conflicts"], ["rollout", "status", "deployment/web"],
                    ["rollout", "history", "deployment/web"], ["logs", pod], ["exec", pod, "--", "true"], ["auth", "can-i", "list", "pods"], ["api-resources"],
                    ["explain", "pod.spec"], ["scale", "deployment/web", "--replicas=1"], ["create", "configmap", "c", "--from-literal=a=b"], ["cluster-info"],
                    ["get", "events"], ["get", "events.v1.events.k8s.io"], ["get", "all", "-A"], ["cluster-info", "dump"], ["label", "configmap", "c", "a=b"], ["version"]):
        told = kubectl.run("-v=6", *command).stderr
        failed = [line for line in told.splitlines() if re.search(r'(\s|status=")(4\d\d|5\d\d) [A-Z]', line)]
        assert not failed, f"{command}: {failed}"
