"""How tasks of a dag say what they wait for."""

from __future__ import annotations

from typing import Any

Document = dict[str, Any]


def in_one_way(tasks: list[Document]) -> list[Document]:
    """The tasks, copied; where one says it by `depends`, all do: Argo takes no dag in which others say it by `dependencies`."""
    if not any("depends" in task for task in tasks):
        return [dict(task) for task in tasks]
    return [_as_depends(dict(task)) for task in tasks]


def _as_depends(task: Document) -> Document:
    names = task.pop("dependencies", None)
    if names:
        listed = " && ".join(names)
        task["depends"] = f"{listed} && ({task['depends']})" if "depends" in task else listed
    return task


def merged(*lists: Any) -> list[str]:
    """All names, each once, in the order in which they come first."""
    return list(dict.fromkeys(name for names in lists for name in names or []))
