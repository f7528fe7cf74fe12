"""Manifests that other people's generators make run as they are."""

import shutil
import subprocess

from cli_support import cli  # noqa: F401
from client_environments import PATIENCE, environment
from conftest import ROOT, tree
from python_support import clean_environment
from stores import s3  # noqa: F401

CLIENTS = ROOT / "tests/clients"


def test_argo_workflows_dsl(cli, tmp_path):
    made = tmp_path / "diamond.json"
    subprocess.run([environment("argo-workflows-dsl"), CLIENTS / "argo_workflows_dsl.py", made], check=True, timeout=PATIENCE)
    cli("run", made, *cli.tiphys.runtime)
    assert tree(cli.workflow()) == [
        ".A Pod Succeeded -> .B, .C", ".B Pod Succeeded -> .D", ".C Pod Succeeded -> .D", ".D Pod Succeeded", "/ DAG Succeeded -> .A",
    ]


def done(name, program, environment_variables, cwd):
    """Runs a program in the environment; the last line of what it says is "done" unless it fails."""
    ran = subprocess.run([environment(name), CLIENTS / program], env=environment_variables, cwd=cwd, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert ran.stdout.splitlines()[-1:] == ["done"], ran.stdout + ran.stderr


def test_argo_workflow_tools(tmp_path):
    done("argo-workflow-tools", "generator_argo_workflow_tools.py", clean_environment(tmp_path), tmp_path)


def test_argoflow(tmp_path):
    done("argoflow", "generator_argoflow.py", clean_environment(tmp_path), tmp_path)


def test_argo_kedro(tmp_path):
    project = shutil.copytree(CLIENTS / "kedro", tmp_path / "project")
    done("argo-kedro", "generator_argo_kedro.py", clean_environment(tmp_path, DO_NOT_TRACK="1"), project)


def test_dflow(tmp_path, s3):
    done("pydflow", "generator_dflow.py", clean_environment(tmp_path, S3_ENDPOINT=s3.endpoint), tmp_path)


def test_kubeflow_pipelines(tmp_path):
    done("kfp", "generator_kfp.py", clean_environment(tmp_path), tmp_path)


def test_tinyfan(tmp_path):
    done("tinyfan", "generator_tinyfan.py", clean_environment(tmp_path), tmp_path)


def test_metaflow(tmp_path, s3):
    flow = {"METAFLOW_DEFAULT_METADATA": "local", "METAFLOW_USER": "ann", "METAFLOW_SKIP_INSTALL_DEPENDENCIES": "1",
            "METAFLOW_S3_ENDPOINT_URL": f"http://{s3.endpoint}", "METAFLOW_DATASTORE_SYSROOT_S3": "s3://data/metaflow"}
    account = {"AWS_ACCESS_KEY_ID": "one", "AWS_SECRET_ACCESS_KEY": "two", "AWS_DEFAULT_REGION": "us-east-1"}
    done("metaflow", "generator_metaflow.py", clean_environment(tmp_path, **flow, **account), tmp_path)
