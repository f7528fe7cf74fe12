"""Types and versions: the package is what it says it is to a type checker, and to each Python that it is for."""

import os
import shutil
import subprocess

import pytest
from client_environments import PATIENCE, environment
from conftest import ROOT
from python_support import clean_environment

SOURCES = ROOT / "python/src"
VERSIONS = [f"3.{minor}" for minor in range(9, 14)]  # as python/pyproject.toml says


@pytest.mark.parametrize("version", VERSIONS[1:])  # mypy knows no older ones any more
def test_types_are_strict(tmp_path, version):
    done = subprocess.run([environment("mypy"), "-m", "mypy", "--python-version", version, "--cache-dir", tmp_path, SOURCES / "tiphys"], cwd=ROOT / "python",
                          capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stdout


def interpreter(version):
    """One of this host that can be called, not what only says that it is not there."""
    found = shutil.which(f"python{version}")
    if not found or subprocess.run([found, "-c", "pass"], capture_output=True, check=False).returncode:
        pytest.skip(f"there is no python{version}")
    return subprocess.run([found, "-c", "import sys; print(sys.executable)"], capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize("version", VERSIONS)
def test_each_version_runs_workflows(tmp_path, version):
    done = subprocess.run([interpreter(version), "-W", "error", ROOT / "tests/clients/all_of_the_package.py"], cwd=tmp_path, env=clean_environment(tmp_path, PATH=os.environ["PATH"]),
                          capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.stdout.splitlines()[-1:] == ["done"], done.stdout + done.stderr
