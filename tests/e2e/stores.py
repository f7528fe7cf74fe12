"""Stores of artifacts for tests: an S3 server (moto, of PyPI: tools/packages-python.txt) and an HTTP server that keeps what is put there."""

import base64
import contextlib
import http.server
import json
import pathlib
import ssl
import subprocess
import sys
import threading

import pytest

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / ".deps/python"))
import boto3
import botocore.config
from moto.server import ThreadedMotoServer

SECRET = {
    "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys"},
    "stringData": {"access": "one", "secret": "two", "user": "me", "password": "pass word"},
}


def secret(key):
    return {"name": "keys", "key": key}


class S3:
    """`place` gives the fields of an artifact; the rest looks into the buckets."""

    def __init__(self, endpoint):
        self.endpoint = endpoint
        self.client = boto3.client("s3", endpoint_url="http://" + endpoint, aws_access_key_id="one", aws_secret_access_key="two",
                                   region_name="us-east-1", config=botocore.config.Config(s3={"addressing_style": "path"}))

    def store(self, bucket="data"):
        return {"endpoint": self.endpoint, "bucket": bucket, "insecure": True, "accessKeySecret": secret("access"), "secretKeySecret": secret("secret")}

    def place(self, key, **more):
        return {**self.store(), "key": key, **more}

    def put(self, key, body, bucket="data"):
        self.client.put_object(Bucket=bucket, Key=key, Body=body)

    def get(self, key, bucket="data"):
        return self.client.get_object(Bucket=bucket, Key=key)["Body"].read()

    def keys(self, bucket="data"):
        return [found["Key"] for found in self.client.list_objects_v2(Bucket=bucket).get("Contents", [])]


@pytest.fixture
def s3():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    store = S3(f"{host}:{port}")
    store.client.create_bucket(Bucket="data")
    yield store
    store.client._endpoint.http_session.close()
    import urllib.request
    urllib.request.urlopen(urllib.request.Request(f"http://{host}:{port}/moto-api/reset", method="POST")).close()
    server.stop()


class Kept(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def handle_any(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.seen.append((self.command, self.path, dict(self.headers), body))
        refused = self.server.judge(self)
        if refused:
            return self.answer(*refused)
        if self.path.startswith("/moved/"):
            return self.answer(307, Location=self.path[6:])
        if self.path == "/token":
            return self.answer(200, json.dumps({"access_token": "abc", "token_type": "bearer"}).encode())
        if self.path.startswith("/broken/"):
            return self.answer(500)
        if self.command == "PUT":
            self.server.files[self.path] = body
            return self.answer(201)
        found = self.server.files.get(self.path)
        self.answer(404 if found is None else 200, found or b"")

    do_GET = do_PUT = do_POST = handle_any

    def log_message(self, *_):
        pass


class HttpStore(http.server.ThreadingHTTPServer):
    """`files` by path; `seen` requests; `judge` gives an answer to a request that is refused."""

    daemon_threads = True

    def __init__(self, context=None):
        super().__init__(("127.0.0.1", 0), Kept)
        self.files, self.seen, self.judge = {}, [], lambda request: None
        if context:
            self.socket = context.wrap_socket(self.socket, server_side=True)
        self.url = f"http{'s' if context else ''}://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()


@contextlib.contextmanager
def http_store(context=None):
    with HttpStore(context) as running:
        yield running
        running.shutdown()


class Elsewhere(http.server.BaseHTTPRequestHandler):
    """A proxy that plays the servers on the internet itself: `host` is the one that is asked, "" when it is this one."""

    protocol_version = "HTTP/1.1"
    host = ""

    def do_CONNECT(self):
        self.host = self.path.split(":")[0]
        self.send_response(200)
        self.end_headers()
        self.connection = self.server.context.wrap_socket(self.connection, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def answer_json(self, value, status=200, **headers):
        self.answer(status, json.dumps(value).encode(), Content_Type="application/json", **headers)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def elsewhere(handler, folder, *hosts, **attributes):
    """A server of 127.0.0.1 with the attributes; `url`, and `env` for a program that is to find `hosts` there, by https."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        running.daemon_threads = True
        vars(running).update(attributes)
        running.url = f"http://127.0.0.1:{running.server_address[1]}"
        running.env = {}
        if hosts:
            cert, key = certificate(folder, "elsewhere", [f"DNS:{host}" for host in hosts])
            running.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            running.context.load_cert_chain(cert, key)
            running.env = {"HTTPS_PROXY": running.url, "SSL_CERT_FILE": str(cert)}
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield running
        running.shutdown()


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def certificate(folder, name="server", names=("IP:127.0.0.1",)):
    """A certificate for these names that is its own authority: the paths of it and of its key."""
    cert, key = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=127.0.0.1", "-addext",
                    "subjectAltName=" + ",".join(names), "-keyout", key, "-out", cert], check=True, capture_output=True)
    return cert, key


def workflow(name, templates, entrypoint="main", **spec):
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"name": name},
            "spec": {"entrypoint": entrypoint, "templates": templates, **spec}}


def shell(name, script, inputs=(), outputs=(), **more):
    """A template whose container runs the script."""
    return {"name": name, "container": {"image": "busybox", "command": ["sh", "-ec", script]},
            "inputs": {"artifacts": list(inputs)}, "outputs": {"artifacts": list(outputs)}, **more}


def steps(*names, name="main"):
    return {"name": name, "steps": [[{"name": each, "template": each}] for each in names]}
