"""Programs of tests/clients, each run in a Python environment of its own, with nothing but a kubeconfig that says where the API is."""

import os
import subprocess

import pytest

from conftest import ROOT

PATIENCE = 300  # seconds after which a hanging program fails its test
UNREACHABLE = 75  # how tools/python-environments ends where there is no registry
WITHOUT_PYTHON = 76  # and where a list asks for a Python that is not there


def environment(name):
    """The environment's Python; installs it where it is not there yet."""
    installed = subprocess.run([ROOT / "tools/python-environments", name], capture_output=True, text=True, timeout=900, check=False)
    if installed.returncode == UNREACHABLE:
        pytest.skip(f"PyPI cannot be reached, and the environment {name} is not installed")
    if installed.returncode == WITHOUT_PYTHON:
        pytest.skip(installed.stdout.strip())
    assert installed.returncode == 0, installed.stdout + installed.stderr
    return ROOT / ".deps/environments" / name / "bin/python"


class Programs:
    def __init__(self, cli, python):
        self.cli, self.python = cli, python

    def __call__(self, program, *arguments, **variables):
        """Runs one to its end; the last line of what it says is "done" unless it fails."""
        return self.run(*self.command(program, *arguments)[1:], **variables)

    def run(self, *arguments, **variables):
        """The environment's Python with any arguments."""
        done = subprocess.run([self.python, *arguments], env=self.variables() | variables, capture_output=True, text=True, timeout=PATIENCE, check=False)
        assert done.returncode == 0, f"{' '.join(map(str, arguments))} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def command(self, program, *arguments):
        return [self.python, ROOT / "tests/clients" / program, *arguments]

    def variables(self):
        return {"PATH": os.environ["PATH"], "HOME": str(self.cli.folder), "LANG": "C.UTF-8", "KUBECONFIG": str(self.cli.data_dir / "kubeconfig")}


@pytest.fixture
def programs(cli, request):
    """With the environment that the test names, beside a plane that is up."""
    python = environment(request.param)
    config = cli.folder / "controller.yaml"
    config.write_text("persistence: {archive: true}\n")
    cli.up("--config", config)
    return Programs(cli, python)


def in_environments(*names):
    return pytest.mark.parametrize("programs", names, indirect=True)


def define(programs, *files):
    """Makes definitions of tests/clients/definitions, or of anywhere."""
    programs("define.py", *[str(ROOT / "tests/clients/definitions" / file) for file in files])
