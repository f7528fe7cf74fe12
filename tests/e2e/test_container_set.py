"""Several containers in one pod, in every runtime."""

import os

from cli_support import cli
from conftest import every_engine, every_runtime, nodes_by_name
from test_containers import containers_of, feed, wait_until_none_is_left

GRAPH = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: graph}
spec:
  entrypoint: main
  volumes: [{name: work, emptyDir: {}}]
  templates:
    - name: main
      steps:
        - - {name: set, template: set}
        - - {name: next, template: echo, arguments: {parameters: [{name: text, value: "{{steps.set.outputs.result}} {{steps.set.outputs.parameters.out}}"}]}}
    - name: set
      inputs: {artifacts: [{name: note, path: /in/note, raw: {data: "noted\\n"}}]}
      containerSet:
        volumeMounts: [{name: work, mountPath: /work}]
        containers:
          - {name: a, image: busybox, command: [sh, -c, "echo a >/work/a; echo from a"]}
          - {name: b, image: busybox, command: [sh, -c, "BEE"]}
          - {name: main, image: busybox, dependencies: [a, b], command: [sh, -c, "cat /work/a /work/b /in/note; cat /work/b >/tmp/out"]}
          - {name: last, image: busybox, dependencies: [main], command: [sh, -c, "ls /work"]}
      outputs: {parameters: [{name: out, valueFrom: {path: /tmp/out}}]}
    - name: echo
      inputs: {parameters: [{name: text}]}
      container: {image: busybox, command: [echo, "{{inputs.parameters.text}}"]}
"""


@every_runtime
def test_a_set_of_containers_runs_as_a_graph(cli):
    cli.run(GRAPH.replace("BEE", "echo b >/work/b"))
    nodes = nodes_by_name(cli.workflow())
    for name in ("a", "b", "main", "last"):
        node = nodes[f"[0].set.{name}"]
        assert (node["type"], node["phase"], node["displayName"]) == ("Container", "Succeeded", name)
        assert node["boundaryID"] == nodes["[0].set"]["id"]
    ids = {node["id"]: name for name, node in nodes.items()}
    assert [ids[child] for child in nodes["[0].set"]["children"]] == ["[0].set.a", "[0].set.b"]
    assert [ids[child] for child in nodes["[0].set.last"]["children"]] == ["[1]"]
    assert nodes["[0].set"]["outputs"]["parameters"][0]["value"] == "b"
    assert nodes["[0].set"]["outputs"]["exitCode"] == "0"
    assert cli("logs", "graph", "-c", "a").stdout.endswith(": from a\n")
    assert [line.split(": ")[1] for line in cli("logs", "graph").stdout.splitlines()] == ["a", "b", "noted", "a", "b", "noted b"]


@every_runtime
def test_the_failure_of_one_container_ends_the_set(cli):
    cli.run(GRAPH.replace("BEE", "exit 3"), code=1)
    nodes = nodes_by_name(cli.workflow())
    said = {name: (nodes[f"[0].set{name}"]["phase"], nodes[f"[0].set{name}"].get("message")) for name in ("", ".b", ".main", ".last")}
    assert said == {
        "": ("Failed", "b: Error (exit code 3)"),
        ".b": ("Failed", "b: Error (exit code 3)"),
        ".main": ("Error", 'main: Error (exit code 64): dependency "b" exited with non-zero code: 3'),
        ".last": ("Error", 'last: Error (exit code 64): dependency "main" exited with non-zero code: 3'),
    }


@every_runtime
def test_the_command_of_a_container_is_run_again(cli):
    flow = GRAPH.replace("BEE", "echo x >>/tmp/runs; echo run; test $(wc -l </tmp/runs) = 3 && echo b >/work/b")
    cli.run(flow.replace("containerSet:", 'containerSet:\n        retryStrategy: {retries: "3", duration: 10ms}'))
    assert cli("logs", "graph", "-c", "b").stdout.count(": run\n") == 3
    cli.run(flow.replace("name: graph", "name: less").replace("containerSet:", "containerSet:\n        retryStrategy: {retries: 2}"), code=1)
    assert nodes_by_name(cli.workflow("less"))["[0].set.b"]["message"] == "b: Error (exit code 1)"
    assert cli("logs", "less", "-c", "b").stdout.count(": run\n") == 2


TOGETHER = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: together}
spec:
  entrypoint: set
  templates:
    - name: set
      containerSet:
        containers:
          - {name: first, image: busybox, command: [sh, -c, "ip -4 addr show eth0 | grep -c inet"]}
          - {name: server, image: busybox, dependencies: [first], command: [sh, -c, "hostname | nc -l -p 7000"]}
          - {name: main, image: busybox, dependencies: [first], command: [sh, -c, "until nc 127.0.0.1 7000 2>/dev/null; do sleep 0.05; done"]}
          - {name: last, image: busybox, dependencies: [main], command: [sh, -c, "hostname; grep -c together /etc/hosts; ip route | grep -c default"]}
"""


def said(cli, workflow, container):
    return [line.split(": ", 1)[1] for line in cli("logs", workflow, "-c", container).stdout.splitlines()]


@every_engine
def test_containers_of_a_set_share_a_network(cli):
    cli.up()
    cli("submit", "--wait", cli.file(TOGETHER))
    # What the first had is there when it has ended.
    assert said(cli, "together", "first") == ["1"]
    assert said(cli, "together", "main") == ["together"]
    assert said(cli, "together", "last") == ["together", "1", "1"]
    wait_until_none_is_left(cli)


HELD = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: held-set}
spec:
  entrypoint: set
  volumes: [{name: v, hostPath: {path: FOLDER}}]
  templates:
    - name: set
      containerSet:
        volumeMounts: [{name: v, mountPath: /v}]
        containers:
          - {name: server, image: busybox, command: [sh, -c, "echo ready; cat /v/fifo | nc -l -p 7000"]}
          - {name: before, image: busybox, command: [sh, -c, "cat /v/other"]}
          - {name: main, image: busybox, dependencies: [before], command: [sh, -c, "until nc 127.0.0.1 7000 2>/dev/null; do sleep 0.05; done"]}
"""


@every_engine
def test_a_run_leaves_no_network(cli):
    cli.run(TOGETHER)
    assert containers_of(cli) == []


@every_engine
def test_the_network_of_a_set_outlives_the_server(cli):
    for fifo in "fifo", "other":
        os.mkfifo(cli.folder / fifo)
    up = cli.up()
    cli("submit", cli.file(HELD.replace("FOLDER", str(cli.folder))))
    cli.start("logs", "held-set", "-c", "server", "--follow").read_until("ready")
    before = set(containers_of(cli))
    assert len(before) == 3, "two that run, and one that keeps their network"
    up.kill()
    up = cli.up()
    feed(cli.folder / "other", "go on\n")
    feed(cli.folder / "fifo", "by the network that was there\n")
    cli("wait", "held-set")
    assert said(cli, "held-set", "main") == ["by the network that was there"]
    wait_until_none_is_left(cli)
