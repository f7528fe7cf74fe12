"""Couler's programs of the talk, submitted by its own submitter, run to their ends."""

import pytest

from cli_support import cli  # noqa: F401
from client_environments import in_environments, programs  # noqa: F401
from conftest import tree


def run(programs, name):
    programs(f"couler/{name}.py")
    programs.cli("wait", "@latest")
    workflow = programs.cli.workflow()
    assert workflow["metadata"]["name"].startswith(name.replace("_", "-") + "-")
    assert workflow["status"]["phase"] == "Succeeded", workflow["status"]
    return workflow


@in_environments("couler")
def test_coin_flip(programs):
    workflow = run(programs, "coin_flip")
    nodes = {node["displayName"].partition("-")[0]: node["phase"] for node in workflow["status"]["nodes"].values() if node["type"] in ("Pod", "Skipped")}
    assert nodes["flip"] == "Succeeded"
    assert sorted([nodes["heads"], nodes["tails"]]) == ["Skipped", "Succeeded"]


@in_environments("couler")
@pytest.mark.parametrize("name, joins", [("linear", [".C Pod Succeeded"]), ("diamond", [".C Pod Succeeded -> .D"])])
def test_dags(programs, name, joins):
    workflow = run(programs, name)
    assert tree(workflow) == [".A Pod Succeeded -> .B, .C", ".B Pod Succeeded -> .D", *joins, ".D Pod Succeeded", "/ DAG Succeeded -> .A"]
    assert "< \"B\" >" in programs.cli("logs", "@latest").stdout
