"""The nodes of a run as rows of a tree, as `tiphys get` shows them."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any, Dict, List, Mapping, NamedTuple, Optional

from tiphys._nodes import time_of

ICONS = {"Succeeded": "✔", "Failed": "✖", "Error": "⚠", "Running": "●", "Pending": "◷", "Skipped": "○", "Omitted": "○"}
GROUPS = frozenset(["StepGroup", "TaskGroup"])  # nodes that are there for others alone


class Row(NamedTuple):
    lead: str  # the branches before it
    name: str
    template: str
    phase: str
    seconds: Optional[float]  # None: it has not begun
    message: str
    node: Mapping[str, Any]


def rows_of(name: str, status: Mapping[str, Any]) -> List[Row]:
    """The tree by who contains whom; what is contained stands in the order in which it began."""
    nodes: Dict[str, Mapping[str, Any]] = status.get("nodes") or {}
    inside: Dict[str, List[Mapping[str, Any]]] = {}
    attempts = _attempts(nodes)
    for node in nodes.values():
        inside.setdefault(attempts.get(node["id"]) or node.get("boundaryID") or "", []).append(node)
    for members in inside.values():
        members.sort(key=lambda each: (each.get("startedAt") or "9", _position(each.get("name", ""))))
    rows: List[Row] = []
    roots = [nodes[name]] if name in nodes else []
    roots += [each for each in inside.get("", []) if each["id"] != name]  # exit handlers and hooks
    for root in roots:
        rows.append(_row("", root))
        _add_members(rows, inside, root["id"], "")
    return rows


def duration_text(seconds: Optional[float]) -> str:
    if seconds is None:
        return ""
    if seconds < 60:
        return f"{seconds:.0f}s"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes}m" if hours else f"{minutes}m{rest}s"


def seconds_of(node: Mapping[str, Any]) -> Optional[float]:
    begun = time_of(node.get("startedAt"))
    if begun is None:
        return None
    return max(0.0, ((time_of(node.get("finishedAt")) or datetime.now(timezone.utc)) - begun).total_seconds())


def _attempts(nodes: Mapping[str, Mapping[str, Any]]) -> Dict[str, str]:
    """Whose attempts nodes are: the tree has them below the retried node."""
    found: Dict[str, str] = {}
    for retried in nodes.values():
        if retried.get("type") == "Retry":
            of_it = (each for each in retried.get("children") or [] if nodes.get(each, {}).get("name", "").startswith(f"{retried.get('name')}("))
            found.update(dict.fromkeys(of_it, retried["id"]))
    return found


def _position(name: str) -> List[Any]:
    """Names by their numbers: (10) comes after (9)."""
    import re

    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]


def _add_members(rows: List[Row], inside: Mapping[str, List[Mapping[str, Any]]], container: str, lead: str) -> None:
    members = [each for each in inside.get(container, []) if each.get("type") not in GROUPS and each["id"] != container]
    for position, node in enumerate(members):
        last = position == len(members) - 1
        rows.append(_row(lead + ("└─" if last else "├─"), node))
        _add_members(rows, inside, node["id"], lead + ("  " if last else "│ "))


def _row(lead: str, node: Mapping[str, Any]) -> Row:
    template = node.get("templateName") or (node.get("templateRef") or {}).get("template", "")
    return Row(lead, node.get("displayName") or node.get("name", ""), template, node.get("phase") or "Pending", seconds_of(node), node.get("message", ""), node)
