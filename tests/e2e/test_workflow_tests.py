"""tiphys test and tiphys simulate, and the examples' own tests."""

import json
import pathlib
import xml.etree.ElementTree as ElementTree

import pytest

from cli_support import cli

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "examples"

WORKFLOW = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: wf}
spec:
  entrypoint: main
  templates:
  - name: main
    dag:
      tasks:
      - {name: a, template: work}
      - {name: b, template: work, dependencies: [a]}
      - {name: c, template: work, dependencies: [a]}
  - name: work
    metadata: {annotations: {tiphys.io/duration: 1m}}
    container: {image: a, command: [a], resources: {requests: {cpu: 500m, memory: 1Gi}}}
"""

TESTS = """
workflows: [wf.yaml]
tests:
- name: good & well
  expect: {phase: Succeeded}
- name: bad
  mocks: [{node: b, exitCode: 3}]
  expect: {phase: Succeeded, nodes: {b: Succeeded}}
- name: wrong
  mocks: [{template: wrok}]
  expect: {phase: Succeeded}
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "wf.yaml").write_text(WORKFLOW)
    (tmp_path / "wf.test.yaml").write_text(TESTS)
    return tmp_path


def test_the_examples_pass_their_tests(cli):
    result = cli("test", str(EXAMPLES))
    assert result.returncode == 0, result.stdout + result.stderr
    assert "coinflip.test.yaml" in result.stdout and "digits-pipeline.test.yaml" in result.stdout


def test_what_differs_is_shown_with_its_place_and_the_nodes(cli, folder):
    result = cli("test", str(folder), code=None)
    assert result.returncode == 1
    text = result.stdout
    assert " ✔ good & well  " in text
    assert f"{folder}/wf.test.yaml:8:41: nodes.b.phase\n     expected  Succeeded\n     got       Failed (main: Error (exit code 3))\n" in text
    assert " ✖ b" in text and "main: Error (exit code 3)" in text
    assert f'{folder}/wf.test.yaml:10:22: there is no template "wrok"; did you mean "work"?' in text
    assert "3 tests, 1 passed, 2 failed (" in text
    assert "\x1b[" not in text


def test_filter_chooses_by_name(cli, folder):
    assert "1 test, 1 passed (" in cli("test", str(folder), "--filter", "good").stdout
    assert "1 test, 1 passed (" in cli("test", str(folder), "--filter", "good*").stdout
    result = cli("test", str(folder), "--filter", "nothing", code=None)
    assert result.returncode == 2 and 'no test is called "nothing"' in result.stderr


def test_results_for_programs(cli, folder):
    result = cli("test", str(folder), "-o", "json", "--junit", str(folder / "out.xml"), code=None)
    tests = json.loads(result.stdout)["files"][0]["tests"]
    assert [test["passed"] for test in tests] == [True, False, False]
    difference = tests[1]["differences"][1]
    assert (difference["line"], difference["what"], difference["expected"]) == (8, "nodes.b.phase", "Succeeded")
    suite = ElementTree.parse(folder / "out.xml").getroot()[0]
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("3", "1", "1")
    assert [case.get("name") for case in suite] == ["good & well", "bad", "wrong"]
    assert "nodes.b.phase" in suite[1][0].text


def test_a_broken_file_is_told_and_the_others_run(cli, folder):
    (folder / "a.test.yaml").write_text("workflows: [none.yaml]\ntests: [{name: a, expect: {phase: Failed}}]\n")
    result = cli("test", str(folder), code=None)
    assert result.returncode == 2
    assert f"{folder}/a.test.yaml:1:13: {folder}/none.yaml: " in result.stdout
    assert "3 tests, 1 passed, 2 failed, 1 file not read (" in result.stdout


def test_the_schedule_is_a_chart(cli, folder):
    text = cli("simulate", str(folder / "wf.yaml"), "--duration", "b=2m").stdout
    assert [line.split()[1:4] for line in text.splitlines()[1:4]] == [
        ["a", "0s", "1m0s"],
        ["b", "1m0s", "3m0s"],
        ["c", "1m0s", "2m0s"],
    ]
    assert "Critical path  a 1m0s → b 2m0s\n" in text
    assert "Total          3m0s\nAt once        2 pods, 1 cpus, 2Gi of memory requested\n" in text
    assert "\x1b[" not in text and all(len(line) <= 80 for line in text.splitlines())


def test_what_limits_would_do(cli, folder):
    def simulated(*flags):
        return json.loads(cli("simulate", str(folder / "wf.yaml"), "-o", "json", *flags).stdout)

    assert simulated()["total"] == 120
    assert simulated("--parallelism", "1")["total"] == 180
    waiting = simulated("--memory", "1Gi")
    assert (waiting["total"], waiting["mostPods"]) == (180, 1)
    assert [(step["name"], step["asked"], step["start"]) for step in waiting["steps"]][2] == ("c", 60, 120)


def test_mocks_and_what_lacks_them(cli, folder):
    (folder / "mocks.yaml").write_text("mocks: [{node: c, duration: 5m}]\n")
    result = cli("simulate", str(folder / "wf.yaml"), "--with", str(folder / "mocks.yaml"))
    assert "Critical path  a 1m0s → c 5m0s\n" in result.stdout
    result = cli("simulate", str(EXAMPLES / "coinflip.yaml"), code=None)
    assert result.returncode == 2
    assert "`- {template: flip-coin, outputs: {result: ...}}`" in result.stderr


def test_a_pod_that_never_fits(cli, folder):
    result = cli("simulate", str(folder / "wf.yaml"), "--cpus", "100m", code=1)
    assert "Phase          Error: a: the pod requests 0.5 cpus, this machine gives 0.1\n" in result.stdout
