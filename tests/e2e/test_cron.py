"""Cron workflows: the commands, runs at their times, submit --from, backfill."""

import json

from cli_support import cli

CRON = """
apiVersion: argoproj.io/v1alpha1
kind: CronWorkflow
metadata: {name: tick}
spec:
  schedules: ["@every 1s"]
  stopStrategy: {expression: cronworkflow.succeeded >= 2}
  workflowSpec:
    entrypoint: main
    arguments: {parameters: [{name: day, value: none}]}
    templates:
      - name: main
        steps: [[{name: say, template: say, arguments: {parameters: [{name: what, value: "{{workflow.parameters.day}}"}]}}]]
      - name: say
        inputs: {parameters: [{name: what}]}
        container: {image: busybox, command: [echo, "{{inputs.parameters.what}} of {{workflow.name}}"]}
"""


def waiter(kind, name, phase):
    """A workflow that ends when the object has that phase."""
    return f"""
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {{name: waiter}}
spec:
  entrypoint: main
  templates:
    - name: main
      resource:
        action: get
        successCondition: status.phase == {phase}
        manifest: |
          apiVersion: argoproj.io/v1alpha1
          kind: {kind}
          metadata: {{name: {name}}}
"""


def cron(cli):
    return json.loads(cli("cron", "get", "tick", "-o", "json").stdout)


def test_runs_until_its_stop_strategy_says_so(cli):
    cli("cron", "create", cli.file(CRON))
    cli.run(waiter("CronWorkflow", "tick", "Stopped"))
    status = cron(cli)["status"]
    assert status["succeeded"] >= 2 and status["phase"] == "Stopped"
    names = cli("list", "--prefix", "tick-", "-o", "name").stdout.split()
    assert len(names) == len(set(names)) >= 2
    child = cli.workflow(names[0])
    assert child["metadata"]["labels"]["workflows.argoproj.io/cron-workflow"] == "tick"
    assert "workflows.argoproj.io/scheduled-time" in child["metadata"]["annotations"]


def test_the_commands(cli):
    created = cli("cron", "create", cli.file(CRON), "--schedule", "0 0 1 1 *", "-p", "day=new").stdout
    assert created.startswith("Name:                          tick\nNamespace:                     default\nCreated: ")
    assert "\nSchedules:                     0 0 1 1 *\nSuspended:                     false\n" in created
    assert created.endswith("Workflow Parameters:           \n  day:                         new\n")
    assert cli("cron", "suspend", "tick").stdout == "CronWorkflow 'tick' suspended\n"
    heading, line = cli("cron", "list").stdout.splitlines()
    assert heading.split() == "NAME AGE LAST RUN NEXT RUN SCHEDULES TIMEZONE SUSPENDED".split()
    assert line.split()[0] == "tick" and "N/A" in line and line.endswith("0 0 1 1 *              true")
    assert cli("cron", "list", "-o", "name").stdout == "tick\n"
    assert cli("cron", "resume", "tick").stdout == "CronWorkflow 'tick' resumed\n"
    update = cli("cron", "update", cli.file(CRON.replace("@every 1s", "0 0 2 1 *")), "-o", "name")
    assert update.stdout == "tick\n" and cron(cli)["spec"]["schedules"] == ["0 0 2 1 *"]
    again = cli("cron", "create", cli.file(CRON), code=1)
    assert "failed to create cron workflow" in again.stderr
    bad = cli("cron", "lint", cli.file(CRON.replace("@every 1s", "61 * * * *")), code=1)
    assert "cron schedule 61 * * * * is malformed: end of range (61) above maximum (59): 61" in bad.stdout
    assert "no linting errors found" in cli("cron", "lint", cli.file(CRON)).stdout
    left_out = cli("submit", cli.file(CRON), code=2).stderr
    assert "`tiphys cron create` creates it" in left_out
    cli("cron", "delete", "--all")
    assert cli("cron", "list", "-o", "name").stdout == ""


def test_submitted_by_hand(cli):
    cli("cron", "create", cli.file(CRON), "--schedule", "0 0 1 1 *")
    cli("submit", "--from", "cronwf/tick", "-p", "day=today", "--wait", *cli.tiphys.runtime)
    workflow = cli.workflow()
    assert workflow["metadata"]["name"].startswith("tick-")
    assert workflow["metadata"]["ownerReferences"][0]["kind"] == "CronWorkflow"
    assert "today of " + workflow["metadata"]["name"] in cli("logs", "@latest").stdout


def test_backfill(cli):
    cli("cron", "create", cli.file(CRON), "--schedule", "0 12 * * *")
    done = cli("cron", "backfill", "tick", "--name", "again", "--argname", "day", "--format", "2006-01-02",
               "--start", "2026-01-01", "--end", "2026-01-04")
    lines = done.stdout.splitlines()
    assert lines[:2] == ["Created again Backfill task for Cronworkflow tick ", "=" * 50]
    assert lines[2:6] == ["Backfill Period :", "Start Time : 2026-01-01 ", "  End Time : 2026-01-04 ",
                          "Total Backfill Schedule: 3 "]
    name = lines[-1].split()[2]
    cli.run(waiter("Workflow", name, "Succeeded"))
    texts = [cli("logs", each).stdout for each in cli("list", "--prefix", "tick-backfill-again-", "-o", "name").stdout.split()]
    days = sorted(text.split(": ")[1].split()[0] for text in texts)
    assert days == ["2026-01-01", "2026-01-02", "2026-01-03"]
