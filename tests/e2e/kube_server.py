"""A real kube-apiserver on etcd, with stand-ins for what else a cluster has: the pods are played by threads of the test."""

import http.client
import json
import os
import pathlib
import shutil
import socket
import ssl
import subprocess
import threading
import time

TOOLS = pathlib.Path(__file__).resolve().parents[2] / "tools"
TOKEN = "test-token"
PODS = "/api/v1/namespaces/default/pods"
WORKFLOWS = "/apis/argoproj.io/v1alpha1/namespaces/default/workflows"
KINDS = [("argoproj.io", "Workflow", "workflows", "Namespaced"), ("argoproj.io", "WorkflowTemplate", "workflowtemplates", "Namespaced"),
         ("argoproj.io", "ClusterWorkflowTemplate", "clusterworkflowtemplates", "Cluster"),
         ("argoproj.io", "CronWorkflow", "cronworkflows", "Namespaced"), ("tiphys.io", "SyncLimit", "synclimits", "Namespaced")]


def why_not():
    """Why there is no server to test on; "" when there is one."""
    if not servers():
        return "there are no kube-apiserver and etcd: tools/kubernetes-programs builds them, or TIPHYS_KUBE_APISERVER and TIPHYS_ETCD name them"
    return "" if shutil.which("openssl") else "there is no openssl: tools/bootstrap tools/packages-kubernetes.txt"


def servers():
    """The paths of a kube-apiserver and of an etcd; empty where one is missing."""
    return subprocess.run([TOOLS / "kubernetes-programs", "--if-there"], capture_output=True, text=True).stdout.splitlines()[:2]


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def certificates(folder):
    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    openssl("genrsa", "-out", "sa.key", "2048")
    openssl("rsa", "-in", "sa.key", "-pubout", "-out", "sa.pub")
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test-ca", "-keyout", "ca.key", "-out", "ca.crt")
    for name, subject, extensions in (("server", "/CN=kube-apiserver", "subjectAltName=DNS:localhost,IP:127.0.0.1\n"),
                                      ("client", "/O=system:masters/CN=by-certificate", "extendedKeyUsage=clientAuth\n")):
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", subject, "-keyout", f"{name}.key", "-out", f"{name}.csr")
        (folder / "extensions").write_text(extensions)
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "extensions", "-out", f"{name}.crt")


class Kubernetes:
    """Everything in `folder`, only on 127.0.0.1; close() ends it."""

    def __init__(self, folder):
        self.folder, self.processes = folder, []
        certificates(folder)
        (folder / "tokens.csv").write_text(f'{TOKEN},test,test,"system:masters"\n')
        self.port, etcd_port, peer_port = free_ports(3)
        self.apiserver, etcd_program = servers()
        etcd = f"http://127.0.0.1:{etcd_port}"
        peer = f"http://127.0.0.1:{peer_port}"
        try:
            self.start("etcd", etcd_program, "--name", "t", "--data-dir", folder / "etcd", "--listen-client-urls", etcd, "--advertise-client-urls", etcd,
                       "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", f"t={peer}")
            self.start_apiserver(etcd)
            self.create_kinds()
        except BaseException:
            self.close()
            raise
        self.etcd = etcd
        self.kubeconfig = self.write_kubeconfig("kubeconfig", {"token": TOKEN})

    def start_apiserver(self, etcd):
        folder = self.folder
        self.start("apiserver", self.apiserver, "--etcd-servers", etcd, "--bind-address", "127.0.0.1", "--advertise-address", "127.0.0.1",
                   "--secure-port", self.port, "--tls-cert-file", folder / "server.crt", "--tls-private-key-file", folder / "server.key",
                   "--token-auth-file", folder / "tokens.csv", "--client-ca-file", folder / "ca.crt", "--authorization-mode", "RBAC",
                   "--service-account-issuer", "https://localhost", "--service-account-key-file", folder / "sa.pub",
                   "--service-account-signing-key-file", folder / "sa.key", "--service-cluster-ip-range", "10.0.0.0/24",
                   "--endpoint-reconciler-type", "none", "--disable-admission-plugins", "ServiceAccount")
        self.await_ready()

    def restart_apiserver(self):
        """All connections break, and what it remembers of changes is gone."""
        apiserver = self.processes.pop()
        apiserver.kill()
        apiserver.wait()
        self.start_apiserver(self.etcd)

    def start(self, name, *command):
        log = open(self.folder / f"{name}.log", "w")
        self.processes.append(subprocess.Popen([str(word) for word in command], stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, cwd=self.folder))

    def connect(self, timeout=60):
        trust = ssl.create_default_context(cafile=str(self.folder / "ca.crt"))
        return http.client.HTTPSConnection("127.0.0.1", self.port, context=trust, timeout=timeout)

    def request(self, method, path, body=None, kind="application/json", expect=(200, 201)):
        connection = self.connect()
        connection.request(method, path, json.dumps(body) if body is not None else None, {"Authorization": f"Bearer {TOKEN}", "Content-Type": kind})
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        assert expect is None or answer.status in expect, f"{method} {path}: {answer.status} {text}"
        return json.loads(text) if text.startswith("{") else text

    def watch(self, path, query=""):
        """Events until the caller has enough. One that the server cuts off, as it does when it falls behind etcd, begins anew."""
        while True:
            for event in self.watch_once(path, query):
                if event["type"] == "ERROR":
                    break
                yield event
            else:
                return

    def watch_once(self, path, query):
        connection = self.connect(timeout=180)
        connection.request("GET", f"{path}?watch=true{query}", headers={"Authorization": f"Bearer {TOKEN}"})
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()
        try:
            for line in answer:
                yield json.loads(line)
        finally:
            connection.close()

    def await_ready(self):
        # The server tells nobody when it is ready: it must be asked.
        deadline = time.monotonic() + 240
        while True:
            assert self.processes[-1].poll() is None, (self.folder / "apiserver.log").read_text()[-2000:]
            try:
                if self.request("GET", "/readyz", expect=None) == "ok":
                    return
            except OSError:
                pass
            assert time.monotonic() < deadline, (self.folder / "apiserver.log").read_text()[-2000:]
            time.sleep(0.2)

    def create_kinds(self):
        """Minimal definitions: whatever a spec and status hold is kept."""
        crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
        anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
        for group, kind, plural, scope in KINDS:
            self.request("POST", crds, {
                "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": f"{plural}.{group}"},
                "spec": {"group": group, "scope": scope, "names": {"kind": kind, "plural": plural, "singular": kind.lower()},
                         "versions": [{"name": "v1alpha1", "served": True, "storage": True,
                                       "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": anything, "status": anything}}}}]}})
        for event in self.watch(crds):
            conditions = {each["type"]: each["status"] for each in (event["object"].get("status", {}).get("conditions") or [])}
            if event["type"] in ("ADDED", "MODIFIED") and conditions.get("Established") == "True":
                break
        for group, _, plural, _ in KINDS:
            deadline = time.monotonic() + 60
            while "items" not in self.request("GET", f"/apis/{group}/v1alpha1/{plural}", expect=None):
                assert time.monotonic() < deadline
                time.sleep(0.1)

    def write_kubeconfig(self, name, user, **cluster):
        path = self.folder / name
        path.write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "test",
            "clusters": [{"name": "test", "cluster": {"server": f"https://127.0.0.1:{self.port}", "certificate-authority": "ca.crt", **cluster}}],
            "users": [{"name": "test", "user": user}], "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}]}))
        return path

    def workflow_in_phase(self, name, phase):
        for event in self.watch(WORKFLOWS, f"&fieldSelector=metadata.name%3D{name}"):
            if event["object"].get("status", {}).get("phase") == phase:
                return event["object"]
        raise AssertionError(f"the watch of {name} has ended")

    def finished_workflow(self, name):
        for event in self.watch(WORKFLOWS, f"&fieldSelector=metadata.name%3D{name}"):
            workflow = event["object"]
            if workflow.get("status", {}).get("finishedAt"):
                return workflow
        raise AssertionError(f"the watch of {name} has ended")

    def close(self):
        # Nothing is to be kept; asked nicely, the server would wait for those that still watch.
        for process in reversed(self.processes):
            process.kill()
            process.wait()


class PodPlayer:
    """Stands in for scheduler, kubelet and executor: each pod of a workflow runs, and ends as `exit_code(pod)` says."""

    def __init__(self, kubernetes, exit_code=lambda pod: 0):
        self.kubernetes, self.exit_code, self.played, self.error = kubernetes, exit_code, [], None
        self.closing = False
        self.thread = threading.Thread(target=self.play, daemon=True)
        self.thread.start()

    def play(self):
        try:
            for event in self.kubernetes.watch(PODS, "&labelSelector=workflows.argoproj.io%2Fworkflow&resourceVersion=0"):
                if self.closing:
                    return
                pod = event["object"]
                if event["type"] == "ADDED" and pod["status"]["phase"] == "Pending":
                    self.play_pod(pod)
        except (OSError, http.client.HTTPException) as error:
            if not self.closing:
                self.error = error

    def play_pod(self, pod):
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        code = self.exit_code(pod)
        name = pod["metadata"]["name"]
        self.played.append(name)

        def status(phase, state):
            containers = [{"name": each["name"], "image": each["image"], "imageID": "", "ready": phase == "Running", "restartCount": 0, "state": state}
                          for each in pod["spec"]["containers"]]
            self.kubernetes.request("PATCH", f"{PODS}/{name}/status", {"status": {"phase": phase, "startTime": now, "containerStatuses": containers}},
                                    "application/merge-patch+json")

        status("Running", {"running": {"startedAt": now}})
        status("Failed" if code else "Succeeded",
               {"running": None, "terminated": {"exitCode": code, "reason": "Error" if code else "Completed", "startedAt": now, "finishedAt": now}})
