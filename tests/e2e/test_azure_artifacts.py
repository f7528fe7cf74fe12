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
from stores import shell, steps, workflow
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
