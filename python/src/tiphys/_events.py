"""What happens in a run, one thing at a time."""

from __future__ import annotations

from typing import NamedTuple, Optional

from tiphys._nodes import Node


class Event(NamedTuple):
    """A node, or the workflow itself (node is None), has come to another phase."""

    node: Optional[Node]
    phase: str
    message: str
    before: str = ""  # the phase until now; "" at first

    @property
    def name(self) -> str:
        """Of the node; "" of the workflow."""
        return self.node.name if self.node else ""

    def __str__(self) -> str:
        said = f": {self.message}" if self.message else ""
        return f"{self.name or 'workflow'} {self.phase}{said}"
