"""Training jobs of Kubeflow: an object with replicas of some types, each a pod of one container."""

from __future__ import annotations

import shlex
import uuid
from typing import Any, NamedTuple, Optional

from tiphys.couler.core.location import locate
from tiphys.couler.core.manifest import dump
from tiphys.couler.core.run_templates import run_job
from tiphys.couler.core.session import secrets
from tiphys.couler.core.utils import did_you_mean

Document = dict[str, Any]
_SINGLE = ("Master", "Chief", "Launcher")
_WHOLE_NUMBERS = ("gpu", "memory", "disk", "shared_memory")


class Replica(NamedTuple):
    """Pods of a type. resources: such as "cpu=0.5,memory=1024"; None: no limits."""

    type: str
    number: int
    image: Optional[str]
    command: Any
    resources: Optional[str]
    restart_policy: Optional[str]


def train(
    kind: str,
    name: str,
    replicas_field: str,
    replicas: list[Replica],
    workers: int,
    secret: Optional[str],
    clean_pod_policy: str,
    timeout: Optional[float],
    spec: Optional[Document] = None,
) -> Any:
    """A step that makes the job and waits until all workers have succeeded. name: of the job's containers, too."""
    wanted = {replica.type: _pod(replica, name, secret) for replica in replicas if replica.number > 0}
    manifest = {
        "apiVersion": "kubeflow.org/v1",
        "kind": kind,
        "metadata": {"name": f"{name if name != 'tensorflow' else 'tf'}-train-{uuid.uuid4()}"},
        "spec": {"cleanPodPolicy": clean_pod_policy, **(spec or {}), replicas_field: wanted},
    }
    return run_job(
        manifest=dump(manifest),
        success_condition=f"status.replicaStatuses.Worker.succeeded == {workers}",
        failure_condition="status.replicaStatuses.Worker.failed > 0",
        step_name=locate().function,
        timeout=timeout,
    )


def _pod(replica: Replica, container_name: str, secret: Optional[str]) -> Document:
    if replica.image is None:
        raise ValueError(f"the {replica.type} needs an image: pass image= or {replica.type.lower()}_image=")
    if replica.type in _SINGLE and replica.number > 1:
        raise ValueError(f"there is one {replica.type}, not {replica.number}")
    command = shlex.split(replica.command) if isinstance(replica.command, str) else list(replica.command)
    container: Document = {"name": container_name, "image": replica.image, "command": command}
    if secret is not None:
        if secret not in secrets:
            raise ValueError(f"there is no secret {secret!r}: pass what couler.create_secret returned{did_you_mean(secret, secrets)}")
        container["env"] = secrets[secret].to_env_list()
    if replica.resources is not None:
        container["resources"] = {"limits": _limits(replica.resources)}
    pod: Document = {"replicas": replica.number, "template": {"spec": {"containers": [container]}}}
    if replica.restart_policy is not None:
        pod["restartPolicy"] = replica.restart_policy
    return pod


def _limits(text: str) -> Document:
    """Of "cpu=0.5,memory=1024,gpu=1"."""
    found: Document = {}
    for part in text.split(","):
        key, separator, value = (each.strip() for each in part.partition("="))
        try:
            if not separator:
                raise ValueError
            found[key] = int(value) if key in _WHOLE_NUMBERS else float(value) if key == "cpu" else value
        except ValueError:
            raise ValueError(f'resources have to be such as "cpu=0.5,memory=1024", not {text!r}: {part!r} cannot be read') from None
    return found
