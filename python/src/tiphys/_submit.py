"""Whatever describes a workflow, as one that a server runs."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import types
from typing import TYPE_CHECKING, Any, Dict, List, Mapping, NamedTuple, Optional, Tuple, Union

from tiphys._binary import find_program
from tiphys._errors import ApiError, ManifestError, ServerUnreachable, TiphysError

if TYPE_CHECKING:
    from tiphys._client import Client

RUNTIMES = ("process", "container")
_RUNTIME_ANNOTATION = "tiphys.io/runtime"
_BAD_USAGE = 2  # how the program ends where the manifest or the call is wrong
_LONGEST_ARGUMENT = 64 * 1024
_COULER = ("tiphys.couler", "tiphys.couler.argo")
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"  # of Kubernetes' generated names
_LONGEST_PREFIX = 58
_CONFLICT = 409
_NOTICE = "The process runtime runs commands of this host"  # what who asked for it knows


class ManifestWarning(UserWarning):
    """A workflow runs, and cannot be meant as it is."""


class Submission(NamedTuple):
    """What is changed of a workflow before it runs."""

    parameters: Optional[Mapping[str, Any]] = None
    runtime: Optional[str] = None
    name: str = ""
    entrypoint: str = ""
    labels: Mapping[str, str] = {}


def submit(client: Client, x: Any, submission: Submission) -> Mapping[str, Any]:
    """Creates the workflow that x describes, and what stands beside it, and gives it as the server has it."""
    check_runtime(submission.runtime)
    source = source_of(x)
    if isinstance(source, dict) and source.get("kind", "Workflow") == "Workflow":
        workflow: Mapping[str, Any] = _changed(source, submission, client.namespace)
        if client.data_dir:
            from tiphys._local_code import with_local_code

            workflow = with_local_code(workflow)
        return _create(client, dict(workflow))
    return _run_program(client, source, submission)


def _create(client: Client, workflow: Dict[str, Any]) -> Mapping[str, Any]:
    """By a name of our own: asked again after a lost connection, it makes no second one."""
    metadata = workflow["metadata"]
    generated = not metadata.get("name")
    lost = taken = False
    while True:
        if generated and not lost:
            metadata["name"] = str(metadata["generateName"])[:_LONGEST_PREFIX] + "".join(_LETTERS[each % len(_LETTERS)] for each in os.urandom(5))
        try:
            return client.api.create(workflow)
        except ServerUnreachable:
            if lost or not client.revive():
                raise
            lost = True
        except ApiError as refused:
            if refused.status != _CONFLICT or taken:
                raise
            if lost:
                return client.api.get(metadata["name"])
            if not generated:
                raise
            taken = True


def check_runtime(runtime: Optional[str]) -> None:
    if runtime not in (None, *RUNTIMES):
        raise ValueError(f"runtime is {' or '.join(map(repr, RUNTIMES))}, not {runtime!r}")


def source_of(x: Any) -> Union[Dict[str, Any], str, "os.PathLike[str]"]:
    """A document, text of YAML or JSON, or a path."""
    if isinstance(x, os.PathLike):
        return x
    if isinstance(x, Mapping):
        return dict(x)
    if isinstance(x, (list, tuple)):
        return "\n---\n".join(json.dumps(_document(each), indent=1) for each in x)
    if isinstance(x, bytes):
        x = x.decode()
    if isinstance(x, str):
        return _text_or_path(x)
    if isinstance(x, types.FunctionType) or getattr(x, "__name__", "") in _COULER:
        documents = _couler_documents(x)
        return documents[0] if len(documents) == 1 else source_of(documents)
    return _document(x)


def file_of(x: Any, folder: str, name: str) -> str:
    """The path of a file that programs read: x's own, or one that is written to the folder."""
    source = source_of(x)
    if isinstance(source, os.PathLike):
        return os.path.abspath(source)
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(json.dumps(completed(source)) if isinstance(source, dict) else source)
    return path


def completed(document: Mapping[str, Any]) -> Dict[str, Any]:
    """With what a Workflow needs and everybody leaves out who writes one in Python."""
    workflow = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", **document}
    metadata = workflow["metadata"] = dict(workflow.get("metadata") or {})
    if not metadata.get("name") and not metadata.get("generateName"):
        metadata["generateName"] = "workflow-"
    return workflow


def parameter_text(parameters: Optional[Mapping[str, Any]]) -> List[str]:
    return [f"{name}={value_text(value)}" for name, value in (parameters or {}).items()]


def value_text(value: Any) -> str:
    """Parameters are text: whatever is none is written as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if hasattr(value, "model_dump_json"):  # of Pydantic
        return str(value.model_dump_json())
    return json.dumps(value, default=_plain)


def _plain(value: Any) -> Any:
    """What NumPy and pandas count with."""
    for name in ("item", "tolist", "isoformat"):
        made = getattr(value, name, None)
        if callable(made) and not (name == "item" and getattr(value, "size", 1) != 1):
            return made()
    raise TypeError(f"a parameter holds a {type(value).__name__}, which is no JSON: give text")


def _text_or_path(x: str) -> Union[str, "os.PathLike[str]"]:
    if "\n" in x or x.lstrip().startswith("{"):
        return x
    if not os.path.exists(x):
        raise FileNotFoundError(f"there is no file {x!r}; text of YAML has more than one line")
    import pathlib

    return pathlib.Path(x)


def _document(x: Any) -> Dict[str, Any]:
    """Of an object that knows how it looks: Hera's and Couler's have to_dict()."""
    if isinstance(x, Mapping):
        return dict(x)
    for name in ("to_dict", "__argo__"):
        make = getattr(x, name, None)
        if callable(make) and not isinstance(x, type):
            made = make()
            if isinstance(made, Mapping):
                return _without_last_name(made)
    raise TypeError(f"a {type(x).__name__} describes no workflow: give a path, text of YAML, a dict, a Hera Workflow or a Couler program")


def _without_last_name(document: Mapping[str, Any]) -> Dict[str, Any]:
    """Hera writes into its workflow the name that was made for it, and would give it to the next one as well."""
    metadata = dict(document.get("metadata") or {})
    if metadata.get("generateName"):
        metadata.pop("name", None)
    return {**document, "metadata": metadata}


def _couler_documents(x: Any) -> List[Dict[str, Any]]:
    """What a program would submit that is a function, or the workflow that a program has built so far: the module itself."""
    from tiphys.couler import argo, capture

    found: List[Dict[str, Any]] = []
    with capture.captured(found.extend):
        if callable(x):
            x()
    if not found and not argo.workflow.empty:
        found = argo.manifests()
        argo._cleanup()
    if not found:
        raise ManifestError(f"{getattr(x, '__name__', x)!r} has built no workflow")
    return found


def _changed(document: Mapping[str, Any], submission: Submission, namespace: str) -> Dict[str, Any]:
    """A copy with what the submission says."""
    workflow = completed(copy.deepcopy(dict(document)))
    metadata = workflow["metadata"]
    spec = workflow["spec"] = dict(workflow.get("spec") or {})
    metadata.setdefault("namespace", namespace)
    if submission.name:
        metadata["name"] = submission.name
        metadata.pop("generateName", None)
    if submission.labels:
        metadata["labels"] = {**(metadata.get("labels") or {}), **submission.labels}
    if submission.entrypoint:
        spec["entrypoint"] = submission.entrypoint
    if submission.runtime:
        pods = spec["podMetadata"] = dict(spec.get("podMetadata") or {})
        pods["annotations"] = {**(pods.get("annotations") or {}), _RUNTIME_ANNOTATION: submission.runtime}
    if submission.parameters:
        _set_parameters(spec, submission.parameters)
    return workflow


def _set_parameters(spec: Dict[str, Any], values: Mapping[str, Any]) -> None:
    arguments = spec["arguments"] = dict(spec.get("arguments") or {})
    declared = [dict(each) for each in arguments.get("parameters") or []]
    left = {name: value_text(value) for name, value in values.items()}
    for parameter in declared:
        if parameter["name"] in left:
            parameter["value"] = left.pop(parameter["name"])
            parameter.pop("valueFrom", None)
    arguments["parameters"] = declared + [{"name": name, "value": value} for name, value in left.items()]


def _run_program(client: Client, source: Union[Dict[str, Any], str, "os.PathLike[str]"], submission: Submission) -> Mapping[str, Any]:
    """By the program itself, which reads files with their places, and makes the templates and ConfigMaps in them as well."""
    import tempfile

    text = json.dumps(source) if isinstance(source, dict) else source
    where, environment = client.program_options()
    with tempfile.TemporaryDirectory(prefix="tiphys-") as folder:
        command = [find_program(), "run", "--detach", "-o", "name", *where, *_flags(submission, folder), "-" if isinstance(text, str) else os.fspath(text)]
        done = subprocess.run(command, input=text if isinstance(text, str) else "", capture_output=True, text=True, env={**os.environ, **environment}, check=False)
    if done.returncode == _BAD_USAGE:
        raise ManifestError(done.stderr.strip())
    if done.returncode:
        raise TiphysError(done.stderr.strip() or f"{command[0]} ended with {done.returncode}")
    _warn(done.stderr)
    names = done.stdout.split()
    if len(names) != 1:
        raise ManifestError(f"there are {len(names)} workflows in it, and a run is of one: {', '.join(names)}")
    return client.api.get(names[0])


def _flags(submission: Submission, folder: str) -> List[str]:
    flags: List[str] = []
    for flag, value in (("--runtime", submission.runtime), ("--name", submission.name), ("--entrypoint", submission.entrypoint)):
        if value:
            flags += [flag, value]
    if submission.labels:
        flags += ["--labels", ",".join(f"{name}={value}" for name, value in submission.labels.items())]
    texts: List[Tuple[str, str]] = [(name, value_text(value)) for name, value in (submission.parameters or {}).items()]
    if sum(len(value) for _, value in texts) > _LONGEST_ARGUMENT:
        path = os.path.join(folder, "parameters.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(dict(texts), file)
        return [*flags, "-f", path]
    for name, value in texts:
        flags += ["-p", f"{name}={value}"]
    return flags


def _warn(said: str) -> None:
    text = "\n".join(line for line in said.splitlines() if not line.startswith(_NOTICE)).strip()
    if text:
        import warnings

        warnings.warn(text, ManifestWarning, stacklevel=5)
