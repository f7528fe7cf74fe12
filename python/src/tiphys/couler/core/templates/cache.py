from __future__ import annotations

from typing import Any


class Cache:
    """Memoization: outputs of a step are kept under `key` in the ConfigMap `name`, for `max_age` (such as "60s")."""

    def __init__(self, name: str, key: str, max_age: str = "") -> None:
        self.name, self.key, self.max_age = name, key, max_age

    def to_dict(self) -> dict[str, Any]:
        return {"key": self.key, "maxAge": self.max_age, "cache": {"configMap": {"name": self.name}}}
