"""The clients of Kubeflow and KServe make, list, follow, change and remove their kinds, whose controllers the programs play."""

import os
import pathlib

import pytest

from cli_support import cli  # noqa: F401
from client_environments import define, in_environments, programs  # noqa: F401

# TIPHYS_DEFINITIONS names a folder of the projects' own definitions: their schemas are large, and never part of this repository.
THEIRS = os.environ.get("TIPHYS_DEFINITIONS")
both = pytest.mark.parametrize("definitions", ["ours", "theirs"] if THEIRS else ["ours"])


def run(programs, definitions, file, program):
    files = sorted(pathlib.Path(THEIRS).glob("*.yaml")) if definitions == "theirs" else [file]
    define(programs, *files)
    assert programs(program).splitlines()[-1] == "done"


@both
@in_environments("training")
def test_training_jobs(programs, definitions):
    run(programs, definitions, "kubeflow.yaml", "kubeflow_training.py")


@both
@in_environments("katib")
def test_experiments(programs, definitions):
    run(programs, definitions, "kubeflow.yaml", "kubeflow_katib.py")


@both
@in_environments("kserve")
def test_inference_services(programs, definitions):
    run(programs, definitions, "kserve.yaml", "kserve_client.py")


@both
@in_environments("kserve")
def test_train_jobs(programs, definitions):
    run(programs, definitions, "kubeflow.yaml", "kubeflow_trainer.py")
