"""Takes what a program submits, instead of submitting it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Callable, Iterator

from tiphys.couler import argo_submitter

if TYPE_CHECKING:
    from tiphys.couler.core.templates.secret import Secret

Document = dict[str, Any]


class _Capture:
    def __init__(self, take: Callable[[list[Document]], None]) -> None:
        self._take, self._count = take, 0

    def submit(self, namespace: str, workflow: Document, secrets: "list[Secret]") -> Document:
        placed = {**workflow, "metadata": {"namespace": namespace, **workflow["metadata"]}}
        self._take([*(secret.to_yaml() for secret in secrets), placed])
        self._count += 1
        name = workflow["metadata"].get("name") or f"{workflow['metadata']['generateName']}{self._count}"
        return {**placed, "metadata": {**placed["metadata"], "name": name}}

    def delete(self, namespace: str, name: str, grace_period_seconds: int, propagation_policy: str) -> None:
        """There is nothing that could be deleted."""


@contextlib.contextmanager
def captured(take: Callable[[list[Document]], None]) -> Iterator[None]:
    """Within, each workflow that is submitted is given to `take`, behind the secrets that it needs; nothing is sent to anybody."""
    outer, argo_submitter.redirected = argo_submitter.redirected, _Capture(take)
    default = argo_submitter.ArgoSubmitter._default_submitter
    try:
        yield
    finally:
        argo_submitter.redirected = outer
        argo_submitter.ArgoSubmitter._default_submitter = default
