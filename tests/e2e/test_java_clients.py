"""Fabric8's client on the JVM against `tiphys up`: a program of tests/clients/java, with nothing but the kubeconfig."""

import os
import shutil
import subprocess

import pytest

from cli_support import cli  # noqa: F401
from client_environments import PATIENCE, UNREACHABLE
from conftest import ROOT

FOLDER = ROOT / "tests/clients/java"


@pytest.fixture(scope="module")
def libraries():
    """Where the jars are; installs them where they are not there yet."""
    if not shutil.which("java"):
        pytest.skip("there is no java on this machine: install a JDK of 17 or newer")
    installed = subprocess.run([ROOT / "tools/java-client"], capture_output=True, text=True, timeout=900, check=False)
    if installed.returncode == UNREACHABLE:
        pytest.skip(installed.stderr.strip())
    assert installed.returncode == 0, installed.stdout + installed.stderr
    return ROOT / ".deps/java"


def test_fabric8(cli, libraries):
    cli.up()
    # The client takes a proxy from the environment, and an account from a pod's files: it gets neither.
    variables = {"PATH": os.environ["PATH"], "HOME": str(cli.folder), "LANG": "C.UTF-8", "KUBECONFIG": str(cli.data_dir / "kubeconfig")}
    done = subprocess.run(["java", "-XX:TieredStopAtLevel=1", "-cp", f"{libraries}/*", FOLDER / "Fabric8.java"], env=variables, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert done.stdout == "done\n"
