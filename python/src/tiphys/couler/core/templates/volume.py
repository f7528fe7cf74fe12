"""Volumes that exist, and where containers have them."""

from __future__ import annotations

from typing import Any


class Volume:
    """The PersistentVolumeClaim `claim_name`, as the workflow's volume `name`."""

    def __init__(self, name: str, claim_name: str) -> None:
        self.name, self.claim_name = name, claim_name

    def to_dict(self) -> dict[str, Any]:
        return {"name": self.name, "persistentVolumeClaim": {"claimName": self.claim_name}}


class VolumeMount:
    """A volume at a path. One that is no volume of the workflow becomes an empty folder of the pod."""

    def __init__(self, name: str, mount_path: str) -> None:
        self.name, self.mount_path = name, mount_path

    def to_dict(self) -> dict[str, str]:
        return {"name": self.name, "mountPath": self.mount_path}
