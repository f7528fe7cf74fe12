"""The archive: finished workflows whose objects are deleted, and the commands that work on it."""

import json
import re

from cli_support import cli

CONFIG = "persistence: {archive: true, archiveLabelSelector: {matchExpressions: [{key: throw, operator: DoesNotExist}]}}\n"
FAILS_ONCE = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: NAME, labels: {app: train}}
spec:
  entrypoint: main
  arguments: {parameters: [{name: code, value: "1"}]}
  templates:
    - name: main
      steps: [[{name: first, template: fine}], [{name: second, template: ends}]]
    - name: fine
      container: {image: none, command: [sh, -c, "echo once"]}
    - name: ends
      container: {image: none, command: [sh, -c, "exit {{workflow.parameters.code}}"]}
"""


def run(cli, name, *arguments, code=1):
    config = cli.file(CONFIG, "config.yaml")
    cli("run", cli.file(FAILS_ONCE.replace("NAME", name)), "--config", config, "--runtime", "process", *arguments, code=code)


def archived(cli, *arguments):
    return {row["metadata"]["name"]: row for row in json.loads(cli("archive", "list", "-o", "json", *arguments).stdout)}


def test_a_deleted_workflow_stays_in_the_archive(cli):
    run(cli, "a")
    run(cli, "b", "-p", "code=0", code=0)
    run(cli, "thrown", "-l", "throw=away")
    assert set(archived(cli)) == {"a", "b"}
    before = cli.workflow("a")
    assert before["metadata"]["labels"]["workflows.argoproj.io/workflow-archiving-status"] == "Archived"
    cli("delete", "a", "thrown")
    assert "not found" in cli("get", "a", code=1).stderr

    assert set(archived(cli)) == {"a", "b"}
    assert set(archived(cli, "-l", "app=train,workflows.argoproj.io/phase=Failed")) == {"a"}
    uid = before["metadata"]["uid"]
    for identifier in ("a", uid):
        found = json.loads(cli("archive", "get", identifier, "-o", "json").stdout)
        assert found["status"]["nodes"] == before["status"]["nodes"]
        assert found["spec"] == before["spec"]
    table = cli("archive", "list").stdout.splitlines()
    assert table[0].split() == ["NAMESPACE", "NAME", "STATUS", "AGE", "DURATION", "PRIORITY", "MESSAGE", "P/R/C", "PARAMETERS", "UID"]
    assert any(line.startswith("default") and line.endswith(uid) for line in table[1:])
    facts = cli("archive", "get", "a").stdout
    assert re.match(r"Name: +a\nNamespace: +default\nServiceAccount: +unset \(.*\)\nStatus: +Failed\n", facts)
    assert cli("archive", "list-label-values", "-l", "app").stdout == "train\n"
    assert "app\n" in cli("archive", "list-label-keys").stdout

    assert cli("archive", "delete", "a").stdout == "Archived workflow 'a' deleted\n"
    assert "archived workflow 'a' not found" in cli("archive", "get", "a", code=1).stderr
    assert "not found" in cli("archive", "get", uid, code=1).stderr
    # What has its object still is only not archived any more.
    cli("archive", "delete", "b")
    assert archived(cli) == {}
    assert "workflow-archiving-status" not in json.dumps(cli.workflow("b"))


def test_a_workflow_of_the_archive_runs_again(cli):
    run(cli, "a")
    there = cli("archive", "retry", "a", code=1).stderr
    assert "Workflow already exists on cluster, use argo retry {name} instead" in there
    before = cli.workflow("a")
    cli("delete", "a")
    cli("archive", "retry", "a", "-p", "code=0", "--wait", "--runtime", "process")
    after = cli.workflow("a")
    assert after["status"]["phase"] == "Succeeded"
    assert after["metadata"]["uid"] != before["metadata"]["uid"]
    first = {node["displayName"]: node for node in before["status"]["nodes"].values()}["first"]
    assert after["status"]["nodes"][first["id"]]["finishedAt"] == first["finishedAt"], "what has succeeded stays"

    shown = cli("archive", "resubmit", before["metadata"]["uid"], "-p", "code=0", "--wait", "--runtime", "process", "-o", "json").stdout
    again = json.loads(shown.splitlines()[0])
    assert again["metadata"]["generateName"] == "a-"
    assert cli.workflow(again["metadata"]["name"])["status"]["phase"] == "Succeeded"


def test_two_of_a_name_are_told_apart(cli):
    for _ in range(2):
        run(cli, "a")
        cli("delete", "a")
    told = cli("archive", "get", "a", code=1).stderr
    assert "Multiple archived workflows found with name 'a':" in told and told.endswith("Please specify the UID.\n")
    uids = re.findall(r"^  (\S+) \(Created: ", told, re.MULTILINE)
    assert len(set(uids)) == 2
    for uid in uids:
        cli("archive", "delete", uid)
    assert archived(cli) == {}


def test_nothing_is_archived_unasked(cli):
    cli("run", cli.file(FAILS_ONCE.replace("NAME", "a")), "--runtime", "process", code=1)
    assert archived(cli) == {}
    assert cli("archive", "list").stdout == "No workflows found\n"
    assert "--name and --uid exclude each other" in cli("archive", "get", "a", "--name", "--uid", code=2).stderr
