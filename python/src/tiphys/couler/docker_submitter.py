"""A single container, without a workflow."""

from __future__ import annotations

import logging
from typing import Any

_LOG = logging.getLogger("tiphys.couler")


class DockerSubmitter:
    @staticmethod
    def run_docker_container(image: str, command: Any) -> None:
        """Runs it by the local Docker and logs what it prints."""
        try:
            import docker
        except ImportError as error:
            raise ImportError("DockerSubmitter needs Docker's client for Python: pip install docker") from error
        container = docker.from_env().containers.run(image, command, detach=True)
        for line in container.logs(stream=True):
            _LOG.info("%s", line.decode(errors="replace").rstrip())
