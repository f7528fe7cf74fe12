"""Manifests that other people's generators make run as they are."""

import subprocess

from cli_support import cli  # noqa: F401
from client_environments import PATIENCE, environment
from conftest import ROOT, tree


def test_argo_workflows_dsl(cli, tmp_path):
    made = tmp_path / "diamond.json"
    subprocess.run([environment("argo-workflows-dsl"), ROOT / "tests/clients/argo_workflows_dsl.py", made], check=True, timeout=PATIENCE)
    cli("run", made, *cli.tiphys.runtime)
    assert tree(cli.workflow()) == [
        ".A Pod Succeeded -> .B, .C", ".B Pod Succeeded -> .D", ".C Pod Succeeded -> .D", ".D Pod Succeeded", "/ DAG Succeeded -> .A",
    ]
