"""Volumes that exist, that are made, and that are empty."""

import couler.argo as couler
from couler.argo_submitter import ArgoSubmitter
from couler.core.templates.volume import Volume, VolumeMount
from couler.core.templates.volume_claim import VolumeClaimTemplate


def use(step, *mounts):
    return couler.run_container(image="busybox:1", command=["sh", "-c"], args=["ls /mnt"], step_name=step, volume_mounts=list(mounts))


couler.add_volume(Volume("data", "claim"))
couler.create_workflow_volume(VolumeClaimTemplate("scratch", ["ReadWriteOnce"], "1Gi"))
use("existing", VolumeMount("data", "/mnt/data"))
use("both", VolumeMount("data", "/mnt/data"), VolumeMount("scratch", "/mnt/scratch"))
use("empty", VolumeMount("nothing", "/mnt/nothing"))

couler.run(submitter=ArgoSubmitter())
