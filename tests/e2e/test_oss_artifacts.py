"""Artifacts in Alibaba's store, against a server of this host that keeps objects for those who sign as it wants it."""

import base64
import hashlib
import hmac
import json
import pathlib
import urllib.parse
import xml.etree.ElementTree as xml

import pytest

from cli_support import cli
from conftest import nodes_by_name
from stores import Elsewhere, elsewhere, secret, shell, steps, workflow
from test_s3_artifacts import artifact_of, run

SIGNED = {"uploads", "lifecycle", "uploadId", "partNumber", "continuation-token"}
NONE = {"none": {}}


class Oss(Elsewhere):
    """Knows the keys one (its secret is two) and STS.role, which has a token."""

    def signature(self, url, query):
        own = {name.lower(): value for name, value in self.headers.items() if name.lower().startswith("x-oss-")}
        signed = "&".join(f"{name}={value}" if value else name for name, value in sorted(query.items()) if name in SIGNED)
        lines = [self.command, *(self.headers.get(name, "") for name in ("Content-MD5", "Content-Type", "Date")), *(f"{name}:{value}" for name, value in sorted(own.items())),
                 urllib.parse.unquote(url.path) + ("?" + signed if signed else "")]
        key, password = ("STS.role", b"secret of the role") if own.get("x-oss-security-token") == "a token" else ("one", b"two")
        return f"OSS {key}:" + base64.b64encode(hmac.new(password, "\n".join(lines).encode(), hashlib.sha1).digest()).decode()

    def refuse(self, status, code, message):
        self.answer(status, f"<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode())

    def handle_any(self):
        body, url = self.body(), urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        if self.host == "sts.aliyuncs.com":
            form = dict(urllib.parse.parse_qsl(body.decode()))
            assert query["Action"] == "AssumeRoleWithOIDC" and query["Version"] == "2015-04-01" and query["Timestamp"].endswith("Z")
            if (form["RoleArn"], form["OIDCProviderArn"], form["OIDCToken"]) != ("acs:ram::1:role/a", "acs:ram::1:oidc/b", "x.y.z"):
                return self.answer_json({"Code": "AuthenticationFail.NoPermission"}, 403)
            return self.answer_json({"Credentials": {"AccessKeyId": "STS.role", "AccessKeySecret": "secret of the role", "SecurityToken": "a token"}})
        if self.path == "/key":
            return self.answer_json({"AccessKeyId": "STS.role", "AccessKeySecret": "secret of the role", "SecurityToken": "a token", "Code": "Success"})
        if self.headers.get("Authorization") != self.signature(url, query):
            return self.refuse(403, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided.")
        buckets, parts = self.server.buckets, urllib.parse.unquote(url.path).split("/", 2)
        if parts[1] == "":
            names = "".join(f"<Bucket><Name>{name}</Name></Bucket>" for name in buckets if name.startswith(query["prefix"]))
            return self.answer(200, f"<ListAllMyBucketsResult><Buckets>{names}</Buckets></ListAllMyBucketsResult>".encode())
        bucket, key = parts[1], parts[2]
        if not key and not query and self.command == "PUT":
            buckets[bucket] = {}
            return self.answer(200)
        if bucket not in buckets:
            return self.refuse(404, "NoSuchBucket", "The specified bucket does not exist.")
        objects = buckets[bucket]
        if "lifecycle" in query:
            assert self.headers["Content-MD5"] == base64.b64encode(hashlib.md5(body).digest()).decode()
            self.server.lifecycle = body.decode()
        elif query.get("list-type") == "2":
            names = sorted(name for name in objects if name.startswith(query["prefix"]))
            start = int(query.get("continuation-token", 0))
            listed = "".join(f"<Contents><Key>{urllib.parse.quote(name)}</Key></Contents>" for name in names[start:start + 2])
            more = f"<IsTruncated>true</IsTruncated><NextContinuationToken>{start + 2}</NextContinuationToken>" if names[start + 2:] else ""
            return self.answer(200, f"<ListBucketResult>{listed}{more}</ListBucketResult>".encode())
        elif "uploads" in query:
            return self.answer(200, b"<InitiateMultipartUploadResult><UploadId>7</UploadId></InitiateMultipartUploadResult>")
        elif "partNumber" in query:
            self.server.parts[int(query["partNumber"])] = body
        elif "uploadId" in query:
            objects[key] = b"".join(self.server.parts[int(number.text)] for number in xml.fromstring(body).findall(".//{*}PartNumber"))
        elif self.command == "PUT":
            objects[key] = body
        elif self.command == "DELETE":
            objects.pop(key, None)
            return self.answer(204)
        elif key not in objects:
            return self.refuse(404, "NoSuchKey", "The specified key does not exist.")
        else:
            return self.answer(200, objects[key])
        self.answer(200, ETag='"tag"')

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = handle_any


@pytest.fixture
def oss(tmp_path):
    with elsewhere(Oss, tmp_path, "sts.aliyuncs.com", buckets={"data": {}}, parts={}, lifecycle=None) as server:
        server.place = lambda key, **more: {"endpoint": server.url, "bucket": "data", "key": key, **more}
        yield server


KEYS = {"accessKeySecret": secret("access"), "secretKeySecret": secret("secret")}


def test_oss_artifacts(cli, oss):
    def place(key, **more):
        return oss.place(key, **{**KEYS, **more})

    objects = oss.buckets["data"]
    objects |= {"in/a b+c.txt": b"plain", "tree/": b"", "tree/one": b"1", "tree/deep/two": b"2", "tree/empty/": b"", "treetop": b"x"}
    nodes = run(cli, workflow("objects", [
        steps("make", "list"),
        shell("make", "cat /in; cat /tree/one /tree/deep/two; ls -p /tree; head -c 6000000 /dev/zero >/big; mkdir -p /out/none; echo 1 >/out/a",
              inputs=[{"name": "in", "path": "/in", "oss": place("in/a b+c.txt")}, {"name": "tree", "path": "/tree", "oss": place("tree")},
                      {"name": "no", "path": "/no", "optional": True, "oss": place("no")}],
              outputs=[{"name": "big", "path": "/big", "archive": NONE, "oss": place("big")}, {"name": "out", "path": "/out", "archive": NONE, "oss": place("out")},
                       {"name": "gone", "path": "/out", "oss": place("gone"), "artifactGC": {"strategy": "OnWorkflowCompletion"}}]),
        {"name": "list", "data": {"source": {"artifactPaths": {"name": "tree", "oss": place("tree")}}, "transformation": [{"expression": "data"}]}},
    ]), env={"ARTIFACT_S3_UPLOAD_PART_SIZE_MIB": "5"})
    assert [line.split(": ")[1] for line in cli("logs", "objects").stdout.splitlines()] == ["plain12deep/", "empty/", "one"]
    assert objects["big"] == bytes(6000000) and len(oss.parts) == 2
    assert [(key, objects[key]) for key in sorted(objects) if key.startswith("out")] == [("out/", b""), ("out/a", b"1\n"), ("out/none/", b"")]
    assert artifact_of(nodes["[0].make"], "gone")["deleted"] and "gone" not in objects
    assert json.loads(nodes["[1].list"]["outputs"]["result"]) == ["tree/deep/two", "tree/one"]

    def message(name, **more):
        return run(cli, workflow(name, [shell("main", "true", inputs=[{"name": "in", "path": "/in", "oss": place("no", **more)}])]), code=1)[""]["message"]

    assert f'failed to get file: The specified key does not exist. (key "no" in bucket "data" at {oss.url})' in message("no-key")
    assert "The specified bucket does not exist" in message("no-bucket", bucket="none")
    assert "does not match the signature" in message("stranger", secretKeySecret=secret("user"))
    assert "name Secrets in accessKeySecret and secretKeySecret, or set useSDKCreds" in message("nobody", accessKeySecret={"name": "", "key": "x"})


def test_oss_buckets(cli, oss):
    def save(name, code=0, **more):
        out = {"name": "out", "path": "/out", "oss": oss.place("results/out", bucket="new", createBucketIfNotPresent=True, **{**KEYS, **more})}
        return run(cli, workflow(name, [shell("main", "echo 1 >/out", outputs=[out])]), code=code)[""].get("message")

    save("first")
    assert list(oss.buckets["new"]) == ["results/out"] and oss.lifecycle is None
    save("again", lifecycleRule={"markInfrequentAccessAfterDays": 30, "markDeletionAfterDays": 60})
    rule = xml.fromstring(oss.lifecycle).find("Rule")
    assert [rule.findtext(path) for path in ("ID", "Prefix", "Status", "Transition/Days", "Transition/StorageClass", "Expiration/Days", "AbortMultipartUpload/Days")] == [
        hashlib.sha256(b"results/out").hexdigest(), "results/out", "Enabled", "30", "IA", "60", "60"]
    save("only", lifecycleRule={"markDeletionAfterDays": 7})
    assert xml.fromstring(oss.lifecycle).find("Rule/Transition") is None
    assert "markInfrequentAccessAfterDays cannot be large than markDeletionAfterDays" in save("odd", code=1, lifecycleRule={"markInfrequentAccessAfterDays": 3})


def test_oss_identities(cli, oss, tmp_path):
    oss.buckets["data"]["in"] = b"x"

    def reads(name, env={}, code=0, **more):
        before = dict(cli.tiphys.env)
        nodes = run(cli, workflow(name, [shell("main", "cat /in", inputs=[{"name": "in", "path": "/in", "oss": oss.place("in", **more)}])]), code=code, env={**oss.env, **env})
        cli.tiphys.env.clear()
        cli.tiphys.env |= before
        return nodes[""].get("message")

    role = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "role"}, "stringData": {"id": "STS.role", "secret": "secret of the role"}}
    cli("run", cli.file(json.dumps(role) + "\n---\n" + json.dumps(workflow("first", [shell("main", "true")]))), *cli.tiphys.runtime)
    reads("token", accessKeySecret={"name": "role", "key": "id"}, secretKeySecret={"name": "role", "key": "secret"}, securityToken="a token")
    assert "there is no key for the store: set ALIBABA_CLOUD_ACCESS_KEY_ID" in reads("nobody", code=1, useSDKCreds=True)
    reads("variables", env={"ALIBABA_CLOUD_ACCESS_KEY_ID": "one", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "two"}, useSDKCreds=True)
    (tmp_path / "token").write_text("x.y.z\n")
    oidc = {"ALIBABA_CLOUD_ROLE_ARN": "acs:ram::1:role/a", "ALIBABA_CLOUD_OIDC_PROVIDER_ARN": "acs:ram::1:oidc/b", "ALIBABA_CLOUD_OIDC_TOKEN_FILE": str(tmp_path / "token")}
    reads("oidc", env=oidc, useSDKCreds=True)
    assert "AssumeRoleWithOIDC: 403 Forbidden" in reads("no-oidc", env={**oidc, "ALIBABA_CLOUD_ROLE_ARN": "other"}, code=1, useSDKCreds=True)
    reads("url", env={"ALIBABA_CLOUD_CREDENTIALS_URI": oss.url + "/key"}, useSDKCreds=True)
    folder = pathlib.Path(cli.tiphys.env["HOME"]) / ".aliyun"
    folder.mkdir()
    profiles = [{"name": "other"}, {"name": "mine", "mode": "AK", "access_key_id": "one", "access_key_secret": "two"}]
    (folder / "config.json").write_text(json.dumps({"current": "mine", "profiles": profiles}))
    reads("profile", useSDKCreds=True)
