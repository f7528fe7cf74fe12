"""What steps tell of themselves, in every runtime: how far they are, and why they ended."""

import json

from api_client import Api
from cli_support import cli
from conftest import every_runtime, nodes_by_name

FLOW = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: counts}
spec:
  entrypoint: main
  volumes: [{name: sync, hostPath: {path: FOLDER}}]
  templates:
    - name: main
      dag: {failFast: false, tasks: [{name: good, template: work, arguments: {parameters: [{name: code, value: 0}]}},
                                     {name: bad, template: work, arguments: {parameters: [{name: code, value: 1}]}}]}
    - name: work
      metadata: {annotations: {workflows.argoproj.io/progress: 0/10}}
      inputs: {parameters: [{name: code}]}
      container:
        image: busybox
        volumeMounts: [{name: sync, mountPath: /sync}]
        command: [sh, -c]
        args: ["echo begun; echo 4/10 >$ARGO_PROGRESS_FILE; until test -e /sync/go; do sleep 0.05; done; exit {{inputs.parameters.code}}"]
"""


@every_runtime
def test_steps_tell_how_far_they_are(cli, tmp_path):
    folder = tmp_path / "sync"
    folder.mkdir()
    cli.up()
    cli("submit", cli.file(FLOW.replace("FOLDER", str(folder))))
    seen = []
    for line in Api(cli.data_dir).open("GET", "/api/v1/workflow-events/default?listOptions.fieldSelector=metadata.name=counts"):
        status = json.loads(line)["result"]["object"].get("status", {})
        if status.get("progress") not in seen:
            seen.append(status.get("progress"))
        if status.get("progress") == "8/20":
            (folder / "go").touch()
        if status.get("phase") in ("Succeeded", "Failed", "Error"):
            break
    assert "0/20" in seen and "8/20" in seen, seen
    nodes = nodes_by_name(cli.workflow("counts"))
    assert {name: nodes[name]["progress"] for name in ("", ".good", ".bad")} == {"": "14/20", ".good": "10/10", ".bad": "4/10"}


@every_runtime
def test_the_environment_says_when_the_workflow_must_end(cli):
    cli.run("""
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: deadline}
spec:
  entrypoint: main
  activeDeadlineSeconds: 3600
  templates:
    - {name: main, container: {image: busybox, command: [sh, -c, "echo deadline $ARGO_DEADLINE, $ARGO_PROGRESS_FILE; touch $ARGO_PROGRESS_FILE"]}}
""")
    began = cli.workflow("deadline")["status"]["startedAt"]
    said = cli("logs", "deadline", "--no-color").stdout
    assert said.rstrip().endswith("Z, /var/run/argo/progress")
    assert said.split("deadline ")[1][:10] >= began[:10]


WHY = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: why}
spec:
  entrypoint: main
  templates:
    - name: main
      dag:
        failFast: false
        tasks: [{name: usual, template: usual}, {name: own, template: own}, {name: log, template: log}, {name: silent, template: silent}]
    - {name: usual, container: {image: busybox, command: [sh, -c, "echo no such table >/dev/termination-log; exit 3"]}}
    - {name: own, container: {image: busybox, terminationMessagePath: /tmp/why, command: [sh, -c, "echo -n out of luck >/tmp/why; exit 4"]}}
    - {name: log, container: {image: busybox, terminationMessagePolicy: FallbackToLogsOnError, command: [sh, -c, "echo one; echo two >&2; exit 5"]}}
    - {name: silent, container: {image: busybox, command: [sh, -c, "echo one; exit 6"]}}
"""


@every_runtime
def test_steps_tell_why_they_ended(cli):
    cli.run(WHY, code=1)
    nodes = nodes_by_name(cli.workflow("why"))
    assert {name: nodes[f".{name}"]["message"] for name in ("usual", "own", "silent")} == {
        "usual": "main: Error (exit code 3): no such table\n",
        "own": "main: Error (exit code 4): out of luck",
        "silent": "main: Error (exit code 6)",
    }
    head, *lines = nodes[".log"]["message"].splitlines()
    assert sorted([head.replace("main: Error (exit code 5): ", ""), *lines]) == ["one", "two"]
