"""Secrets, as objects of Kubernetes and as variables of containers."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Optional

from tiphys.couler.core import utils


class Secret:
    """dry_run: not printed; use_existing: not made; artifact_secret: made only where there is none of the name."""

    def __init__(
        self,
        namespace: str,
        data: dict[str, str],
        name: Optional[str] = None,
        dry_run: bool = False,
        use_existing: bool = False,
        artifact_secret: bool = False,
    ) -> None:
        if not isinstance(data, dict):
            raise TypeError(f"a secret's data has to be a dict of names and texts, not {type(data).__name__}")
        if not data:
            raise ValueError("a secret's data is empty")
        # The same data make the same secret.
        digest = hashlib.md5(json.dumps(data, sort_keys=True).encode(), usedforsecurity=False).hexdigest()
        self.namespace, self.name = namespace, f"couler-{digest}" if name is None else name
        self.data = {key: utils.encode_base64(value) for key, value in data.items()}
        self.dry_run, self.use_existing, self.artifact_secret = dry_run, use_existing, artifact_secret

    def to_yaml(self) -> dict[str, Any]:
        metadata = {"name": self.name}
        if self.namespace != "default":
            metadata["namespace"] = self.namespace
        return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque", "data": dict(self.data)}

    def to_env_list(self) -> list[dict[str, Any]]:
        return [{"name": key, "valueFrom": {"secretKeyRef": {"name": self.name, "key": key}}} for key in self.data]
