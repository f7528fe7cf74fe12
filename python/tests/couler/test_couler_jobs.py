"""couler.steps: training jobs and experiments."""

import pytest

import tiphys.couler.argo as couler
from couler_programs import template
from tiphys.couler.core.manifest import parse
from tiphys.couler.steps import katib, mpi, pytorch, tensorflow

WORKERS = {"image": "i", "command": "python t.py --n 2", "num_workers": 3}


def job(name):
    resource = template(couler.workflow_yaml(), name)["resource"]
    return parse(resource.pop("manifest")), resource


# Module, arguments, kind, field of the replicas, how many of each type.
TABLE = [
    ("mpi", mpi, {}, "MPIJob", "mpiReplicaSpecs", {"Launcher": 1, "Worker": 3}),
    ("pytorch", pytorch, {}, "PyTorchJob", "pytorchReplicaSpecs", {"Master": 1, "Worker": 3}),
    ("tensorflow", tensorflow, {}, "TFJob", "tfReplicaSpecs", {"Worker": 3}),
    ("tensorflow with all", tensorflow, {"no_chief": False, "num_ps": 2, "num_evaluators": 1}, "TFJob", "tfReplicaSpecs", {"Chief": 1, "PS": 2, "Worker": 3, "Evaluator": 1}),
]


@pytest.mark.parametrize("module, arguments, kind, field, replicas", [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_training(module, arguments, kind, field, replicas):
    secret = couler.create_secret({"k": "v"}, name="s")

    def trained():
        return module.train(**WORKERS, worker_resources="cpu=0.5,memory=1024,gpu_type=p100", secret=secret, timeout=9, **arguments)

    trained()
    manifest, resource = job("trained")
    assert (manifest["apiVersion"], manifest["kind"]) == ("kubeflow.org/v1", kind)
    assert manifest["spec"]["cleanPodPolicy"] == "Running"
    assert {name: pod["replicas"] for name, pod in manifest["spec"][field].items()} == replicas
    worker = manifest["spec"][field]["Worker"]["template"]["spec"]["containers"][0]
    assert worker["command"] == ["python", "t.py", "--n", "2"]
    assert worker["resources"] == {"limits": {"cpu": 0.5, "memory": 1024, "gpu_type": "p100"}}
    assert worker["env"] == [{"name": "k", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]
    assert resource["successCondition"] == "status.replicaStatuses.Worker.succeeded == 3"
    assert resource["failureCondition"] == "status.replicaStatuses.Worker.failed > 0"
    assert template(couler.workflow_yaml(), "trained")["activeDeadlineSeconds"] == 9


def test_tuning():
    katib.run(raw_template="apiVersion: batch/v1", tuning_params=[{"name": "rate", "type": "int", "range": [1, 9]}],
              objective={"type": "maximize", "goal": 0.9, "metric_name": "accuracy"})
    manifest, _ = job("run")
    assert manifest["spec"]["parameters"] == [{"name": "--rate", "parameterType": "int", "feasibleSpace": {"min": "1", "max": "9"}}]
    assert manifest["spec"]["objective"] == {"type": "maximize", "goal": 0.9, "objectiveMetricName": "accuracy"}
    assert manifest["spec"]["trialTemplate"] == {"goTemplate": {"rawTemplate": "apiVersion: batch/v1"}}


ERRORS = [
    ("no image", lambda: mpi.train(command="c", num_workers=1), "the Launcher needs an image: pass image= or launcher_image="),
    ("resources that cannot be read", lambda: mpi.train(image="i", num_workers=1, worker_resources="cpu=much"), "'cpu=much' cannot be read"),
    ("an unknown secret", lambda: pytorch.train(image="i", secret="none"), "there is no secret 'none'"),
    ("no metric", lambda: katib.run("t", [], {"type": "maximize", "goal": 1}), "metric_name is missing"),
    ("a range that is none", lambda: katib.run("t", [{"name": "a", "type": "int", "range": 3}], {"type": "", "goal": 1, "metric_name": ""}), "[least, most], not 3"),
]


@pytest.mark.parametrize("call, said", [row[1:] for row in ERRORS], ids=[row[0] for row in ERRORS])
def test_refused(call, said):
    with pytest.raises(ValueError) as refused:
        call()
    assert said in str(refused.value)
