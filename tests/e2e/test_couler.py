"""Couler's programs, submitted by Couler's own submitter and by tiphys.couler, run to their ends."""

import os
import re
import subprocess
import sys

import pytest

from cli_support import cli  # noqa: F401
from client_environments import PATIENCE, in_environments, programs  # noqa: F401
from conftest import ROOT, tree
from python_support import clean_environment

OURS = {"PYTHONPATH": str(ROOT / "python/src")}


@pytest.fixture(params=["original", "ours"])
def couler(request, programs):
    """Submits a program, by the original or by `python -m tiphys.couler`, and gives the workflow as it has ended."""

    def submit(name):
        program = f"couler/{name}.py"
        if request.param == "original":
            programs(program)
        else:
            programs.run("-m", "tiphys.couler", ROOT / "tests/clients" / program, **OURS)
        programs.cli("wait", "@latest", code=None)
        return programs.cli.workflow()

    return submit


def phases(workflow):
    """Phases of what may run or be skipped, by the name's part before the line."""
    found = {}
    for node in workflow["status"]["nodes"].values():
        if node["type"] in ("Pod", "Skipped"):
            found.setdefault(node["displayName"].split("(")[0].rstrip("0123456789-"), []).append(node["phase"])
    return found


@in_environments("couler")
def test_coin_flip(couler):
    workflow = couler("coin_flip")
    assert workflow["metadata"]["name"].startswith("coin-flip-")
    assert workflow["status"]["phase"] == "Succeeded", workflow["status"]
    nodes = phases(workflow)
    assert nodes["flip-coin"] == ["Succeeded"]
    assert sorted(nodes["heads"] + nodes["tails"]) == ["Skipped", "Succeeded"]


@in_environments("couler")
@pytest.mark.parametrize("name, joins", [("linear", [".C Pod Succeeded"]), ("diamond", [".C Pod Succeeded -> .D"])])
def test_dags(couler, programs, name, joins):
    workflow = couler(name)
    assert workflow["metadata"]["name"].startswith(f"{name}-")
    assert tree(workflow) == [".A Pod Succeeded -> .B, .C", ".B Pod Succeeded -> .D", *joins, ".D Pod Succeeded", "/ DAG Succeeded -> .A"]
    assert '< "B" >' in programs.cli("logs", "@latest").stdout or "< B >" in programs.cli("logs", "@latest").stdout


# Program, and how often what of it comes to which end.
ENDS = [
    ("steps", {"number": ["Succeeded"], "show": ["Succeeded"] * 2, "written": ["Succeeded"], "steps": ["Succeeded"]}),
    ("loop", {"rest": ["Succeeded"] * 2}),
    ("each", {"consume": ["Succeeded"] * 4}),
    ("concurrent", {"left": ["Succeeded"], "right": ["Succeeded"], "both": ["Succeeded"], "say": ["Succeeded"] * 5}),
    ("dag_conditions", {"A": ["Succeeded"], "B": ["Succeeded"], "number": ["Succeeded"], "high": ["Succeeded"], "succeeded": ["Succeeded"], "failed": ["Skipped"]}),
    ("dag_expressions", {"first": ["Succeeded"], "second": ["Failed"], "third": ["Succeeded"]}),
    ("exits", {"work": ["Succeeded"], "report": ["Skipped", "Succeeded"]}),
    ("secrets", {"first": ["Succeeded"], "second": ["Succeeded"]}),
]


@in_environments("kubernetes-37")
@pytest.mark.parametrize("name, ends", ENDS, ids=[row[0] for row in ENDS])
def test_what_programs_may_say(programs, name, ends):
    programs.run("-m", "tiphys.couler", ROOT / "tests/clients/couler/programs" / f"{name}.py", **OURS)
    programs.cli("wait", "@latest")
    found = phases(programs.cli.workflow())
    assert {key: sorted(found[key]) for key in ends} == ends
    if name == "steps":
        assert "text True 1.5 3" in programs.cli("logs", "@latest").stdout


@in_environments("kubernetes-37")
def test_schedules_and_deletion(programs):
    programs.run("-m", "tiphys.couler", ROOT / "tests/clients/couler/programs/cron.py", **OURS)
    assert "1 0 * * *" in programs.cli("cron", "list").stdout
    programs.run("-m", "tiphys.couler", ROOT / "tests/clients/couler/programs/exits.py", **OURS)
    name = programs.cli.workflow()["metadata"]["name"]
    programs.run("-c", f"import tiphys.couler as couler; couler.delete({name!r})", **OURS)
    assert name not in programs.cli("list").stdout


def alone(tmp_path, *arguments):
    """With Python's own library, without a server or a kubeconfig."""
    return subprocess.run([sys.executable, "-m", "tiphys.couler", *arguments], env=clean_environment(tmp_path), capture_output=True, text=True, timeout=PATIENCE, check=False)


def test_on_this_machine_a_program_waits_for_its_workflows(tmp_path):
    done = alone(tmp_path, "--runtime", "process", ROOT / "tests/clients/couler/coin_flip.py")
    assert done.returncode == 0, done.stderr
    assert re.search(r"Workflow (coin-flip-\w+) is submitted to namespace default\n(.|\n)*\1 Succeeded", done.stderr)


def test_a_workflow_that_fails_fails_its_program(tmp_path):
    program = tmp_path / "fail.py"
    program.write_text("import couler.argo as couler\ndef bad(): return couler.run_container(image='i', command=['false'])\nbad()\ncouler.run()\nprint('goes on')\n")
    done = alone(tmp_path, "--runtime", "process", program)
    assert done.returncode == 1 and done.stdout == "goes on\n"
    assert re.search(r"fail-\w+ Failed", done.stderr)


def test_within_a_server(tmp_path):
    program = tmp_path / "served.py"
    program.write_text(
        "import tiphys, tiphys.couler as couler\n"
        "def step(): return couler.run_script(image='i', source='import os; print(os.environ[\"word\"])', secret=couler.create_secret({'word': 'hello'}))\n"
        "with tiphys.Server(runtime='process'):\n"
        "    step()\n"
        "    print(tiphys.get(couler.run(couler.ArgoSubmitter())['metadata']['name']).wait().logs())\n"
        "print(tiphys.run(step, runtime='process', wait=True).logs())\n"
    )
    done = subprocess.run([sys.executable, program], env=clean_environment(tmp_path), capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.stdout == "hello\nhello\n", done.stderr


@in_environments("couler")
def test_the_original_makes_what_is_written_down(programs):
    """The golden facts of tests/clients/couler are those of the package on PyPI."""
    from client_environments import environment

    environment("couler-2021")
    assert programs.run(ROOT / "tests/clients/couler/golden.py", "--check", PATH=os.environ["PATH"]) == ""
