"""Requests to Kubernetes' API that mean another object than their path names, or more than they are long; and what would have the plane ask somebody else.

The shapes of Kubernetes' own advisories: CVE-2018-1002105 (a connection after an upgrade that failed), CVE-2019-11247 (objects of the cluster by a namespace's
path), CVE-2022-3162 (names that are paths), CVE-2019-11253 (aliases of YAML), CVE-2019-1002100 (patches), CVE-2020-8562 and CVE-2022-3294 (proxies),
CVE-2020-8554 (addresses of others); and KFP's CVE-2023-6570 (a namespace that becomes a host).
"""

import base64
import http.server
import json
import socket
import threading

import pytest
from api_client import Api
from test_authorization import CANARY, MINE, THEIRS, plane, token_of
from test_services import ask

WIDGETS = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "widgets.example.com"},
           "spec": {"group": "example.com", "scope": "Cluster", "names": {"plural": "widgets", "singular": "widget", "kind": "Widget"},
                    "versions": [{"name": "v1", "served": True, "storage": True,
                                  "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}}]}}


def all_rights_in(owner, tiphys, namespace):
    api = Api(tiphys.data_dir)
    api.token = token_of(owner, namespace, "somebody", "cluster-admin")
    return api


def asked(api, method, path, body=None, kind="application/json"):
    answer = api.open(method, path, body, kind)
    text = answer.read().decode()
    assert CANARY not in text, f"{method} {path}: {text[:300]}"
    return answer.status


def test_a_path_leads_to_what_it_names(plane):
    tiphys, owner = plane
    api = all_rights_in(owner, tiphys, THEIRS)
    up = (f"../../{MINE}/secrets/it", f"../secrets/../../{MINE}/secrets/it", f"./../../{MINE}/secrets/it")
    hidden = [name.replace("/", slash).replace("..", dots) for name in up for slash in ("/", "%2f", "%252f", "%5c") for dots in ("..", "%2e%2e")]
    for place in f"/api/v1/namespaces/{THEIRS}/secrets", f"/api/v1/namespaces/{THEIRS}/configmaps", f"//api/v1/namespaces/{THEIRS}/secrets":
        for name in hidden:
            for method in "GET", "DELETE":
                assert asked(api, method, f"{place}/{name}") in (400, 403, 404), name
    for namespace in f"{THEIRS}%2f..%2f{MINE}", f"{THEIRS}/../{MINE}", f"{THEIRS}%00{MINE}", f"{THEIRS}%0a", "%2a", "":
        assert asked(api, "GET", f"/api/v1/namespaces/{namespace}/secrets") in (301, 400, 403, 404), namespace
    # A body cannot mean another object than its path either.
    for body in {"metadata": {"name": "new", "namespace": MINE}}, {"metadata": {"name": f"../../{MINE}/configmaps/new"}}, {"metadata": {"name": "a/b"}}:
        assert asked(api, "POST", f"/api/v1/namespaces/{THEIRS}/configmaps", body) in (400, 422), body
    assert owner.ask("GET", f"/api/v1/namespaces/{MINE}/configmaps/new")[0] == 404
    assert owner.ask("GET", f"/api/v1/namespaces/{MINE}/secrets/it")[0] == 200


def test_objects_of_the_cluster_are_in_no_namespace(plane):
    tiphys, owner = plane
    api = all_rights_in(owner, tiphys, THEIRS)
    assert owner.ask("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", WIDGETS)[0] == 201
    assert owner.ask("POST", "/apis/example.com/v1/widgets", {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "it"}, "key": CANARY})[0] == 201
    for base, plural in (("/apis/example.com/v1", "widgets"), ("/apis/rbac.authorization.k8s.io/v1", "clusterroles"), ("/api/v1", "nodes"), ("/api/v1", "namespaces")):
        for method, name in (("GET", ""), ("GET", "/it"), ("DELETE", "/it"), ("DELETE", ""), ("PUT", "/it"), ("POST", "")):
            body = {"metadata": {"name": "it"}} if method in ("PUT", "POST") else None
            assert asked(api, method, f"{base}/namespaces/{THEIRS}/{plural}{name}", body) in (403, 404, 405), (method, plural)
    assert owner.ask("GET", "/apis/example.com/v1/widgets/it")[1]["key"] == CANARY
    # And those of a namespace at no path of the cluster.
    for method in "GET", "DELETE":
        assert asked(api, method, "/api/v1/secrets/it") in (403, 404, 405)
        assert asked(owner, method, "/api/v1/secrets/it") in (404, 405)


def test_a_container_is_no_path(plane):
    _, owner = plane
    for container in "../../../../server.json", "..", "%2e%2e/%2e%2e/token", "main/../../x", "/etc/passwd":
        for query in f"container={container}", f"container={container}&follow=true", f"container={container}&previous=true":
            assert asked(owner, "GET", f"/api/v1/namespaces/{MINE}/pods/it/log?{query}") in (400, 404), query


def test_a_connection_has_no_rights_of_its_own(plane):
    """After an upgrade that failed, and after a request that was allowed."""
    tiphys, owner = plane
    server = json.loads((tiphys.data_dir / "server.json").read_text())
    host, _, port = server["address"].rpartition(":")
    upgrade = (f"GET /api/v1/namespaces/{MINE}/pods/it/exec?command=id HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {owner.token}\r\n"
               "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
               "Sec-WebSocket-Protocol: v5.channel.k8s.io\r\n\r\n")
    allowed = f"GET /version HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {owner.token}\r\n\r\n"
    for first in upgrade, upgrade.replace("websocket", "SPDY/3.1"), upgrade.replace("/it/", "/missing/"), allowed:
        with socket.create_connection((host, int(port)), 60) as connection:
            connection.sendall(first.encode())
            connection.sendall(f"GET /api/v1/namespaces/{MINE}/secrets/it HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
            answers = b"".join(iter(lambda: connection.recv(65536), b""))
        assert b" 101 " not in answers and CANARY.encode() not in answers and base64.b64encode(CANARY.encode()) not in answers
        assert first != allowed or b" 401 " in answers


def test_rights_are_given_by_who_has_them(plane):
    tiphys, owner = plane
    api = Api(tiphys.data_dir)
    api.token = token_of(owner, THEIRS, "somebody", "admin")
    rbac = "/apis/rbac.authorization.k8s.io/v1"
    binding = {"metadata": {"name": "b"}, "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
               "subjects": [{"kind": "ServiceAccount", "name": "somebody", "namespace": THEIRS}]}
    assert asked(api, "POST", f"{rbac}/namespaces/{THEIRS}/rolebindings", binding) == 403
    assert asked(api, "POST", f"{rbac}/clusterrolebindings", binding) == 403
    assert asked(api, "POST", f"/api/v1/namespaces/{MINE}/serviceaccounts/default/token", {"spec": {}}) == 403


@pytest.fixture
def elsewhere():
    """A server of this machine whose requests are counted."""
    seen = []

    class Elsewhere(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            seen.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(CANARY.encode())
        do_POST = do_PUT = do_DELETE = do_GET

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port, seen
    server.shutdown()
    server.server_close()


def test_the_plane_asks_nobody_for_its_callers(plane, elsewhere):
    _, owner = plane
    port, seen = elsewhere
    web = {"metadata": {"name": "web"}, "spec": {"ports": [{"port": port}]}}
    assert owner.ask("POST", f"/api/v1/namespaces/{MINE}/services", web)[0] == 201
    for path in (f"/api/v1/nodes/127.0.0.1:{port}/proxy/x", f"/api/v1/proxy/nodes/127.0.0.1:{port}/x", f"/api/v1/namespaces/{MINE}/services/http:web:{port}/proxy/x",
                 f"/api/v1/namespaces/{MINE}/pods/http:it:{port}/proxy/x", f"/api/v1/namespaces/127.0.0.1:{port}/services/web/proxy/",
                 f"http://127.0.0.1:{port}/x", f"/apis/127.0.0.1:{port}/v1"):
        for method in "GET", "POST":
            assert asked(owner, method, path, {} if method == "POST" else None) >= 400, path
    # Hooks into requests, and APIs behind this one.
    client = {"url": f"http://127.0.0.1:{port}/hook", "caBundle": "", "service": {"namespace": MINE, "name": "web", "port": port}}
    hooks = {"webhooks": [{"name": "a.example.com", "clientConfig": client, "sideEffects": "None", "admissionReviewVersions": ["v1"],
                           "rules": [{"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*"]}]}]}
    for path, body in (("/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations", hooks),
                       ("/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations", hooks),
                       ("/apis/apiregistration.k8s.io/v1/apiservices", {"spec": {"group": "x.example.com", "version": "v1", "service": client["service"]}})):
        asked(owner, "POST", path, {"metadata": {"name": "v1.x.example.com"}, **body})
    converted = json.loads(json.dumps(WIDGETS))
    converted["spec"]["conversion"] = {"strategy": "Webhook", "webhook": {"clientConfig": client, "conversionReviewVersions": ["v1"]}}
    converted["spec"]["versions"].append({**converted["spec"]["versions"][0], "name": "v2", "storage": False})
    if asked(owner, "POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", converted) == 201:
        asked(owner, "POST", "/apis/example.com/v1/widgets", {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "it"}})
        asked(owner, "GET", "/apis/example.com/v2/widgets/it")
    assert owner.ask("POST", f"/api/v1/namespaces/{MINE}/configmaps", {"metadata": {"name": "hooked"}})[0] == 201
    assert owner.ask("GET", "/apis")[0] == 200
    assert not seen


def own_address():
    """Of this machine, in the network that it asks others by; no packet is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        return probe.getsockname()[0]


def test_nobody_takes_the_addresses_of_others(plane, elsewhere, free_port):
    """What a Service says of addresses that are not the plane's is kept and not acted on; those of this machine alone it may not name."""
    _, owner = plane
    port, _ = elsewhere
    services = f"/api/v1/namespaces/{MINE}/services"

    def taker(address):
        return {"metadata": {"name": "taker"}, "spec": {"ports": [{"port": free_port}], "externalIPs": [address]}}
    for address in "127.0.0.9", "169.254.169.254", "0.0.0.0", "::1":
        assert asked(owner, "POST", services, taker(address)) == 422, address
    own = own_address()
    if not own or own.startswith("127."):
        pytest.skip("this machine has no address but loopback's")
    assert asked(owner, "POST", services, taker(own)) == 201
    endpoints = {"metadata": {"name": "taker", "labels": {"kubernetes.io/service-name": "taker"}}, "addressType": "IPv4", "ports": [{"port": port}],
                 "endpoints": [{"addresses": ["127.0.0.1"]}]}
    assert asked(owner, "POST", f"/apis/discovery.k8s.io/v1/namespaces/{MINE}/endpointslices", endpoints) == 201
    # Once the Service answers at its own address it would at the other.
    assert ask(owner.ask("GET", f"{services}/taker")[1]["spec"]["clusterIP"], free_port) == CANARY
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((own, free_port), 60)


def test_what_grows_as_it_is_read_has_bounds(plane):
    _, owner = plane
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 10))
    body = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: bomb\n" + bomb
    owner.connection.request("POST", f"/api/v1/namespaces/{MINE}/configmaps", body, {"Authorization": f"Bearer {owner.token}", "Content-Type": "application/yaml"})
    answer = owner.connection.getresponse()
    assert answer.status == 400, answer.read()
    answer.read()
    place = f"/api/v1/namespaces/{MINE}/configmaps/it"
    doubling = [{"op": "add", "path": "/data/k", "value": "x" * 1000}] + [{"op": "copy", "from": "/data", "path": f"/data/k{i}"} for i in range(60)]
    assert 400 <= asked(owner, "PATCH", place, doubling, "application/json-patch+json") < 500
    many = [{"op": "test", "path": "/metadata/name", "value": "it"}] * 20_000
    assert 400 <= asked(owner, "PATCH", place, many, "application/json-patch+json") < 500
    assert owner.ask("GET", place)[1]["data"] == {"key": CANARY}
