"""Clients of Kubernetes against `tiphys up`: kubectl, and the Python client from PyPI."""

import json
import os
import shutil
import subprocess
import threading

import pytest

from cli_support import cli  # noqa: F401

CRD = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: lamps.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: lamps, kind: Lamp, shortNames: [lp]}
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}}
    additionalPrinterColumns: [{name: Watts, type: integer, jsonPath: .spec.watts}]
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec: {type: object, required: [watts], properties: {watts: {type: integer, maximum: 100}}}
          status: {type: object, x-kubernetes-preserve-unknown-fields: true}
"""
LAMP = "apiVersion: example.com/v1\nkind: Lamp\nmetadata: {name: a}\nspec: {watts: 60}\n"
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {k: v}\n"
WORKFLOW = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: hello}
spec: {entrypoint: main, templates: [{name: main, container: {image: x, command: [echo, hello]}}]}
"""


@pytest.fixture
def kubectl(cli):
    binary = os.environ.get("TIPHYS_KUBECTL") or shutil.which("kubectl")
    if not binary:
        pytest.skip("there is no kubectl on the PATH")
    cli.up()

    def call(*arguments, code=0, stdin=None):
        environment = {"PATH": os.environ["PATH"], "HOME": str(cli.folder),
                       "KUBECONFIG": str(cli.data_dir / "kubeconfig")}
        done = subprocess.run([binary, *arguments], env=environment, input=stdin, capture_output=True, text=True,
                              timeout=120, check=False)
        assert done.returncode == code, f"kubectl {arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    call.file = cli.file
    return call


def test_kubectl_reads_what_the_api_says_of_itself(kubectl):
    assert "v1.34" in kubectl("version")
    assert "configmaps" in kubectl("api-resources", "--verbs=list")
    assert "argoproj.io/v1alpha1" in kubectl("api-versions")
    assert "The template that runs first." in kubectl("explain", "workflow.spec.entrypoint")
    assert "containers" in kubectl("explain", "pod.spec")
    assert kubectl("get", "--raw", "/healthz") == "ok"


def test_kubectl_makes_changes_and_removes_objects(kubectl):
    manifest = kubectl.file(CONFIG, "c.yaml")
    assert "created" in kubectl("apply", "-f", manifest)
    assert "unchanged" in kubectl("apply", "-f", manifest)
    changed = kubectl.file(CONFIG.replace("k: v", "k: w"), "d.yaml")
    assert "+  k: w" in kubectl("diff", "-f", changed, code=1)
    assert "configured" in kubectl("apply", "-f", changed)
    assert "labeled" in kubectl("label", "configmap", "c", "a=b")
    assert "annotated" in kubectl("annotate", "configmap", "c", "x=y")
    assert "patched" in kubectl("patch", "configmap", "c", "-p", '{"data": {"j": "u"}}')
    assert kubectl("get", "configmap", "-l", "a=b", "-o", "jsonpath={.items[*].data}") == '{"j":"u","k":"w"}'
    assert kubectl("get", "configmap", "c", "--no-headers").split()[:2] == ["c", "2"]
    assert "replaced" in kubectl("replace", "-f", manifest)
    assert "k:\n----\nv" in kubectl("describe", "configmap", "c")
    assert "server dry run" in kubectl("delete", "configmap", "c", "--dry-run=server")
    assert "deleted" in kubectl("delete", "configmap", "c")
    assert 'configmaps "c" not found' in kubectl("get", "configmap", "c", code=1)


def test_kubectl_is_told_what_is_wrong(kubectl):
    bad = kubectl.file(CONFIG.replace("\ndata", "\ndta"), "bad.yaml")
    assert 'unknown field "dta"' in kubectl("apply", "-f", bad, code=1)
    assert "Warning: unknown field \"dta\"" in kubectl("apply", "--validate=warn", "-f", bad)
    name = kubectl.file(CONFIG.replace("name: c", "name: C_c"), "name.yaml")
    assert "a lowercase RFC 1123 subdomain" in kubectl("apply", "-f", name, code=1)
    assert 'namespaces "nowhere" not found' in kubectl("apply", "-n", "nowhere", "-f", kubectl.file(CONFIG), code=1)


def test_kubectl_runs_a_workflow(kubectl):
    assert "created" in kubectl("create", "-f", kubectl.file(WORKFLOW))
    kubectl("wait", "--for=jsonpath={.status.phase}=Succeeded", "workflow/hello", "--timeout=60s")
    assert kubectl("get", "workflow", "hello", "--no-headers").split()[:2] == ["hello", "Succeeded"]
    assert kubectl("get", "pods", "--no-headers").split()[:3] == ["hello", "0/1", "Completed"]
    assert kubectl("logs", "hello") == "hello\n"
    assert "deleted" in kubectl("delete", "workflow", "hello")


def test_kubectl_brings_kinds_of_its_own(kubectl):
    kubectl("apply", "-f", kubectl.file(CRD, "crd.yaml"))
    kubectl("wait", "--for=condition=established", "crd/lamps.example.com", "--timeout=60s")
    kubectl("apply", "-f", kubectl.file(LAMP, "lamp.yaml"))
    assert kubectl("get", "lp", "--no-headers").split()[:2] == ["a", "60"]
    bright = kubectl.file(LAMP.replace("60", "600"), "bright.yaml")
    assert "should be less than or equal to 100" in kubectl("apply", "-f", bright, code=1)
    kubectl("patch", "lamp", "a", "--subresource=status", "--type=merge", "-p", '{"status": {"on": true}}')
    assert kubectl("get", "lamp", "a", "-o", "jsonpath={.status.on}") == "true"
    kubectl("delete", "crd", "lamps.example.com", "--timeout=60s")
    assert "the server" in kubectl("get", "lamps", code=1)


def test_kubectl_applies_on_the_server(kubectl):
    manifest = kubectl.file(CONFIG, "c.yaml")
    assert "serverside-applied" in kubectl("apply", "--server-side", "--field-manager=one", "-f", manifest)
    other = kubectl.file(CONFIG.replace("k: v", "k: w"), "d.yaml")
    refused = kubectl("apply", "--server-side", "--field-manager=two", "-f", other, code=1)
    assert 'conflict with "one"' in refused and ".data.k" in refused
    kubectl("apply", "--server-side", "--field-manager=two", "--force-conflicts", "-f", other)
    managers = kubectl("get", "configmap", "c", "--show-managed-fields", "-o", "jsonpath={.metadata.managedFields[*].manager}")
    assert "two" in managers.split()


def test_kubectl_runs_a_job(kubectl):
    kubectl("create", "job", "count", "--image=x", "--", "echo", "three")
    kubectl("wait", "--for=condition=complete", "job/count", "--timeout=60s")
    assert kubectl("get", "job", "count", "--no-headers").split()[:3] == ["count", "Complete", "1/1"]
    assert kubectl("logs", "job/count") == "three\n"
    assert kubectl("get", "nodes", "--no-headers").split()[1] == "Ready"
    assert "default" in kubectl("get", "serviceaccounts")


def test_kubectl_deletes_a_namespace(kubectl):
    assert {"default", "kube-system", "kube-public", "kube-node-lease"} <= set(kubectl("get", "ns", "-o", "name").replace("namespace/", "").split())
    assert "this namespace may not be deleted" in kubectl("delete", "ns", "kube-system", code=1)
    kubectl("create", "namespace", "lab")
    kubectl("apply", "-f", kubectl.file(CRD, "crd.yaml"))
    kubectl("wait", "--for=condition=established", "crd/lamps.example.com", "--timeout=60s")
    kubectl("apply", "-n", "lab", "-f", kubectl.file(LAMP, "lamp.yaml"))
    kubectl("create", "job", "-n", "lab", "long", "--image=x", "--", "sleep", "600")
    held = kubectl.file(CONFIG.replace("{name: c}", "{name: c, finalizers: [example.com/mine]}"))
    kubectl("apply", "-n", "lab", "-f", held)
    kubectl("delete", "ns", "lab", "--wait=false")
    assert "is being terminated" in kubectl("create", "configmap", "-n", "lab", "late", code=1)
    kubectl("wait", "ns/lab", "--for=condition=NamespaceFinalizersRemaining", "--timeout=60s")
    assert kubectl("get", "ns", "lab", "--no-headers").split()[1] == "Terminating"
    kubectl("patch", "configmap", "c", "-n", "lab", "--type=merge", "-p", '{"metadata": {"finalizers": null}}')
    kubectl("wait", "ns/lab", "--for=delete", "--timeout=60s")
    kubectl("create", "namespace", "lab")
    assert "No resources found" in kubectl("get", "lamps,pods,jobs", "-n", "lab")
    assert "No resources found" in kubectl("get", "configmaps", "-n", "lab", "--field-selector=metadata.name!=kube-root-ca.crt")

    stuck = "apiVersion: v1\nkind: Namespace\nmetadata: {name: stuck}\nspec: {finalizers: [example.com/mine]}\n"
    kubectl("create", "-f", kubectl.file(stuck))
    kubectl("delete", "ns", "stuck", "--wait=false")
    kubectl("wait", "ns/stuck", "--for=condition=NamespaceContentRemaining=false", "--timeout=60s")
    body = kubectl.file('{"kind":"Namespace","apiVersion":"v1","metadata":{"name":"stuck"},"spec":{"finalizers":[]}}', "finalize.json")
    kubectl("replace", "--raw", "/api/v1/namespaces/stuck/finalize", "-f", body)
    assert 'namespaces "stuck" not found' in kubectl("get", "ns", "stuck", code=1)


def test_kubectl_limits_what_a_namespace_may_use(kubectl):
    assert "system-node-critical" in kubectl("get", "priorityclasses")
    limits = ("apiVersion: v1\nkind: LimitRange\nmetadata: {name: r}\n"
              "spec: {limits: [{type: Container, default: {cpu: 200m}, defaultRequest: {cpu: 100m}, max: {cpu: '1'}}]}\n")
    kubectl("apply", "-f", kubectl.file(limits, "limits.yaml"))
    kubectl("create", "quota", "q", "--hard=pods=2,requests.cpu=150m,count/jobs.batch=1")
    kubectl("wait", "quota/q", "--for=jsonpath={.status.used.pods}=0", "--timeout=60s")
    kubectl("run", "a", "--image=x", "--restart=Never", "--command", "--", "sleep", "600")
    assert kubectl("get", "pod", "a", "-o", "jsonpath={.spec.containers[0].resources}") == '{"limits":{"cpu":"200m"},"requests":{"cpu":"100m"}}'
    assert ('pods "b" is forbidden: exceeded quota: q, requested: requests.cpu=100m, used: requests.cpu=100m, limited: requests.cpu=150m'
            in kubectl("run", "b", "--image=x", "--restart=Never", code=1))
    assert "count/jobs.batch: 0/1, pods: 1/2, requests.cpu: 100m/150m" in kubectl("get", "quota", "q", "--no-headers")
    assert "requests.cpu      100m  150m" in kubectl("describe", "quota", "q")
    # A job waits until there is room.
    kubectl("create", "job", "j", "--image=x", "--", "echo", "done")
    kubectl("wait", "job/j", "--for=jsonpath={.metadata.name}=j", "--timeout=60s")
    kubectl("delete", "pod", "a", "--grace-period=0", "--force")
    kubectl("wait", "--for=condition=complete", "job/j", "--timeout=60s")
    kubectl("wait", "quota/q", "--for=jsonpath={.status.used.pods}=0", "--timeout=60s")


def test_kubectl_runs_a_cron_job(kubectl):
    refused = kubectl("create", "cronjob", "bad", "--image=x", "--schedule=every day", code=1)
    assert "spec.schedule: Invalid value" in refused
    kubectl("create", "cronjob", "tick", "--image=x", "--schedule=@every 1s", "--", "echo", "tick")
    kubectl("wait", "cronjob/tick", "--for=jsonpath={.status.lastSuccessfulTime}", "--timeout=60s")
    kubectl("patch", "cronjob", "tick", "-p", '{"spec": {"suspend": true}}')
    assert kubectl("get", "cronjob", "tick", "--no-headers").split()[:6] == ["tick", "@every", "1s", "<none>", "True", "0"]
    kubectl("create", "job", "now", "--from=cronjob/tick")
    kubectl("wait", "--for=condition=complete", "job/now", "--timeout=60s")
    assert kubectl("logs", "job/now") == "tick\n"
    kubectl("delete", "cronjob", "tick")
    kubectl("wait", "job/now", "--for=delete", "--timeout=60s")


SET = """
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: s}
spec:
  serviceName: s
  replicas: 2
  selector: {matchLabels: {app: s}}
  template:
    metadata: {labels: {app: s}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: main, image: x, command: [sleep, "600"], volumeMounts: [{name: data, mountPath: /data}]}]
  volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}}]
"""


def test_kubectl_runs_a_stateful_set(kubectl):
    kubectl("apply", "-f", kubectl.file(SET, "set.yaml"))
    kubectl("rollout", "status", "sts/s", "--timeout=60s")
    assert kubectl("get", "sts", "s", "--no-headers").split()[:2] == ["s", "2/2"]
    assert set(kubectl("get", "pvc", "-o", "name").split()) == {"persistentvolumeclaim/data-s-0", "persistentvolumeclaim/data-s-1"}
    kubectl("scale", "sts/s", "--replicas=1")
    kubectl("wait", "pod/s-1", "--for=delete", "--timeout=60s")
    kubectl("set", "env", "sts/s", "A=b")
    kubectl("rollout", "status", "sts/s", "--timeout=60s")
    assert kubectl("get", "pod", "s-0", "-o", "jsonpath={.spec.containers[0].env[0].name}") == "A"
    assert len(kubectl("rollout", "history", "sts/s").strip().splitlines()) == 4
    changed = kubectl.file(SET.replace("serviceName: s", "serviceName: t"), "changed.yaml")
    assert "updates to statefulset spec for fields other than" in kubectl("apply", "-f", changed, code=1)
    kubectl("delete", "sts", "s", "--cascade=orphan")
    assert "pod/s-0" in kubectl("get", "pods", "-o", "name")


def test_kubectl_finds_the_pods_of_a_service(kubectl):
    kubectl("create", "service", "nodeport", "web", "--tcp=80:8080")
    kind, address = kubectl("get", "service", "web", "--no-headers").split()[1:3]
    assert kind == "NodePort" and address.startswith("127.96.")
    bare = kubectl.file("apiVersion: v1\nkind: Service\nmetadata: {name: bare}\nspec: {selector: {a: b}}\n")
    assert "spec.ports: Required value" in kubectl("apply", "-f", bare, code=1)
    assert kubectl("get", "endpointslices", "-l", "kubernetes.io/service-name=web", "--no-headers").split()[1:4] == ["IPv4", "<unset>", "<unset>"]
    kubectl("run", "a", "--image=x", "--restart=Never", "--labels=app=web", "--command", "--", "sleep", "600")
    kubectl("wait", "endpoints/web", "--for=jsonpath={.subsets[0].addresses[0].targetRef.name}=a", "--timeout=60s")
    (line,) = [line for line in kubectl("get", "endpoints", "web", "--no-headers").splitlines() if line.startswith("web ")]  # beside a warning
    assert line.split()[1] == "127.0.0.1:8080"
    ready = "jsonpath={.items[0].endpoints[0].conditions.ready}"
    assert kubectl("get", "endpointslices", "-l", "kubernetes.io/service-name=web", "-o", ready) == "true"
    assert "Endpoints:" in kubectl("describe", "service", "web")
    kubectl("delete", "service", "web")
    kubectl("wait", "endpoints/web", "--for=delete", "--timeout=60s")


def test_kubectl_asks_what_it_may(kubectl):
    assert "yes" in kubectl("auth", "can-i", "create", "pods")
    assert "no" in kubectl("auth", "can-i", "create", "pods", "--as=ann", code=1)
    kubectl("create", "rolebinding", "views", "--clusterrole=view", "--user=ann")
    assert "yes" in kubectl("auth", "can-i", "list", "workflows.argoproj.io", "--as=ann")
    assert "cannot get resource \"secrets\"" in kubectl("get", "secret", "s", "--as=ann", code=1)
    kubectl("create", "serviceaccount", "robot")
    token = kubectl("create", "token", "robot").strip()
    refused = kubectl("get", "configmaps", f"--token={token}", code=1)
    assert 'User "system:serviceaccount:default:robot" cannot list resource "configmaps"' in refused
    kubectl("create", "rolebinding", "robots", "--clusterrole=edit", "--serviceaccount=default:robot")
    assert "created" in kubectl("create", "configmap", "made", f"--token={token}")
    kubectl("delete", "serviceaccount", "robot")
    assert "You must be logged in" in kubectl("get", "configmaps", f"--token={token}", code=1)


@pytest.fixture
def kubernetes(cli):
    library = pytest.importorskip("kubernetes", reason="the kubernetes client of PyPI is not here")
    cli.up()
    library.config.load_kube_config(str(cli.data_dir / "kubeconfig"))
    return library


def test_python_makes_and_reads_objects(kubernetes):
    client = kubernetes.client
    core = client.CoreV1Api()
    config = client.V1ConfigMap(metadata=client.V1ObjectMeta(name="c"), data={"k": "v"})
    assert core.create_namespaced_config_map("default", config).metadata.uid
    with pytest.raises(client.ApiException) as raised:
        core.create_namespaced_config_map("default", config)
    assert raised.value.status == 409 and json.loads(raised.value.body)["reason"] == "AlreadyExists"
    assert core.patch_namespaced_config_map("c", "default", {"data": {"j": "u"}}).data == {"k": "v", "j": "u"}
    read = core.read_namespaced_config_map("c", "default")
    read.data = {"k": "w"}
    assert core.replace_namespaced_config_map("c", "default", read).data == {"k": "w"}
    with pytest.raises(client.ApiException) as raised:
        core.replace_namespaced_config_map("c", "default", read)
    assert raised.value.status == 409
    page = core.list_namespaced_config_map("default", limit=1)
    assert [item.metadata.name for item in page.items] == ["c"]
    secret = client.V1Secret(metadata=client.V1ObjectMeta(name="s"), string_data={"a": "b"})
    assert core.create_namespaced_secret("default", secret).data == {"a": "Yg=="}
    core.delete_namespaced_config_map("c", "default")
    assert [each.metadata.name for each in core.list_namespaced_config_map("default").items] == ["kube-root-ca.crt"]


def test_python_follows_a_workflow(kubernetes):
    custom = kubernetes.client.CustomObjectsApi()
    body = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"generateName": "w-"},
            "spec": {"entrypoint": "main",
                     "templates": [{"name": "main", "container": {"image": "x", "command": ["echo", "hello"]}}]}}
    where = ("argoproj.io", "v1alpha1", "default", "workflows")
    name = custom.create_namespaced_custom_object(*where, body)["metadata"]["name"]
    watch = kubernetes.watch.Watch()
    phases = []
    for event in watch.stream(custom.list_namespaced_custom_object, *where, timeout_seconds=60):
        phases.append(event["object"].get("status", {}).get("phase"))
        if phases[-1] == "Succeeded":
            watch.stop()
    assert phases[-1] == "Succeeded"
    core = kubernetes.client.CoreV1Api()
    assert [pod.status.phase for pod in core.list_namespaced_pod("default").items] == ["Succeeded"]
    assert core.read_namespaced_pod_log(name, "default") == "hello\n"


def test_python_learns_of_kinds(kubernetes):
    dynamic = kubernetes.dynamic.DynamicClient(kubernetes.client.ApiClient())
    workflows = dynamic.resources.get(api_version="argoproj.io/v1alpha1", kind="Workflow")
    assert workflows.get(namespace="default").items == []
    maps = dynamic.resources.get(api_version="v1", kind="ConfigMap")
    made = maps.create(body={"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "d"}}, namespace="default")
    seen = threading.Event()

    def follow():
        for event in maps.watch(namespace="default", resource_version=made.metadata.resourceVersion, timeout=60):
            if event["object"].data:
                return seen.set()

    thread = threading.Thread(target=follow)
    thread.start()
    maps.patch(name="d", namespace="default", body={"data": {"x": "1"}}, content_type="application/merge-patch+json")
    thread.join(60)
    assert seen.is_set()
