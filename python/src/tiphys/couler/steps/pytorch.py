"""PyTorchJobs."""

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
    master_image: Optional[str] = None,
    master_resources: Optional[str] = None,
    master_restart_policy: str = "Never",
    master_command: Any = None,
    num_workers: int = 0,
    worker_image: Optional[str] = None,
    worker_resources: Optional[str] = None,
    worker_restart_policy: str = "Never",
    worker_command: Any = None,
    clean_pod_policy: str = "Running",
    timeout: Optional[float] = None,
) -> Any:
    """A step that trains with a master and workers."""
    replicas = [
        Replica("Master", 1, master_image or image, master_command or command, master_resources, master_restart_policy),
        Replica("Worker", num_workers, worker_image or image, worker_command or command, worker_resources, worker_restart_policy),
    ]
    return replica_job.train("PyTorchJob", "pytorch", "pytorchReplicaSpecs", replicas, num_workers, secret, clean_pod_policy, timeout)
