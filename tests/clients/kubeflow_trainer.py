"""Kubeflow's client of the trainer's second version, and of its tuning: runtimes, a job of a function, its steps and logs."""

from kubeflow.common.types import KubernetesBackendConfig
from kubeflow.optimizer import Objective, OptimizerClient, Search, TrialConfig
from kubeflow.trainer import CustomTrainer, TrainerClient, TrainJobTemplate
from kubernetes import client, config

from status_of import condition, run_pod, set_status

config.load_kube_config()
API = "trainer.kubeflow.org/v1alpha1"
container = {"name": "node", "image": "pytorch/pytorch"}
node = {"name": "node", "template": {"metadata": {"labels": {"trainer.kubeflow.org/trainjob-ancestor-step": "trainer"}}, "spec": {"template": {"spec": {"containers": [container]}}}}}
runtime = {"apiVersion": API, "kind": "ClusterTrainingRuntime", "metadata": {"name": "torch-distributed", "labels": {"trainer.kubeflow.org/framework": "torch"}},
           "spec": {"mlPolicy": {"numNodes": 1, "torch": {"numProcPerNode": "auto"}}, "template": {"spec": {"replicatedJobs": [node]}}}}
client.CustomObjectsApi().create_cluster_custom_object("trainer.kubeflow.org", "v1alpha1", "clustertrainingruntimes", runtime)


def train(rate="1"):
    print("rate", rate)


trainer = TrainerClient(backend_config=KubernetesBackendConfig(namespace="default"))
assert [each.name for each in trainer.list_runtimes()] == ["torch-distributed"]
torch = trainer.get_runtime("torch-distributed")
custom = CustomTrainer(func=train, func_args={"rate": "0.1"}, num_nodes=1, resources_per_node={"cpu": 1})
name = trainer.train(runtime=torch, trainer=custom)
assert [job.name for job in trainer.list_jobs()] == [name] and trainer.get_job(name).status == "Created"
run_pod(name + "-node-0-0", {"jobset.sigs.k8s.io/jobset-name": name, "jobset.sigs.k8s.io/replicatedjob-name": "node", "batch.kubernetes.io/job-completion-index": "0"}, "node", "echo", "rate 0.1")
assert [(step.name, step.status) for step in trainer.get_job(name).steps] == [("node-0", "Succeeded")]
assert list(trainer.get_job_logs(name)) == ["rate 0.1"]
set_status(API, "trainjobs", name, {"conditions": [condition("Complete")]})
assert trainer.wait_for_job_status(name, timeout=60).status == "Complete"
assert isinstance(trainer.get_job_events(name), list)

optimizer = OptimizerClient(backend_config=KubernetesBackendConfig(namespace="default"))
search = optimizer.optimize(TrainJobTemplate(trainer=custom, runtime=torch), search_space={"rate": Search.uniform(0.1, 0.2)}, objectives=[Objective(metric="loss")],
                            trial_config=TrialConfig(num_trials=2, parallel_trials=1))
assert [job.name for job in optimizer.list_jobs()] == [search]
set_status("kubeflow.org/v1beta1", "experiments", search, {"conditions": [condition("Succeeded")]})
assert optimizer.wait_for_job_status(search, timeout=60).status == "Complete"
optimizer.delete_job(search)
trainer.delete_job(name)
assert trainer.list_jobs() == [] and optimizer.list_jobs() == []
print("done")
