"""Services: their addresses, names and variables, and what is told when they cannot answer."""

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request

import pytest
import test_sessions
from conftest import every_engine, every_runtime
from test_sessions import Kubectl

pytestmark = pytest.mark.skipif(not shutil.which("kubectl"), reason="needs kubectl")

# What serves and asks in the images of the tests, and on this host.
SERVE = {"process": "mkdir -p /tmp/www && cd /tmp/www && echo served > index.html && exec python3 -m http.server {port} --bind 127.0.0.1",
         "container": "mkdir -p /www && echo served > /www/index.html && exec httpd -f -p {port} -h /www"}
ASK = {"process": """until python3 -c 'import urllib.request as r; print(r.urlopen("http://{name}:{port}/", timeout=5).read().decode())' 2>/dev/null; do sleep 0.2; done""",
       "container": "until printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc {name} {port} 2>/dev/null | grep served; do sleep 0.2; done"}


@pytest.fixture
def kubectl(tiphys, tmp_path):
    tiphys.up()
    return Kubectl(tiphys, "websocket", tmp_path)


def pod(name, command, **spec):
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": name}},
            "spec": {"restartPolicy": "Never", "terminationGracePeriodSeconds": 1,
                     "containers": [{"name": "main", "image": "busybox", "command": ["sh", "-c", command]}], **spec}}


def create(kubectl, *documents):
    for document in documents:
        kubectl("create", "-f", "-", stdin=json.dumps(document).encode())


@every_runtime
def test_names_of_services_lead_to_their_pods(kubectl, tiphys, free_port):
    where = "process" if tiphys.where == "process" else "container"
    ask = [ASK[where].format(name=name, port=free_port) for name in ("web", "server-0.web.default.svc.cluster.local")]
    headless = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {"clusterIP": "None", "selector": {"app": "server"}, "ports": [{"port": free_port}]}}
    # The client is there first: what it asks for comes while it runs.
    create(kubectl, pod("client", " && ".join(ask)), headless, pod("server", SERVE[where].format(port=free_port), hostname="server-0", subdomain="web"))
    kubectl("wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/client", "--timeout=60s")
    assert kubectl("logs", "client").stdout.split() == ["served", "served"]
    assert "server-0.web.default.svc.cluster.local" in kubectl("exec", "server", "--", "cat", "/etc/hosts").stdout
    addresses = json.loads(kubectl("get", "endpoints", "web", "-o", "json").stdout)["subsets"][0]["addresses"]
    assert [address["hostname"] for address in addresses] == ["server-0"]


# A server that says who it is; it is ready once it listens.
WHO = """import http.server, sys
class Who(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(sys.argv[2].encode())
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Who).serve_forever()"""


def server(name, port, app="web", port_name="http"):
    made = pod(name, "")
    made["metadata"]["labels"]["app"] = app
    made["spec"]["containers"][0] |= {"command": ["python3", "-c", WHO, str(port), name], "ports": [{"name": port_name, "containerPort": port}],
                                      "readinessProbe": {"tcpSocket": {"port": port, "host": "127.0.0.1"}, "periodSeconds": 1}}
    return made


def service(name, port, target="http", **spec):
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
            "spec": {"selector": {"app": name}, "ports": [{"port": port, "targetPort": target}], **spec}}


def free_ports(count):
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def wait_ready(kubectl, *names):
    kubectl("wait", "--for=condition=Ready", *[f"pod/{name}" for name in names], "--timeout=60s")


def ask(address, port, patience=60):
    """What is served there, once something is: endpoints follow pods a moment later."""
    end = time.monotonic() + patience
    while True:
        try:
            return urllib.request.urlopen(f"http://{address}:{port}/", timeout=patience).read().decode()
        except (ConnectionError, urllib.error.URLError):
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


def until_refused(address, port, patience=60):
    end = time.monotonic() + patience
    while time.monotonic() < end:
        try:
            urllib.request.urlopen(f"http://{address}:{port}/", timeout=patience).read()
        except (ConnectionRefusedError, urllib.error.URLError) as error:
            if isinstance(getattr(error, "reason", error), ConnectionRefusedError):
                return
    raise AssertionError("it still answers")


def spec_of(kubectl, name):
    return json.loads(kubectl("get", "service", name, "-o", "json").stdout)["spec"]


def wait_for_event(kubectl, reason):
    watch = kubectl.start("get", "events", f"--field-selector=reason={reason}", "--watch", "-o", "json", stderr=subprocess.DEVNULL)
    try:
        text = ""
        for line in watch.stdout:
            text += line.decode()
            if line == b"}\n":
                return json.loads(text)
    finally:
        watch.kill()
        watch.communicate()
    raise AssertionError(f"no event {reason}")


def test_a_service_answers_at_its_address_by_its_names_and_node_port(kubectl, free_port):
    ports = free_ports(2)
    # Of two pods the name of a port stands for different numbers.
    create(kubectl, service("web", free_port, type="NodePort"), server("a", ports[0]), server("b", ports[1]))
    wait_ready(kubectl, "a", "b")
    spec = spec_of(kubectl, "web")
    assert spec["clusterIP"].startswith("127.96.")
    ask(spec["clusterIP"], free_port)
    kubectl("wait", "--for=jsonpath={.subsets[1].addresses}", "endpoints/web", "--timeout=60s")
    assert {ask(spec["clusterIP"], free_port) for _ in range(8)} == {"a", "b"}
    assert ask("127.0.0.1", spec["ports"][0]["nodePort"]) in "ab"
    client = """import os, urllib.request
for host in ("web", "web.default.svc.cluster.local", os.environ["WEB_SERVICE_HOST"]):
    print(urllib.request.urlopen(f"http://{host}:{os.environ['WEB_SERVICE_PORT']}/", timeout=60).read().decode())
print(os.environ["WEB_PORT"])"""
    create(kubectl, {**pod("client", ""), "spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "x", "command": ["python3", "-c", client]}]}})
    kubectl("wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/client", "--timeout=60s")
    *answers, link = kubectl("logs", "client").stdout.split()
    assert len(answers) == 3 and set(answers) <= {"a", "b"}
    assert link == f"tcp://{spec['clusterIP']}:{free_port}"


def test_clients_stay_with_their_endpoint_and_leave_one_that_is_gone(kubectl, free_port):
    ports = free_ports(2)
    create(kubectl, service("web", free_port, sessionAffinity="ClientIP"), server("a", ports[0]), server("b", ports[1]))
    wait_ready(kubectl, "a", "b")
    kubectl("wait", "--for=jsonpath={.subsets[1].addresses}", "endpoints/web", "--timeout=60s")
    address = spec_of(kubectl, "web")["clusterIP"]
    first = ask(address, free_port)
    assert {ask(address, free_port) for _ in range(6)} == {first}
    kubectl("delete", "pod", first)
    assert {ask(address, free_port) for _ in range(4)} == {"b" if first == "a" else "a"}


def test_without_ready_pods_clients_are_refused(kubectl, free_port, tiphys):
    (port,) = free_ports(1)
    create(kubectl, service("web", free_port), server("a", port))
    wait_ready(kubectl, "a")
    address = spec_of(kubectl, "web")["clusterIP"]
    assert ask(address, free_port) == "a"
    kubectl("delete", "pod", "a")
    until_refused(address, free_port)


def test_services_answer_again_after_a_crash(kubectl, free_port, tiphys):
    (port,) = free_ports(1)
    create(kubectl, service("web", free_port), server("a", port))
    wait_ready(kubectl, "a")
    address = spec_of(kubectl, "web")["clusterIP"]
    assert ask(address, free_port) == "a"
    tiphys.servers[-1].kill()
    tiphys.servers[-1].wait()
    with pytest.raises((ConnectionError, urllib.error.URLError)):
        urllib.request.urlopen(f"http://{address}:{free_port}/", timeout=60)
    tiphys.up()
    assert ask(address, free_port) == "a"


def test_a_port_that_is_taken_is_told(kubectl, free_port):
    (port,) = free_ports(1)
    create(kubectl, service("web", free_port))
    with socket.socket() as other:
        other.bind((spec_of(kubectl, "web")["clusterIP"], free_port))
        other.listen()
        create(kubectl, server("a", port))
        event = wait_for_event(kubectl, "FailedToListen")
    assert event["involvedObject"]["kind"] == "Service" and event["type"] == "Warning"
    assert "another program of this host listens on port" in event["message"]


def test_pods_that_want_the_same_port_are_told(kubectl, free_port):
    create(kubectl, server("a", free_port))
    wait_ready(kubectl, "a")
    create(kubectl, server("b", free_port))
    event = wait_for_event(kubectl, "HostPortConflict")
    assert event["involvedObject"]["name"] == "b"
    assert f"port {free_port}/TCP is also that of pod default/a" in event["message"]


def test_a_server_on_all_addresses_answers_itself(kubectl, free_port):
    everywhere = server("a", free_port)
    everywhere["spec"]["containers"][0]["command"][2] = WHO.replace("127.0.0.1", "0.0.0.0")
    create(kubectl, service("web", free_port), everywhere)
    wait_ready(kubectl, "a")
    assert ask(spec_of(kubectl, "web")["clusterIP"], free_port) == "a"
    assert "FailedToListen" not in kubectl("get", "events").stdout


def test_pods_may_do_without_variables_of_services(kubectl, free_port):
    create(kubectl, service("web", free_port), pod("without", "env", enableServiceLinks=False), pod("with", "env"))
    for name, shown in (("without", False), ("with", True)):
        kubectl("wait", "--for=jsonpath={.status.phase}=Succeeded", f"pod/{name}", "--timeout=60s")
        assert ("WEB_SERVICE_HOST=127.96." in kubectl("logs", name).stdout) is shown


def by_process(document):
    document["metadata"]["annotations"] = {"tiphys.io/runtime": "process"}
    return document


@every_engine
def test_pods_of_containers_and_of_this_host_serve_each_other(tiphys, tmp_path, free_port, monkeypatch):
    tiphys.join_engine()
    beside = tmp_path / "kubectl-beside-the-engine"
    beside.write_text(tiphys.binary.read_text().replace(os.environ["TIPHYS_BIN"], shutil.which("kubectl")))
    beside.chmod(0o755)
    monkeypatch.setattr(test_sessions, "KUBECTL", str(beside))
    tiphys.up()
    kubectl = Kubectl(tiphys, "websocket", tmp_path)
    (own_port,) = free_ports(1)
    # The container's own server has the port that the Service has, on all addresses: neither is in the other's way.
    contained = pod("contained", SERVE["container"].format(port=free_port))
    contained["spec"]["containers"][0]["readinessProbe"] = {"tcpSocket": {"port": free_port}, "periodSeconds": 1}
    create(kubectl, service("contained", free_port, free_port), service("hosted", free_port), contained, by_process(server("a", own_port, "hosted")))
    wait_ready(kubectl, "contained", "a")
    get = "until printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc {name} {port} 2>/dev/null | grep -E '^(a|served)$'; do sleep 0.2; done"
    create(kubectl, pod("container-client", " && ".join([get.format(name="hosted", port=free_port), get.format(name="contained", port=free_port),
                                                          get.format(name="$HOSTED_SERVICE_HOST", port="$HOSTED_SERVICE_PORT")])))
    ask_both = "; ".join(ASK["process"].format(name=name, port=free_port) for name in ("hosted", "contained"))
    create(kubectl, by_process(pod("process-client", ask_both)))
    for client in ("container-client", "process-client"):
        kubectl("wait", "--for=jsonpath={.status.phase}=Succeeded", f"pod/{client}", "--timeout=60s")
    assert kubectl("logs", "container-client").stdout.split() == ["a", "served", "a"]
    assert kubectl("logs", "process-client").stdout.split() == ["a", "served"]
    assert "ServicesUnreachable" not in kubectl("get", "events").stdout


@every_engine
def test_containers_reach_services_again_after_a_crash(tiphys, tmp_path, free_port):
    tiphys.up()
    kubectl = Kubectl(tiphys, "websocket", tmp_path)
    (own_port,) = free_ports(1)
    create(kubectl, service("hosted", free_port), by_process(server("a", own_port, "hosted")))
    wait_ready(kubectl, "a")
    create(kubectl, pod("client", "sleep 1000"))
    kubectl("wait", "--for=condition=Ready", "pod/client", "--timeout=60s")
    ask_inside = ["exec", "client", "--", "sh", "-c", f"until printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc hosted {free_port} | grep '^a$'; do sleep 0.2; done"]
    assert kubectl(*ask_inside).stdout.split() == ["a"]
    tiphys.servers[-1].kill()
    tiphys.servers[-1].wait()
    tiphys.up()
    # Until it is found again, there is nothing to run a command in.
    end = time.monotonic() + 60
    while (asked := kubectl(*ask_inside, code=None)).returncode != 0 and time.monotonic() < end:
        time.sleep(0.1)
    assert asked.stdout.split() == ["a"]
