"""MPIJobs."""

from __future__ import annotations

from typing import Any, Optional

from tiphys.couler.core.unknown_arguments import told
from tiphys.couler.steps import replica_job
from tiphys.couler.steps.replica_job import Replica


@told
def train(
    image: Optional[str] = None,
    command: Any = "",
    secret: Optional[str] = None,
    launcher_image: Optional[str] = None,
    launcher_resources: Optional[str] = None,
    launcher_command: Any = None,
    num_workers: int = 0,
    worker_image: Optional[str] = None,
    worker_resources: Optional[str] = None,
    worker_command: Any = None,
    clean_pod_policy: str = "Running",
    timeout: Optional[float] = None,
) -> Any:
    """A step that trains with a launcher and workers."""
    replicas = [
        Replica("Launcher", 1, launcher_image or image, launcher_command or command, launcher_resources, None),
        Replica("Worker", num_workers, worker_image or image, worker_command or command, worker_resources, None),
    ]
    return replica_job.train("MPIJob", "mpi", "mpiReplicaSpecs", replicas, num_workers, secret, clean_pod_policy, timeout, {"slotsPerWorker": 1})
