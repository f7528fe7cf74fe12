"""plugin templates: sidecars of the workflow's agent pod that are asked over HTTP."""

import json
import signal
import socket
import textwrap
import time

import pytest

from cli_support import PATIENCE, cli
from conftest import free_port, nodes_by_name

# Answers for the member of `plugin` that is named like it; counts what it is asked in a file.
PLUGIN = """
import http.server, json, os, sys

token = open("/var/run/argo/token").read()
asked = 0

class Plugin(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        global asked
        question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        wanted = question["template"]["plugin"].get(NAME)
        answer, status = {}, 200
        if self.path != "/api/v1/template.execute":
            status = 404
        elif self.headers["Authorization"] != "Bearer " + token or len(token) != 32:
            status = 403
        elif wanted is not None:
            asked += 1
            status = wanted.get("status", 200)
            answer = {"node": {"phase": "Succeeded", "message": "asked %d of %s" % (asked, question["workflow"]["metadata"]["name"]),
                               "outputs": {"parameters": [{"name": "said", "value": question["template"]["inputs"]["parameters"][0]["value"]}]}}}
            if asked < wanted.get("rounds", 0):
                answer = {"node": {"phase": "Running", "message": "round %d" % asked}, "requeue": "10ms"}
            if wanted.get("die"):
                os._exit(3)
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

http.server.HTTPServer(("", PORT), Plugin).serve_forever()
"""


def container(name, port):
    source = f"NAME, PORT = {name!r}, {port}\n" + PLUGIN
    return f"""\
name: {name}-plugin
image: python:alpine3.6
command: [python3, -c]
args: [{json.dumps(source)}]
ports: [{{containerPort: {port}}}]
resources: {{requests: {{cpu: 1m}}, limits: {{cpu: 200m}}}}
securityContext: {{runAsNonRoot: false}}
"""


def executor_plugins(*plugins):
    listed = "".join(f"- metadata: {{name: {name}}}\n  spec:\n    sidecar:\n      container:\n{textwrap.indent(container(name, port), ' ' * 8)}" for name, port in plugins)
    return "executorPlugins:\n" + textwrap.indent(listed, "  ")


def manifest(spec, asked):
    """A step for each of `asked`, one after the other, and one that tells what the first one gave."""
    steps = "".join(f"        - - {{name: ask{i}, template: ask{i}}}\n" for i in range(len(asked)))
    templates = "".join(f"""\
    - name: ask{i}
      inputs: {{parameters: [{{name: word, value: hello{i}}}]}}
      outputs: {{parameters: [{{name: said, valueFrom: {{supplied: {{}}}}}}]}}
      plugin: {json.dumps(each)}
""" for i, each in enumerate(asked))
    return f"""\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {{name: wf}}
spec:
  entrypoint: main
{textwrap.indent(spec, '  ')}
  templates:
    - name: main
      steps:
{steps}        - - name: tell
            template: tell
            arguments: {{parameters: [{{name: said, value: "{{{{steps.ask0.outputs.parameters.said}}}}"}}]}}
{templates}    - name: tell
      inputs: {{parameters: [{{name: said}}]}}
      container: {{image: busybox, command: [sh, -c, "echo {{{{inputs.parameters.said}}}}"]}}
"""


@pytest.fixture
def ports():
    with socket.socket() as one, socket.socket() as other:
        for each in (one, other):
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in (one, other)]


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("tiphys", ["process", "podman", "dockerd"], indirect=True)
def test_a_plugin_executes_its_templates(cli, ports):
    cli.tiphys.join_engine()
    spec = executor_plugins(("other", ports[0]), ("greet", ports[1]))
    done = cli.run(manifest(spec, [{"greet": {"rounds": 3}}, {"other": {}}]))
    workflow = cli.workflow()
    nodes = nodes_by_name(workflow)
    asked = nodes["[0].ask0"]
    assert (asked["type"], asked["phase"], asked["message"]) == ("Plugin", "Succeeded", "asked 3 of wf")
    assert asked["outputs"]["parameters"] == [{"name": "said", "value": "hello0"}]
    assert nodes["[1].ask1"]["message"] == "asked 1 of wf"
    assert workflow["status"]["progress"] == "3/3"
    assert cli("logs", "wf").stdout.rstrip().endswith("hello0")
    assert not any(listens(port) for port in ports), "the agent pod ends with the workflow"
    assert "ask0" in done.stdout


def test_plugins_of_config_maps(cli, ports):
    config_map = {"apiVersion": "v1", "kind": "ConfigMap",
                  "metadata": {"name": "greet-executor-plugin", "labels": {"workflows.argoproj.io/configmap-type": "ExecutorPlugin"}},
                  "data": {"sidecar.automountServiceAccountToken": "false", "sidecar.container": container("greet", ports[0])}}
    cli.run(json.dumps(config_map) + "\n---\n" + manifest("", [{"greet": {}}]))
    assert nodes_by_name(cli.workflow())["[0].ask0"]["phase"] == "Succeeded"


@pytest.mark.parametrize("asked, phase, message", [
    ({"nobody": {}}, "Failed", "no plugin executed the template"),
    ({"greet": {"status": 500}}, "Failed", "500: "),
    ({"greet": {"die": True}}, "Failed", 'Post "http://127.0.0.1:'),
])
def test_what_plugins_do_not_do(cli, free_port, asked, phase, message):
    cli.run(manifest(executor_plugins(("greet", free_port)), [asked]), code=1)
    node = nodes_by_name(cli.workflow())["[0].ask0"]
    assert node["phase"] == phase and node["message"].startswith(message), node


def test_a_plugin_that_dies_is_started_again(cli, free_port):
    asked = [{"greet": {}}, {"greet": {"die": True}}, {"greet": {}}]
    steps = manifest(executor_plugins(("greet", free_port)), asked)
    cli.run(steps.replace("template: ask1}", "template: ask1, continueOn: {failed: true}}"))
    nodes = nodes_by_name(cli.workflow())
    assert [nodes[f"[{i}].ask{i}"]["phase"] for i in range(3)] == ["Succeeded", "Failed", "Succeeded"]
    # Another process counts.
    assert nodes["[2].ask2"]["message"] == "asked 1 of wf"


def test_without_any_plugin(cli):
    cli.run(manifest("", [{"greet": {}}]), code=1)
    assert nodes_by_name(cli.workflow())["[0].ask0"]["message"] == "no plugin executed the template"


def test_plugins_survive_a_crash_of_the_plane(cli, free_port):
    spec = executor_plugins(("greet", free_port))
    path = cli.file(manifest(spec, [{"greet": {"rounds": 20}}]))
    run = cli.start("run", path, *cli.tiphys.runtime)
    run.read_until("round ")
    run.popen.send_signal(signal.SIGKILL)
    run.popen.wait()
    cli.up()
    cli("wait", "wf")
    node = nodes_by_name(cli.workflow())["[0].ask0"]
    # The same process went on counting.
    assert node["phase"] == "Succeeded" and node["message"] == "asked 20 of wf", node
    # Its pod ends once the workflow has.
    deadline = time.monotonic() + PATIENCE
    while listens(free_port):
        assert time.monotonic() < deadline
