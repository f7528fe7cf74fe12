"""Events of workflows and nodes, and how long workflows are expected to take."""

from cli_support import HELLO, cli

TEMPLATE = """
apiVersion: argoproj.io/v1alpha1
kind: WorkflowTemplate
metadata: {name: waits}
spec:
  entrypoint: main
  arguments: {parameters: [{name: seconds, value: "1"}]}
  templates:
    - name: main
      steps: [[{name: wait, template: wait}]]
    - name: wait
      suspend: {duration: "{{workflow.parameters.seconds}}"}
"""


def told(cli, name="@latest"):
    rows = cli("get", name, "--events").stdout.split("Events:\n")[1].splitlines()[2:]
    return [(row.split()[0], row.split()[1], row.split("workflow-controller")[1].strip()) for row in rows]


def test_events_tell_of_a_workflow_and_its_nodes(cli):
    cli.run(HELLO, "--name", "hello")
    succeeded = [
        ("Normal", "WorkflowRunning", "Workflow Running"),
        ("Normal", "WorkflowNodeRunning", "Running node hello"),
        ("Normal", "WorkflowNodeSucceeded", "Succeeded node hello"),
        ("Normal", "WorkflowSucceeded", "Workflow completed"),
    ]
    assert told(cli) == succeeded
    assert "Events:" not in cli("get", "hello").stdout
    assert "--events is for the text that people read" in cli("get", "hello", "--events", "-o", "json", code=2).stderr

    cli.up("--config", cli.file("nodeEvents: {sendAsPod: true}\nworkflowEvents: {enabled: false}\n", "config.yaml"))
    cli("submit", cli.file(HELLO), "--name", "of-pods", "--wait")
    assert told(cli, "of-pods") == [(each, reason, message.replace("hello", "of-pods")) for each, reason, message in succeeded[1:3]]
    assert told(cli, "hello") == succeeded


def test_what_has_succeeded_tells_how_long_it_takes(cli):
    up = cli.up()
    cli("template", "create", cli.file(TEMPLATE))
    cli("submit", "--from", "workflowtemplate/waits", "--name", "first", "--wait")
    assert "estimatedDuration" not in cli.workflow("first")["status"]

    cli("submit", "--from", "workflowtemplate/waits", "--name", "second", "-p", "seconds=3600")
    watch = cli.start("watch", "second")
    watch.read_until("wait")
    watch.kill()
    before = cli.workflow("second")["status"]
    assert before["estimatedDuration"] >= 1 and before["estimatedFrom"] == "first"
    assert all(node["estimatedDuration"] >= 1 for node in before["nodes"].values())
    assert "EstimatedDuration:" in cli("get", "second").stdout
    up.kill()

    cli.up()
    cli("terminate", "second")
    cli("wait", "second", "--ignore-not-found", code=None)
    after = cli.workflow("second")["status"]
    assert after["estimatedDuration"] == before["estimatedDuration"]
    for name, node in before["nodes"].items():
        assert after["nodes"][name]["estimatedDuration"] == node["estimatedDuration"]
