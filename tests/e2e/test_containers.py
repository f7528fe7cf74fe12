"""What only a container engine can show: steps that outlive the server in it, what is left on it, and grace periods."""

import http.client
import json
import os
import socket
import time
import urllib.parse

import pytest

from cli_support import cli
from conftest import ENGINES, every_engine, nodes_by_name

HELD = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: held}
spec:
  entrypoint: main
  volumes: [{name: v, hostPath: {path: FOLDER}}]
  templates:
    - name: main
      steps:
        - - {name: first, template: hold, arguments: {parameters: [{name: fifo, value: first}]}}
          - {name: second, template: hold, arguments: {parameters: [{name: fifo, value: second}]}}
    - name: hold
      inputs: {parameters: [{name: fifo}]}
      script:
        image: alpine:3.7
        command: [sh]
        source: |
          mkdir /v/ran-{{inputs.parameters.fifo}} && echo ready
          cat /v/{{inputs.parameters.fifo}} | tee /tmp/out
        volumeMounts: [{name: v, mountPath: /v}]
      outputs: {parameters: [{name: out, valueFrom: {path: /tmp/out}}]}
"""

PASSED_ON = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: passed-on}
spec:
  entrypoint: main
  templates:
    - name: main
      steps:
        - - {name: make, template: make}
        - - name: use
            template: use
            arguments: {artifacts: [{name: tree, from: "{{steps.make.outputs.artifacts.tree}}"}]}
    - name: make
      container: {image: alpine:3.7, command: [sh, -c, "mkdir -p /out/deep; echo leaf >/out/deep/file; chmod 751 /out/deep/file"]}
      outputs: {artifacts: [{name: tree, path: /out}]}
    - name: use
      inputs: {artifacts: [{name: tree, path: /in/tree}]}
      container: {image: python:alpine3.6, command: [python, -c, "import os; print(open('/in/tree/deep/file').read(), oct(os.stat('/in/tree/deep/file').st_mode))"]}
"""

DEAF = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: WHO}
spec:
  entrypoint: main
  templates:
    - name: main
      container: {image: busybox, command: [sh, -c, "trap 'TRAP' TERM; echo ready; while :; do sleep 0.1; done"]}
"""


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=30)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def containers_of(cli):
    """The names of the containers that this data directory has on the engine."""
    connection = UnixConnection(os.environ[ENGINES[cli.tiphys.where]])
    filters = json.dumps({"label": [f"tiphys.io/plane={cli.data_dir}/engine"]})
    connection.request("GET", "/containers/json?all=1&filters=" + urllib.parse.quote(filters))
    names = [container["Names"][0] for container in json.loads(connection.getresponse().read())]
    connection.close()
    return names


def wait_until_none_is_left(cli):
    """Looks again whenever the engine tells of a change of a container."""
    connection = UnixConnection(os.environ[ENGINES[cli.tiphys.where]])
    filters = json.dumps({"type": ["container"]})
    connection.request("GET", "/events?filters=" + urllib.parse.quote(filters))
    events = connection.getresponse()
    while containers_of(cli):
        assert events.readline(), "the engine has ended its events"
    connection.close()


def feed(path, text):
    with open(path, "w") as fifo:
        fifo.write(text)


@every_engine
def test_steps_outlive_the_server_and_are_adopted(cli):
    for fifo in "first", "second":
        os.mkfifo(cli.folder / fifo)
    up = cli.up()
    cli("submit", cli.file(HELD.replace("FOLDER", str(cli.folder))))
    follow = cli.start("logs", "held", "--follow")
    follow.read_until("ready")
    follow.read_until("ready")
    assert len(containers_of(cli)) == 2
    up.kill()
    feed(cli.folder / "first", "ended while nobody looked\n")
    up = cli.up()
    feed(cli.folder / "second", "ended under the new server\n")
    cli("wait", "held")

    nodes = nodes_by_name(cli.workflow())
    assert nodes["[0].first"]["outputs"]["parameters"][0]["value"] == "ended while nobody looked"
    assert nodes["[0].second"]["outputs"]["parameters"][0]["value"] == "ended under the new server"
    logs = sorted(line.split(": ", 1)[1] for line in cli("logs", "held").stdout.splitlines())
    assert logs == ["ended under the new server", "ended while nobody looked", "ready", "ready"]
    wait_until_none_is_left(cli)


@every_engine
def test_artifacts_pass_between_images(cli):
    cli.run(PASSED_ON)
    lines = cli("logs", "passed-on").stdout.splitlines()
    assert [line.split(": ", 1)[1] for line in lines] == ["leaf", " 0o100751"]


@every_engine
def test_a_step_may_say_good_bye(cli):
    cli.up()
    for name, command in ("asked", "stop"), ("told", "terminate"):
        cli("submit", cli.file(DEAF.replace("WHO", name).replace("TRAP", "echo bye; exit 7")))
        follow = cli.start("logs", name, "--follow")
        follow.read_until("ready")
        cli(command, name)
        follow.read_until("bye")
        assert follow.end().returncode == 0
        cli("wait", name, code=1)
        assert nodes_by_name(cli.workflow(name))[""]["phase"] == "Failed"
    wait_until_none_is_left(cli)


@every_engine
def test_a_step_that_hears_nothing_is_killed_after_its_grace_period(cli):
    server = cli.up().server
    cli("submit", cli.file(DEAF.replace("WHO", "deaf").replace("TRAP", "")))
    follow = cli.start("logs", "deaf", "--follow")
    follow.read_until("ready")
    connection = http.client.HTTPConnection(server["address"])
    start = time.monotonic()
    connection.request("DELETE", "/api/v1/namespaces/default/pods/deaf?gracePeriodSeconds=2", headers={"Authorization": "Bearer " + server["token"]})
    assert connection.getresponse().status == 200
    connection.close()
    cli("wait", "deaf", code=1)
    assert 2 <= time.monotonic() - start < 15
    wait_until_none_is_left(cli)


@pytest.mark.skipif(any(os.path.exists(path) for path in ("/var/run/docker.sock", "/run/podman/podman.sock")), reason="an engine of this machine answers")
def test_without_an_engine_podmans_own_words_are_told(cli):
    bin = cli.folder / "bin"
    bin.mkdir()
    (bin / "podman").write_text("#!/bin/sh\necho 'warning: first' >&2; echo 'Error: no luck today' >&2\nexit 125\n")
    (bin / "podman").chmod(0o755)
    done = cli("run", cli.file(DEAF.replace("WHO", "alone")), code=1, env={"PATH": f"{bin}:{cli.env['PATH']}"})
    for way in "podman", "dockerd", "--runtime process", "DOCKER_HOST", "Error: no luck today":
        assert way in done.stdout
    assert done.stderr == "", "the node's message says it all"
