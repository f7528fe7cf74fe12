"""Pods that find each other by the names of services."""

import json
import shutil

import pytest
from conftest import every_runtime
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
