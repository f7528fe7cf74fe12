"""A run as a picture: its graph, and below it when each step ran. It has no script, and looks the same everywhere."""

from __future__ import annotations

from datetime import datetime, timezone
from html import escape
from typing import Any, Dict, List, Mapping, Tuple

from tiphys._graph import Vertex, layers_of
from tiphys._nodes import time_of
from tiphys._tree import ICONS, duration_text

COLORS = {"Succeeded": "#2e9e5b", "Failed": "#d1403f", "Error": "#d1403f", "Running": "#2f7de1", "Pending": "#c9962b", "Skipped": "#8b949e", "Omitted": "#8b949e"}
_TEXT = "#57606a"  # to be read on white and on black
_LINE = "#8b949e"
_WIDTH, _BOX, _BOX_HEIGHT, _GAP, _LAYER = 860, 150, 34, 14, 70
_ROW, _NAME_WIDTH, _MOST_ROWS = 20, 190, 30
_LONGEST_NAME = 20


def svg_of(name: str, status: Mapping[str, Any]) -> str:
    nodes = status.get("nodes") or {}
    graph, width, height = _graph(layers_of(name, nodes))
    timeline, more = _timeline(nodes, max(width, _WIDTH))
    width = max(width, _WIDTH)
    label = f"{name} {status.get('phase') or 'Pending'}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height + more}" width="{width}" height="{height + more}" '
        f'role="img" aria-label="{escape(label)}" font-family="system-ui, sans-serif" font-size="12"><title>{escape(label)}</title>'
        f'{graph}<g transform="translate(0 {height})">{timeline}</g></svg>'
    )


def _graph(layers: List[List[Vertex]]) -> Tuple[str, int, int]:
    """From top to bottom, a layer a row."""
    if not layers:
        return "", 0, 0
    widest = max(len(layer) for layer in layers)
    width = max(_WIDTH, widest * (_BOX + _GAP) + _GAP)
    places: Dict[str, Tuple[float, float]] = {}
    for row, layer in enumerate(layers):
        left = (width - len(layer) * (_BOX + _GAP) + _GAP) / 2
        for column, vertex in enumerate(layer):
            places[vertex.id] = (left + column * (_BOX + _GAP), 10 + row * _LAYER)
    edges = [_edge(places[before], places[vertex.id]) for layer in layers for vertex in layer for before in sorted(vertex.after) if before in places]
    boxes = [_box(vertex, *places[vertex.id]) for layer in layers for vertex in layer]
    return "".join(edges + boxes), width, 10 + len(layers) * _LAYER


def _edge(start: Tuple[float, float], end: Tuple[float, float]) -> str:
    x1, y1, x2, y2 = start[0] + _BOX / 2, start[1] + _BOX_HEIGHT, end[0] + _BOX / 2, end[1]
    middle = (y1 + y2) / 2
    return f'<path d="M{x1:g} {y1:g}C{x1:g} {middle:g} {x2:g} {middle:g} {x2:g} {y2:g}" fill="none" stroke="{_LINE}"/>'


def _box(vertex: Vertex, x: float, y: float) -> str:
    color = COLORS.get(vertex.phase, _LINE)
    count = f" {vertex.done}/{vertex.count}" if vertex.count > 1 else ""
    dash = ' stroke-dasharray="4 3"' if vertex.phase in ("Skipped", "Omitted", "Pending") else ""
    whole = vertex.name + (f" ({vertex.template})" if vertex.template not in ("", vertex.name) else "") + f": {vertex.phase}"
    return (
        f'<g><title>{escape(whole)}</title><rect x="{x:g}" y="{y:g}" width="{_BOX}" height="{_BOX_HEIGHT}" rx="6" fill="{color}" '
        f'fill-opacity="0.13" stroke="{color}"{dash}/><text x="{x + 10:g}" y="{y + 21:g}" fill="{color}">{ICONS.get(vertex.phase, " ")}</text>'
        f'<text x="{x + 28:g}" y="{y + 21:g}" fill="{_TEXT}">{escape(_short(vertex.name) + count)}</text></g>'
    )


def _timeline(nodes: Mapping[str, Mapping[str, Any]], width: int) -> Tuple[str, int]:
    """A bar for each pod that has begun, in the order in which they did."""
    now = datetime.now(timezone.utc)
    spans = []
    for node in nodes.values():
        begun = time_of(node.get("startedAt"))
        if begun and node.get("type") not in ("Steps", "DAG", "StepGroup", "TaskGroup", "Retry", "Skipped"):
            spans.append((begun, time_of(node.get("finishedAt")) or now, node))
    if not spans:
        return "", 0
    spans.sort(key=lambda span: (span[0], span[2].get("name", "")))
    first, last = min(span[0] for span in spans), max(span[1] for span in spans)
    whole = max((last - first).total_seconds(), 1e-6)
    room = width - _NAME_WIDTH - 70
    rows = []
    for row, (begun, ended, node) in enumerate(spans[:_MOST_ROWS]):
        x = _NAME_WIDTH + room * (begun - first).total_seconds() / whole
        length = max(2.0, room * (ended - begun).total_seconds() / whole)
        y, color = row * _ROW, COLORS.get(node.get("phase", ""), _LINE)
        rows.append(
            f'<text x="{_NAME_WIDTH - 10}" y="{y + 14}" text-anchor="end" fill="{_TEXT}">{escape(_short(node.get("displayName", ""), 28))}</text>'
            f'<rect x="{x:.1f}" y="{y + 4}" width="{length:.1f}" height="12" rx="3" fill="{color}"/>'
            f'<text x="{x + length + 6:.1f}" y="{y + 14}" fill="{_TEXT}">{duration_text((ended - begun).total_seconds())}</text>'
        )
    if len(spans) > _MOST_ROWS:
        rows.append(f'<text x="{_NAME_WIDTH}" y="{_MOST_ROWS * _ROW + 14}" fill="{_TEXT}">and {len(spans) - _MOST_ROWS} more</text>')
    return "".join(rows), (len(rows)) * _ROW + 8


def _short(text: str, most: int = _LONGEST_NAME) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
