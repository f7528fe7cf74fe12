"""What a program has made beside its workflow: secrets, and what its steps returned."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from tiphys.couler.core import location

if TYPE_CHECKING:
    from tiphys.couler.core.templates.secret import Secret

secrets: dict[str, Secret] = {}
steps_outputs: dict[str, list[Any]] = {}
_ids = 0


def next_id() -> str:
    """Eight hexadecimal digits, the same ones whenever the same program runs."""
    global _ids
    _ids += 1
    return hashlib.sha256(f"{location.program_name()}/{_ids}".encode()).hexdigest()[:8]


def add_secret(secret: Secret) -> str:
    """Keeps it until the workflow is submitted; the first one of a name stays."""
    return secrets.setdefault(secret.name, secret).name


def clear() -> None:
    global _ids
    secrets.clear()
    steps_outputs.clear()
    _ids = 0
