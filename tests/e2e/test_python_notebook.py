"""Runs in notebooks: what a kernel sends, and what is in the file that is saved."""

import base64
import json
import re
import subprocess
import xml.etree.ElementTree as xml

import pytest
from client_environments import PATIENCE, environment
from conftest import ROOT
from python_support import clean_environment

SETUP = """
import tiphys
two = {"spec": {"entrypoint": "main", "templates": [
    {"name": "main", "steps": [[{"name": "first", "template": "say"}], [{"name": "<second>", "template": "say"}]]},
    {"name": "say", "container": {"image": "x", "command": ["echo", "a & b"]}}]}}
two["spec"]["templates"][0]["steps"][1][0]["name"] = "second"
"""


@pytest.fixture(scope="module")
def python():
    return environment("notebooks")


@pytest.fixture
def execute(python, tmp_path):
    """Runs cells, and gives the outputs of each as they are saved."""

    def run(*cells):
        path = tmp_path / "given.ipynb"
        path.write_text(json.dumps({"cells": [{"id": f"c{i}", "cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": cell} for i, cell in enumerate(cells)],
                                    "metadata": {"kernelspec": {"name": "python3", "display_name": "Python", "language": "python"}}, "nbformat": 4, "nbformat_minor": 5}))
        done = subprocess.run([python, ROOT / "tests/clients/run_notebook.py", path, tmp_path / "saved.ipynb"], env=clean_environment(tmp_path),
                              capture_output=True, text=True, timeout=PATIENCE, check=False)
        assert done.returncode == 0, done.stderr
        return [cell["outputs"] for cell in json.loads((tmp_path / "saved.ipynb").read_text())["cells"]]

    return run


def shown(outputs):
    """The one view among a cell's outputs, each form of it as text."""
    (view,) = [output["data"] for output in outputs if "text/html" in output.get("data", {})]
    return {form: "".join(text) for form, text in view.items()}


def check_forms(view):
    assert set(view) == {"text/html", "image/svg+xml", "text/markdown", "text/plain"}
    assert "<script" not in view["text/html"]
    (picture,) = re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', view["text/html"])
    for svg in (base64.b64decode(picture).decode(), view["image/svg+xml"]):
        assert xml.fromstring(svg).tag.endswith("svg")


def test_a_run_that_is_waited_for(execute):
    _, outputs, values = execute(SETUP, "run = tiphys.run(two, runtime='process', wait=True)\nrun", "run.status")
    view = shown(outputs)
    check_forms(view)
    assert "✔ Succeeded" in view["text/html"] and "2/2 done" in view["text/html"]
    assert "first: a &amp; b" in view["text/html"] and "second: a & b" in view["text/markdown"]
    assert "".join(values[0]["data"]["text/plain"]) == "'Succeeded'"


def test_a_run_that_goes_on_behind_its_cell(execute):
    """The picture of the first cell is as of the end, although the cell was over before."""
    _, outputs, _ = execute(SETUP, "run = tiphys.run(two, runtime='process')\nrun", "run.wait(progress=False)\nrun.follow(with_nodes=True).wait()\nimport threading\n"
                            "[thread.join() for thread in threading.enumerate() if thread.name == 'tiphys view']")
    assert "✔ Succeeded" in shown(outputs)["text/html"]


def test_a_run_that_has_ended(execute):
    _, _, outputs = execute(SETUP, "run = tiphys.run(two, runtime='process').wait(progress=False)", "run")
    check_forms(shown(outputs))


def test_a_run_that_fails(execute):
    code = "two['spec']['templates'][1]['container']['command'] = ['sh', '-c', 'echo broken; exit 3']\ntry:\n    tiphys.run(two, runtime='process', wait=True)\nexcept tiphys.RunFailed as failed:\n    print(failed.node.name)"
    _, outputs = execute(SETUP, code)
    assert "✖ Failed" in shown(outputs)["text/html"] and "exit code 3" in shown(outputs)["text/markdown"]
    assert any(output.get("text") in ("first\n", ["first\n"]) for output in outputs)


def test_a_played_workflow(execute):
    _, outputs = execute(SETUP, "from tiphys.testing import play\nplay(two)")
    assert "2/2 done" in shown(outputs)["text/html"]


def test_runs_that_are_awaited(execute):
    """A kernel's loop runs already; calls that wait work within it as well."""
    code = "import asyncio\nruns = await asyncio.gather(*(tiphys.arun(two, runtime='process', wait=True) for _ in range(3)))\n[await run.status() for run in runs]"
    _, waited, called = execute(SETUP, code, "async def call():\n    return tiphys.run(two, runtime='process', wait=True, progress=False).status\nawait call()")
    assert "".join(waited[-1]["data"]["text/plain"]) == "['Succeeded', 'Succeeded', 'Succeeded']"
    assert "".join(called[-1]["data"]["text/plain"]) == "'Succeeded'"


def test_an_interrupt_stops_a_run_that_is_waited_for(python, tmp_path):
    done = subprocess.run([python, ROOT / "tests/clients/interrupted_kernel.py"], env=clean_environment(tmp_path), capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.stdout.splitlines()[-1:] == ["done"], done.stdout + done.stderr


@pytest.mark.parametrize("path", sorted((ROOT / "examples/notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_the_examples_run(python, tmp_path, path):
    done = subprocess.run([python, ROOT / "tests/clients/run_notebook.py", path, tmp_path / "saved.ipynb"], env=clean_environment(tmp_path),
                          capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stderr
    given = json.loads(path.read_text())
    assert not any(cell.get("outputs") for cell in given["cells"]), "notebooks are kept without outputs"
