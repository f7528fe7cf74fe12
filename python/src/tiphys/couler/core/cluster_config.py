"""A user's object `cluster`, which has the last word on pods and on the workflow's spec."""

from __future__ import annotations

from inspect import getfullargspec
from typing import Any

Document = dict[str, Any]


def configure_pod(cluster: Any, template: Document, pool: Any, enable_ulogfs: bool) -> Document:
    """cluster.config_pod(template), or, of the old form, config_pod(template, pool, enable_ulogfs)."""
    if _arguments(cluster.config_pod) == 1:
        return _returned(cluster.config_pod(template), "config_pod")
    try:
        return _returned(cluster.config_pod(template, pool, enable_ulogfs), "config_pod")
    except TypeError as error:
        raise ValueError(f"the cluster's config_pod has to take (self, template), or (self, template, pool, enable_ulogfs): {error}") from error


def configure_workflow(cluster: Any, spec: Document) -> Document:
    """cluster.config_workflow(spec), if there is one."""
    if not hasattr(cluster, "config_workflow"):
        return spec
    if _arguments(cluster.config_workflow) != 1:
        raise ValueError("the cluster's config_workflow has to take (self, spec)")
    return _returned(cluster.config_workflow(spec), "config_workflow")


def _arguments(method: Any) -> int:
    """Without self."""
    return len(getfullargspec(method).args) - (1 if hasattr(method, "__self__") else 0)


def _returned(found: Any, method: str) -> Document:
    if not isinstance(found, dict):
        raise ValueError(f"the cluster's {method} has to return what it was given, changed or not; it returned {type(found).__name__}")
    return found
