"""Artifacts in Azure's blob storage, against a server of this host that keeps blobs for those who sign as Azure wants it."""

import base64
import hashlib
import hmac
import http.server
import threading
import urllib.parse
import xml.etree.ElementTree as xml

import pytest

from cli_support import cli
from conftest import nodes_by_name
from stores import Elsewhere, elsewhere, shell, steps, workflow
from test_s3_artifacts import artifact_of, run

KEY = base64.b64encode(b"the account's key").decode()
STANDARD = ["Content-Encoding", "Content-Language", "Content-Length", "Content-MD5", "Content-Type", "Date", "If-Modified-Since", "If-Match", "If-None-Match",
            "If-Unmodified-Since", "Range"]


class Blobs(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def signature(self, url):
        length = self.headers.get("Content-Length")
        lines = [self.command] + ["" if name == "Content-Length" and length == "0" else self.headers.get(name, "") for name in STANDARD]
        lines += [f"{name.lower()}:{value}" for name, value in sorted(self.headers.items()) if name.lower().startswith("x-ms-")]
        query = urllib.parse.parse_qs(url.query, keep_blank_values=True)
        lines += ["/account" + url.path] + [f"{name}:{values[0]}" for name, values in sorted(query.items())]
        return "SharedKey account:" + base64.b64encode(hmac.new(b"the account's key", "\n".join(lines).encode(), hashlib.sha256).digest()).decode()

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def handle_any(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        if query.get("sig") != "token" and self.headers.get("Authorization") != self.signature(url):
            return self.answer(403, x_ms_error_code="AuthenticationFailed")
        blobs, name = self.server.blobs, urllib.parse.unquote(url.path).removeprefix("/account/data/")
        if query.get("comp") == "list":
            names = sorted(each for each in blobs if each.startswith(query.get("prefix", "")))
            start = int(query.get("marker", 0))
            listed = "".join(f"<Blob><Name>{each}</Name></Blob>" for each in names[start:start + 2])
            more = start + 2 if start + 2 < len(names) else ""
            return self.answer(200, f"<EnumerationResults><Blobs>{listed}</Blobs><NextMarker>{more}</NextMarker></EnumerationResults>".encode())
        if self.command == "PUT" and query.get("comp") == "block":
            self.server.blocks[query["blockid"]] = body
        elif self.command == "PUT" and query.get("comp") == "blocklist":
            blobs[name] = b"".join(self.server.blocks[each.text] for each in xml.fromstring(body))
        elif self.command == "PUT":
            assert self.headers["x-ms-blob-type"] == "BlockBlob"
            blobs[name] = body
        elif name not in blobs:
            return self.answer(404, x_ms_error_code="BlobNotFound")
        elif self.command == "DELETE":
            del blobs[name]
            return self.answer(202)
        else:
            return self.answer(200, blobs[name])
        self.answer(201)

    do_GET = do_PUT = do_HEAD = do_DELETE = handle_any

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Blobs) as running:
        running.daemon_threads = True
        running.blobs, running.blocks = {}, {}
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield running
        running.shutdown()


def test_azure_artifacts(cli, server):
    secrets = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "azure"}, "stringData": {"key": KEY, "token": "?sv=1&sig=token", "other": KEY[:-4] + "AAAA"}}

    def place(blob, key="key"):
        return {"endpoint": f"http://127.0.0.1:{server.server_address[1]}/account", "container": "data", "blob": blob, "accountKeySecret": {"name": "azure", "key": key}}

    none = {"none": {}}
    server.blobs |= {"in/a b.txt": b"plain", "tree/one": b"1", "tree/two": b"2", "tree/deep/three": b"3"}
    nodes = run(cli, secrets, workflow("blobs", [
        steps("make", "list"),
        shell("make", "cat /in; cat /tree/one /tree/two /tree/deep/three; head -c 6000000 /dev/zero >/big; mkdir /out; echo 1 >/out/a",
              inputs=[{"name": "in", "path": "/in", "azure": place("in/a b.txt")}, {"name": "tree", "path": "/tree", "azure": place("tree", "token")},
                      {"name": "no", "path": "/no", "optional": True, "azure": place("no")}],
              outputs=[{"name": "big", "path": "/big", "archive": none, "azure": place("big")}, {"name": "out", "path": "/out", "archive": none, "azure": place("out")},
                       {"name": "gone", "path": "/out", "azure": place("gone"), "artifactGC": {"strategy": "OnWorkflowCompletion"}}]),
        {"name": "list", "data": {"source": {"artifactPaths": {"name": "tree", "azure": place("tree")}}, "transformation": [{"expression": "data"}]}},
    ]), env={"ARTIFACT_S3_UPLOAD_PART_SIZE_MIB": "5"})
    assert cli("logs", "blobs").stdout.strip().endswith("plain123")
    assert server.blobs["big"] == bytes(6000000) and len(server.blocks) == 2
    assert server.blobs["out/a"] == b"1\n" and "gone" not in server.blobs
    assert artifact_of(nodes["[0].make"], "gone")["deleted"]
    assert nodes["[1].list"]["outputs"]["result"] == '["tree/deep/three","tree/one","tree/two"]'

    read = shell("main", "true", inputs=[{"name": "in", "path": "/in", "azure": place("in", "other")}])
    nodes = run(cli, workflow("stranger", [read]), code=1)
    assert "unable to download blob in: 403 Forbidden: AuthenticationFailed" in nodes[""]["message"]


class Azure(Elsewhere):
    """Tokens for a client with a secret or an assertion, and for machines; one blob for who has a token."""

    def handle_any(self):
        body, url = self.body(), urllib.parse.urlsplit(self.path)
        said = dict(urllib.parse.parse_qsl(body.decode() or url.query))
        if self.host == "account.blob.core.windows.net":
            good = self.headers.get("Authorization") == "Bearer let me in" and url.path == "/data/in"
            return self.answer(200, b"x") if good else self.answer(403, x_ms_error_code="AuthorizationFailure")
        self.server.asked.append(self.host)
        if url.path == "/tenant/oauth2/v2.0/token":
            good = (said["client_id"], said["grant_type"], said["scope"]) == ("me", "client_credentials", "https://storage.azure.com/.default")
            good = good and (said.get("client_secret") == "secret" or (said.get("client_assertion"), said.get("client_assertion_type")) == (
                "x.y.z", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"))
        elif url.path == "/metadata/identity/oauth2/token":
            good = (said["resource"], said["api-version"], self.headers["Metadata"]) == ("https://storage.azure.com", "2018-02-01", "true")
        else:
            good = (said["client_id"], said["api-version"], self.headers["X-IDENTITY-HEADER"]) == ("me", "2019-08-01", "password")
        if not good:
            return self.answer_json({"error": "invalid_client"}, 401)
        self.answer_json({"access_token": "let me in", "expires_in": "3599", "token_type": "Bearer"})

    do_GET = do_POST = handle_any


def test_azure_identities(cli, tmp_path):
    with elsewhere(Azure, tmp_path, "account.blob.core.windows.net", "login.microsoftonline.com", asked=[]) as azure:
        def reads(name, env, code=0, endpoint="https://account.blob.core.windows.net"):
            before = dict(cli.tiphys.env)
            place = {"endpoint": endpoint, "container": "data", "blob": "in", "useSDKCreds": True}
            nodes = run(cli, workflow(name, [shell("main", "cat /in", inputs=[{"name": "in", "path": "/in", "azure": place}])]), code=code, env={**azure.env, **env})
            cli.tiphys.env.clear()
            cli.tiphys.env |= before
            return nodes[""].get("message")

        client = {"AZURE_TENANT_ID": "tenant", "AZURE_CLIENT_ID": "me"}
        reads("client", {**client, "AZURE_CLIENT_SECRET": "secret"})
        assert 'oauth2: cannot fetch token from https://login.microsoftonline.com/tenant/oauth2/v2.0/token: 401 Unauthorized' in reads(
            "stranger", {**client, "AZURE_CLIENT_SECRET": "other"}, code=1)
        (tmp_path / "token").write_text("x.y.z\n")
        reads("workload", {**client, "AZURE_FEDERATED_TOKEN_FILE": str(tmp_path / "token")})
        assert azure.asked == ["login.microsoftonline.com"] * 3
        reads("service", {"IDENTITY_ENDPOINT": azure.url + "/token", "IDENTITY_HEADER": "password", "AZURE_CLIENT_ID": "me"})
        reads("machine", {"AZURE_POD_IDENTITY_AUTHORITY_HOST": azure.url})
        assert "connection refused" in reads("no-machine", {"AZURE_POD_IDENTITY_AUTHORITY_HOST": "http://127.0.0.1:1"}, code=1)
        only = {"AZURE_TOKEN_CREDENTIALS": "AzureCLICredential"}
        assert 'there is no program "az" on this host: install az' in reads("no-program", only, code=1)
        program = tmp_path / "az"
        program.write_text('#!/bin/sh\n[ "$*" = "account get-access-token --output json --only-show-errors --resource https://storage.azure.com" ] && echo \'{"accessToken": "let me in"}\'\n')
        program.chmod(0o755)
        reads("program", {**only, "PATH": f"{tmp_path}:{cli.tiphys.env['PATH']}"})
        assert "a token would be sent without TLS" in reads("open", {}, code=1, endpoint="http://127.0.0.1:1")
