"""Artifacts at URLs of a server of this host: what is sent, who asks, what is answered."""

import ssl

import pytest

from cli_support import cli
from stores import SECRET, basic, certificate, http_store, secret, shell, workflow
from test_s3_artifacts import run

NONE = {"none": {}}


@pytest.fixture
def store():
    with http_store() as running:
        yield running


def reads(url, **more):
    return shell("main", "cat /in", inputs=[{"name": "in", "path": "/in", **more.pop("artifact", {}), "http": {"url": url, **more}}])


def test_http_artifacts(cli, store):
    store.files["/in"] = b"hello"
    headers = [{"name": "X-A", "value": "1"}]
    make = shell("main", "cat /in /moved; cp /in /out", inputs=[
        {"name": "in", "path": "/in", "http": {"url": store.url + "/in", "headers": headers}},
        {"name": "moved", "path": "/moved", "http": {"url": store.url + "/moved/in"}},
        {"name": "no", "path": "/no", "optional": True, "http": {"url": store.url + "/no"}}],
        outputs=[{"name": "out", "path": "/out", "archive": NONE, "http": {"url": store.url + "/moved/out", "headers": headers}}])
    nodes = run(cli, workflow("urls", [make]))
    assert cli("logs", "urls").stdout.strip().endswith("hellohello")
    assert store.files["/out"] == b"hello"
    puts = [(path, headers["X-A"], body) for command, path, headers, body in store.seen if command == "PUT"]
    assert puts == [("/moved/out", "1", b"hello"), ("/out", "1", b"hello")]
    assert nodes[""]["outputs"]["artifacts"][0]["http"]["url"] == store.url + "/moved/out"


def test_http_artifacts_that_fail(cli, store):
    assert run(cli, workflow("none", [reads(store.url + "/no")]), code=1)[""]["message"] == (
        f"init: Error (exit code 64): artifact in failed to load: 404 Not Found ({store.url}/no)")
    assert run(cli, workflow("broken", [reads(store.url + "/broken/x", artifact={"optional": True})]), code=1)[""]["message"].endswith(
        f"loading content from {store.url}/broken/x failed with reason: 500 Internal Server Error")
    assert "connection refused" in run(cli, workflow("refused", [reads("http://127.0.0.1:1/x")]), code=1)[""]["message"]
    writes = shell("main", "mkdir /out", outputs=[{"name": "out", "path": "/out", "archive": NONE, "http": {"url": store.url + "/out"}}])
    assert "it is a folder, and a URL takes one file" in run(cli, workflow("folder", [writes]), code=1)[""]["message"]


def test_http_identities(cli, store):
    store.files["/in"] = b"hello"

    def judge(request):
        if request.path == "/token":
            return (401, b"in the body") if "Authorization" in request.headers else None
        return None if request.headers["Authorization"] in (basic("me", "pass word"), "Bearer abc") else (403,)

    store.judge = judge
    run(cli, workflow("nobody", [reads(store.url + "/in")]), code=1)
    simple = {"basicAuth": {"usernameSecret": secret("user"), "passwordSecret": secret("password")}}
    run(cli, workflow("basic", [reads(store.url + "/in", auth=simple)]))
    urls = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "urls"}, "stringData": {"token": store.url + "/token"}}
    oauth = {"oauth2": {"clientIDSecret": secret("user"), "clientSecretSecret": secret("password"), "tokenURLSecret": {"name": "urls", "key": "token"},
                        "scopes": ["a", "b"], "endpointParams": [{"key": "audience", "value": "x y"}]}}
    run(cli, urls, workflow("token", [reads(store.url + "/in", auth=oauth)]))
    asked = [(headers.get("Authorization"), body) for command, path, headers, body in store.seen if path == "/token"]
    body = b"grant_type=client_credentials&scope=a%20b&audience=x%20y"
    assert asked == [(basic("me", "pass%20word"), body), (None, body + b"&client_id=me&client_secret=pass%20word")]


def test_http_client_certificates(cli, tmp_path):
    server, client = certificate(tmp_path), certificate(tmp_path, "client")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*server)
    context.load_verify_locations(client[0])
    context.verify_mode = ssl.CERT_REQUIRED
    cert = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "cert"}, "stringData": {"cert": client[0].read_text(), "key": client[1].read_text()}}
    auth = {"clientCert": {"clientCertSecret": {"name": "cert", "key": "cert"}, "clientKeySecret": {"name": "cert", "key": "key"}}}
    with http_store(context) as store:
        store.files["/in"] = b"hello"
        trust = {"SSL_CERT_FILE": str(server[0])}
        run(cli, workflow("stranger", [reads(store.url + "/in")]), code=1, env=trust)
        run(cli, cert, workflow("known", [reads(store.url + "/in", auth=auth)]), env=trust)


def test_artifactory(cli, store):
    store.judge = lambda request: None if request.headers["Authorization"] == basic("me", "pass word") else (401,)
    who = {"usernameSecret": secret("user"), "passwordSecret": secret("password")}
    store.files["/in"] = b"hello"
    run(cli, workflow("factory", [shell("main", "cp /in /out", inputs=[{"name": "in", "path": "/in", "artifactory": {"url": store.url + "/in", **who}}],
                                        outputs=[{"name": "out", "path": "/out", "archive": NONE, "artifactory": {"url": store.url + "/out", **who}}])]))
    assert store.files["/out"] == b"hello"
