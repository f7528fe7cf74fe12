"""tiphys up, and the commands as its clients."""

import http.client
import json
import os
import re
import signal
import stat
import subprocess

from cli_support import HELLO, cli
from conftest import every_runtime

SUSPENDED = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: gate}
spec:
  entrypoint: main
  templates:
    - name: main
      steps:
        - - {name: before, template: say}
        - - {name: approve, template: wait}
        - - {name: after, template: say}
    - name: say
      container: {image: busybox, command: [echo, hi]}
    - name: wait
      suspend: {}
"""

SLEEPING = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: sleeping}
spec:
  entrypoint: main
  templates:
    - name: main
      container: {image: busybox, command: [sleep, "300"]}
"""

TWO_STEPS = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: relay}
spec:
  entrypoint: main
  volumes: [{name: v, hostPath: {path: FOLDER}}]
  templates:
    - name: main
      steps:
        - - {name: hold, template: hold}
        - - {name: then, template: then}
    - name: hold
      container: {image: busybox, command: [cat, FOLDER/go], volumeMounts: [{name: v, mountPath: FOLDER}]}
    - name: then
      container: {image: busybox, command: [echo, then]}
"""


def ask(server, path, **headers):
    connection = http.client.HTTPConnection(server["address"], timeout=60)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, body


def test_http_needs_the_token_and_the_host(cli):
    server = cli.up().server
    assert stat.S_IMODE((cli.data_dir / "server.json").stat().st_mode) == 0o600
    assert stat.S_IMODE((cli.data_dir / "api.sock").stat().st_mode) == 0o600
    workflows = "/apis/argoproj.io/v1alpha1/namespaces/default/workflows"
    token = {"Authorization": "Bearer " + server["token"]}
    assert ask(server, workflows)[0] == 401
    assert ask(server, workflows, Authorization="Bearer wrong")[0] == 401
    assert ask(server, workflows, Host="evil.example", **token)[0] == 403
    code, body = ask(server, workflows, **token)
    assert code == 200 and json.loads(body)["kind"] == "WorkflowList"
    assert ask(server, "/healthz")[0] == 200


def test_clients_by_socket_and_by_address(cli):
    up = cli.up()
    cli("submit", cli.file(HELLO), "--name", "a", "--wait")
    assert "a" in cli("list").stdout
    elsewhere = {"TIPHYS_DATA_DIR": str(cli.folder / "other"), "ARGO_SERVER": up.server["address"], "ARGO_SECURE": "false"}
    assert "401" in cli("list", code=1, env=elsewhere).stderr or "Bearer" in cli("list", code=1, env=elsewhere).stderr
    elsewhere["ARGO_TOKEN"] = "Bearer " + up.server["token"]
    assert cli("list", "-o", "name", env=elsewhere).stdout == "a\n"
    assert cli("logs", "a", env=elsewhere).stdout == "a: hello world\n"
    assert cli("list", "-s", up.server["address"], "-o", "name").stdout == "a\n", "the token comes from server.json"


def test_a_second_up_is_refused(cli):
    cli.up()
    done = cli("up", "--port", "0", code=1)
    assert "tiphys up" in done.stderr and str(cli.data_dir) in done.stderr


def test_up_ends_cleanly(cli):
    up = cli.up()
    up.popen.send_signal(signal.SIGTERM)
    assert up.end().returncode == 0
    assert not (cli.data_dir / "api.sock").exists() and not (cli.data_dir / "server.json").exists()


def test_without_a_port_this_users_commands_reach_it(cli):
    up = cli.start("up", "--no-port", *cli.tiphys.runtime)
    assert "is up" in up.read_until("is up")
    assert not (cli.data_dir / "server.json").exists() and not (cli.data_dir / "kubeconfig").exists()
    cli("submit", cli.file(HELLO), "--name", "a", "--wait")
    assert cli("logs", "a").stdout == "a: hello world\n"
    assert "exclude each other" in cli("up", "--no-port", "--port", "0", code=2).stderr


def test_it_ends_with_its_input_where_it_is_told_to(cli):
    up = cli.tiphys.start("up", "--no-port", "--until-eof", stdin=subprocess.PIPE)
    assert "is up" in up.stdout.readline()
    up.stdin.write("what is said does not matter\n")
    up.stdin.close()
    assert up.wait(60) == 0 and not (cli.data_dir / "api.sock").exists()
    up.stdout.close()
    up.stderr.close()
    assert cli("up", "--no-port", "--until-eof").stdout.endswith("adopts them.\n"), "/dev/null has ended already"


def test_it_says_that_steps_of_the_process_runtime_share_the_network(cli):
    for way in ["--port", "0"], ["--no-port"]:
        for runtime, told in ("process", True), ("container", False):
            up = cli.start("up", *way, "--runtime", runtime)
            up.read_until("is up")
            up.interrupt()
            up.read_until("is down")
            assert ("commands of this machine, with its network" in "".join(up.seen)) is told
            assert up.end().returncode == 0


def test_run_leaves_what_it_has_created(cli):
    assert "start `tiphys up`" in cli("run", "--detach", cli.file(HELLO), code=1).stderr
    cli.up()
    name = cli("run", "-d", "-o", "name", cli.file(HELLO)).stdout.strip()
    cli("wait", name)
    assert cli("logs", name).stdout == f"{name}: hello world\n"


def test_submit_prints_what_was_created(cli):
    cli.up()
    path = cli.file(HELLO)
    assert re.search(r"^Name: +one$", cli("submit", path, "--name", "one").stdout, re.MULTILINE)
    assert cli("submit", path, "--name", "two", "-o", "name").stdout == "two\n"
    assert "three: hello world\n" in cli("submit", path, "--name", "three", "--log", "-o", "name").stdout
    assert "✔ four" in cli("submit", path, "--name", "four", "--watch").stdout
    assert "already exists" in cli("submit", path, "--name", "four", code=1).stderr
    cli("wait", "one", "two", "three")


def test_suspend_nodes_are_resumed_and_stopped(cli):
    cli.up()
    path = cli.file(SUSPENDED)
    for name, command, phase in [
        ("plain", ["resume", "plain"], "Succeeded"),
        ("chosen", ["resume", "chosen", "--node-field-selector", "displayName=approve"], "Succeeded"),
        ("refused", ["stop", "refused", "--node-field-selector", "displayName=approve", "--message", "no"], "Failed"),
        ("set", ["node", "set", "set", "--node-field-selector", "displayName=approve", "--phase", "Succeeded"], "Succeeded"),
    ]:
        watch = cli.start("submit", path, "--name", name, "--watch")
        watch.read_until("approve  Running")
        assert re.search(r"^Status: +Running \(Suspended\)$", cli("get", name).stdout, re.MULTILINE)
        cli(*command)
        assert watch.end().returncode == (0 if phase == "Succeeded" else 1)
        assert cli.workflow(name)["status"]["phase"] == phase


def test_suspend_and_resume_a_workflow(cli):
    cli.up()
    cli("submit", cli.file(SLEEPING))
    assert cli("suspend", "sleeping").stdout == "workflow sleeping suspended\n"
    assert cli.workflow("sleeping")["spec"]["suspend"] is True
    assert cli("resume", "sleeping").stdout == "workflow sleeping resumed\n"
    assert "suspend" not in cli.workflow("sleeping")["spec"]
    cli("terminate", "sleeping")
    cli("wait", "sleeping", code=1)
    assert "cannot suspend completed workflows" in cli("suspend", "sleeping", code=1).stderr
    assert "requires either" in cli("resume", code=2).stderr


@every_runtime
def test_stop_and_terminate(cli):
    cli.up()
    path = cli.file(SLEEPING)
    for name, command in [("s", "stop"), ("t", "terminate")]:
        watch = cli.start("submit", path, "--name", name, "--watch")
        watch.read_until(f"{name}  Running")
        assert "(dry-run)" in cli(command, name, "--dry-run").stdout
        cli(command, name)
        assert watch.end().returncode == 1
        assert re.search(r"^Status: +Failed \(Terminated\)$", cli("get", name).stdout, re.MULTILINE)
        assert "cannot shutdown a completed workflow" in cli(command, name, code=1).stderr
    assert "not found" in cli("stop", "nothing", code=1).stderr


@every_runtime
def test_logs_are_followed(cli):
    cli.up()
    cli("submit", cli.file(SUSPENDED))
    follow = cli.start("logs", "gate", "--follow")
    follow.read_until(": hi")
    cli("terminate", "gate")
    assert follow.end().returncode == 0


@every_runtime
def test_delete_while_it_runs(cli):
    cli.up()
    watch = cli.start("submit", cli.file(SLEEPING), "--watch")
    watch.read_until("sleeping  Running")
    cli("delete", "sleeping")
    done = watch.end()
    assert done.returncode == 1 and "deleted" in done.stderr
    assert cli("list").stdout == "No workflows found\n"


def test_run_is_a_client_while_another_process_has_the_plane(cli):
    cli.up()
    done = cli.run(HELLO, "--name", "guest")
    assert "guest  Succeeded" in done.stdout


@every_runtime
def test_run_takes_over_when_the_plane_is_killed(cli):
    up = cli.up()
    os.mkfifo(cli.folder / "go")
    follower = cli.start("run", cli.file(TWO_STEPS.replace("FOLDER", str(cli.folder))), *cli.tiphys.runtime)
    follower.read_until("hold  Running")
    up.kill()
    follower.read_until("this one goes on in its place")
    with open(cli.folder / "go", "w") as fifo:
        fifo.write("gone")
    done = follower.end()
    assert done.returncode == 0, done.stderr
    lines = cli("logs", "relay").stdout
    assert lines.count(": gone") == 1 and lines.count(": then") == 1, "each step ran once"


def test_two_runs_share_one_plane_and_the_second_inherits_it(cli):
    os.mkfifo(cli.folder / "go")
    first = cli.start("run", cli.file(HELLO.replace("[echo,", "[sh, -c, 'echo \"$0\"; sleep 1',"), "first.yaml"), "--runtime", "process", "--name", "first")
    first.read_until("first  Running")
    second = cli.start("run", cli.file(TWO_STEPS.replace("FOLDER", str(cli.folder)), "second.yaml"), "--runtime", "process")
    second.read_until("hold  Running")
    assert first.end().returncode == 0
    second.read_until("this one goes on in its place")
    with open(cli.folder / "go", "w") as fifo:
        fifo.write("x")
    assert second.end().returncode == 0
