"""Artifacts in S3, against a server of this host: files, folders, archives, repositories, what goes wrong."""

import base64
import hashlib
import io
import json
import ssl
import tarfile
import threading
import zipfile

import pytest

from cli_support import cli
from conftest import nodes_by_name
from stores import SECRET, Elsewhere, certificate, elsewhere, http_store, s3, secret, shell, steps, workflow


def run(cli, *objects, code=0, env=None):
    """Runs a workflow with the objects that it needs; gives its nodes."""
    cli.tiphys.env |= {"EXECUTOR_RETRY_BACKOFF_DURATION": "1ms", **(env or {})}
    cli.last = cli.run("\n---\n".join(json.dumps(each) for each in (SECRET, *objects)), code=code)
    return nodes_by_name(cli.workflow()) if "nodes" in cli.workflow()["status"] else {}


def artifact_of(node, name):
    return next(each for each in node["outputs"]["artifacts"] if each["name"] == name)


def test_s3_artifacts(cli, s3):
    s3.put("in/a b+c.txt", b"plain")
    for key in ("tree/one", "tree/deep/two ä", "tree/deep/", "treetop"):
        s3.put(key, key.encode())
    make = "mkdir -p /out/deep; printf 1 >/out/a; printf 2 >/out/deep/b; ln -s a /out/link; cat /in; cat /tree/one '/tree/deep/two ä'; ls /tree"
    none = {"none": {}}
    nodes = run(cli, workflow("stores", [
        steps("make", "read"),
        shell("make", make,
              inputs=[{"name": "in", "path": "/in", "s3": s3.place("in/a b+c.txt")}, {"name": "tree", "path": "/tree", "s3": s3.place("tree")},
                      {"name": "no", "path": "/no", "optional": True, "s3": s3.place("nothing")}],
              outputs=[{"name": "tgz", "path": "/out", "s3": s3.place("out/all.tgz")},
                       {"name": "tree", "path": "/out", "archive": none, "s3": s3.place("out/tree")},
                       {"name": "zip", "path": "/out", "archive": {"zip": {}}, "s3": s3.place("out/all.zip")},
                       {"name": "file", "path": "/out/a", "archive": none, "s3": s3.place("out/file")},
                       {"name": "no", "path": "/no", "optional": True, "s3": s3.place("out/no")}]),
        shell("read", "cat /tgz/deep/b /tree/deep/b /zip/deep/b /file; stat -c %a /tree /tree/deep/b",
              inputs=[{"name": "tgz", "path": "/tgz", "s3": s3.place("out/all.tgz")},
                      {"name": "tree", "path": "/tree", "mode": 0o700, "recurseMode": True, "s3": s3.place("out/tree")},
                      {"name": "zip", "path": "/zip", "archive": {"zip": {}}, "s3": s3.place("out/all.zip")},
                      {"name": "file", "path": "/file", "s3": s3.place("out/file")}]),
    ]))
    logs = [line.split(": ")[1] for line in cli("logs", "stores").stdout.splitlines()]
    assert logs == ["plaintree/onetree/deep/two ädeep", "one", "2221700", "700"]
    assert sorted(key for key in s3.keys() if key.startswith("out/")) == ["out/all.tgz", "out/all.zip", "out/file", "out/tree/a", "out/tree/deep/b"]
    assert "out/deep/b" in tarfile.open(fileobj=io.BytesIO(s3.get("out/all.tgz"))).getnames()
    assert "out/deep/b" in zipfile.ZipFile(io.BytesIO(s3.get("out/all.zip"))).namelist()
    assert artifact_of(nodes["[0].make"], "file") == {"name": "file", "path": "/out/a", "archive": none, "s3": s3.place("out/file")}
    assert [each["name"] for each in nodes["[0].make"]["outputs"]["artifacts"]] == ["tgz", "tree", "zip", "file"]


def config_map(s3, name="artifact-repositories", **repository):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "annotations": {"workflows.argoproj.io/default-artifact-repository": "first"}},
            "data": {"first": json.dumps({"s3": s3.store(), **repository}),
                     "second": json.dumps({"s3": {**s3.store(), "keyFormat": "{{workflow.creationTimestamp.Y}}/{{inputs.parameters.who}}/{{pod.name}}"}}),
                     "odd": json.dumps({"s3": {**s3.store(), "keyFormat": "{{no.such}}"}})}}


MAKE = shell("make", "echo hello >/out; echo said", outputs=[{"name": "out", "path": "/out"}])
READ = shell("read", "cat /in", inputs=[{"name": "in", "path": "/in"}])
PASS = {"name": "main", "steps": [[{"name": "make", "template": "make"}],
                                  [{"name": "read", "template": "read", "arguments": {"artifacts": [{"name": "in", "from": "{{steps.make.outputs.artifacts.out}}"}]}}]]}


def test_repositories_of_config_maps(cli, s3):
    nodes = run(cli, config_map(s3), workflow("default", [PASS, MAKE, READ]))
    key = "default/default-make-" + nodes["[0].make"]["id"].split("-")[-1] + "/out.tgz"
    assert artifact_of(nodes["[0].make"], "out") == {"name": "out", "path": "/out", "s3": {"key": key}}
    assert s3.keys() == [key]
    assert cli("logs", "default").stdout.splitlines()[-1].endswith(": hello")
    assert cli.workflow()["status"]["artifactRepositoryRef"] == {
        "artifactRepository": {"s3": s3.store()}, "configMap": "artifact-repositories", "key": "first", "namespace": "default"}

    who = {**MAKE, "inputs": {"parameters": [{"name": "who", "value": "me"}]}}
    reader = {**READ, "inputs": {**READ["inputs"], **who["inputs"]}}
    nodes = run(cli, workflow("named", [PASS, who, reader], artifactRepositoryRef={"key": "second"}))
    assert f"make  out  s3://data/20" in cli.last.stdout
    assert artifact_of(nodes["[0].make"], "out")["s3"]["key"].split("/")[1] == "me"

    nodes = run(cli, workflow("odd", [PASS, MAKE, READ], artifactRepositoryRef={"key": "odd"}), code=1)
    assert (nodes["[0].make"]["phase"], nodes["[0].make"]["message"]) == ("Error", "failed to resolve {{no.such}}")

    run(cli, workflow("missing", [PASS, MAKE, READ], artifactRepositoryRef={"configMap": "none", "key": "x"}), code=1)
    status = cli.workflow()["status"]
    assert (status["phase"], status["message"]) == (
        "Error", 'failed to resolve artifact repository: failed to find any artifact repository for artifact repository ref "none#x"')


def test_the_plane_has_a_repository_of_its_own(cli):
    run(cli, workflow("own", [PASS, MAKE, READ]))
    assert cli.workflow()["status"]["artifactRepositoryRef"] == {"artifactRepository": {}, "default": True}


def test_archive_location(cli, s3):
    there = {**MAKE, "archiveLocation": {"s3": s3.place("there/{{workflow.name}}")}}
    nodes = run(cli, workflow("placed", [PASS, there, {**READ, "archiveLocation": {"s3": s3.place("x")}}]))
    assert artifact_of(nodes["[0].make"], "out")["s3"] == {"key": "there/placed/out.tgz"}
    assert s3.keys() == ["there/placed/out.tgz"]


def test_the_configuration_has_a_repository(cli, s3):
    manifest = workflow("configured", [PASS, MAKE, READ])
    config = cli.file(json.dumps({"artifactRepository": {"archiveLogs": True, "s3": {**s3.store(), "keyFormat": "conf/{{workflow.name}}/{{pod.name}}"}}}), "config.yaml")
    cli.run("\n---\n".join(json.dumps(each) for each in (SECRET, manifest)), "--config", config)
    ref = cli.workflow()["status"]["artifactRepositoryRef"]
    assert (ref["default"], ref["artifactRepository"]["s3"]["bucket"]) == (True, "data")
    assert sorted(key.split("/")[-1] for key in s3.keys()) == ["main.log", "main.log", "out.tgz"]
    assert all(key.startswith("conf/configured/") for key in s3.keys())
    bad = cli.file("artifactRepository: {s4: {bucket: data}}\n", "config.yaml")
    assert "artifactRepository.s4 is none of archiveLogs, artifactory, azure, gcs, hdfs, oss, plugin, s3" in cli.run(
        json.dumps(manifest), "--config", bad, code=2).stderr


def test_logs_are_archived(cli, s3):
    failing = {**shell("fail", "echo before; echo failed >&2; exit 3"), "archiveLocation": {"archiveLogs": False}}
    both = {"name": "both", "containerSet": {"containers": [
        {"name": name, "image": "busybox", "command": ["echo", name]} for name in ("a", "b")]}}
    nodes = run(cli, config_map(s3), workflow("logs", [
        {"name": "main", "steps": [[{"name": "make", "template": "make"}, {"name": "both", "template": "both"},
                                    {"name": "fail", "template": "fail", "continueOn": {"failed": True}}]]},
        MAKE, both, failing], archiveLogs=True))
    log = artifact_of(nodes["[0].make"], "main-logs")
    assert (list(log), s3.get(log["s3"]["key"])) == (["name", "s3"], b"said\n")
    assert log["s3"]["key"].endswith("/main.log")
    assert [s3.get(each["s3"]["key"]) for each in nodes["[0].both"]["outputs"]["artifacts"]] == [b"a\n", b"b\n"]
    assert "artifacts" not in nodes["[0].fail"]["outputs"]

    failing.pop("archiveLocation")
    nodes = run(cli, workflow("failed", [failing], entrypoint="fail", archiveLogs=True), code=1)
    assert s3.get(artifact_of(nodes[""], "main-logs")["s3"]["key"]) == b"before\nfailed\n"


def test_data_over_s3(cli, s3):
    for key in ("in/a.csv", "in/deep/b.csv", "in/c.txt"):
        s3.put(key, b"x")
    listing = {"name": "main", "data": {"source": {"artifactPaths": {"name": "in", "s3": s3.place("in")}},
                                        "transformation": [{"expression": "filter(data, {# endsWith '.csv'})"}]}}
    nodes = run(cli, workflow("lists", [listing]))
    assert json.loads(nodes[""]["outputs"]["result"]) == ["in/a.csv", "in/deep/b.csv"]
    listing["data"]["source"]["artifactPaths"]["s3"]["key"] = "none"
    nodes = run(cli, workflow("none", [listing]), code=1)
    assert nodes[""]["message"].endswith(": no key found of name none")


def test_large_files_go_in_parts(cli, s3):
    size = 11 * 1024 * 1024
    run(cli, workflow("large", [steps("make", "read"),
                                shell("make", f"head -c {size} /dev/zero >/out", outputs=[{"name": "out", "path": "/out", "archive": {"none": {}}, "s3": s3.place("large")}]),
                                shell("read", f"test $(stat -c %s /in) = {size}", inputs=[{"name": "in", "path": "/in", "s3": s3.place("large")}])]),
        env={"ARTIFACT_S3_UPLOAD_PART_SIZE_MIB": "5"})
    assert s3.client.head_object(Bucket="data", Key="large")["ETag"].endswith('-3"')
    assert s3.get("large") == bytes(size)


def test_s3_buckets_are_made(cli, s3):
    make = {"bucket": "new", "region": "eu-central-1", "createBucketIfNotPresent": {}}
    encrypted = {"enableEncryption": True, "kmsKeyId": "my-key", "kmsEncryptionContext": '{"a": "b"}'}
    outputs = [{"name": name, "path": "/out", "s3": s3.place(name, **make, **more)}
               for name, more in (("plain", {}), ("again", {}), ("own", {"encryptionOptions": {"enableEncryption": True}}), ("kms", {"encryptionOptions": encrypted}))]
    run(cli, workflow("buckets", [shell("main", "echo 1 >/out", outputs=outputs)]))
    heads = {name: s3.client.head_object(Bucket="new", Key=name) for name in ("plain", "again", "own", "kms")}
    assert s3.client.get_bucket_location(Bucket="new")["LocationConstraint"] == "eu-central-1"
    assert heads["own"]["ServerSideEncryption"] == "AES256"
    assert (heads["kms"]["ServerSideEncryption"], heads["kms"]["SSEKMSKeyId"]) == ("aws:kms", "my-key")


class Amazon(Elsewhere):
    """Where the key of a container is, and that of a machine."""

    def do_GET(self):
        key = {"AccessKeyId": self.path, "SecretAccessKey": "b", "Token": "of " + self.path}
        if self.path == "/container":
            return self.answer_json(key, 200 if self.headers["Authorization"] == "inside" else 403)
        if self.headers["X-aws-ec2-metadata-token"] != "let me in":
            return self.answer(401)
        role = self.path.removeprefix("/latest/meta-data/iam/security-credentials/")
        self.answer_json(key) if role else self.answer(200, b"worker\n")

    def do_PUT(self):
        self.body()
        assert self.path == "/latest/api/token" and self.headers["X-aws-ec2-metadata-token-ttl-seconds"]
        self.answer(200, b"let me in")


@pytest.fixture
def who_asks(cli):
    """Tells by whose key an object is read, with the environment and more of the place."""
    with http_store() as store:
        def ask(name, env, code=0, **more):
            cli.tiphys.env |= {"AWS_EC2_METADATA_DISABLED": "true"}
            store.files["/data/in"] = b"x"
            place = {"endpoint": store.url.removeprefix("http://"), "insecure": True, "bucket": "data", "key": "in", "region": "here", **more}
            read = shell("main", "cat /in", inputs=[{"name": "in", "path": "/in", "s3": place}])
            before = dict(cli.tiphys.env)
            nodes = run(cli, workflow(name, [read]), code=code, env=env)
            cli.tiphys.env.clear()
            cli.tiphys.env |= before
            if code:
                return nodes[""]["message"]
            headers = store.seen[-1][2]
            return headers["Authorization"].split("Credential=")[1].split("/here/s3/")[0].rpartition("/")[0], headers.get("x-amz-security-token")
        yield ask


def test_s3_keys_of_the_environment(cli, who_asks, tmp_path):
    assert "there is no key for the store: name Secrets in accessKeySecret and secretKeySecret" in who_asks("nobody", {}, code=1, useSDKCreds=True)
    keys = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    assert who_asks("variables", keys, useSDKCreds=True) == ("a", None)
    profiles = tmp_path / "credentials"
    profiles.write_text("[default]\naws_access_key_id = c\naws_secret_access_key=d\n[other]\naws_access_key_id=e\naws_secret_access_key=f\naws_session_token=g\n")
    file = {"AWS_SHARED_CREDENTIALS_FILE": str(profiles)}
    assert who_asks("profile", file) == ("c", None)
    assert who_asks("other", {**file, **keys, "AWS_PROFILE": "other"}) == ("e", "g")

    with elsewhere(Amazon, tmp_path) as amazon:
        (tmp_path / "token").write_text("inside\n")
        container = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": amazon.url + "/container"}
        assert who_asks("container", {**container, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(tmp_path / "token")}) == ("/container", "of /container")
        assert "the container's key from" in who_asks("outside", container, code=1)
        machine = {"AWS_EC2_METADATA_SERVICE_ENDPOINT": amazon.url, "AWS_EC2_METADATA_DISABLED": "false"}
        path = "/latest/meta-data/iam/security-credentials/worker"
        assert who_asks("machine", machine) == (path, "of " + path)
    assert "there is no key for the store" in who_asks("no-machine", machine, code=1)


def test_s3_roles(cli, s3, who_asks, tmp_path):
    """moto gives keys that begin with ASIA for roles."""
    env = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_ENDPOINT_URL_STS": "http://" + s3.endpoint}
    role = "arn:aws:iam::123456789012:role/reader"
    key, token = who_asks("role", env, roleARN=role)
    assert key.startswith("ASIA") and token
    (tmp_path / "token").write_text("a.b.c")
    key, token = who_asks("web", {"AWS_ENDPOINT_URL": "http://" + s3.endpoint, "AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "token"), "AWS_ROLE_ARN": role})
    assert key.startswith("ASIA") and token
    own = {"accessKeySecret": secret("access"), "secretKeySecret": secret("secret")}
    assert who_asks("own", env, roleARN=role, **own) == ("one", None)
    refused = who_asks("refused", {**env, "AWS_ENDPOINT_URL_STS": "http://127.0.0.1:1"}, code=1, roleARN=role)
    assert 'AssumeRole: Post "http://127.0.0.1:1/": ' in refused and "connection refused" in refused


KEY_OF_FIRST = "TETvfVfiYCpCrUHMnXKplr3N/PN21pBvGoP31u0S1fs="  # of the password "open sesame" for data/first, by OpenSSL's Argon2id


class Sealed(Elsewhere):
    """Objects by path, for who has the key of each; parts of uploads, in order."""

    def handle_any(self):
        body, path = self.body(), self.path.split("?")[0]
        sealed = {name: self.headers.get("x-amz-server-side-encryption-customer-" + name) for name in ("algorithm", "key", "key-MD5")}
        if "uploadId" in self.path and self.command == "POST":
            return self.answer(200, b"<CompleteMultipartUploadResult/>")
        if self.command in ("PUT", "POST"):
            self.server.objects.setdefault(path, (sealed, []))
        found = self.server.objects.get(path)
        if not found:
            return self.answer(404)
        if found[0] != sealed:
            return self.answer(400, b"<Error><Code>InvalidRequest</Code><Message>The object was stored using a form of Server Side Encryption.</Message></Error>")
        if self.command == "POST":
            return self.answer(200, b"<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>")
        if self.command == "PUT":
            found[1].append(body)
        self.answer(200, b"" if self.command == "PUT" else b"".join(found[1]), ETag='"1"')

    do_GET = do_PUT = do_POST = do_HEAD = handle_any


def test_s3_customer_keys(cli, tmp_path):
    """Keys as the original makes them: Argon2id of the password, with the bucket and the key as salt."""
    with elsewhere(Sealed, tmp_path, "store", objects={}) as store:
        def place(key, insecure=False, **more):
            sealed = {"enableEncryption": True, "serverSideCustomerKeySecret": {"name": "sealed", "key": "password"}, **more}
            return {"endpoint": "store", "bucket": "data", "key": key, "region": "here", "insecure": insecure, "encryptionOptions": sealed,
                    "accessKeySecret": secret("access"), "secretKeySecret": secret("secret")}

        def reads(name, code=0, **more):
            read = shell("main", "test $(cat /first) = 1; test $(stat -c %s /big) = 6000000",
                         inputs=[{"name": key, "path": "/" + key, "s3": place(key, **more)} for key in ("first", "big")])
            return run(cli, workflow(name, [read]), code=code)[""].get("message")

        words = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "sealed"}, "stringData": {"password": "open sesame"}}
        outputs = [{"name": key, "path": "/" + key, "archive": {"none": {}}, "s3": place(key)} for key in ("first", "big")]
        run(cli, words, workflow("write", [shell("main", "echo 1 >/first; head -c 6000000 /dev/zero >/big", outputs=outputs)]),
            env={**store.env, "ARTIFACT_S3_UPLOAD_PART_SIZE_MIB": "5"})
        assert store.objects["/data/first"][0] == {"algorithm": "AES256", "key": KEY_OF_FIRST, "key-MD5": base64.b64encode(hashlib.md5(base64.b64decode(KEY_OF_FIRST)).digest()).decode()}
        assert [len(part) for part in store.objects["/data/big"][1]] == [5 << 20, 6000000 - (5 << 20)]
        reads("read")
        assert "The object was stored using a form of Server Side Encryption." in reads("without", code=1, enableEncryption=False)
        assert "serverSideCustomerKeySecret and kmsKeyId cannot be set together" in reads("both", code=1, kmsKeyId="x")
        assert "serverSideCustomerKeySecret would be sent without TLS" in reads("open", code=1, insecure=True)


def test_s3_errors_name_the_place(cli, s3):
    def message(name, place, **more):
        nodes = run(cli, workflow(name, [shell("main", "true", inputs=[{"name": "in", "path": "/in", "s3": place, **more}])]), code=1)
        assert nodes[""]["phase"] == "Error"
        return nodes[""]["message"]

    where = f'(key "no" in bucket "data" at {s3.endpoint})'
    assert message("key", s3.place("no")) == f"init: Error (exit code 64): artifact in failed to load: failed to get file: The specified key does not exist. {where}"
    assert "The specified bucket does not exist" in message("bucket", s3.place("no", bucket="none"), optional=True)
    assert 'accessKeySecret: there is no Secret "none" with the key "x"' in message("secret", s3.place("no", accessKeySecret={"name": "none", "key": "x"}))
    assert "connection refused" in message("port", s3.place("no", endpoint="127.0.0.1:1"))


def test_what_passes_is_tried_again(cli, s3):
    """A server that is busy twice, then has the file."""
    import http.server

    class Busy(http.server.BaseHTTPRequestHandler):
        protocol_version, asked = "HTTP/1.1", []

        def do_GET(self):
            self.asked.append(self.path)
            busy = not self.path.endswith("?location=") and len([path for path in self.asked if not path.endswith("?location=")]) < 3
            body = b"<Error><Code>SlowDown</Code><Message>Slow</Message></Error>" if busy else b"<LocationConstraint/>" if "location" in self.path else b"hello"
            self.send_response(503 if busy else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Busy) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        place = s3.place("in", endpoint=f"127.0.0.1:{server.server_address[1]}")
        run(cli, workflow("busy", [shell("main", "test $(cat /in) = hello", inputs=[{"name": "in", "path": "/in", "s3": place}])]))
        server.shutdown()
    assert [path for path in Busy.asked if "location" not in path] == ["/data/in"] * 3


def test_s3_over_tls(cli, s3, tmp_path):
    """moto speaks no TLS in a thread: a server that has one file stands in for it."""
    cert, key = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    trusted = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "ca"}, "stringData": {"pem": cert.read_text()}}
    with http_store(context) as store:
        store.files["/data/in"] = b"hello"
        place = {**s3.place("in", endpoint=store.url.removeprefix("https://"), region="here", caSecret={"name": "ca", "key": "pem"}), "insecure": False}
        out = {"name": "out", "path": "/in", "archive": {"none": {}}, "s3": {**place, "key": "out"}}
        run(cli, trusted, workflow("tls", [shell("main", "true", inputs=[{"name": "in", "path": "/in", "s3": place}], outputs=[out])]))
        assert store.files["/data/out"] == b"hello"
        put = next(headers for command, _, headers, _ in store.seen if command == "PUT")
        assert put["x-amz-content-sha256"] == "UNSIGNED-PAYLOAD" and "/here/s3/aws4_request" in put["Authorization"]
        del place["caSecret"]
        nodes = run(cli, workflow("stranger", [shell("main", "true", inputs=[{"name": "in", "path": "/in", "s3": place}])]), code=1)
        assert "tls: failed to verify certificate" in nodes[""]["message"]
