"""--config: the configuration of the original's controller."""

import http.client
import json

from cli_support import HELLO, cli

CONFIG = """
apiVersion: v1
kind: ConfigMap
metadata: {name: workflow-controller-configmap}
data:
  parallelism: "1"
  telemetryConfig: |
    enabled: true
  workflowDefaults: |
    metadata: {labels: {team: ml}}
    spec:
      ttlStrategy: {secondsAfterFailure: 3600}
      onExit: main
"""
WAITS = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: NAME}
spec:
  entrypoint: main
  templates: [{name: main, suspend: {}}]
"""


def phases(cli):
    return {line.split()[0]: line.split()[1] for line in cli("list").stdout.splitlines()[1:]}


def test_so_many_workflows_are_under_way_also_after_a_crash(cli):
    config = cli.file("parallelism: 1\n", "config.yaml")
    up = cli.up("--config", config)
    for name in ("first", "second"):
        cli("submit", cli.file(WAITS.replace("NAME", name)))
    message = "Workflow processing has been postponed because too many workflows are already running"
    for name, phase in (("first", "Running"), ("second", "Pending")):
        watch = cli.start("watch", name)
        watch.read_until(phase)
        watch.kill()  # it would take the plane over from the one that is killed
    assert phases(cli) == {"first": "Running", "second": "Pending"}
    assert cli.workflow("second")["status"] == {"phase": "Pending", "message": message}
    up.kill()

    cli.up("--config", config)
    assert phases(cli) == {"first": "Running", "second": "Pending"}
    cli("terminate", "first")
    watch = cli.start("watch", "second")
    watch.read_until("Running")
    assert "message" not in cli.workflow("second")["status"]


def label_namespace(up, limit):
    connection = http.client.HTTPConnection(up.server["address"], timeout=60)
    headers = {"Authorization": "Bearer " + up.server["token"], "Content-Type": "application/merge-patch+json"}
    body = {"metadata": {"labels": {"workflows.argoproj.io/parallelism-limit": limit}}}
    connection.request("PATCH", "/api/v1/namespaces/default", json.dumps(body), headers)
    assert connection.getresponse().status == 200


def test_a_namespace_says_how_many_of_its_workflows_are_under_way(cli):
    up = cli.up("--config", cli.file("namespaceParallelism: 5\n", "config.yaml"))
    label_namespace(up, "1")
    for name in ("first", "second"):
        cli("submit", cli.file(WAITS.replace("NAME", name)))
    watch = cli.start("watch", "second")
    watch.read_until("Pending")
    label_namespace(up, None)
    watch.read_until("Running")


FAN_OUT = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: fan}
spec:
  entrypoint: main
  templates:
    - name: main
      steps: [[{name: echo, template: echo, withSequence: {count: "3"}}]]
    - {name: echo, container: {image: busybox, command: [echo, hi]}}
"""


def test_so_many_pods_are_created_a_second_also_after_a_crash(cli):
    slow = cli.file("resourceRateLimit: {limit: 0.0001, burst: 1}\n", "slow.yaml")
    up = cli.up("--config", slow)
    cli("submit", cli.file(FAN_OUT))
    watch = cli.start("watch", "fan")
    watch.read_until("✔ fan[0].echo(0:0)")
    nodes = cli.workflow("fan")["status"]["nodes"].values()
    held = [node["phase"] for node in nodes if node.get("message") == "resource creation rate-limit reached"]
    assert held == ["Pending", "Pending"]
    watch.kill()
    up.kill()

    cli.up("--config", cli.file("resourceRateLimit: {limit: 100, burst: 1}\n", "fast.yaml"))
    assert cli("wait", "fan").returncode == 0
    assert not [node for node in cli.workflow("fan")["status"]["nodes"].values() if "message" in node]


def test_defaults_are_written_into_a_workflow_that_leaves_them_unsaid(cli):
    done = cli.run(HELLO, "--config", cli.file(CONFIG, "config.yaml"))
    assert "config.yaml: warning: means nothing here: telemetryConfig\n" in done.stderr
    workflow = cli.workflow()
    assert workflow["metadata"]["labels"]["team"] == "ml"
    assert workflow["spec"]["ttlStrategy"] == {"secondsAfterFailure": 3600}
    assert {node["displayName"].partition(".")[2] for node in workflow["status"]["nodes"].values()} == {"", "onExit"}


ONLY_THERE = """
workflowDefaults:
  spec:
    entrypoint: main
    templates: [{name: shared, container: {image: busybox, command: [echo, shared]}}]
"""


def test_a_manifest_is_judged_with_the_defaults(cli):
    config = cli.file(ONLY_THERE, "config.yaml")
    without = HELLO.replace("  entrypoint: main\n", "")
    assert without != HELLO
    assert "entrypoint" in cli.run(without, code=2).stderr
    cli.run(without, "--config", config)
    cli.run(without, "--config", config, "--entrypoint", "shared")
    cli("resubmit", "@latest", "--wait", "--config", config, *cli.tiphys.runtime)
    bad = cli.file(ONLY_THERE.replace("entrypoint: main", "entrypoint: nowhere"), "bad.yaml")
    assert "nowhere" in cli.run(without, "--config", bad, code=2).stderr
    # What refers to a template elsewhere is looked at once more with it.
    cli("template", "create", cli.file(without.replace("kind: Workflow", "kind: WorkflowTemplate").replace("generateName: hello-", "name: hello"), "t.yaml"))
    cli("submit", "--from", "workflowtemplate/hello", "--wait", "--config", config, *cli.tiphys.runtime)


def test_a_manifest_is_judged_with_the_defaults_of_the_plane_that_runs(cli):
    without = cli.file(HELLO.replace("  entrypoint: main\n", ""))
    cli.up("--config", cli.file(ONLY_THERE, "config.yaml"))
    cli("submit", without, "--wait", "--entrypoint", "shared")
    cli("submit", without, "--wait")
    cli("resubmit", "@latest", "--wait")
    cli("run", without)
    cli("submit", without, "--dry-run", "-o", "name")
    other = cli.file("workflowDefaults: {spec: {entrypoint: nowhere}}\n", "other.yaml")
    done = cli("submit", without, "--wait", "--config", other)
    assert done.stderr == f"Another process runs this plane: its configuration holds, not {other}.\n"


CRON = """
apiVersion: argoproj.io/v1alpha1
kind: CronWorkflow
metadata: {name: yearly}
spec:
  schedules: ["0 0 1 1 *"]
  timezone: UTC
  workflowSpec:
    templates: [{name: main, suspend: {}}]
"""


def test_cron_workflows_are_judged_with_the_defaults(cli):
    without = cli.file(CRON)
    assert "spec.entrypoint is required" in cli("cron", "create", without, code=2).stderr
    bad = cli.file("workflowDefaults: {spec: {entrypoint: nowhere}}\n", "bad.yaml")
    done = cli("cron", "create", without, "--config", bad, code=2)
    assert "nowhere" in done.stderr and "(with workflowDefaults)" in done.stderr
    cli.up("--config", cli.file(ONLY_THERE, "config.yaml"))
    cli("cron", "create", without)
    cli("cron", "update", cli.file(CRON.replace("suspend: {}", "suspend: {duration: 1s}")))
    assert "duration: 1s" in cli("cron", "get", "yearly", "-o", "yaml").stdout
    assert "entrypoint" not in cli("cron", "get", "yearly", "-o", "yaml").stdout
    refers = cli.file(CRON.replace("templates: [{name: main, suspend: {}}]", "onExit: other"))
    assert "other" in cli("cron", "update", refers, code=2).stderr
    done = cli("cron", "backfill", "yearly", "--format", "2006-01-02", "--start", "2024-12-30", "--end", "2025-01-02", "--name", "past")
    assert "Total Backfill Schedule: 1" in done.stdout


def test_a_field_that_is_none_is_an_error_with_its_place(cli):
    broken = cli.file(CONFIG.replace("ttlStrategy", "ttlStrategi"), "config.yaml")
    done = cli.run(HELLO, "--config", broken, code=2)
    assert f'{broken}:12:7: unknown field "ttlStrategi" in workflowDefaults.spec; did you mean "ttlStrategy"?' in done.stderr
    assert phases(cli) == {}, "nothing was begun"


def test_finished_workflows_are_kept_up_to_a_number(cli):
    config = cli.file("retentionPolicy: {completed: 2, failed: 2, errored: 2}\n", "config.yaml")
    names = [cli.run(HELLO, "-o", "name").stdout.split()[-1] for _ in range(3)]
    cli.up("--config", config)
    watch = cli.start("submit", cli.file(WAITS.replace("NAME", "later")), "--watch")
    watch.read_until("Running")
    cli("resume", "later")
    assert watch.end().returncode == 0
    left = phases(cli)
    assert "later" in left and len(left.keys() & set(names)) <= 2, left


BY_REFERENCE = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: NAME}
spec:
  workflowTemplateRef: {name: hello}
"""


def test_workflows_may_have_to_refer_to_templates(cli):
    config = cli.file("workflowRestrictions: {templateReferencing: Strict}\n", "config.yaml")
    template = HELLO.replace("kind: Workflow", "kind: WorkflowTemplate").replace("generateName: hello-", "name: hello")
    cli("template", "create", cli.file(template, "template.yaml"))
    cli.env["WORKFLOW_USER_OVERRIDE_ALLOWLIST"] = "hostNetwork"
    cli.up("--config", config)
    ends = {
        "own": (HELLO.replace("generateName: hello-", "name: own"), "Error", "workflows must use workflowTemplateRef"),
        "good": (BY_REFERENCE + "  priority: 1\n  hostNetwork: false\n", "Succeeded", ""),
        "bad": (BY_REFERENCE + "  serviceAccountName: admin\n", "Error", "fields [ServiceAccountName] are not permitted"),
    }
    for name, (manifest, phase, message) in ends.items():
        cli("submit", cli.file(manifest.replace("NAME", name)), "--wait", *cli.tiphys.runtime, code=phase == "Error")
        status = cli.workflow(name)["status"]
        assert status["phase"] == phase and message in status.get("message", ""), status


def test_a_field_that_workflows_may_set_is_one(cli):
    config = cli.file("workflowRestrictions: {templateReferencing: Strict}\n", "config.yaml")
    cli.env["WORKFLOW_USER_OVERRIDE_ALLOWLIST"] = "PodSpecPatch"
    done = cli.run(HELLO, "--config", config, code=2)
    assert 'WORKFLOW_USER_OVERRIDE_ALLOWLIST: "PodSpecPatch" is no field of spec' in done.stderr
