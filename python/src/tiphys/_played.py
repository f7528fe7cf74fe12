"""How a workflow went that was played in virtual time."""

from __future__ import annotations

import fnmatch
from typing import Any, Dict, List, Mapping, Optional

from tiphys._nodes import Node, Nodes, Outputs, parameters_of, time_of

_DID_NOT_RUN = ("Skipped", "Omitted")


class PlayedNode(Node):
    """A node, with times in seconds since the workflow began."""

    @property
    def start(self) -> Optional[float]:
        return self._run._since_start(self.document.get("startedAt"))  # type: ignore[attr-defined]

    @property
    def end(self) -> Optional[float]:
        return self._run._since_start(self.document.get("finishedAt"))  # type: ignore[attr-defined]

    @property
    def outputs(self) -> Outputs:
        return Outputs(self.document.get("outputs"), self.artifacts)

    @property
    def artifacts(self) -> Any:
        """Their places by name: artifacts of mocks have no files."""
        return {each["name"]: each for each in (self.document.get("outputs") or {}).get("artifacts") or []}

    def logs(self, container: str = "main") -> str:
        raise ValueError(f"{self.name} was played: nothing ran that could have written a log")


class Played:
    """Phase, nodes and times of a workflow that was played."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        self._documents: Dict[str, Mapping[str, Any]] = {each["id"]: each for each in document["nodes"]}
        self._root: Mapping[str, Any] = document["nodes"][0] if document["nodes"] else {}

    @property
    def name(self) -> str:
        return self._root.get("name", "")

    @property
    def phase(self) -> str:
        """Succeeded, Failed or Error; Running of one that stands still."""
        return self.document["phase"]

    status = phase

    @property
    def message(self) -> str:
        return self.document.get("message") or self._root.get("message", "")

    @property
    def duration(self) -> float:
        """Virtual seconds."""
        return self.document["duration"]

    @property
    def nodes(self) -> Nodes:
        return Nodes(self, self._documents, PlayedNode)  # type: ignore[arg-type]

    @property
    def outputs(self) -> Outputs:
        """Of its entrypoint, and those with a global name."""
        values = parameters_of(self._root.get("outputs") or {})
        for node in self._documents.values():
            for parameter in (node.get("outputs") or {}).get("parameters") or []:
                if parameter.get("globalName") and "value" in parameter:
                    values[parameter["globalName"]] = parameter["value"]
        parameters = [{"name": name, "value": value} for name, value in values.items()]
        return Outputs({**(self._root.get("outputs") or {}), "parameters": parameters}, {})

    @property
    def order(self) -> List[str]:
        """Names of what ran, in the order in which it began; groups are left out."""
        return [each.name for each in self.nodes if each.type not in ("Steps", "DAG", "StepGroup", "TaskGroup", "Retry") and each.phase not in _DID_NOT_RUN]

    def ran(self, name: str) -> bool:
        """Whether any node of this name (* and ? stand for anything) did more than to be skipped."""
        return any(each.phase not in _DID_NOT_RUN for each in self._matching(name))

    def assert_order(self, *names: str) -> None:
        """Every node of each name has ended before any node of the next one began."""
        for before, after in zip(names, names[1:]):
            first, second = self._matching(before), self._matching(after)
            for name, found in ((before, first), (after, second)):
                assert found, f"no node is called {name!r}; there are {', '.join(self.order)}"
            end = max((each.end if each.end is not None else float("inf")) for each in first)
            begin = min((each.start if each.start is not None else float("inf")) for each in second)
            assert end <= begin, f"{before} ended at {end:g}s, after {after} had begun at {begin:g}s\n{self!r}"

    def __repr__(self) -> str:
        from tiphys._notebook import text_of_tree

        return text_of_tree(self.name, self._status())

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Dict[str, str]:
        from tiphys._notebook import bundle

        return bundle(self.name, self._status(), "")

    def _status(self) -> Mapping[str, Any]:
        times = {name: self._root[name] for name in ("startedAt", "finishedAt") if self._root.get(name)}
        return {"phase": self.phase, "message": self.message, "nodes": self._documents, **times}

    def _matching(self, name: str) -> List[PlayedNode]:
        pattern = name.replace("[", "[[]")
        return [each for each in self.nodes if fnmatch.fnmatchcase(each.name, pattern) or each.full_name == name]  # type: ignore[misc]

    def _since_start(self, text: Optional[str]) -> Optional[float]:
        time, begun = time_of(text), time_of(self._root.get("startedAt"))
        return (time - begun).total_seconds() if time and begun else None
