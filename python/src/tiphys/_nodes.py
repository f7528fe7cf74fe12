"""The nodes of a run, as they were when they were asked for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Dict, Iterator, List, Mapping, Optional, Sequence, Type, Union, overload

if TYPE_CHECKING:
    from datetime import datetime

    from tiphys._artifacts import Artifact
    from tiphys._run import Run

FINISHED = frozenset(["Succeeded", "Skipped", "Failed", "Error", "Omitted"])
FAILED = frozenset(["Failed", "Error"])
_LONGEST_POD_PREFIX = 253 - 10 - 1  # of Argo's names


class Parameters(Mapping[str, str]):
    """Values by name. They are text, as they are to Argo; json() reads one."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = dict(values)

    def __getitem__(self, name: str) -> str:
        try:
            return self._values[name]
        except KeyError:
            raise KeyError(f"there is no parameter {name!r}; there are {sorted(self._values) or 'none'}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return repr(self._values)

    def json(self, name: str) -> Any:
        """The value as a document: a number, a list, ..."""
        return json.loads(self[name])


class Outputs(Parameters):
    """Output parameters by name, and with them what else a node gives."""

    def __init__(self, document: Optional[Mapping[str, Any]], artifacts: Mapping[str, Artifact]) -> None:
        document = document or {}
        super().__init__(parameters_of(document))
        self.result: Optional[str] = document.get("result")
        self.exit_code: Optional[int] = int(document["exitCode"]) if document.get("exitCode") else None
        self.artifacts = artifacts


def parameters_of(document: Mapping[str, Any]) -> Dict[str, str]:
    return {each["name"]: _as_text(each["value"]) for each in document.get("parameters") or [] if "value" in each}


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


class Node:
    """One node: a step's pod, or a group of others."""

    def __init__(self, run: Run, document: Mapping[str, Any]) -> None:
        self._run, self.document = run, document

    @property
    def id(self) -> str:
        return self.document["id"]

    @property
    def full_name(self) -> str:
        """With the names of all that contain it."""
        return self.document.get("name", "")

    @property
    def name(self) -> str:
        """As it is shown: the step's or task's, with its item."""
        return self.document.get("displayName") or self.full_name

    @property
    def type(self) -> str:
        return self.document.get("type", "")

    @property
    def template(self) -> str:
        return self.document.get("templateName") or self.document.get("templateRef", {}).get("template", "")

    @property
    def phase(self) -> str:
        return self.document.get("phase") or "Pending"

    @property
    def message(self) -> str:
        return self.document.get("message", "")

    @property
    def started(self) -> Optional[datetime]:
        return time_of(self.document.get("startedAt"))

    @property
    def finished(self) -> Optional[datetime]:
        return time_of(self.document.get("finishedAt"))

    @property
    def duration(self) -> Optional[float]:
        """Seconds until it ended, or until now; None before it began."""
        if not self.started:
            return None
        from datetime import datetime, timezone

        return max(0.0, ((self.finished or datetime.now(timezone.utc)) - self.started).total_seconds())

    @property
    def parameters(self) -> Parameters:
        """Its inputs."""
        return Parameters(parameters_of(self.document.get("inputs") or {}))

    @property
    def outputs(self) -> Outputs:
        return Outputs(self.document.get("outputs"), self.artifacts)

    @property
    def artifacts(self) -> Mapping[str, Artifact]:
        """Its outputs that are files."""
        from tiphys._artifacts import artifacts_of

        return artifacts_of(self._run, self.id, self.document.get("outputs"))

    @property
    def children(self) -> List[str]:
        """Ids."""
        return list(self.document.get("children") or [])

    @property
    def pod(self) -> str:
        """The name of its pod; "" where it has none."""
        return pod_name(self._run.name, self.document) if self.type == "Pod" else ""

    def logs(self, container: str = "main") -> str:
        """What its container has written."""
        return self._run.logs(self, container=container)

    def __repr__(self) -> str:
        message = f": {self.message}" if self.message else ""
        return f"<Node {self.name} {self.phase}{message}>"


class Nodes(Sequence[Node]):
    """Nodes in the order in which they began; nodes["train(0)"] is one by its name, nodes.of_template("train") are some."""

    def __init__(self, run: Run, documents: Mapping[str, Mapping[str, Any]], kind: Type[Node] = Node) -> None:
        self._run, self._kind = run, kind
        self._documents = sorted(documents.values(), key=lambda each: (each.get("startedAt") or "9", each.get("name", "")))

    @overload
    def __getitem__(self, key: Union[int, str]) -> Node: ...
    @overload
    def __getitem__(self, key: slice) -> List[Node]: ...
    def __getitem__(self, key: Union[int, str, slice]) -> Union[Node, List[Node]]:
        if isinstance(key, str):
            return self._named(key)
        if isinstance(key, slice):
            return [self._kind(self._run, each) for each in self._documents[key]]
        return self._kind(self._run, self._documents[key])

    def __len__(self) -> int:
        return len(self._documents)

    def __contains__(self, key: object) -> bool:
        return any(key in _names(each) for each in self._documents) if isinstance(key, str) else super().__contains__(key)

    def of_template(self, name: str) -> List[Node]:
        return [each for each in self if each.template == name]

    def in_phase(self, *phases: str) -> List[Node]:
        return [each for each in self if each.phase in phases]

    def __repr__(self) -> str:
        return "[" + ", ".join(map(repr, self)) + "]"

    def _named(self, name: str) -> Node:
        found = [each for each in self._documents if name in _names(each)]
        if not found:
            import difflib

            near = difflib.get_close_matches(name, [each.get("displayName", "") for each in self._documents], 1)
            raise KeyError(f"no node is called {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
        if len(found) > 1:
            whole = ", ".join(each["name"] for each in found[:5])
            raise KeyError(f"{len(found)} nodes are called {name!r}; take one by its whole name: {whole}{', ...' if len(found) > 5 else ''}")
        return self._kind(self._run, found[0])


def _names(document: Mapping[str, Any]) -> List[str]:
    return [document.get("displayName", ""), document.get("name", ""), document.get("id", "")]


def time_of(text: Optional[str]) -> Optional[datetime]:
    """A time of Kubernetes': RFC 3339 in UTC, with fractions of a second or without."""
    if not text:
        return None
    from datetime import datetime, timezone

    form = "%Y-%m-%dT%H:%M:%S.%fZ" if "." in text else "%Y-%m-%dT%H:%M:%SZ"
    return datetime.strptime(text, form).replace(tzinfo=timezone.utc)


def pod_name(workflow: str, node: Mapping[str, Any]) -> str:
    if node["name"] == workflow:
        return workflow
    template = node.get("templateName") or (node.get("templateRef") or {}).get("template", "")
    prefix = (f"{workflow}-{template.lower()}" if template else workflow)[:_LONGEST_POD_PREFIX]
    return f"{prefix}-{node['id'].rsplit('-', 1)[1]}"
