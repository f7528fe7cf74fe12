"""Kubeflow's client of tuning: an experiment, its trials and its best one, and one made of a function."""

import kubeflow.katib as katib
from kubernetes import client, config

from status_of import condition, set_status

config.load_kube_config()
tuning = katib.KatibClient(namespace="default")
rate = katib.V1beta1ParameterSpec(name="rate", parameter_type="double", feasible_space=katib.V1beta1FeasibleSpace(min="0.01", max="0.1"))
trial_job = {"apiVersion": "batch/v1", "kind": "Job", "spec": {"template": {"spec": {
    "restartPolicy": "Never", "containers": [{"name": "main", "image": "busybox", "command": ["echo", "loss=${trialParameters.rate}"]}]}}}}
template = katib.V1beta1TrialTemplate(primary_container_name="main", trial_spec=trial_job, trial_parameters=[katib.V1beta1TrialParameterSpec(name="rate", reference="rate")])
spec = katib.V1beta1ExperimentSpec(
    max_trial_count=3, parallel_trial_count=1, max_failed_trial_count=1, algorithm=katib.V1beta1AlgorithmSpec(algorithm_name="random"),
    objective=katib.V1beta1ObjectiveSpec(type="minimize", goal=0.001, objective_metric_name="loss"), parameters=[rate], trial_template=template)
tuning.create_experiment(katib.V1beta1Experiment(api_version="kubeflow.org/v1beta1", kind="Experiment", metadata=client.V1ObjectMeta(name="search"), spec=spec))
read = tuning.get_experiment("search")
assert read.spec.parameters[0].feasible_space.max == "0.1" and read.spec.trial_template.trial_spec["kind"] == "Job"
assert [each.metadata.name for each in tuning.list_experiments()] == ["search"]
assert tuning.get_optimal_hyperparameters("search") is None
set_status("kubeflow.org/v1beta1", "experiments", "search", {"conditions": [condition("Created"), condition("Running")], "trials": 1})
assert tuning.is_experiment_running("search")
tuning.edit_experiment_budget("search", max_trial_count=5)
assert tuning.get_experiment("search").spec.max_trial_count == 5

objects = client.CustomObjectsApi()
trial = {"apiVersion": "kubeflow.org/v1beta1", "kind": "Trial", "metadata": {"name": "search-x1", "labels": {"katib.kubeflow.org/experiment": "search"}},
         "spec": {"parameterAssignments": [{"name": "rate", "value": "0.05"}], "runSpec": trial_job, "primaryContainerName": "main",
                  "objective": {"type": "minimize", "objectiveMetricName": "loss"}}}
objects.create_namespaced_custom_object("kubeflow.org", "v1beta1", "default", "trials", trial)
observation = {"metrics": [{"name": "loss", "latest": "0.05", "min": "0.05", "max": "0.2"}]}
set_status("kubeflow.org/v1beta1", "trials", "search-x1", {"conditions": [condition("Succeeded")], "observation": observation})
assert [each.metadata.name for each in tuning.list_trials("search")] == ["search-x1"]
assert tuning.get_success_trial_details("search")[0]["metrics"][0].latest == "0.05"
best = {"bestTrialName": "search-x1", "observation": observation, "parameterAssignments": trial["spec"]["parameterAssignments"]}
set_status("kubeflow.org/v1beta1", "experiments", "search", {"conditions": [condition("Running", "False"), condition("Succeeded")], "currentOptimalTrial": best})
assert tuning.wait_for_experiment_condition("search", polling_interval=1, timeout=60).metadata.name == "search"
assert tuning.get_optimal_hyperparameters("search").parameter_assignments[0].value == "0.05"
objects.create_namespaced_custom_object("kubeflow.org", "v1beta1", "default", "suggestions", {
    "apiVersion": "kubeflow.org/v1beta1", "kind": "Suggestion", "metadata": {"name": "search"}, "spec": {"algorithm": {"algorithmName": "random"}, "requests": 1}})
assert tuning.get_suggestion("search").spec.requests == 1


def objective(parameters):
    print(f"loss={parameters['rate']}")


tuning.tune(name="tuned", objective=objective, parameters={"rate": katib.search.double(min=0.1, max=0.2)}, objective_metric_name="loss", objective_type="minimize", max_trial_count=2)
assert "objective" in str(tuning.get_experiment("tuned").spec.trial_template.trial_spec)
for name in ("search", "tuned"):
    tuning.delete_experiment(name)
assert tuning.list_experiments() == []
print("done")
