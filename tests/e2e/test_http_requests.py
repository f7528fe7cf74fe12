"""http templates against a server of this host: what is sent, what becomes of the answer, TLS, proxies, ends."""

import http.server
import json
import signal
import ssl
import subprocess
import threading

import pytest

from cli_support import cli
from conftest import nodes_by_name


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.seen.append((self.command, self.path, dict(self.headers), body))
        if self.path == "/hang":
            self.server.hanging.release()
            self.rfile.read(1)  # until the client goes
            self.server.left.release()
            self.close_connection = True
            return
        status = int(self.path[8:]) if self.path.startswith("/status/") else 307 if self.path == "/moved" else 200
        text = json.dumps({"method": self.command, "body": body.decode(errors="replace"), "path": self.path}).encode()
        self.send_response(status)
        if status == 307:
            self.send_header("Location", "/there")
        self.send_header("X-Served", "yes")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PUT = answer

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, certificate=None):
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen, self.hanging, self.left = [], threading.Semaphore(0), threading.Semaphore(0)
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.socket = context.wrap_socket(self.socket, server_side=True)
        self.url = f"http{'s' if certificate else ''}://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()


@pytest.fixture
def server():
    with Server() as running:
        yield running
        running.shutdown()


def one(http_fields, name="one", more=""):
    return f"""
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {{name: {name}}}
spec:
  entrypoint: main
  templates:
    - name: main
      {more}
      http: {http_fields}
"""


def test_http_requests(cli, server):
    cli.run(f"""
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {{name: requests}}
spec:
  entrypoint: main
  templates:
    - name: main
      steps:
        - - {{name: secret, template: secret}}
        - - {{name: post, template: post}}
          - {{name: moved, template: moved}}
          - {{name: judged, template: judged}}
          - {{name: refused, template: refused, continueOn: {{failed: true}}}}
        - - {{name: show, template: show, arguments: {{parameters: [{{name: text, value: "{{{{steps.post.outputs.result}}}}"}}]}}}}
    - name: secret
      resource:
        action: create
        manifest: |
          apiVersion: v1
          kind: Secret
          metadata: {{name: keys}}
          stringData: {{token: opensesame}}
    - name: post
      http:
        url: "{server.url}/echo"
        method: POST
        body: "from {{{{workflow.name}}}}"
        headers:
          - {{name: Content-Type, value: text/plain}}
          - {{name: Authorization, valueFrom: {{secretKeyRef: {{name: keys, key: token}}}}}}
    - name: moved
      http: {{url: "{server.url}/moved", method: PUT, bodyFrom: {{bytes: AAEC}}}}
    - name: judged
      http: {{url: "{server.url}/status/404", successCondition: 'response.statusCode == 404 && response.headers["X-Served"][0] == "yes"'}}
    - name: refused
      retryStrategy: {{limit: 1}}
      http: {{url: "{server.url}/status/503"}}
    - name: show
      inputs: {{parameters: [{{name: text}}]}}
      container: {{image: busybox, command: [echo, "{{{{inputs.parameters.text}}}}"]}}
""")
    nodes = nodes_by_name(cli.workflow())
    post = nodes["[1].post"]
    assert (post["type"], post["phase"], post.get("message")) == ("HTTP", "Succeeded", None)
    assert json.loads(post["outputs"]["result"]) == {"method": "POST", "body": "from requests", "path": "/echo"}
    assert set(post["outputs"]) == {"result"}
    assert json.loads(nodes["[1].moved"]["outputs"]["result"])["path"] == "/there"
    assert nodes["[1].judged"]["phase"] == "Succeeded"
    refused = nodes["[1].refused(1)"]
    assert (refused["type"], refused["phase"], refused["message"]) == ("HTTP", "Failed", "received non-2xx response code: 503")
    assert (nodes["[1].refused"]["type"], nodes["[1].refused"]["message"]) == ("Retry", "No more retries left")
    assert json.loads(cli("logs", "requests").stdout.split(": ", 1)[1])["body"] == "from requests"
    sent = {path: (method, headers, body) for method, path, headers, body in server.seen}
    assert sent["/echo"][1]["Authorization"] == "opensesame"
    assert sent["/echo"][1]["Content-Type"] == "text/plain"
    assert (sent["/there"][0], sent["/there"][2]) == ("PUT", b"\x00\x01\x02")


def test_a_request_that_cannot_be_made_fails_its_node(cli, free_port):
    cli.run(one(f'{{url: "http://127.0.0.1:{free_port}/"}}'), code=1)
    assert nodes_by_name(cli.workflow())[""]["message"] == f'Get "http://127.0.0.1:{free_port}/": dial tcp 127.0.0.1:{free_port}: connect: connection refused'


def test_a_request_that_takes_too_long_fails_its_node(cli, server):
    cli.run(one(f'{{url: "{server.url}/hang", timeoutSeconds: 1}}'), code=1)
    assert nodes_by_name(cli.workflow())[""]["message"] == f'Get "{server.url}/hang": context deadline exceeded'


def test_stopping_cancels_the_request(cli, server):
    up = cli.up()
    cli("submit", cli.file(one(f'{{url: "{server.url}/hang"}}')))
    server.hanging.acquire()
    cli("stop", "one")
    cli("wait", "one", code=1)
    server.left.acquire()
    node = nodes_by_name(cli.workflow("one"))[""]
    assert (node["phase"], node["message"]) == ("Failed", "Stopped with strategy 'Stop'")
    assert up.popen.poll() is None


def test_a_crash_asks_again(cli, server):
    up = cli.up()
    cli("submit", cli.file(one(f'{{url: "{server.url}/hang"}}')))
    server.hanging.acquire()
    up.popen.send_signal(signal.SIGKILL)
    up.popen.wait()
    server.left.acquire()
    cli.up()
    server.hanging.acquire()
    assert [path for _, path, _, _ in server.seen] == ["/hang", "/hang"]
    cli("terminate", "one")
    cli("wait", "one", code=1)


def test_certificates(cli, tmp_path):
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-keyout", key, "-out", certificate,
                    "-subj", "/CN=here", "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    with Server((certificate, key)) as server:
        cli.run(one(f'{{url: "{server.url}/"}}', "strict"), code=1)
        message = nodes_by_name(cli.workflow("strict"))[""]["message"]
        assert message.startswith(f'Get "{server.url}/": tls: failed to verify certificate: ')
        cli.run(one(f'{{url: "{server.url}/", insecureSkipVerify: true}}', "lax"))
        cli.run(one(f'{{url: "{server.url}/"}}', "trusting"), env={"SSL_CERT_FILE": str(certificate)})
        server.shutdown()


def test_proxies_of_the_environment(cli, server):
    cli.run(one('{url: "http://far.invalid/x"}'), env={"http_proxy": server.url})
    assert json.loads(nodes_by_name(cli.workflow())[""]["outputs"]["result"])["path"] == "http://far.invalid/x"
    cli.run(one('{url: "http://far.invalid/x"}', "direct"), env={"HTTP_PROXY": server.url, "NO_PROXY": "far.invalid"}, code=1)
    assert "no such host" in nodes_by_name(cli.workflow("direct"))[""]["message"]
