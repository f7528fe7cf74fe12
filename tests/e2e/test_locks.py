"""Mutexes and semaphores: who waits for whom, limits that change, tiphys sync, kill -9 of the server with locks held."""

import signal

import pytest

from cli_support import cli
from conftest import nodes_by_name

MUTEX = "mutexes: [{name: deploy}]"
DATABASE_MUTEX = "mutexes: [{name: deploy, database: true}]"
SEMAPHORE = "semaphores: [{configMapKeyRef: {name: limits, key: gpu}}]"
DATABASE_SEMAPHORE = "semaphores: [{database: {key: gpu}}]"


def holder(name, locks, of_the_workflow, **spec):
    """Holds its locks until it is resumed."""
    own = f"synchronization: {{{locks}}}"
    rest = "".join(f"  {key}: {value}\n" for key, value in spec.items())
    return f"""
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {{name: {name}}}
spec:
  entrypoint: main
  {own if of_the_workflow else ''}
{rest}
  templates:
    - name: main
      steps: [[{{name: gate, template: gate}}]]
    - name: gate
      {'' if of_the_workflow else own}
      suspend: {{}}
"""


def submit(cli, name, *arguments, **spec):
    cli("submit", cli.file(holder(name, *arguments, **spec), f"{name}.yaml"))


def until(cli, name, text):
    """Follows the workflow until it shows the text."""
    watch = cli.start("watch", name, "--no-color")
    watch.read_until(text)
    watch.kill()


def waits(cli, name):
    until(cli, name, "Waiting for ")
    return cli.workflow(name)


def locks_of(cli, name):
    return cli.workflow(name)["status"].get("synchronization")


def holds(cli, name):
    """It has begun: its gate is closed and nobody else's is open."""
    until(cli, name, "gate")
    return locks_of(cli, name)


def test_a_mutex_of_workflows(cli):
    cli.up()
    submit(cli, "a", MUTEX, True)
    assert holds(cli, "a") == {"mutex": {"holding": [{"mutex": "default/Mutex/deploy", "holder": "default/a"}]}}
    submit(cli, "b", MUTEX, True)
    b = waits(cli, "b")
    assert b["status"]["phase"] == "Pending" and "nodes" not in b["status"]
    assert b["status"]["message"] == "Waiting for default/Mutex/deploy lock. Lock status: 0/1"
    assert b["status"]["synchronization"] == {"mutex": {"waiting": [{"mutex": "default/Mutex/deploy", "holder": "default/a"}]}}
    cli("resume", "a")
    assert holds(cli, "b") == {"mutex": {"holding": [{"mutex": "default/Mutex/deploy", "holder": "default/b"}]}}
    cli("resume", "b")
    cli("wait", "a", "b")
    assert locks_of(cli, "a") is None and locks_of(cli, "b") is None


def test_a_mutex_of_templates(cli):
    cli.up()
    submit(cli, "a", MUTEX, False)
    held = holds(cli, "a")["mutex"]["holding"]
    submit(cli, "b", MUTEX, False)
    gate = nodes_by_name(waits(cli, "b"))["[0].gate"]
    assert (gate["phase"], gate["message"]) == ("Pending", "Waiting for default/Mutex/deploy lock. Lock status: 0/1")
    assert gate["synchronizationStatus"] == {"waiting": "default/Mutex/deploy"}
    assert locks_of(cli, "b") == {"mutex": {"waiting": held}}
    cli("delete", "a")
    until(cli, "b", "gate")
    cli("resume", "b")
    cli("wait", "b")


def test_pods_that_share_a_mutex_never_run_side_by_side(cli):
    """Each makes the same folder and takes it away: two at a time would fail."""
    alone = cli.folder / "alone"
    alone.mkdir()
    cli.run(f"""
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {{name: narrow}}
spec:
  entrypoint: main
  volumes: [{{name: v, hostPath: {{path: {alone}}}}}]
  templates:
    - name: main
      dag:
        tasks:
          - {{name: a, template: step, withSequence: {{count: "6"}}}}
          - {{name: b, template: step, withSequence: {{count: "6"}}}}
    - name: step
      synchronization: {{mutexes: [{{name: alone}}]}}
      container:
        image: busybox
        command: [sh, -c, "mkdir /alone/here && rmdir /alone/here"]
        volumeMounts: [{{name: v, mountPath: /alone}}]
""")
    nodes = cli.workflow("narrow")["status"]["nodes"].values()
    assert [node["phase"] for node in nodes if node["type"] == "Pod"] == ["Succeeded"] * 12


@pytest.mark.parametrize("of_the_workflow", [True, False])
@pytest.mark.parametrize("locks, create", [(SEMAPHORE, "configmap --cm-name limits"), (DATABASE_SEMAPHORE, "database")])
def test_a_semaphore_whose_limit_grows(cli, locks, create, of_the_workflow):
    where = create.split()
    cli("sync", "create", "gpu", "--type", *where, "--limit", "1")
    cli.up()
    submit(cli, "a", locks, of_the_workflow)
    holds(cli, "a")
    submit(cli, "b", locks, of_the_workflow)
    waits(cli, "b")
    cli("sync", "update", "gpu", "--type", *where, "--limit", "2")
    holds(cli, "b")
    # Who holds it keeps it, whatever becomes of the limit.
    cli("sync", "delete", "gpu", "--type", *where)
    for name in "ab":
        cli("resume", name)
    cli("wait", "a", "b")


def test_higher_priority_goes_first(cli):
    cli.up()
    submit(cli, "a", DATABASE_MUTEX, True)
    holds(cli, "a")
    for name, priority in [("b", 0), ("c", 5)]:
        submit(cli, name, DATABASE_MUTEX, True, priority=priority)
        message = waits(cli, name)["status"]["message"]
        assert message == "Waiting for default/Database/deploy lock (mtx/default/deploy). Lock status: 1/1"
    cli("resume", "a")
    holds(cli, "c")
    assert cli.workflow("b")["status"]["phase"] == "Pending"


def test_without_a_limit(cli):
    done = cli.run(holder("lost", SEMAPHORE, True), code=1)
    why = 'failed to initialize semaphore default/ConfigMap/limits/gpu with limit: configmaps "limits" not found'
    assert cli.workflow("lost")["status"]["message"] == "Failed to acquire the synchronization lock. " + why
    assert why in done.stdout
    cli.run(holder("lost-too", DATABASE_SEMAPHORE, False), code=1)
    gate = nodes_by_name(cli.workflow("lost-too"))["[0].gate"]
    assert gate["phase"] == "Error"
    assert "tiphys sync create gpu --type database --limit N --namespace default" in gate["message"]


@pytest.mark.parametrize("of_the_workflow", [True, False])
@pytest.mark.parametrize("locks", [MUTEX, DATABASE_SEMAPHORE])
def test_kill_the_server_while_locks_are_held(cli, locks, of_the_workflow):
    cli("sync", "create", "gpu", "--type", "database", "--limit", "1")
    server = cli.up()
    submit(cli, "a", locks, of_the_workflow)
    before = holds(cli, "a")
    for name in "bc":
        submit(cli, name, locks, of_the_workflow)
        waits(cli, name)
    for _ in range(2):
        server.popen.send_signal(signal.SIGKILL)
        server.popen.wait()
        server = cli.up()
        assert locks_of(cli, "a") == before
        for name in "bc":
            assert "Waiting for" in str(waits(cli, name)["status"])
    for ends, next_one in ["ab", "bc"]:
        cli("resume", ends)
        cli("wait", ends)
        holds(cli, next_one)
    cli("resume", "c")
    cli("wait", "c")


def test_the_sync_commands(cli):
    shown = "Key: a/b c\nType: database\nNamespace: default\nLimit: {}\n"
    database = ["a/b c", "--type", "database"]
    assert cli("sync", "create", *database, "--limit", "3").stdout == "Sync limit created\n" + shown.format(3)
    again = cli("sync", "create", *database, "--limit", "3", code=1).stderr
    assert 'failed to create sync limit: Database sync limit already exists in namespace "default".' in again
    assert cli("sync", "update", *database, "--limit", "4").stdout == "Sync limit updated\n" + shown.format(4)
    assert cli("sync", "get", *database).stdout == shown.format(4)
    assert cli("sync", "delete", *database).stdout == "Sync limit deleted\n"
    for action in [["get"], ["delete"], ["update", "--limit", "1"]]:
        missing = cli("sync", *action, *database, code=1).stderr
        assert f'failed to {action[0]} sync limit: Database sync limit not found in namespace "default".' in missing

    in_map = ["--type", "ConfigMap", "--cm-name", "limits"]
    shown = "Key: gpu\nType: configmap\nConfigMap Name: limits\nNamespace: default\nLimit: {}\n"
    assert 'configmaps "limits" not found' in cli("sync", "get", "gpu", *in_map, code=1).stderr
    assert cli("sync", "create", "gpu", *in_map, "--limit", "1").stdout == "Sync limit created\n" + shown.format(1)
    cli("sync", "create", "cpu", *in_map, "--limit", "9")
    assert "sync limit cannot be created as it already exists" in cli("sync", "create", "cpu", *in_map, "--limit", "9", code=1).stderr
    assert cli("sync", "update", "gpu", *in_map, "--limit", "2").stdout == "Sync limit updated\n" + shown.format(2)
    assert cli("sync", "get", "gpu", *in_map).stdout == shown.format(2)
    cli("sync", "delete", "gpu", *in_map)
    assert "key gpu not found in configmap default/limits" in cli("sync", "get", "gpu", *in_map, code=1).stderr
    create = cli("sync", "update", "gpu", *in_map, "--limit", "2", code=1).stderr
    assert "key gpu not found in configmap default/limits - please create it first" in create

    for arguments, why in [
        (["get", "gpu", "--type", "secret"], "--type must be either 'database' or 'configmap'"),
        (["get", "gpu", "--type", "configmap"], "--cm-name is required when type is configmap"),
        (["create", "gpu", "--type", "database"], 'required flag(s) "limit" not set'),
        (["create", "gpu", "--type", "database", "--limit", "0"], "limit must be greater than zero"),
        (["create", "k" * 127, "--type", "database", "--limit", "1"], "the key must be no longer than 126 bytes"),
    ]:
        assert why in cli("sync", *arguments, code=2).stderr
