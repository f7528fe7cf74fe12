"""A document as Argo takes it today.

Couler's documents carry quotes within strings: those of its time's YAML writer, which took them off. They hold bool as text, and fields that Argo has
replaced since.
"""

from __future__ import annotations

import re
from typing import Any, Optional

Document = dict[str, Any]
_TAG = re.compile(r'"(\{\{[^{}]+\}\})"')
_LITERAL = re.compile(r"'(True|False|[-+]?(?:\d[\d.]*(?:[eE][-+]?\d+)?|inf|nan))'")
_PATH_KEYS = ("jsonPath", "jqFilter")


def submitted(document: Document) -> Document:
    """A copy that can be submitted."""
    form: Document = _unquoted(document)
    spec = form["spec"]
    if form["kind"] == "CronWorkflow":
        schedule = spec.pop("schedule", None)
        if schedule is not None:
            spec.setdefault("schedules", [schedule])
        spec["suspend"] = _boolean(spec.get("suspend", False))
        spec = spec["workflowSpec"]
    seconds = spec.pop("ttlSecondsAfterFinished", None)
    if seconds is not None:
        spec.setdefault("ttlStrategy", {"secondsAfterCompletion": int(seconds)})
    if "activeDeadlineSeconds" in spec:
        spec["activeDeadlineSeconds"] = int(spec["activeDeadlineSeconds"])
    for template in spec["templates"]:
        resource = template.get("resource")
        if resource and "setOwnerReference" in resource:
            resource["setOwnerReference"] = _boolean(resource["setOwnerReference"])
    return form


def _unquoted(part: Any, key: Optional[str] = None) -> Any:
    if isinstance(part, dict):
        return {name: _unquoted(value, name) for name, value in part.items()}
    if isinstance(part, (list, tuple)):
        return [_unquoted(each) for each in part]
    if not isinstance(part, str):
        return part
    if key in _PATH_KEYS and len(part) > 1 and part[0] == part[-1] == '"':
        return part[1:-1]
    match = _TAG.fullmatch(part) or _LITERAL.fullmatch(part)
    return match.group(1) if match else part


def _boolean(value: Any) -> Any:
    """As YAML reads it; what it cannot be is left to whoever checks the document."""
    return {"true": True, "false": False}.get(value.lower(), value) if isinstance(value, str) else value
