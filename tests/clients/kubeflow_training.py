"""Kubeflow's client of training jobs: two kinds, their conditions, pods, logs, a change and an end."""

from kubeflow.training import TrainingClient, models
from kubernetes import client, config

from status_of import condition, run_pod, set_status

config.load_kube_config()
training = TrainingClient(namespace="default")
replica = models.KubeflowOrgV1ReplicaSpec(replicas=1, restart_policy="OnFailure", template=client.V1PodTemplateSpec(
    spec=client.V1PodSpec(containers=[client.V1Container(name="pytorch", image="busybox", command=["true"])])))
job = models.KubeflowOrgV1PyTorchJob(
    api_version="kubeflow.org/v1", kind="PyTorchJob", metadata=client.V1ObjectMeta(name="digits", namespace="default"),
    spec=models.KubeflowOrgV1PyTorchJobSpec(run_policy=models.KubeflowOrgV1RunPolicy(clean_pod_policy="None"),
                                            pytorch_replica_specs={"Master": replica, "Worker": replica}))
training.create_job(job, labels={"team": "a"})
try:
    training.create_job(job)
    raise AssertionError("a name was given twice")
except RuntimeError:
    pass
read = training.get_job("digits", job_kind="PyTorchJob")
assert read.metadata.uid and read.spec.pytorch_replica_specs["Worker"].replicas == 1
assert not training.is_job_created("digits", job_kind="PyTorchJob")
set_status("kubeflow.org/v1", "pytorchjobs", "digits", {"conditions": [condition("Created"), condition("Running")]})
assert training.is_job_running("digits", job_kind="PyTorchJob")
run_pod("digits-master-0", {"training.kubeflow.org/job-name": "digits", "training.kubeflow.org/job-role": "master", "training.kubeflow.org/replica-type": "master"}, "pytorch", "echo", "loss 0.1")
assert training.get_job_pod_names("digits", is_master=True) == ["digits-master-0"]
for follow in (False, True):
    logs, _ = training.get_job_logs("digits", job_kind="PyTorchJob", follow=follow)
    assert logs["digits-master-0"].strip() == "loss 0.1", logs
set_status("kubeflow.org/v1", "pytorchjobs", "digits", {"conditions": [condition("Created"), condition("Running", "False"), condition("Succeeded")]})
assert training.wait_for_job_conditions("digits", job_kind="PyTorchJob", polling_interval=1, wait_timeout=60).metadata.name == "digits"
read.spec.pytorch_replica_specs["Worker"].replicas = 3
read.metadata.resource_version = None
training.update_job(read, "digits", job_kind="PyTorchJob")
assert training.get_job("digits", job_kind="PyTorchJob").spec.pytorch_replica_specs["Worker"].replicas == 3

training.create_job(name="shards", job_kind="TFJob", train_func=lambda parameters: print(parameters), parameters={"rate": 0.1}, num_workers=2, num_ps_replicas=1,
                    base_image="tensorflow/tensorflow", resources_per_worker={"cpu": "1", "memory": "1Gi"})
assert training.get_job("shards", job_kind="TFJob").spec.tf_replica_specs["PS"].replicas == 1
assert [each.metadata.name for each in training.list_jobs(job_kind="TFJob")] == ["shards"]
for name, kind in (("digits", "PyTorchJob"), ("shards", "TFJob")):
    training.delete_job(name, job_kind=kind)
    assert training.list_jobs(job_kind=kind) == []
print("done")
