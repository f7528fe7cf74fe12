"""Steps, and templates that are made of them."""

from __future__ import annotations

from typing import Any, Optional

from tiphys.couler.core.templates.template import Document, Template


class Step:
    def __init__(
        self,
        name: str,
        template: Optional[str] = None,
        arguments: Optional[Document] = None,
        when: Optional[str] = None,
        with_items: Optional[list[Any]] = None,
    ) -> None:
        self.name, self.template, self.arguments, self.when, self.with_items = name, template, arguments, when, with_items

    def to_dict(self) -> Document:
        parts = {"name": self.name, "template": self.template, "when": self.when}
        step: Document = {key: part for key, part in parts.items() if part is not None}
        if self.arguments:
            step["arguments"] = self.arguments
        if self.with_items:
            step["withItems"] = self.with_items
        return step


class Steps(Template):
    """Groups of steps: those of a group run beside each other."""

    def __init__(self, name: str, steps: Optional[list[list[Document]]] = None) -> None:
        super().__init__(name)
        self.steps = steps

    def to_dict(self) -> Document:
        return {**super().to_dict(), "steps": self.steps}


def groups(steps: dict[str, list[Step]]) -> list[list[Document]]:
    return [[step.to_dict() for step in group] for group in steps.values()]
