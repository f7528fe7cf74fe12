"""Pods that reach the plane's API, as in a cluster: the Service kubernetes, tokens of service accounts, certificates."""

import base64
import json
import shutil
import subprocess
import urllib.error
import urllib.request

import pytest
from client_environments import environment
from conftest import ROOT, every_engine
from test_services import create, pod, wait_for_event
from test_sessions import Kubectl

pytestmark = pytest.mark.skipif(not shutil.which("kubectl"), reason="needs kubectl")

FOLDER = "/var/run/secrets/kubernetes.io/serviceaccount"
ASK = f"""import json, os, ssl, sys, urllib.error, urllib.request
context = ssl.create_default_context(cafile="{FOLDER}/ca.crt")
token = open("{FOLDER}/token").read()
def ask(path, host=os.environ["KUBERNETES_SERVICE_HOST"], token=token):
    request = urllib.request.Request(f"https://{{host}}:{{os.environ['KUBERNETES_SERVICE_PORT']}}{{path}}", headers={{"Authorization": "Bearer " + token}})
    try:
        return json.load(urllib.request.urlopen(request, context=context, timeout=60))
    except urllib.error.HTTPError as error:
        return error.code
"""
OFFICIAL_CLIENT = f"""from kubernetes import client, config
config.load_incluster_config()
core = client.CoreV1Api()
core.create_namespaced_config_map("default", {{"metadata": {{"name": "made-inside"}}, "data": {{"k": "v"}}}})
print(core.read_namespaced_config_map("made-inside", "default").data["k"])
print(open("{FOLDER}/namespace").read())
"""


@pytest.fixture
def kubectl(tiphys, tmp_path):
    tiphys.up()
    return Kubectl(tiphys, "websocket", tmp_path)


def python_pod(name, program, python="python3", **spec):
    made = pod(name, "", **spec)
    made["spec"]["containers"][0]["command"] = [str(python), "-c", program]
    return made


def give_rights(kubectl, account, role="edit"):
    if account != "default":
        kubectl("create", "serviceaccount", account)
    kubectl("create", "rolebinding", f"{account}-{role}", f"--clusterrole={role}", f"--serviceaccount=default:{account}")


def output(kubectl, name, phase="Succeeded"):
    kubectl("wait", f"--for=jsonpath={{.status.phase}}={phase}", f"pod/{name}", "--timeout=60s")
    return kubectl("logs", name).stdout


def claims_of(token):
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def test_the_official_client_finds_the_api(tiphys, tmp_path):
    python = environment("kubernetes-37")
    tiphys.up("--host-path", str((ROOT / ".deps/environments").resolve()))
    kubectl = Kubectl(tiphys, "websocket", tmp_path)
    give_rights(kubectl, "robot")
    inside = (ROOT / ".deps/environments").resolve() / "kubernetes-37/bin/python"
    assert python.resolve() == inside.resolve()
    create(kubectl, python_pod("client", OFFICIAL_CLIENT, inside, serviceAccountName="robot"))
    assert output(kubectl, "client").split() == ["v", "default"]
    assert json.loads(kubectl("get", "configmap", "made-inside", "-o", "json").stdout)["data"] == {"k": "v"}


def test_the_api_has_a_service_with_a_certificate_for_it(kubectl):
    shown = json.loads(kubectl("get", "service", "kubernetes", "-o", "json").stdout)
    slices = json.loads(kubectl("get", "endpointslices", "-l", "kubernetes.io/service-name=kubernetes", "-o", "json").stdout)["items"]
    assert shown["spec"]["ports"][0]["name"] == "https"
    assert slices[0]["ports"][0]["port"] == shown["spec"]["ports"][0]["targetPort"]
    program = ASK + """
for host in (os.environ["KUBERNETES_SERVICE_HOST"], "kubernetes", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"):
    print(ask("/version", host)["major"])
print(ask("/api/v1/namespaces/default/pods"))
print(os.environ["KUBERNETES_PORT_%s_TCP_ADDR" % os.environ["KUBERNETES_SERVICE_PORT_HTTPS"]] == os.environ["KUBERNETES_SERVICE_HOST"])"""
    create(kubectl, python_pod("client", program))
    assert output(kubectl, "client").split() == ["1"] * 4 + ["403", "True"]
    kubectl("delete", "service", "kubernetes")
    kubectl("wait", "--for=create", "service/kubernetes", "--timeout=60s")
    assert json.loads(kubectl("get", "service", "kubernetes", "-o", "json").stdout)["spec"] == shown["spec"]
    authority = json.loads(kubectl("get", "configmap", "kube-root-ca.crt", "-n", "kube-system", "-o", "json").stdout)["data"]["ca.crt"]
    assert authority.startswith("-----BEGIN CERTIFICATE-----")


def test_pods_reach_it_by_tls_where_others_speak_plain_text(tiphys, tmp_path):
    tiphys.up("--secure=false")
    kubectl = Kubectl(tiphys, "websocket", tmp_path)
    create(kubectl, python_pod("client", ASK + 'print(ask("/version")["major"])'))
    assert output(kubectl, "client").strip() == "1"


def test_pods_have_tokens_unless_they_or_their_account_do_not_want_them(kubectl):
    kubectl("create", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "shy"}, "automountServiceAccountToken": False}).encode())
    look = f"ls {FOLDER} 2>/dev/null || true"
    cases = {"plain": {}, "refuses": {"automountServiceAccountToken": False}, "shy": {"serviceAccountName": "shy"},
             "asks": {"serviceAccountName": "shy", "automountServiceAccountToken": True}}
    create(kubectl, *[pod(name, look, **spec) for name, spec in cases.items()])
    found = {name: output(kubectl, name).split() for name in cases}
    all_of_it = ["ca.crt", "namespace", "token"]
    assert found == {"plain": all_of_it, "refuses": [], "shy": [], "asks": all_of_it}


def test_an_account_that_is_missing_is_told(kubectl):
    create(kubectl, pod("lost", f"ls {FOLDER} 2>/dev/null || true", serviceAccountName="nobody"))
    assert output(kubectl, "lost") == ""
    event = wait_for_event(kubectl, "MissingServiceAccount")
    assert event["involvedObject"]["name"] == "lost" and "default/nobody does not exist" in event["message"]


def test_tokens_end_with_their_pod(kubectl, tiphys):
    create(kubectl, pod("one", f"cat {FOLDER}/token"))
    token = output(kubectl, "one").strip()
    assert claims_of(token)["kubernetes.io"]["pod"]["name"] == "one"
    server = json.loads((tiphys.data_dir / "server.json").read_text())["address"]

    def status():
        request = urllib.request.Request(f"http://{server}/version", headers={"Authorization": "Bearer " + token})
        try:
            return urllib.request.urlopen(request, timeout=60).status
        except urllib.error.HTTPError as error:
            return error.code

    assert status() == 200
    kubectl("delete", "pod", "one")
    assert status() == 401
    # One that a client asks for can be bound too.
    create(kubectl, pod("two", "sleep 1000"))
    kubectl("create", "token", "default", "--bound-object-kind=Pod", "--bound-object-name=none", code=1)
    token = kubectl("create", "token", "default", "--bound-object-kind=Pod", "--bound-object-name=two").stdout.strip()
    assert status() == 200
    kubectl("delete", "pod", "two", "--grace-period=0", "--force")
    assert status() == 401


def test_projected_tokens_are_for_whom_they_say(kubectl):
    give_rights(kubectl, "robot", "view")
    sources = [{"serviceAccountToken": {"path": "own", "expirationSeconds": 600}}, {"serviceAccountToken": {"path": "vault", "audience": "vault"}},
               {"configMap": {"name": "kube-root-ca.crt"}}, {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": {"fieldPath": "metadata.namespace"}}]}}]
    program = ASK + """
for name in ("own", "vault"):
    token = open("/t/" + name).read()
    print(token, type(ask("/api/v1/namespaces/default/pods", token=token)).__name__)
print(sorted(os.listdir("/t")))"""
    asks = python_pod("client", program, serviceAccountName="robot", volumes=[{"name": "t", "projected": {"sources": sources}}])
    asks["spec"]["containers"][0]["volumeMounts"] = [{"name": "t", "mountPath": "/t"}]
    create(kubectl, asks)
    own, vault, files = output(kubectl, "client").splitlines()
    assert files == "['ca.crt', 'namespace', 'own', 'vault']"
    token, answer = own.split()
    assert answer == "dict"
    assert claims_of(token)["exp"] - claims_of(token)["iat"] == 600
    token, answer = vault.split()
    assert answer == "int", "the API is not the vault"
    assert claims_of(token)["aud"] == ["vault"]
    for audiences, good in ((["vault"], True), (["other"], False), ([], False)):
        review = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": token, "audiences": audiences}}
        status = json.loads(kubectl("create", "-f", "-", "-o", "json", stdin=json.dumps(review).encode()).stdout)["status"]
        assert status.get("authenticated", False) is good, audiences
        if good:
            assert status["user"]["username"] == "system:serviceaccount:default:robot"


def workflow(name, command, **spec):
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"name": name},
            "spec": {"entrypoint": "main", "templates": [{"name": "main", "container": {"image": "x", "command": ["sh", "-c", command]}}], **spec}}


def test_steps_have_tokens_where_they_are_of_use(kubectl):
    give_rights(kubectl, "robot", "view")
    look = f"ls {FOLDER} 2>/dev/null || true"
    cases = {"plain": ({}, False), "asks": ({"automountServiceAccountToken": True}, True), "robot": ({"serviceAccountName": "robot"}, True),
             "refuses": ({"serviceAccountName": "robot", "automountServiceAccountToken": False}, False), "nobody": ({"serviceAccountName": "nobody"}, False)}
    create(kubectl, *[workflow(name, look, **spec) for name, (spec, _) in cases.items()])
    for name, (_, expected) in cases.items():
        kubectl("wait", "--for=jsonpath={.status.phase}=Succeeded", f"workflow/{name}", "--timeout=60s")
        assert ("token" in kubectl("logs", name).stdout) is expected, name
    kubectl("create", "rolebinding", "all", "--clusterrole=view", "--serviceaccount=default:default")
    create(kubectl, workflow("later", look))
    kubectl("wait", "--for=jsonpath={.status.phase}=Succeeded", "workflow/later", "--timeout=60s")
    assert "token" in kubectl("logs", "later").stdout


def test_a_run_without_a_server_has_no_api(tiphys):
    done = tiphys.run_object(workflow("plain", "env; ls /var/run/secrets || true", automountServiceAccountToken=True))
    assert done["status"]["phase"] == "Succeeded"
    assert "KUBERNETES_" not in tiphys("logs", "plain").stdout


def test_pods_trust_the_planes_own_certificate_beside_one_of_others(tiphys, tmp_path):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", tmp_path / "key.pem", "-out", tmp_path / "cert.pem",
                    "-days", "2", "-subj", "/CN=plane.example.org", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"], check=True, capture_output=True)
    tiphys.up("--tls-certificate", tmp_path / "cert.pem", "--tls-key", tmp_path / "key.pem")
    kubectl = Kubectl(tiphys, "websocket", tmp_path)
    create(kubectl, python_pod("client", ASK + "print(ask('/version')['major'])"))
    assert output(kubectl, "client").split() == ["1"]


@every_engine
def test_containers_find_the_api(tiphys, tmp_path):
    tiphys.up()
    kubectl = Kubectl(tiphys, "websocket", tmp_path)
    give_rights(kubectl, "robot", "view")
    patient = ASK + """
import time
def patiently(*asked):
    for _ in range(100):
        try:
            return ask(*asked)
        except urllib.error.URLError:
            time.sleep(0.1)  # dockerd: Services answer a moment after the start
print(patiently("/version", "kubernetes.default.svc")["major"])
print(type(ask("/api/v1/namespaces/default/pods")).__name__)"""
    asks = python_pod("client", patient, "python", serviceAccountName="robot")
    asks["spec"]["containers"][0]["image"] = "python:alpine3.6"
    create(kubectl, asks)
    assert output(kubectl, "client").split() == ["1", "dict"]
