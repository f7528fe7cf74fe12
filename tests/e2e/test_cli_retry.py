"""tiphys retry."""

import pytest

from api_client import Api
from cli_support import cli  # noqa: F401

# Each step notes that it ran; those of template `fix` do well once the file `fixed` is there.
FAILING = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: NAME, labels: {app: x}}
spec:
  entrypoint: main
  arguments: {parameters: [{name: word, value: first}]}
  volumes: [{name: ran, hostPath: {path: DIR}}]
  templates:
    - name: main
      inputs: {parameters: [{name: word}]}
      dag:
        tasks:
          - {name: a, template: note, arguments: {parameters: [{name: text, value: "a-{{inputs.parameters.word}}"}]}}
          - {name: b, template: fix, depends: a}
          - {name: c, template: inner, depends: b, arguments: {parameters: [{name: word, value: "{{inputs.parameters.word}}"}]}}
    - name: inner
      inputs: {parameters: [{name: word}]}
      steps:
        - - {name: d, template: note, arguments: {parameters: [{name: text, value: "d-{{inputs.parameters.word}}"}]}}
        - - {name: e, template: fix}
    - name: note
      inputs: {parameters: [{name: text}]}
      container: {image: busybox, command: [sh, -c, "echo {{inputs.parameters.text}} >> /ran/log"], volumeMounts: [{name: ran, mountPath: /ran}]}
    - name: fix
      retryStrategy: {limit: 1}
      container: {image: busybox, command: [sh, -c, "echo fix >> /ran/log; test -e /ran/fixed"], volumeMounts: [{name: ran, mountPath: /ran}]}
"""


@pytest.fixture
def ran(tmp_path):
    """What the steps note, line by line, since the last look."""
    folder = tmp_path / "ran"
    folder.mkdir()

    class Ran:
        manifest = FAILING.replace("DIR", str(folder))

        def fix(self):
            (folder / "fixed").touch()

        def look(self):
            lines = (folder / "log").read_text().split() if (folder / "log").exists() else []
            (folder / "log").unlink(missing_ok=True)
            return lines

    return Ran()


def phases(workflow):
    return {node["displayName"]: node["phase"] for node in workflow["status"]["nodes"].values()}


def test_a_failed_dag_goes_on_where_it_failed(cli, ran):
    cli.up()
    cli("submit", cli.file(ran.manifest.replace("NAME", "one")), "--wait", code=1)
    assert ran.look() == ["a-first", "fix", "fix"]
    before = cli.workflow("one")

    cli("retry", "one", "--wait", code=1)
    assert ran.look() == ["fix", "fix"], "attempts are counted anew"

    ran.fix()
    told = cli("retry", "@latest", "--wait").stdout
    assert ran.look() == ["fix", "d-first", "fix"]
    after = cli.workflow("one")
    assert after["metadata"]["uid"] == before["metadata"]["uid"] and "one" in told
    assert after["status"]["phase"] == "Succeeded" and "message" not in after["status"]
    assert after["status"]["finishedAt"] >= before["status"]["finishedAt"]
    labels = after["metadata"]["labels"]
    assert labels["workflows.argoproj.io/completed"] == "true" and labels["workflows.argoproj.io/phase"] == "Succeeded"
    assert "tiphys.io/retry" not in after["metadata"].get("annotations", {})
    assert set(phases(after).values()) == {"Succeeded"}
    assert {"type": "Completed", "status": "True"} in after["status"]["conditions"]
    assert "a-first" not in cli("logs", "one").stdout, "steps print nothing; their pods are there"


def test_nodes_of_a_run_that_succeeded_run_again_when_they_are_chosen(cli, ran):
    cli.up()
    ran.fix()
    cli("submit", cli.file(ran.manifest.replace("NAME", "one")), "--wait")
    ran.look()
    refused = cli("retry", "one", code=1).stderr
    assert "To retry a succeeded workflow, set the options restartSuccessful and nodeFieldSelector" in refused
    assert "no node matches" in cli("retry", "one", "--restart-successful", "--node-field-selector", "displayName=x", code=1).stderr
    shown = cli("retry", "one", "--restart-successful", "--node-field-selector", "displayName=d", "-o", "json", "--wait").stdout
    assert '"Running"' in shown
    assert ran.look() == ["d-first", "fix"], "with what comes after it"
    assert cli.workflow("one")["status"]["phase"] == "Succeeded"


def test_other_parameters_reach_what_runs_now(cli, ran):
    cli.up()
    cli("submit", cli.file(ran.manifest.replace("NAME", "one")), "--wait", code=1)
    ran.look()
    ran.fix()
    cli("retry", "one", "-p", "word=second", "--wait")
    assert ran.look() == ["fix", "d-second", "fix"]
    after = cli.workflow("one")
    assert after["spec"]["arguments"]["parameters"] == [{"name": "word", "value": "second"}]
    assert "NAME=VALUE" in cli("retry", "one", "-p", "x", "--restart-successful", "--node-field-selector", "displayName=d", code=2).stderr


@pytest.mark.parametrize("word", ["first", "second"])
def test_a_client_of_kubernetes_alone_retries_as_the_originals_command(cli, ran, word):
    """It writes the workflow anew: without its end, and without the nodes that are to run again."""
    cli.up()
    cli("submit", cli.file(ran.manifest.replace("NAME", "f")), "--wait", code=1)
    ran.look()
    ran.fix()
    api = Api(cli.data_dir)
    path = "/apis/argoproj.io/v1alpha1/namespaces/default/workflows/f"
    _, workflow = api.ask("GET", path)
    for label in ("workflows.argoproj.io/completed", "workflows.argoproj.io/workflow-archiving-status"):
        workflow["metadata"]["labels"].pop(label, None)
    status = workflow["status"]
    for field in ("phase", "message", "finishedAt"):
        status.pop(field, None)
    status["conditions"] = [{"type": "Completed", "status": "False"}]
    status["nodes"] = {id: node if node["phase"] == "Succeeded" else {**node, "phase": "Running"} for id, node in status["nodes"].items()
                       if node["phase"] == "Succeeded" or node["type"] not in ("Pod", "Retry")}
    workflow["spec"]["arguments"]["parameters"][0]["value"] = word
    assert api.ask("PUT", path, workflow)[0] == 200
    cli("wait", "f")
    done = cli.workflow("f")
    assert done["status"]["phase"] == "Succeeded"
    assert ran.look() == ["fix", f"d-{word}", "fix"]
    assert "tiphys.io/retry" not in done["metadata"].get("annotations", {})


def test_selectors_and_names_mean_each_workflow_once(cli, ran):
    cli.up()
    for name in ["one", "two"]:
        cli("submit", cli.file(ran.manifest.replace("NAME", name)), "--wait", code=1)
    ran.look()
    ran.fix()
    told = cli("retry", "one", "-l", "app=x", "-o", "name", "--wait").stdout
    assert sorted(told.split()[:2]) == ["one", "two"]
    assert sorted(ran.look()) == ["d-first", "d-first", "fix", "fix", "fix", "fix"]
    assert "requires either selector or workflow" in cli("retry", code=2).stderr
    assert "missing" in cli("retry", "missing", code=1).stderr


def test_a_run_that_is_under_way_is_not_retried(cli):
    cli.up()
    manifest = "{apiVersion: argoproj.io/v1alpha1, kind: Workflow, metadata: {name: one}, spec: {entrypoint: m, templates: [{name: m, suspend: {}}]}}"
    cli("submit", cli.file(manifest))
    watch = cli.start("watch", "one")
    watch.read_until("one")
    assert "Cannot retry a workflow in phase Running" in cli("retry", "one", code=1).stderr
    cli("stop", "one")
    watch.end()


def test_without_a_server_this_process_sees_it_through(cli, ran):
    cli.run(ran.manifest.replace("NAME", "one"), code=1)
    ran.look()
    ran.fix()
    cli("retry", "one", "--wait", *cli.tiphys.runtime)
    assert ran.look() == ["fix", "d-first", "fix"]


def test_what_was_stopped_goes_on(cli, ran, tmp_path):
    """Its pods may still be on their way out: those that follow have their names."""
    cli.up()
    manifest = ran.manifest.replace("NAME", "one").replace("test -e /ran/fixed", "test -e /ran/fixed || sleep 1000").replace("retryStrategy: {limit: 1}", "")
    cli("submit", cli.file(manifest))
    watch = cli.start("watch", "one")
    watch.read_until("b")
    for strategy in ["terminate", "stop"]:
        cli(strategy, "one")
        cli("wait", "one", code=1)
        assert "shutdown" in cli.workflow("one")["spec"]
        cli("retry", "one")
        assert "shutdown" not in cli.workflow("one")["spec"]
    cli("stop", "one")
    cli("wait", "one", code=1)
    ran.fix()
    watch.end()
    ran.look()
    cli("retry", "one", "--wait")
    assert "a-first" not in ran.look()


def test_killed_in_the_middle_it_goes_on_after_the_next_start(cli, ran):
    server = cli.tiphys.up()
    cli("submit", cli.file(ran.manifest.replace("NAME", "one")), "--wait", code=1)
    ran.look()
    ran.fix()
    cli("retry", "one", "-o", "name")
    server.kill()
    server.wait()
    cli.tiphys.up()
    cli("wait", "one")
    assert ran.look() == ["fix", "d-first", "fix"]
