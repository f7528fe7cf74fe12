"""Tests of workflows by pytest: tiphys.testing and the plugin."""

import subprocess
import sys

import pytest
from conftest import EXAMPLES
from python_support import clean_environment, shell, steps, tiphys, workflow
from tiphys.testing import Mock, play

COIN = EXAMPLES / "coinflip.yaml"
RETRIES = workflow({"name": "main", "steps": [[{"name": "try", "template": "try"}]]}, shell("try", "false", retryStrategy={"limit": "2"}))


def test_phase_nodes_outputs_and_order():
    played = play(COIN, mocks={"flip-coin": Mock(result="tails", duration=5)})
    assert (played.phase, played.duration) == ("Succeeded", 6)
    assert played.order == ["flip-coin", "tails"]
    assert played.ran("tails") and not played.ran("heads") and not played.ran("nobody")
    assert played.nodes["heads"].phase == "Skipped" and played.nodes["flip-coin"].outputs.result == "tails"
    assert (played.nodes["tails"].start, played.nodes["tails"].end) == (5, 6)
    played.assert_order("flip-coin", "tails")
    with pytest.raises(AssertionError, match="tails ended at 6s, after flip-coin had begun at 0s"):
        played.assert_order("tails", "flip-coin")
    with pytest.raises(AssertionError, match="no node is called 'nobody'"):
        played.assert_order("nobody", "tails")
    assert "✔ tails" in repr(played)


OUTCOMES = [
    ("the text of a result", {"flip-coin": "heads"}, "Succeeded"),
    ("a mock", {"flip-coin": Mock(exit_code=3)}, "Failed"),
    ("by a node", [Mock(node="flip-*", result="heads")], "Succeeded"),
    ("an error", {"flip-coin": Mock(phase="Error", message="evicted")}, "Failed"),
    ("texts of results", {"flip-coin": ["tails"]}, "Succeeded"),
]


@pytest.mark.parametrize("mocks, phase", [row[1:] for row in OUTCOMES], ids=[row[0] for row in OUTCOMES])
def test_mocks(mocks, phase):
    assert play(COIN, mocks=mocks).phase == phase


def test_attempts_have_outcomes_of_their_own():
    played = play(RETRIES, mocks={"try": [Mock(exit_code=1), Mock(exit_code=1, duration="2m"), Mock()]})
    assert [(node.name, node.phase) for node in played.nodes.of_template("try") if node.type == "Pod"] == [("try(0)", "Failed"), ("try(1)", "Failed"), ("try(2)", "Succeeded")]
    assert played.duration == 122


def test_parameters_and_other_manifests():
    template = {"apiVersion": "argoproj.io/v1alpha1", "kind": "WorkflowTemplate", "metadata": {"name": "shared"},
                "spec": {"templates": [shell("say", "true", inputs={"parameters": [{"name": "what"}]})]}}
    main = workflow({"name": "main", "steps": [[{"name": "say", "templateRef": {"name": "shared", "template": "say"},
                                                "arguments": {"parameters": [{"name": "what", "value": "{{workflow.parameters.what}}"}]}}]]},
                    arguments={"parameters": [{"name": "what"}]})
    played = play(main, {"what": [1, 2]}, beside=[template])
    assert played.nodes["say"].parameters.json("what") == [1, 2]


WRONG = [
    ("a template that there is not", {"flip-coi": "heads"}, 'there is no template "flip-coi"; did you mean "flip-coin"'),
    ("a mock that is missing", {}, "has no mock that gives outputs.result"),
    ("a duration that is none", {"flip-coin": Mock(duration="soon")}, r"^tests\[0\].mocks\[0\].duration is no duration: write seconds, or 1h2m3s$"),
]


@pytest.mark.parametrize("mocks, message", [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_wrong_mocks_are_told(mocks, message):
    with pytest.raises(tiphys.ManifestError, match=message):
        play(COIN, mocks=mocks)


@pytest.mark.parametrize("mocks", [{"flip-coin": 5}, {"flip-coin": [Mock(), 5]}, [5]])
def test_what_is_no_mock_is_told(mocks):
    with pytest.raises(TypeError, match="have a int: give a Mock, the text of its result"):
        play(COIN, mocks=mocks)


def test_what_is_played_is_what_was_given_first():
    template = {"apiVersion": "argoproj.io/v1alpha1", "kind": "WorkflowTemplate", "metadata": {"name": "shared"}, "spec": {"entrypoint": "say", "templates": [shell("say", "true")]}}
    nightly = {"apiVersion": "argoproj.io/v1alpha1", "kind": "CronWorkflow", "metadata": {"name": "nightly"},
               "spec": {"schedules": ["0 0 * * *"], "workflowSpec": {"workflowTemplateRef": {"name": "shared"}}}}
    assert play(nightly, mocks={"say": Mock(duration="2h")}, beside=[template]).duration == 7200


def test_findings_in_objects_are_told_without_places():
    with pytest.raises(tiphys.ManifestError, match=r"^spec.entrypoint: template name 'none' undefined$"):
        play({"metadata": {"name": "w"}, "spec": {"entrypoint": "none", "templates": []}})
    with pytest.raises(tiphys.ManifestError, match=r"^workflow-0.yaml:5:3: .*entrypont"):
        play("apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: w}\nspec:\n  entrypont: main\n")


def test_a_wrong_workflow_is_told_with_its_file(tmp_path):
    (tmp_path / "wf.yaml").write_text("apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: w}\nspec:\n  entrypont: main\n")
    with pytest.raises(tiphys.ManifestError, match=r"wf.yaml:5:3: .*entrypont"):
        play(tmp_path / "wf.yaml")


TESTS = """
def test_played(play_workflow):
    assert play_workflow("coinflip.yaml", mocks={"flip-coin": "heads"}).ran("heads")

def test_real(run_workflow):
    run = run_workflow("hello-world.yaml")
    assert run.logs().startswith(" ") or run.logs()

def test_broken(run_workflow):
    run_workflow({"spec": {"entrypoint": "m", "templates": [{"name": "m", "container": {"image": "x", "command": ["false"]}}]}})
"""
FILE = """
workflows: [coinflip.yaml]
tests:
- {name: right, mocks: [{template: flip-coin, outputs: {result: heads}}], expect: {nodes: {heads: Succeeded}}}
- {name: wrong, mocks: [{template: flip-coin, outputs: {result: tails}}], expect: {nodes: {heads: Succeeded}}}
"""


def run_pytest(folder, *arguments):
    command = [sys.executable, "-m", "pytest", "-v", "-p", "tiphys._pytest_plugin", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(command, cwd=folder, env=clean_environment(folder), capture_output=True, text=True, timeout=120, check=False)


def test_the_plugin(tmp_path):
    for name in ("coinflip.yaml", "hello-world.yaml"):
        (tmp_path / name).write_bytes((EXAMPLES / name).read_bytes())
    (tmp_path / "test_it.py").write_text(TESTS)
    (tmp_path / "coin.test.yaml").write_text(FILE)
    done = run_pytest(tmp_path)
    for line in ("coin.test.yaml::right PASSED", "coin.test.yaml::wrong FAILED", "test_it.py::test_played PASSED", "test_it.py::test_real PASSED", "test_it.py::test_broken FAILED"):
        assert line in done.stdout, done.stdout + done.stderr
    assert "coin.test.yaml:5:" in done.stdout and "expected Succeeded, got Skipped" in done.stdout and "○ heads" in done.stdout
    assert "RunFailed" in done.stdout and "exit code 1" in done.stdout
    assert "wrong" not in run_pytest(tmp_path, "--no-workflow-tests").stdout


def test_a_test_file_that_cannot_be_read_is_told(tmp_path):
    (tmp_path / "bad.test.yaml").write_text("workflows: [nothing.yaml]\ntests: []\n")
    done = run_pytest(tmp_path)
    assert done.returncode == 2 and "nothing.yaml" in done.stdout
