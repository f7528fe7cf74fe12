"""Secrets in the hands of every driver, none of which shows: not in what the plane says, its audit log, objects, events, statuses, metrics or files.

The shape of CVE-2025-62157 and CVE-2026-42295, where a driver wrote its credentials into the log. Each Secret holds a text of its own that is looked for
afterwards, as it is and within base64. The stores refuse, break off or are not there, as errors are where credentials come out.
"""

import base64
import http.server
import json
import threading
import urllib.parse

import pytest

from api_client import Api
from cli_support import cli
from stores import shell, workflow
from test_authorization import MINE, routes

SECRET_KEYS = ("access", "secret", "session", "account", "json", "user", "password", "client", "bearer", "header", "ssh", "certificate", "key", "value", "file", "sse", "token")


def canary(name):
    return f"canary-{name}-4b1d9e"


def forms(text):
    encoded = [base64.b64encode(b"x" * shift + text.encode()).decode()[4:-4] for shift in range(3)]
    return [text.encode(), text.encode().hex().encode(), urllib.parse.quote(text).encode(), *(each.encode() for each in encoded)]


def named(key):
    return {"name": "canaries", "key": key}


class Refusing(http.server.BaseHTTPRequestHandler):
    """A store that refuses, in one of the ways that its path names."""

    def handle_any(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.seen.append(json.dumps([self.path, *self.headers.values()]))
        status = next((int(part) for part in self.path.split("/") if part in ("401", "403", "500", "302")), 403)
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
        if status == 401:
            self.send_header("WWW-Authenticate", 'Basic realm="store"')
        self.send_header("Content-Length", "7")
        self.end_headers()
        self.wfile.write(b"refused")

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = handle_any

    def log_message(self, *_):
        pass


@pytest.fixture
def store():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        server.daemon_threads, server.seen = True, []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        server.host = f"127.0.0.1:{server.server_address[1]}"
        yield server
        server.shutdown()


def places(host):
    """Artifacts of each driver with credentials of each kind."""
    s3 = {"endpoint": host, "bucket": "b", "insecure": True, "key": "k", "accessKeySecret": named("access"), "secretKeySecret": named("secret")}
    url = f"http://{host}"
    ssl_files = {"clientCert": {"clientCertSecret": named("certificate"), "clientKeySecret": named("key")}}
    oauth = {"oauth2": {"clientIDSecret": named("client"), "clientSecretSecret": named("password"), "tokenURLSecret": {"name": "urls", "key": "token"}}}
    return {
        "s3": {"s3": {**s3, "sessionTokenSecret": named("session")}},
        "s3-sse": {"s3": {**s3, "encryptionOptions": {"enableEncryption": True, "serverSideCustomerKeySecret": named("sse")}}},
        "s3-closed": {"s3": {**s3, "endpoint": "127.0.0.1:1"}},
        "gcs": {"gcs": {"bucket": "b", "key": "k", "serviceAccountKeySecret": named("json")}},
        "gcs-text": {"gcs": {"bucket": "b", "key": "k", "serviceAccountKeySecret": named("value")}},
        "azure": {"azure": {"endpoint": f"{url}/403", "container": "c", "blob": "b", "accountKeySecret": named("account")}},
        "azure-text": {"azure": {"endpoint": f"{url}/403", "container": "c", "blob": "b", "accountKeySecret": named("value")}},
        "oss": {"oss": {"endpoint": url, "bucket": "b", "key": "k", "accessKeySecret": named("access"), "secretKeySecret": named("secret")}},
        "http": {"http": {"url": f"{url}/401/in", "auth": {"basicAuth": {"usernameSecret": named("user"), "passwordSecret": named("password")}}}},
        "http-moved": {"http": {"url": f"{url}/302/in", "auth": {"basicAuth": {"usernameSecret": named("user"), "passwordSecret": named("password")}}}},
        "http-oauth": {"http": {"url": f"{url}/in", "auth": oauth}},
        "http-certificate": {"http": {"url": "https://127.0.0.1:1/in", "auth": ssl_files}},
        "artifactory": {"artifactory": {"url": f"{url}/403/in", "usernameSecret": named("user"), "passwordSecret": named("password")}},
        "git": {"git": {"repo": f"{url}/401/repo.git", "usernameSecret": named("user"), "passwordSecret": named("password")}},
        "git-ssh": {"git": {"repo": "ssh://git@127.0.0.1:1/repo.git", "insecureIgnoreHostKey": True, "sshPrivateKeySecret": named("ssh")}},
        "hdfs": {"hdfs": {"addresses": ["127.0.0.1:1"], "path": "/in", "krbUsername": "me", "krbRealm": "here", "krbServicePrincipalName": "hdfs/_HOST",
                          "krbKeytabSecret": named("value"), "krbConfigConfigMap": {"name": "none", "key": "krb"}}},
    }


def workflows(host):
    for name, place in places(host).items():
        yield workflow(f"in-{name}", [shell("main", "true", inputs=[{"name": "in", "path": "/in", **place}])])
        if "git" not in place:
            yield workflow(f"out-{name}", [shell("main", "echo 1 >/tmp/out", outputs=[{"name": "out", "path": "/tmp/out", "archive": {"none": {}}, **place}])])
    http_template = {"name": "main", "http": {"url": f"http://{host}/500/asked", "method": "POST", "headers": [{"name": "X-Token", "valueFrom": {"secretKeyRef": named("header")}}],
                                              "body": "x", "successCondition": "response.statusCode == 200"}}
    yield workflow("http-template", [http_template])
    used = shell("main", 'test -n "$VALUE" && test -s /secrets/file && exit 3')
    used["container"] |= {"env": [{"name": "VALUE", "valueFrom": {"secretKeyRef": named("value")}}], "envFrom": [{"secretRef": {"name": "canaries"}}],
                          "volumeMounts": [{"name": "canaries", "mountPath": "/secrets"}]}
    yield workflow("used", [used], volumes=[{"name": "canaries", "secret": {"secretName": "canaries"}}])
    yield workflow("no-such-program", [{**used, "container": {**used["container"], "command": ["/no/such/program"]}}], volumes=[{"name": "canaries", "secret": {"secretName": "canaries"}}])


def test_no_secret_shows(cli, store):
    cli.tiphys.env |= {"EXECUTOR_RETRY_BACKOFF_DURATION": "1ms", "EXECUTOR_RETRY_BACKOFF_STEPS": "2", "https_proxy": f"http://{store.host}", "GIT_TRACE_CURL": "1"}
    audit = cli.folder / "audit.log"
    server = cli.up("--audit-log", audit)
    owner = Api(cli.data_dir)
    assert owner.ask("POST", "/api/v1/namespaces", {"metadata": {"name": MINE}})[0] == 201
    values = {key: canary(key) for key in SECRET_KEYS}
    values["json"] = json.dumps({"type": "service_account", "client_email": "me@here", "private_key_id": "1", "private_key": canary("json")})
    values["account"] = base64.b64encode(canary("account").encode()).decode()
    for name, data in (("canaries", values), ("urls", {"token": f"http://{store.host}/500/token"})):
        code, made = owner.ask("POST", f"/api/v1/namespaces/{MINE}/secrets", {"metadata": {"name": name}, "stringData": data})
        assert code == 201, made
    # Changed and refused in every way, since the text of a refusal may hold what it refuses.
    secret = f"/api/v1/namespaces/{MINE}/secrets/canaries"
    owner.ask("PATCH", secret, {"stringData": {"later": canary("token")}}, "application/merge-patch+json")
    owner.ask("PATCH", secret, {"data": {"bad": canary("token")}}, "application/merge-patch+json")
    owner.ask("PUT", secret, {"metadata": {"name": "canaries"}, "stringData": {"a/b": canary("token")}, "type": canary("token") * 0 + "Opaque"})
    owner.ask("POST", f"/api/v1/namespaces/{MINE}/secrets", {"metadata": {"name": "canaries"}, "stringData": {"a": canary("token")}})

    made = list(workflows(store.host))
    for each in made:
        code, answer = owner.ask("POST", f"/apis/argoproj.io/v1alpha1/namespaces/{MINE}/workflows", each)
        assert code == 201, answer
    for each in made:
        cli("wait", each["metadata"]["name"], "-n", MINE, code=None)
    phases = {each["metadata"]["name"]: cli_get(owner, each["metadata"]["name"]) for each in made}
    assert set(phases.values()) <= {"Failed", "Error"}, phases

    shown = {f"{kind[2]}": owner.open("GET", kind[2]).read() for kind in routes(owner) if kind[0] == "list" and "?" not in kind[2] and not kind[2].endswith("/secrets")}
    assert any(b"in-s3" in text for text in shown.values())
    for page in ("/metrics", "/configz", "/api/v1/info", f"/api/v1/workflows/{MINE}", f"/api/v1/cron-workflows/{MINE}", "/api/v1/archived-workflows"):
        shown[page] = owner.open("GET", page).read()
    for each in made:
        shown["log of " + each["metadata"]["name"]] = cli("logs", each["metadata"]["name"], "-n", MINE, code=None).stdout.encode()
    server.interrupt()
    done = server.end()
    shown |= {"stdout": done.stdout.encode(), "stderr": done.stderr.encode(), "audit log": audit.read_bytes()}
    for path in cli.data_dir.rglob("*"):
        if path.is_file() and not path.is_symlink():
            shown[str(path)] = path.read_bytes()
    for key in SECRET_KEYS:
        for form in forms(canary(key)):
            assert [place for place, text in shown.items() if form in text] == [], key
    # They were used: else nothing is proved.
    seen = "\n".join(store.seen)
    for key in ("access", "session", "header"):
        assert canary(key) in seen, key
    assert base64.b64encode(f"{canary('user')}:{canary('password')}".encode()).decode() in seen


def cli_get(owner, name):
    return owner.ask("GET", f"/apis/argoproj.io/v1alpha1/namespaces/{MINE}/workflows/{name}")[1].get("status", {}).get("phase")
