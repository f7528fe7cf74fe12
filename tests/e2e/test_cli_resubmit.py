"""tiphys resubmit."""

from cli_support import HELLO, cli

FROM = "workflows.argoproj.io/resubmitted-from-workflow"
FAILING = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: NAME, labels: {app: x}}
spec:
  entrypoint: main
  templates:
    - name: main
      container: {image: busybox, command: [sh, -c, exit 3]}
"""


def names(cli, *arguments):
    return cli("list", "-o", "name", *arguments).stdout.split()


def test_it_runs_again_with_other_parameters(cli):
    cli.up()
    cli("submit", cli.file(HELLO), "--name", "a", "--wait")
    name = cli("resubmit", "a", "-p", "message=again", "--priority", "7", "-o", "name", "--wait").stdout.strip()
    assert name.startswith("hello-")
    again = cli.workflow(name)
    assert again["metadata"]["labels"][FROM] == "a" and again["status"]["phase"] == "Succeeded"
    assert again["spec"]["priority"] == 7
    assert cli("logs", name).stdout == f"{name}: again\n"
    assert cli("logs", "a").stdout == "a: hello world\n", "the first run stays as it is"
    assert names(cli, "--resubmitted") == [name]


def test_selectors_and_names_mean_each_workflow_once(cli):
    cli.up()
    for name in ["one", "two"]:
        cli("submit", cli.file(FAILING.replace("NAME", name)), "--wait", code=1)
    done = cli("resubmit", "one", "-l", "app=x", "--wait", code=1)
    origins = sorted(cli.workflow(name)["metadata"]["labels"][FROM] for name in names(cli, "--resubmitted"))
    assert origins == ["one", "two"], done.stdout
    assert all(cli.workflow(name)["status"]["phase"] == "Failed" for name in names(cli, "--resubmitted"))


def test_without_a_server_this_process_sees_it_through(cli):
    cli.run(FAILING.replace("NAME", "one"), code=1)
    cli("resubmit", "one", "--wait", *cli.tiphys.runtime, code=1)
    (name,) = names(cli, "--resubmitted")
    assert name.startswith("one-") and cli.workflow(name)["status"]["phase"] == "Failed"


def test_bad_usage_creates_nothing(cli):
    cli.run(FAILING.replace("NAME", "one"), code=1)
    assert "requires either selector or workflow" in cli("resubmit", code=2).stderr
    assert "NAME=VALUE" in cli("resubmit", "one", "-p", "x", code=2).stderr
    assert "--wait cannot be combined with --watch" in cli("resubmit", "one", "--wait", "--watch", code=2).stderr
    assert "missing" in cli("resubmit", "missing", code=1).stderr
    assert names(cli) == ["one"]


MEMOIZED = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: NAME-}
spec:
  entrypoint: main
  volumes: [{name: ran, hostPath: {path: DIR}}]
  templates:
    - name: main
      steps:
        - - {name: a, template: say}
          - {name: l, template: say, withItems: [x, y]}
        - - {name: b, template: fix, arguments: {parameters: [{name: text, value: "{{steps.a.outputs.result}}"}]}}
        - - {name: c, template: fix, arguments: {parameters: [{name: text, value: "{{steps.l.outputs.result}}"}]}}
    - name: say
      script: {image: busybox, command: [sh], source: "echo said; echo say >> /ran/log", volumeMounts: [{name: ran, mountPath: /ran}]}
    - name: fix
      inputs: {parameters: [{name: text}]}
      container:
        image: busybox
        command: [sh, -c, "echo '{{inputs.parameters.text}}' >> /ran/log; test -e /ran/fixed"]
        volumeMounts: [{name: ran, mountPath: /ran}]
"""


def test_a_memoized_one_runs_only_what_failed(cli, tmp_path):
    ran = tmp_path / "ran"
    ran.mkdir()
    cli.up()
    before = cli("submit", cli.file(MEMOIZED.replace("NAME", "m").replace("DIR", str(ran))), "-o", "name", "--wait", code=1).stdout.strip()
    assert sorted((ran / "log").read_text().split()) == ["said", "say", "say", "say"]
    (ran / "log").unlink()
    (ran / "fixed").touch()
    name = cli("resubmit", before, "--memoized", "-o", "name", "--wait").stdout.strip()
    assert (ran / "log").read_text().splitlines() == ["said", '["said","said"]']
    again = cli.workflow(name)
    assert name.startswith("m-") and again["metadata"]["labels"][FROM] == before
    nodes = {node["displayName"]: node for node in again["status"]["nodes"].values()}
    ids = {node["displayName"]: node["id"] for node in cli.workflow(before)["status"]["nodes"].values()}
    assert nodes["a"]["phase"] == "Skipped" and nodes["a"]["message"] == f"original pod: {ids['a']}"
    assert nodes["a"]["outputs"]["result"] == "said"
    assert nodes["b"]["phase"] == nodes["c"]["phase"] == nodes[name]["phase"] == "Succeeded"
    assert "must be Failed/Error" in cli("resubmit", name, "--memoized", code=1).stderr
