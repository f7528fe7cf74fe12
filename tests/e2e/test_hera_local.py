"""Hera's workflows, run by tiphys.run() where they are: functions of the program, its interpreter and packages, without an image."""

import os
import pathlib
import subprocess

import pytest

from client_environments import PATIENCE, environment
from conftest import ROOT
from python_support import clean_environment


PROGRAMS = [("hera", "hera_runner"), ("hera-5", "hera_decorators"), ("hera", "hera_features"), ("hera", "hera_events"), ("hera", "hera_templates"), ("hera-5", "hera_templates")]


@pytest.mark.parametrize("name, program", PROGRAMS)
def test_programs(tmp_path, name, program):
    done = subprocess.run([environment(name), ROOT / f"tests/clients/{program}.py"], env=clean_environment(tmp_path), cwd=tmp_path, capture_output=True, text=True,
                          timeout=PATIENCE, check=False)
    assert done.stdout.splitlines()[-1:] == ["done"], done.stdout + done.stderr


LINT = """
import importlib, os, pathlib, sys
from hera.shared import global_config
from hera.workflows import ClusterWorkflowTemplate, Workflow, WorkflowsService
import tiphys

root, path = map(pathlib.Path, sys.argv[1:])
sys.path[:0] = [str(root), str(path.parent)]
module = importlib.import_module(".".join(path.relative_to(root).with_suffix("").parts))
with tiphys.Server(runtime="process") as server:
    for each in {id(value): value for value in vars(module).values() if isinstance(value, Workflow)}.values():
        cluster = isinstance(each, ClusterWorkflowTemplate)
        global_config.namespace = None if cluster else "default"
        each.namespace = None if cluster else "default"
        each.workflows_service = WorkflowsService(host=server.url, token=server.token, verify_ssl=False, namespace="default")
        each.lint()
print("done")
"""

# What a cluster would refuse too, or refuse later, and what needs packages of its own.
REFUSED = {
    "container_set_with_env": 'Unsupported value: "abc"',
    "env": 'Unsupported value: "abc"',
    "init_containers_with_env": "is a reserved Argo container name",
    "parquet_pandas": "No module named 'pandas'",
    "reusing_cli_app": "No module named 'cappa'",
    "suspend_input_duration": "inputs.parameters.duration had no value",
    "template_refs": "namespace is not a valid field",
    "user_container": "image may not be empty",
    "workflow_of_workflows": "`PyYAML` is not installed",
}


def examples():
    """Those that Hera publishes, of a copy of its sources that TIPHYS_HERA_SOURCES names."""
    sources = os.environ.get("TIPHYS_HERA_SOURCES")
    if not sources:
        return [pytest.param(None, marks=pytest.mark.skip(reason="TIPHYS_HERA_SOURCES names no copy of Hera's sources, whose examples are linted"))]
    found = sorted(pathlib.Path(sources).glob("examples/workflows/**/*.py"))
    return [pytest.param(path, id=path.stem) for path in found if path.stem != "__init__" and "upstream" not in path.parts]


@pytest.mark.parametrize("path", examples())
def test_published_examples_are_taken(tmp_path, path):
    program = tmp_path / "lint.py"
    program.write_text(LINT)
    done = subprocess.run([environment("hera"), program, os.environ["TIPHYS_HERA_SOURCES"], path], env=clean_environment(tmp_path), capture_output=True, text=True,
                          timeout=PATIENCE, check=False)
    if path.stem in REFUSED:
        assert done.returncode and REFUSED[path.stem] in done.stderr
    else:
        assert done.stdout.splitlines()[-1:] == ["done"], done.stderr[-2000:]
