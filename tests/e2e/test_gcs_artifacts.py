"""Artifacts in Google's storage: an emulator of others (PyPI: tools/packages-python.txt), and a server of ours that asks who it is and fails at times."""

import base64
import json
import pathlib
import subprocess
import urllib.parse

import pytest

from cli_support import cli
from conftest import nodes_by_name
from stores import Elsewhere, elsewhere, shell, steps, workflow
from test_s3_artifacts import artifact_of, run

NONE = {"none": {}}


@pytest.fixture
def emulator():
    from gcp_storage_emulator.server import create_server
    with create_server("127.0.0.1", 0, in_memory=True, default_bucket="data") as server:
        host, port = server._api._httpd.server_address
        server.host = f"{host}:{port}"
        yield server


def place(key, **more):
    return {"bucket": "data", "key": key, **more}


def test_gcs_artifacts(cli, emulator):
    many = [f"{number:04}" for number in range(3)]
    write = workflow("write", [shell("main", f"mkdir -p /out/deep; for i in {' '.join(many)}; do echo $i >/out/deep/$i; done; printf 'a b' >/one; head -c 6000000 /dev/zero >/big",
        outputs=[{"name": "out", "path": "/out", "archive": NONE, "gcs": place("some//tree")}, {"name": "top", "path": "/one", "archive": NONE, "gcs": place("some/treetop")},
                 {"name": "one", "path": "/one", "archive": NONE, "gcs": place("a b+c.txt")}, {"name": "big", "path": "/big", "archive": NONE, "gcs": place("big")},
                 {"name": "tgz", "path": "/out", "gcs": place("out.tgz")},
                 {"name": "gone", "path": "/one", "gcs": place("gone"), "artifactGC": {"strategy": "OnWorkflowCompletion"}}])])
    nodes = run(cli, write, env={"STORAGE_EMULATOR_HOST": emulator.host, "ARTIFACT_S3_UPLOAD_PART_SIZE_MIB": "5"})
    assert artifact_of(nodes[""], "gone")["deleted"]

    # The library takes a URL, too.
    read = workflow("read", [steps("cat", "list"),
        shell("cat", "cat /tree/deep/* /one; ls /tree; test $(stat -c %s /big) = 6000000; cat /tgz/deep/0001",
              inputs=[{"name": "tree", "path": "/tree", "gcs": place("some/tree")}, {"name": "one", "path": "/one", "gcs": place("a b+c.txt")},
                      {"name": "big", "path": "/big", "gcs": place("big")}, {"name": "tgz", "path": "/tgz", "gcs": place("out.tgz")},
                      {"name": "no", "path": "/no", "optional": True, "gcs": place("gone")}]),
        {"name": "list", "data": {"source": {"artifactPaths": {"name": "tree", "gcs": place("some/tree")}}, "transformation": [{"expression": "data"}]}}])
    nodes = run(cli, read, env={"STORAGE_EMULATOR_HOST": f"http://{emulator.host}/"})
    assert [line.split(": ")[1] for line in cli("logs", "read").stdout.splitlines()] == [*many, "a bdeep", "0001"]
    assert json.loads(nodes["[1].list"]["outputs"]["result"]) == [f"some/tree/deep/{each}" for each in many]

    def message(name, **more):
        nodes = run(cli, workflow(name, [shell("main", "true", inputs=[{"name": "in", "path": "/in", "gcs": place("no", **more)}])]), code=1)
        return nodes[""]["message"]

    assert message("no-key").endswith(f': no results for key: no (key "no" in bucket "data" at http://{emulator.host})')
    assert "storage: bucket doesn't exist" in message("no-bucket", bucket="none")


class Google(Elsewhere):
    """Tokens for who signs with the key, or has the refresh token; objects for who has a token. Uploads break off once."""

    def handle_any(self):
        body, url = self.body(), urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        if url.path.endswith("/token"):
            self.server.asked.append(dict(urllib.parse.parse_qsl(body.decode())) or query)
            return self.give_token(**self.server.asked[-1])
        if self.host != "storage.googleapis.com" or self.headers.get("Authorization") != "Bearer let me in":
            return self.answer_json({"error": {"code": 403, "message": "me@here does not have storage.objects access."}}, status=403)
        objects = self.server.objects
        if url.path == "/upload/storage/v1/b/data/o" and query["uploadType"] == "media":
            objects[query["name"]] = body
        elif url.path == "/upload/storage/v1/b/data/o":
            self.server.uploads.append([query["name"], int(self.headers["X-Upload-Content-Length"]), b""])
            return self.answer(200, Location=f"https://storage.googleapis.com/session/{len(self.server.uploads) - 1}")
        elif url.path.startswith("/session/"):
            return self.take_piece(int(url.path.split("/")[2]), body, self.headers["Content-Range"])
        elif url.path == "/storage/v1/b/data/o":
            names = sorted(name for name in objects if name.startswith(query["prefix"]))
            start = int(query.get("pageToken", 0))
            page = {"items": [{"name": name} for name in names[start:start + 2]]}
            return self.answer_json(page | ({"nextPageToken": str(start + 2)} if names[start + 2:] else {}))
        else:
            name = urllib.parse.unquote(url.path.removeprefix("/storage/v1/b/data/o/"))
            if name not in objects:
                return self.answer(404, b"No such object")
            return self.answer(200, objects[name])
        self.answer_json({"name": query["name"]})

    def take_piece(self, number, body, said):
        """As the documentation of resumable uploads has it."""
        upload, (name, whole, got) = self.server.uploads[number], self.server.uploads[number]
        self.server.pieces.append(said)
        if upload[0] == "forgotten" and number == 0:
            return self.answer(410)
        if said != f"bytes */{whole}":
            assert said == f"bytes {len(got)}-{len(got) + len(body) - 1}/{whole}"
            if len(self.server.pieces) == 2:
                upload[2] += body[:1 << 20]
                return self.answer(503)
            upload[2] += body
        if len(upload[2]) < whole:
            return self.answer(308, Range=f"bytes=0-{len(upload[2]) - 1}")
        self.server.objects[name] = upload[2]
        self.answer_json({"name": name})

    def give_token(self, assertion="", refresh_token="", client_id="", client_secret="", scopes="", **_):
        good = (refresh_token, client_id, client_secret) == ("again", "me", "secret")
        good = good or bool(scopes) and self.headers["Metadata-Flavor"] == "Google"
        if assertion:
            from cryptography.hazmat.primitives import hashes, serialization
            from cryptography.hazmat.primitives.asymmetric import padding
            said, _, signature = assertion.rpartition(".")
            decode = lambda text: base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            serialization.load_pem_public_key(self.server.public).verify(decode(signature), said.encode(), padding.PKCS1v15(), hashes.SHA256())
            head, claims = (json.loads(decode(part)) for part in said.split("."))
            assert head == {"alg": "RS256", "typ": "JWT", "kid": "1"} and claims["exp"] == claims["iat"] + 3600
            good = (claims["iss"], claims["aud"]) == ("me@here", "https://oauth2.googleapis.com/token") and claims["scope"].endswith("/devstorage.read_write")
        if not good:
            return self.answer_json({"error": "invalid_grant"}, status=400)
        self.answer_json({"access_token": "let me in", "expires_in": 3599, "token_type": "Bearer"})

    do_GET = do_POST = do_PUT = handle_any


@pytest.fixture
def google(tmp_path):
    key = subprocess.run(["openssl", "genpkey", "-algorithm", "RSA"], check=True, capture_output=True).stdout
    public = subprocess.run(["openssl", "pkey", "-pubout"], input=key, check=True, capture_output=True).stdout
    with elsewhere(Google, tmp_path, "storage.googleapis.com", "oauth2.googleapis.com", public=public, objects={}, uploads=[], pieces=[], asked=[]) as server:
        server.key = {"type": "service_account", "client_email": "me@here", "private_key_id": "1", "private_key": key.decode()}
        yield server


def account(**keys):
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "google"}, "stringData": {name: json.dumps(key) for name, key in keys.items()}}


def by(key):
    return {"serviceAccountKeySecret": {"name": "google", "key": key}}


def test_gcs_identities(cli, google, tmp_path):
    google.objects |= {f"tree/{name}": name.encode() for name in "abcde"}

    def reads(name, env={}, code=0, **more):
        read = shell("main", "cat /tree/*", inputs=[{"name": "tree", "path": "/tree", "gcs": place("tree", **more)}])
        nodes = run(cli, account(key=google.key, stranger={**google.key, "client_email": "you"}, user={"type": "authorized_user"}, bad={**google.key, "private_key": "x"}),
                    workflow(name, [read]), code=code, env={"GCE_METADATA_HOST": "127.0.0.1:1", **google.env, **env})
        if code == 0:
            assert cli("logs", name).stdout.strip().endswith("abcde")
        return nodes[""].get("message")

    reads("by-key", **by("key"))
    assert len(google.asked) == 1  # one token for all of the folder
    assert 'oauth2: cannot fetch token from https://oauth2.googleapis.com/token: 400 Bad Request\nResponse: {"error": "invalid_grant"}' in reads("stranger", code=1, **by("stranger"))
    assert "the key is of a user: it must be of a service account" in reads("user", code=1, **by("user"))
    assert "private key should be a PEM or plain PKCS1 or PKCS8" in reads("bad", code=1, **by("bad"))

    user = {"type": "authorized_user", "client_id": "me", "client_secret": "secret", "refresh_token": "again"}
    (tmp_path / "user.json").write_text(json.dumps(user))
    assert "connection refused" in reads("nobody", code=1)
    reads("by-variable", env={"GOOGLE_APPLICATION_CREDENTIALS": str(tmp_path / "user.json")})
    del cli.tiphys.env["GOOGLE_APPLICATION_CREDENTIALS"]
    reads("by-machine", env={"GCE_METADATA_HOST": google.url.removeprefix("http://")})
    assert google.asked[-1]["scopes"].endswith("/devstorage.read_write")
    gcloud = pathlib.Path(cli.tiphys.env["HOME"]) / ".config/gcloud"
    gcloud.mkdir(parents=True)
    (gcloud / "application_default_credentials.json").write_text(json.dumps(user))
    reads("by-login")
    (gcloud / "application_default_credentials.json").write_text(json.dumps({"type": "external_account"}))
    assert 'credentials of the type "external_account": only service_account and authorized_user are known' in reads("external", code=1)


def test_gcs_uploads_go_on(cli, google):
    """The second piece breaks off after a mebibyte of five: what is there is not sent again."""
    out = {"name": "out", "path": "/out", "archive": NONE}
    make = shell("main", "head -c 12000000 /dev/urandom >/out; cksum </out", outputs=[{**out, "gcs": place("big", **by("key"))}])
    env = {**google.env, "ARTIFACT_S3_UPLOAD_PART_SIZE_MIB": "5"}
    run(cli, account(key=google.key), workflow("big", [make]), env=env)
    assert google.pieces == ["bytes 0-5242879/12000000", "bytes 5242880-10485759/12000000", "bytes */12000000", "bytes 6291456-11534335/12000000", "bytes 11534336-11999999/12000000"]
    sums = subprocess.run(["cksum"], input=google.objects["big"], capture_output=True, check=True).stdout.decode().strip()
    assert cli("logs", "big").stdout.strip().endswith(sums)

    google.uploads.clear()
    make["outputs"]["artifacts"][0]["gcs"]["key"] = "forgotten"
    run(cli, workflow("forgotten", [make]), env=env)
    assert len(google.uploads) == 2 and len(google.objects["forgotten"]) == 12000000
