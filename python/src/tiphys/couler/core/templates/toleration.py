from __future__ import annotations


class Toleration:
    """Lets pods onto nodes with a taint."""

    def __init__(self, key: str, effect: str, operator: str) -> None:
        self.key, self.effect, self.operator = key, effect, operator

    def to_dict(self) -> dict[str, str]:
        return {"key": self.key, "effect": self.effect, "operator": self.operator}
