"""TFJobs."""

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
    no_chief: bool = True,
    chief_image: Optional[str] = None,
    chief_resources: Optional[str] = None,
    chief_restart_policy: str = "Never",
    chief_command: Any = None,
    num_ps: int = 0,
    ps_image: Optional[str] = None,
    ps_resources: Optional[str] = None,
    ps_restart_policy: str = "Never",
    ps_command: Any = None,
    num_workers: int = 0,
    worker_image: Optional[str] = None,
    worker_resources: Optional[str] = None,
    worker_restart_policy: str = "Never",
    worker_command: Any = None,
    num_evaluators: int = 0,
    evaluator_image: Optional[str] = None,
    evaluator_resources: Optional[str] = None,
    evaluator_restart_policy: str = "Never",
    evaluator_command: Any = None,
    clean_pod_policy: str = "Running",
    timeout: Optional[float] = None,
) -> Any:
    """A step that trains with workers, and, as asked, a chief, parameter servers and evaluators."""
    replicas = [
        Replica("Chief", 0 if no_chief else 1, chief_image or image, chief_command or command, chief_resources, chief_restart_policy),
        Replica("PS", num_ps, ps_image or image, ps_command or command, ps_resources, ps_restart_policy),
        Replica("Worker", num_workers, worker_image or image, worker_command or command, worker_resources, worker_restart_policy),
        Replica("Evaluator", num_evaluators, evaluator_image or image, evaluator_command or command, evaluator_resources, evaluator_restart_policy),
    ]
    return replica_job.train("TFJob", "tensorflow", "tfReplicaSpecs", replicas, num_workers, secret, clean_pod_policy, timeout)
