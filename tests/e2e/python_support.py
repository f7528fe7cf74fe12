"""What the tests of the Python package share. It is imported as it is in python/src, with the program that TIPHYS_BIN names."""

import os
import sys

import pytest
from conftest import ROOT

SOURCES = ROOT / "python/src"
sys.path.insert(0, str(SOURCES))

import tiphys  # noqa: E402


def shell(name, script, **more):
    """A template that runs a script of sh."""
    return {"name": name, "container": {"image": "busybox", "command": ["sh", "-c", script]}, **more}


def workflow(*templates, **spec):
    """One whose entrypoint is the first template."""
    return {"metadata": {"generateName": "w-"}, "spec": {"entrypoint": templates[0]["name"], "templates": list(templates), **spec}}


def steps(name, *groups):
    """A template of groups of (name, template)."""
    return {"name": name, "steps": [[{"name": step, "template": template} for step, template in group] for group in groups]}


@pytest.fixture
def plane(tmp_path, monkeypatch):
    """tiphys.run() works on a plane of the test's own, below tmp_path."""
    monkeypatch.setenv("TIPHYS_DATA_DIR", str(tmp_path / "data"))
    for name in ("TIPHYS_SERVER", "ARGO_SERVER", "ARGO_NAMESPACE"):
        monkeypatch.delenv(name, raising=False)
    yield tiphys
    tiphys.shutdown()


def clean_environment(tmp_path, **more):
    """For programs of Python that use the package: nothing of this host's but the program."""
    return {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LANG": "C.UTF-8", "TIPHYS_BIN": os.environ["TIPHYS_BIN"], "TIPHYS_DATA_DIR": str(tmp_path / "data"),
            "PYTHONPATH": str(SOURCES)} | more
