"""What comes before anybody is known: large and deep bodies, connections that say nothing, old TLS, pages of other origins.

The shape of CVE-2026-42294 (a body read before its sender was known), CVE-2022-31054 and DNS rebinding.
"""

import http.client
import json
import socket
import ssl

import pytest

from api_client import Api

MAPS = "/api/v1/namespaces/default/configmaps"


@pytest.fixture
def owner(tiphys):
    tiphys.up()
    return Api(tiphys.data_dir)


def raw(owner, request):
    """What comes for these bytes, to the connection's end; the client sends nothing more."""
    host, port = owner.host.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        connection.sendall(request)
        return b"".join(iter(lambda: connection.recv(65536), b"")).decode()


@pytest.mark.parametrize("path", [MAPS, "/api/v1/workflows/default", "/api/v1/events/default/x", "/upload-artifacts/default/t/a", "/workflow.WorkflowService/CreateWorkflow"])
def test_nobody_is_refused_before_a_byte_of_the_body(owner, path):
    for length in ("10", "99999999999999", "18446744073709551616"):
        answer = raw(owner, f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n".encode())
        assert answer.split()[1] in (("401",) if length == "10" else ("400", "401", "413")), answer
    answer = raw(owner, f"POST {path} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n".encode())
    assert answer.split()[1] == "401", answer


DEEP = {"arrays": "[" * 1_000_000, "objects": '{"a":' * 1_000_000, "closed": "[" * 100_000 + "]" * 100_000, "yaml": "- " * 100_000, "flow": "{a: " * 100_000,
        "anchors": "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(9)), "number": "1" * 1_000_000, "text": '["' + "\\u0000" * 500_000 + '"]'}


@pytest.mark.parametrize("body", DEEP.values(), ids=DEEP)
def test_deep_bodies_are_refused(owner, body):
    connection = http.client.HTTPConnection(owner.host, timeout=60)
    for method, path, kind in (("POST", MAPS, "application/json"), ("POST", MAPS, "application/yaml"), ("POST", MAPS, "application/vnd.kubernetes.protobuf"), ("PATCH", f"{MAPS}/a", "application/merge-patch+json"),
                               ("PATCH", f"{MAPS}/a", "application/json-patch+json"), ("PATCH", f"{MAPS}/a?fieldManager=a", "application/apply-patch+yaml"),
                               ("POST", "/api/v1/workflows/default", "application/json"), ("POST", "/api/v1/events/default/x", "application/json")):
        connection.request(method, path, body.encode(), {"Authorization": f"Bearer {owner.token}", "Content-Type": kind})
        answer = connection.getresponse()
        text = answer.read().decode()
        # Of an event's payload all is data, a list too.
        assert answer.status in (400, 404, 413, 415, 422) or "/events/" in path and answer.status == 200, f"{kind} {path}: {answer.status} {text[:200]}"
    assert owner.ask("GET", MAPS)[0] == 200


def test_a_page_of_elsewhere_gets_nothing(owner):
    """By a name of its own that leads here, or by a request across origins; what clients of this machine say is taken."""
    port = owner.host.rsplit(":", 1)[1]
    connection = http.client.HTTPConnection(owner.host, timeout=60)

    def status(path="/version", **headers):
        connection.request("GET", path, headers={"Authorization": f"Bearer {owner.token}", **headers})
        answer = connection.getresponse()
        answer.read()
        return answer.status, answer.headers.get("Access-Control-Allow-Origin")

    for host in ("evil.example", f"evil.example:{port}", "127.0.0.1.evil.example", "localhost.evil.example", "127.0.0.2", "169.254.169.254", "[::ffff:127.0.0.1]", "evil@localhost", ""):
        for path in ("/version", "/healthz", "/metrics", "/api/v1/version", "/artifacts/default/a/b/c"):
            assert status(path, Host=host) == (403, None), host
    for origin in ("https://evil.example", "null", "http://localhost.evil.example", "file://", "http://127.0.0.1.evil.example:2746"):
        assert status(Origin=origin) == (403, None), origin
    for host in (f"127.0.0.1:{port}", f"localhost:{port}", f"[::1]:{port}", "LOCALHOST", "kubernetes.default.svc", "kubernetes"):
        assert status(Host=host)[0] == 200, host
    # A page cannot ask what it may: no answer to a preflight allows anything.
    connection.request("OPTIONS", MAPS, headers={"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"})
    answer = connection.getresponse()
    answer.read()
    assert answer.status in (401, 403) and "Access-Control-Allow-Origin" not in answer.headers


def test_tls_is_new(owner):
    def handshake(version):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = version
        host, port = owner.host.rsplit(":", 1)
        with socket.create_connection((host, int(port)), timeout=60) as plain, context.wrap_socket(plain) as secure:
            return secure.version()

    assert handshake(ssl.TLSVersion.TLSv1_3) == "TLSv1.3"
    assert handshake(ssl.TLSVersion.TLSv1_2) == "TLSv1.2"
    for old in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
        with pytest.raises((ssl.SSLError, OSError)):
            handshake(old)


def test_others_are_served_by_tls_with_a_token_or_not_at_all(tiphys, tmp_path):
    refused = tiphys("up", "--address", "0.0.0.0", "--port", "0", *tiphys.runtime, code=None)
    assert refused.returncode != 0 and "--tls-certificate" in refused.stderr
    assert not (tiphys.data_dir / "server.json").exists() or json.loads((tiphys.data_dir / "server.json").read_text()) is None


def test_an_address_may_be_held_to_a_rate(tiphys):
    tiphys.up("--api-rate-limit", "3")
    api = Api(tiphys.data_dir)
    asked = [api.ask("GET", "/api/v1/workflows/default") for _ in range(200)]
    refused = next(told for status, told in asked if status == 429)
    assert asked[0][0] == 200 and refused["code"] == 8 and "too many requests" in refused["message"]
    assert {api.ask("GET", MAPS)[0] for _ in range(50)} == {200}, "Kubernetes' API has no such bound"
    assert "--api-rate-limit" in tiphys("up", "--port", "0", "--data-dir", str(tiphys.data_dir) + "2", "--api-rate-limit", "-1", code=2).stderr
