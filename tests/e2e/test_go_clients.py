"""client-go against `tiphys up`. It takes minutes to compile, so it is only run where it is asked for: TIPHYS_GO_CLIENTS=required."""

import os
import subprocess

import pytest

from cli_support import cli  # noqa: F401
from conftest import ROOT


@pytest.mark.skipif(os.environ.get("TIPHYS_GO_CLIENTS") != "required", reason="compiling client-go takes minutes: set TIPHYS_GO_CLIENTS=required")
def test_informers(cli, tmp_path):
    program = tmp_path / "informers"
    subprocess.run(["go", "build", "-o", program, "."], cwd=ROOT / "tests/clients/go", check=True, timeout=1800)
    cli.up()
    done = subprocess.run([program], env={"KUBECONFIG": str(cli.data_dir / "kubeconfig")}, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "done\n"
