from __future__ import annotations

from typing import Any


class VolumeClaimTemplate:
    """A volume that is made when the workflow begins and goes with it; size: such as "1Gi"."""

    def __init__(self, claim_name: str, access_modes: list[str], size: str) -> None:
        self.claim_name, self.access_modes, self.size = claim_name, access_modes, size

    def to_dict(self) -> dict[str, Any]:
        return {
            "metadata": {"name": self.claim_name},
            "spec": {"accessModes": self.access_modes, "resources": {"requests": {"storage": self.size}}},
        }
