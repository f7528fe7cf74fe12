"""Functions of this program, for steps that import them: those of Hera's runner.

Such a step calls `python -m hera.workflows.runner -e MODULE:FUNCTION`, as its image is meant to hold the module. On this host nothing has to be built: the
folders from which this process imports the module are shown to the step, and its interpreter is told of them.
"""

from __future__ import annotations

import importlib.machinery
import json
import os
import sys
from functools import lru_cache
from typing import Any, Dict, Iterator, List, Mapping, Sequence, Tuple

from tiphys._errors import ManifestError
from tiphys._interpreter import _SHOWN_ANYWAY, _lies_in, _of_the_program

_RUNNER = "hera.workflows.runner"
_VOLUME = "tiphys-local-code"
Document = Dict[str, Any]


def with_local_code(workflow: Mapping[str, Any]) -> Mapping[str, Any]:
    """The workflow, with this program's folders in the steps of Hera's runner; itself where there are none, or where they find their modules anyway."""
    spec = workflow.get("spec") or {}
    templates = spec.get("templates") or []
    modules = {module for template in templates for module in _modules(template)}
    if not modules:
        return workflow
    folders = _folders(modules)
    if not folders:
        return workflow
    volumes = [{"name": name, "hostPath": {"path": folder}} for name, folder in _mounted(folders)]
    changed = [_with_folders(template, folders) if any(_modules(template)) else template for template in templates]
    more = {"volumes": [*(spec.get("volumes") or []), *volumes]} if volumes else {}
    return {**workflow, "spec": {**spec, "templates": changed, **more}}


def _modules(template: Mapping[str, Any]) -> Iterator[str]:
    """That the template's container imports from."""
    container = template.get("script") or template.get("container") or {}
    words: Sequence[str] = [*(container.get("command") or []), *(container.get("args") or [])]
    if _RUNNER not in words:
        return
    for flag, value in zip(words, words[1:]):
        if flag in ("-e", "--entrypoint"):
            yield value.partition(":")[0]


def _folders(modules: "set[str]") -> List[str]:
    """Of the modules that a new interpreter would not find, and, as they import others, all others from which this program imports."""
    anyway = _found_anyway()
    missing = [root for root in map(_root, sorted(modules)) if root and root not in anyway]
    if not missing:
        return []
    folders = dict.fromkeys([*missing, *(os.path.realpath(folder or ".") for folder in sys.path), *map(os.path.realpath, _of_the_program())])
    found = [folder for folder in folders if os.path.isdir(folder) and folder not in anyway]
    if "/" in found:
        raise ManifestError("the program lies in /, which steps cannot be shown as it is: move it to a folder")
    return found


@lru_cache(maxsize=1)
def _found_anyway() -> "frozenset[str]":
    """From where this process's interpreter imports when it is called anew."""
    import subprocess

    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    command = [sys.executable, "-s", "-c", "import json, sys; print(json.dumps(sys.path[1:]))"]
    done = subprocess.run(command, env=environment, cwd="/", capture_output=True, text=True, check=True)
    return frozenset(map(os.path.realpath, json.loads(done.stdout)))


def _root(module: str) -> str:
    """The folder that has to be on the path for `import module`; "" where this process does not find it either."""
    top = module.partition(".")[0]
    found = importlib.machinery.PathFinder.find_spec(top, [*sys.path, os.getcwd()])
    if found is None:
        return ""
    place = found.origin or next(iter(found.submodule_search_locations or []), "")
    folder = os.path.dirname(os.path.realpath(place)) if place else ""
    return os.path.dirname(folder) if found.origin and found.submodule_search_locations is not None else folder


def _mounted(folders: List[str]) -> List[Tuple[str, str]]:
    """Those that a step does not see by itself, as volumes."""
    hidden = [folder for folder in folders if not any(_lies_in(folder, shown) for shown in _SHOWN_ANYWAY)]
    return [(f"{_VOLUME}-{number}", folder) for number, folder in enumerate(hidden)]


def _with_folders(template: Mapping[str, Any], folders: List[str]) -> Document:
    key = "script" if template.get("script") else "container"
    container = dict(template[key])
    mounts = [{"name": name, "mountPath": folder, "readOnly": True} for name, folder in _mounted(folders)]
    if mounts:
        container["volumeMounts"] = [*(container.get("volumeMounts") or []), *mounts]
    container["env"] = _with_path(container.get("env") or [], folders)
    return {**template, key: container}


def _with_path(env: Sequence[Mapping[str, Any]], folders: List[str]) -> List[Mapping[str, Any]]:
    """Behind what the template says of PYTHONPATH itself."""
    given = [each.get("value", "") for each in env if each.get("name") == "PYTHONPATH"]
    path = os.pathsep.join([*filter(None, given), *folders])
    return [*(each for each in env if each.get("name") != "PYTHONPATH"), {"name": "PYTHONPATH", "value": path}]
