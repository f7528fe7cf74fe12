from __future__ import annotations

from tiphys.couler.core import states
from tiphys.couler.core.templates.toleration import Toleration


def add_toleration(toleration: Toleration) -> None:
    """One more toleration of the workflow's pods."""
    states.workflow.add_toleration(toleration)
