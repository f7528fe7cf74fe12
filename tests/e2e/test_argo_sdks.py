"""Argo's own SDKs for Go and Java against `tiphys up`: programs of tests/clients. They are built from Argo's sources, so they are only run where ARGO_SOURCES says where these lie."""

import os
import subprocess

import pytest

from cli_support import cli  # noqa: F401
from client_environments import PATIENCE, UNREACHABLE
from conftest import ROOT

BUILT = ROOT / ".deps/argo-sdks"


def build(language):
    built = subprocess.run([ROOT / "tools/argo-sdks", language], capture_output=True, text=True, timeout=1800, check=False)
    if built.returncode == UNREACHABLE:
        pytest.skip(built.stderr.strip())
    assert built.returncode == 0, built.stdout + built.stderr


@pytest.fixture
def variables(cli):
    config = cli.folder / "config.yaml"
    config.write_text("persistence: {archive: true}\n")
    server = cli.up("--config", config).server
    return {"PATH": os.environ["PATH"], "HOME": str(cli.folder), "LANG": "C.UTF-8", "KUBECONFIG": str(cli.data_dir / "kubeconfig"),
            "ARGO_SERVER": server["address"], "ARGO_HOST": f"http://{server['address']}", "ARGO_TOKEN": f"Bearer {server['token']}"}


def run(command, variables):
    done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert done.stdout == "done\n"


@pytest.mark.parametrize("how", ["grpc", "http1", "kubeconfig", "offline", "clientset"])
def test_go(how, variables):
    build("go")
    run([BUILT / "argo_go", how, f"go-{how}"], variables)


def test_java(variables):
    build("java")
    run(["java", "-XX:TieredStopAtLevel=1", "-cp", f"{BUILT}/java/*", ROOT / "tests/clients/argo_java/ArgoSdk.java"], variables)
