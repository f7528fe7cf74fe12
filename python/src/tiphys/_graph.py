"""The nodes of a run as a graph in layers: what waits for what."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, List, Mapping, Set

_HIDDEN = frozenset(["Steps", "DAG", "StepGroup", "TaskGroup", "Retry"])  # they contain others, which are shown
_MOST_OF_A_KIND = 8  # in a layer, before they are drawn as one
_ORDERING_PASSES = 4
_SEVERITY = ("Error", "Failed", "Running", "Pending", "Succeeded", "Skipped", "Omitted")


@dataclass
class Vertex:
    """One node, or several of one template that are drawn as one."""

    id: str
    name: str
    template: str
    phase: str
    count: int = 1
    done: int = 0
    layer: int = 0
    after: Set[str] = field(default_factory=set)  # ids of vertices that come before it


def layers_of(name: str, nodes: Mapping[str, Mapping[str, Any]]) -> List[List[Vertex]]:
    vertices = {key: _vertex(node) for key, node in nodes.items() if _is_shown(node, nodes)}
    if not vertices and name in nodes:
        vertices = {name: _vertex(nodes[name])}
    for key, node in nodes.items():
        if key in vertices:
            for next_id in _shown_below(node, nodes, vertices):
                vertices[next_id].after.add(key)
    _set_layers(vertices)
    return _ordered(_merged(vertices))


def _is_shown(node: Mapping[str, Any], nodes: Mapping[str, Mapping[str, Any]]) -> bool:
    if node.get("type") not in _HIDDEN:
        return True
    return node.get("type") != "StepGroup" and not node.get("children")  # it failed before it had any


def _vertex(node: Mapping[str, Any]) -> Vertex:
    template = node.get("templateName") or (node.get("templateRef") or {}).get("template", "")
    phase = node.get("phase") or "Pending"
    return Vertex(node["id"], node.get("displayName") or node.get("name", ""), template, phase, done=int(phase in ("Succeeded", "Skipped", "Omitted")))


def _shown_below(node: Mapping[str, Any], nodes: Mapping[str, Mapping[str, Any]], vertices: Mapping[str, Vertex]) -> Set[str]:
    """The nearest shown nodes that come after it."""
    found: Set[str] = set()
    seen: Set[str] = set()
    left = list(node.get("children") or [])
    while left:
        key = left.pop()
        if key in seen or key not in nodes:
            continue
        seen.add(key)
        if key in vertices:
            found.add(key)
        else:
            left += nodes[key].get("children") or []
    return found


def _set_layers(vertices: Dict[str, Vertex]) -> None:
    """The longest way from the beginning; whoever names a node that is not there, or goes in a circle, is at the beginning."""
    before = {key: {each for each in vertex.after if each in vertices} for key, vertex in vertices.items()}
    after: Dict[str, List[str]] = {key: [] for key in vertices}
    for key, those in before.items():
        for each in those:
            after[each].append(key)
    open_count = {key: len(those) for key, those in before.items()}
    ready = [key for key, count in open_count.items() if count == 0]
    while ready:
        key = ready.pop()
        for each in after[key]:
            vertices[each].layer = max(vertices[each].layer, vertices[key].layer + 1)
            open_count[each] -= 1
            if open_count[each] == 0:
                ready.append(each)


def _merged(vertices: Dict[str, Vertex]) -> List[Vertex]:
    kinds: Dict[Any, List[Vertex]] = {}
    for vertex in vertices.values():
        kinds.setdefault((vertex.layer, vertex.template), []).append(vertex)
    merged_into: Dict[str, str] = {}
    result: List[Vertex] = []
    for group in kinds.values():
        if len(group) <= _MOST_OF_A_KIND:
            result += group
            continue
        one = Vertex(group[0].id, group[0].template or group[0].name, group[0].template, worst(each.phase for each in group), len(group))
        one.done, one.layer = sum(each.done for each in group), group[0].layer
        one.after = {each for member in group for each in member.after}
        merged_into.update({member.id: one.id for member in group})
        result.append(one)
    for vertex in result:
        vertex.after = {merged_into.get(each, each) for each in vertex.after} - {vertex.id}
    return result


def worst(phases: Any) -> str:
    """What is said of several: the phase that most asks for a look."""
    found = set(phases)
    return next((phase for phase in _SEVERITY if phase in found), "Pending")


def _ordered(vertices: List[Vertex]) -> List[List[Vertex]]:
    """Layers, within each those next to each other that have neighbours next to each other."""
    layers: List[List[Vertex]] = [[] for _ in range(max((each.layer for each in vertices), default=-1) + 1)]
    for vertex in vertices:
        layers[vertex.layer].append(vertex)
    for layer in layers:
        layer.sort(key=lambda each: each.name)
    below: Dict[str, List[str]] = {}
    for vertex in vertices:
        for each in vertex.after:
            below.setdefault(each, []).append(vertex.id)
    for turn in range(_ORDERING_PASSES):
        place = {vertex.id: position / max(1, len(layer)) for layer in layers for position, vertex in enumerate(layer)}
        for layer in layers:
            neighbours = {each.id: list(each.after) if turn % 2 == 0 else below.get(each.id, []) for each in layer}
            layer.sort(key=lambda each: _mean([place[other] for other in neighbours[each.id] if other in place], place[each.id]))
    return [layer for layer in layers if layer]


def _mean(values: List[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise
