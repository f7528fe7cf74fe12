"""What a run leaves behind: list, get, logs, wait, watch, delete; and the commands without a plane."""

import json
import re
import subprocess

import pytest

from cli_support import HELLO, cli

TALKING = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: talk, labels: {app: talker}}
spec:
  entrypoint: main
  arguments: {parameters: [{name: who, value: all}]}
  templates:
    - name: main
      steps:
        - - {name: first, template: say, arguments: {parameters: [{name: what, value: one}]}}
        - - {name: second, template: say, arguments: {parameters: [{name: what, value: two}]}}
          - {name: never, template: say, when: "a == b", arguments: {parameters: [{name: what, value: no}]}}
    - name: say
      inputs: {parameters: [{name: what}]}
      container: {image: busybox, command: [sh, -c, "echo {{inputs.parameters.what}} a; echo {{inputs.parameters.what}} b >&2"]}
"""


@pytest.fixture
def talk(cli):
    cli.run(TALKING)
    return cli


def test_list(talk):
    lines = talk("list").stdout.splitlines()
    assert lines[0].split() == ["NAME", "STATUS", "AGE", "DURATION", "PRIORITY", "MESSAGE"]
    assert lines[1].split()[:2] == ["talk", "Succeeded"]
    assert talk("list", "-o", "name").stdout == "talk\n"
    assert re.search(r"0/0/2 +who=all", talk("list", "-o", "wide").stdout)
    assert json.loads(talk("list", "-o", "json").stdout)[0]["status"]["nodes"]["talk"]["phase"] == "Succeeded"
    assert "NAMESPACE" in talk("list", "-A").stdout
    for filters, found in [
        (["--status", "Succeeded,Failed"], True),
        (["--status", "Failed"], False),
        (["--completed"], True),
        (["--running"], False),
        (["--prefix", "ta"], True),
        (["--prefix", "x"], False),
        (["-l", "app=talker"], True),
        (["-l", "app!=talker"], False),
        (["--field-selector", "metadata.name=talk"], True),
        (["--since", "1h"], True),
        (["--older", "1h"], False),
        (["-n", "elsewhere"], False),
    ]:
        assert ("talk" in talk("list", *filters).stdout) == found, filters
    assert talk("list", "--running").stdout == "No workflows found\n"
    assert "cannot be used together" in talk("list", "--running", "--completed", code=1 + 1).stderr


def test_get(talk):
    text = talk("get", "talk").stdout
    assert re.search(r"^Name: +talk$", text, re.MULTILINE)
    assert re.search(r"^Status: +Succeeded$", text, re.MULTILINE)
    assert re.search(r"^ ├───✔ first +say +talk-say-\d+ ", text, re.MULTILINE)
    assert re.search(r"^ └─┬─○ never +say .*when 'a == b' evaluated false", text, re.MULTILINE)
    assert talk("get", "@latest").stdout.splitlines()[0] == text.splitlines()[0]
    assert "+-" in talk("get", "talk", "--no-utf8").stdout
    assert talk("get", "talk", "-o", "short").stdout.startswith("STEP")
    assert "RESOURCESDURATION" in talk("get", "talk", "-o", "wide").stdout
    assert "kind: Workflow" in talk("get", "talk", "-o", "yaml").stdout
    filtered = talk("get", "talk", "--status", "Skipped").stdout
    assert "never" in filtered and "first" not in filtered
    assert "─✔ second" not in talk("get", "talk", "--node-field-selector", "displayName=first").stdout
    assert "not found" in talk("get", "nothing", code=1).stderr
    assert "Succeeded|Skipped" in talk("get", "talk", "--status", "skipped", code=2).stderr


def test_logs(talk):
    lines = talk("logs", "talk").stdout.splitlines()
    assert [line.split(": ", 1)[1] for line in lines] == ["one a", "one b", "two a", "two b"]
    pod = lines[0].split(":")[0]
    assert re.fullmatch(r"talk-say-\d+", pod)
    assert talk("logs", "@latest").stdout.splitlines() == lines
    assert talk("logs", "talk", pod).stdout.splitlines() == lines[:2]
    assert talk("logs", "talk", "--grep", "o a$").stdout.splitlines() == [lines[2]]
    assert [line.split(": ", 1)[1] for line in talk("logs", "talk", "--tail", "1").stdout.splitlines()] == ["one b", "two b"]
    assert talk("logs", "talk", "--since-time", "2100-01-01T00:00:00Z").stdout == ""
    assert talk("logs", "talk", "--since", "1h").stdout.splitlines() == lines
    assert re.match(r"talk-say-\d+: \d{4}-\d\d-\d\dT[\d:.]+Z one a$", talk("logs", "talk", "--timestamps").stdout.splitlines()[0])
    assert talk("logs", "talk", "--follow").stdout.splitlines() == lines, "what has ended is not waited for"
    assert "not found" in talk("logs", "nothing", code=1).stderr
    assert "cannot be used together" in talk("logs", "talk", "--since", "1h", "--since-time", "2100-01-01T00:00:00Z", code=2).stderr


def test_wait_and_watch_of_what_has_ended(talk):
    assert re.match(r"talk Succeeded at \d{4}-\d\d-\d\dT", talk("wait", "talk").stdout)
    assert "✔ talk" in talk("watch", "@latest").stdout
    assert "not found" in talk("wait", "nothing", code=1).stderr
    talk("wait", "nothing", "--ignore-not-found")


def test_delete(cli):
    for name in ["a", "b", "c"]:
        cli.run(HELLO, "--name", name, "-l", f"letter={name}")
    assert "requires either" in cli("delete", code=2).stderr
    assert cli("delete", "a", "--dry-run").stdout == "Workflow 'a' deleted (dry-run)\n"
    assert cli("delete", "a", "nothing").stdout == "Workflow 'a' deleted\nWorkflow 'nothing' not found\n"
    assert cli("delete", "--older", "1h").stdout == "No resources found\n"
    assert cli("delete", "-l", "letter=b").stdout == "Workflow 'b' deleted\n"
    assert cli("delete", "--all").stdout == "Workflow 'c' deleted\n"
    assert cli("list").stdout == "No workflows found\n"


def test_lint(cli):
    good = cli.file(HELLO, "good.yaml")
    assert cli("lint", good).stdout == "✔ no linting errors found!\n"
    bad = cli.file(HELLO.replace("name: main", "nmae: main"), "bad.yaml")
    done = cli("lint", good, bad, code=1)
    assert re.search(r"bad\.yaml:\d+:\d+: ", done.stdout) and "linting errors found!" in done.stdout
    assert "bad.yaml" in cli("lint", str(cli.folder), code=1).stdout
    assert cli("lint", "-", stdin=HELLO).stdout == "✔ no linting errors found!\n"
    assert "found nothing to lint" in cli("lint", cli.file("", "empty.yaml"), code=1).stdout
    # Other documents of a folder are others' business.
    assert "found nothing to lint" in cli("lint", cli.file("receivers: {}\n", "other.yaml"), code=1).stdout
    assert "kind is required" in cli("lint", cli.file(HELLO.replace("kind: Workflow", ""), "kind.yaml"), code=1).stdout
    assert "nothing.yaml: No such file" in cli("lint", "nothing.yaml", code=1).stdout


MISPLACED = HELLO.replace("      container:", "      args: [a]\n      container:")


def test_lint_formats(cli):
    bad = cli.file(MISPLACED, "bad.yaml")
    message = 'unknown field "args" in spec.templates[0]; it belongs in spec.templates[0].container'
    assert cli("lint", bad, code=1).stdout.startswith(f"{bad}:11:7: {message}\n        args: [a]")
    assert cli("lint", "-o", "simple", bad, code=1).stdout == f'{bad}:11:7: in "hello-" (Workflow): {message}\n'
    assert cli("lint", "-o", "github", bad, code=1).stdout == f"::error file={bad},line=11,col=7::{message}\n"
    report = json.loads(cli("lint", "-o", "json", bad, code=1).stdout)
    assert (report["linted"], report["errors"], report["warnings"]) == (1, 1, 0)
    assert report["problems"] == [
        {
            "severity": "error",
            "file": bad,
            "line": 11,
            "column": 7,
            "object": '"hello-" (Workflow)',
            "pointer": "/spec/templates/0/args",
            "message": message,
        }
    ]
    broken = json.loads(cli("lint", "-o", "json", cli.file("a: b: c\n", "broken.yaml"), code=1).stdout)["problems"][0]
    assert broken["file"].endswith("broken.yaml") and broken["line"] == 1 and broken["column"] > 1
    assert cli("lint", "-o", "simple", cli.file(HELLO)).stdout == "no linting errors found!\n"


def test_lint_warns_when_it_is_not_strict(cli):
    done = cli("lint", "--strict=false", cli.file(MISPLACED))
    assert "warning: unknown field" in done.stdout and "no linting errors found!" in done.stdout


def test_lint_of_kinds(cli):
    bad = cli.file(MISPLACED, "bad.yaml")
    for kinds in ["workflows", "wf", "workflowtemplates,wf", "all"]:
        assert "unknown field" in cli("lint", "--kinds", kinds, bad, code=1).stdout
    assert "found nothing to lint" in cli("lint", "--kinds", "wftmpl", bad, code=1).stdout
    assert 'unknown kind: workflws; did you mean "workflows"?' in cli("lint", "--kinds", "workflws", bad, code=2).stderr


def test_version_help_and_completion(cli):
    assert re.match(r"tiphys: v\d+\.\d+\.\d+\n", cli("version").stdout)
    assert len(cli("version", "--short").stdout.splitlines()) == 1
    assert "Commands:" in cli("--help").stdout
    assert "Usage:\n  tiphys logs [flags] WORKFLOW [POD]" in cli("logs", "--help").stdout
    for shell in ["bash", "zsh", "fish"]:
        assert "__complete" in cli("completion", shell).stdout
    assert "supported shells" in cli("completion", "tcsh", code=2).stderr
    assert "terminate" in cli("__complete", "te").stdout.split()
    assert "--grep" in cli("__complete", "logs", "--gr").stdout.split()
    assert cli("help", "logs").stdout == cli("logs", "--help").stdout
    assert "Usage:\n  tiphys list [flags]\n" in cli("list", "--help").stdout


def test_what_completion_offers(talk):
    for words, offered in [
        (["get", "-o", ""], ["name", "json", "yaml", "short", "wide"]),
        (["run", "--runtime", ""], ["process", "container"]),
        (["get", ""], ["@latest", "talk"]),
        (["get", "--no-color", ""], ["@latest", "talk"]),
        (["-n", "default", "get", ""], ["@latest", "talk"]),
        (["-n", "other", "get", ""], ["@latest"]),
        (["get", "-n", "other", ""], ["@latest"]),
        (["node", ""], ["set"]),
        (["node", "set", ""], ["@latest", "talk"]),
        (["logs", "--tail", ""], []),
        (["run", ""], []),
        (["nonsense", ""], []),
    ]:
        assert talk("__complete", *words).stdout.split() == offered, words


def test_bash_completion_completes(cli):
    script = f"""
      PATH="{cli.binary.rsplit('/', 1)[0]}:$PATH"
      source <(tiphys completion bash)
      COMP_WORDS=(tiphys logs --gr); COMP_CWORD=2; _tiphys; echo "${{COMPREPLY[*]}}"
      COMP_WORDS=(tiphys termi); COMP_CWORD=1; _tiphys; echo "${{COMPREPLY[*]}}"
    """
    done = subprocess.run(["bash", "-c", script], env=cli.env, capture_output=True, text=True, timeout=60)
    assert done.stdout == "--grep\nterminate\n", done.stderr


def test_submit_dry_run(cli):
    path = cli.file(HELLO)
    workflow = json.loads(cli("submit", path, "--dry-run", "-o", "json", "-p", "message=x", "--name", "n").stdout)
    assert workflow["metadata"]["name"] == "n"
    assert "should have an output option" in cli("submit", path, "--dry-run", code=2).stderr
    assert "--wait cannot be combined with --watch" in cli("submit", path, "--wait", "--watch", code=2).stderr
    assert cli("list").stdout == "No workflows found\n"


def test_submit_without_a_server(cli):
    done = cli("submit", cli.file(HELLO), "--runtime", "process", "--wait")
    assert "hello-" in done.stdout and " Succeeded at " in done.stdout


def test_output_that_cannot_be_written(cli):
    """The command fails, says why, and has done its work; a reader that has gone is no failure of a run."""

    def call(command, redirection):
        arguments = [cli.binary, *command.split()] + ([cli.file(HELLO), *cli.tiphys.runtime] if command == "run" else [])
        return subprocess.run(["bash", "-c", f'"$@" {redirection}', "bash", *arguments], env=cli.env, text=True, capture_output=True, timeout=120)

    for command in ["run", "list", "get @latest", "logs @latest", "version", "run --help", "completion bash"]:
        for redirection, reason in [(">/dev/full", "No space left on device"), (">&-", "Bad file descriptor")]:
            done = call(command, redirection)
            assert (done.returncode, reason in done.stderr) == (1, True), (command, redirection, done.stderr)
    done = call("run", "| true; exit ${PIPESTATUS[0]}")
    assert (done.returncode, "output" in done.stderr) == (0, False), done.stderr
    assert [line.split()[1] for line in cli("list", "--completed").stdout.splitlines()[1:]] == ["Succeeded"] * 3


EVALUATED = """
inputs: {parameters: {count: "20"}}
workflow.name: wf-1
item: {name: bob, list: [1, 2, 3]}
"""


@pytest.mark.parametrize(
    "arguments, code, output",
    [
        (["asInt(inputs.parameters.count) * 2"], 0, "40\n"),
        (["{{workflow.name}}-{{=sprig.upper(item.name)}}"], 0, "wf-1-BOB\n"),
        (["{{item.{{workflow.name}}}}"], 1, "failed to resolve {{item.wf-1}} at column 1"),
        (["item.list[0] + 1", "--explain", "--no-utf8"], 0, "  item.list[0]                   -> 1  (int)\n"),
        (["{{item.name}} == bob", "--as", "when"], 0, "true\n"),
        (["item.name in (bob, eve)", "--as", "condition"], 0, "true\n"),
        (["{.item.list[*]}", "--as", "kubectl-jsonpath"], 0, "1 2 3\n"),
        (["$.item.list[-1]", "--as", "jsonpath"], 0, "3\n"),
        (["item.list.#", "--as", "gjson"], 0, "3\n"),
        ([".item.list[] | . * 2", "--as", "jq"], 0, "2\n4\n6\n"),
        (["asInt(", "--explain"], 2, " | asInt(\n | ......^"),
        (["itme"], 2, 'unknown name itme; did you mean "item'),
        (["1", "--as", "cobol"], 2, "cobol"),
    ],
)
def test_eval(cli, arguments, code, output):
    done = cli("eval", *arguments, "--with", cli.file(EVALUATED), code=code)
    assert output in done.stdout + done.stderr
