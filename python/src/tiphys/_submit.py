"""Whatever describes a workflow, as one that a server runs."""

from __future__ import annotations

import copy
import json
import os
import types
from typing import TYPE_CHECKING, Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Union

from tiphys._api import WorkflowApi
from tiphys._errors import ApiError, ManifestError, ServerUnreachable

if TYPE_CHECKING:
    from tiphys._client import Client

RUNTIMES = ("process", "container")
Warm = Union[bool, str, Sequence[str], None]  # whether steps are forks of an interpreter that is kept, or with which modules imported
_RUNTIME_ANNOTATION = "tiphys.io/runtime"
_WARM_ANNOTATION = "tiphys.io/warm-python"
_COULER = ("tiphys.couler", "tiphys.couler.argo")
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"  # of Kubernetes' generated names
_LONGEST_PREFIX = 58
_CONFLICT = 409
_OF_JSON = (str, int, float, dict, list, tuple, type(None))


class Submission(NamedTuple):
    """What is changed of a workflow before it runs."""

    parameters: Optional[Mapping[str, Any]] = None
    runtime: Optional[str] = None
    name: str = ""
    entrypoint: str = ""
    labels: Mapping[str, str] = {}
    artifacts: Optional[Mapping[str, Any]] = None
    warm: Warm = None


def warm_text(warm: Warm) -> str:
    """As the program's --warm-python takes it; "" leaves it to the plane."""
    if warm is None or isinstance(warm, bool):
        return "" if warm is None else str(warm).lower()
    return ",".join([warm] if isinstance(warm, str) else warm) or "true"


def submit(client: Client, x: Any, submission: Submission) -> Mapping[str, Any]:
    """Creates the workflow that x describes, and what stands beside it, and gives it as the server has it."""
    check_runtime(submission.runtime)
    for what, given in (("parameters", submission.parameters), ("artifacts", submission.artifacts), ("labels", submission.labels)):
        if given is not None and not isinstance(given, Mapping):
            raise TypeError(f"{what} are a dict, by name, not a {type(given).__name__}")
        for name in given or ():
            if not isinstance(name, str):
                raise TypeError(f"{what} are named by text, not by {name!r}")
    source = source_of(x)
    if not isinstance(source, dict):
        from tiphys._submit_files import run_files

        return run_files(client, source, submission)
    _check_shape(source)
    made = _submit_document(client, source, submission)
    if submission.parameters:
        from tiphys._warnings import warn_of_untaken

        warn_of_untaken(submission.parameters, json.dumps(source, default=str))
    return made


def _submit_document(client: Client, source: Dict[str, Any], submission: Submission) -> Mapping[str, Any]:
    kind = source.get("kind", "Workflow")
    if kind == "Workflow":
        return _create(client, dict(_with_local_code(client, _changed(client, source, submission))))
    from tiphys._from_template import KINDS

    if kind in KINDS:
        return _submit_from(client, source, submission)
    raise ManifestError(f"a {kind} is not run: give a Workflow, a CronWorkflow, or a template")


def _submit_from(client: Client, source: Dict[str, Any], submission: Submission) -> Mapping[str, Any]:
    """A template is made on the server, as what the workflow refers to; of a CronWorkflow only a workflow is."""
    from tiphys._from_template import put_template, workflow_from

    if source["kind"] == "CronWorkflow":
        return _create(client, dict(_with_local_code(client, _changed(client, workflow_from(source), submission))))
    template = copy.deepcopy({"apiVersion": "argoproj.io/v1alpha1", **source})
    metadata = template["metadata"] = dict(template.get("metadata") or {})
    if not metadata.get("name") and metadata.get("generateName"):
        metadata["name"] = _generated_name(metadata["generateName"])
    workflow = _changed(client, workflow_from(template), submission, [template])
    put_template(client, _with_local_code(client, template), workflow["metadata"]["namespace"])
    return _create(client, workflow)


def _with_local_code(client: Client, document: Mapping[str, Any]) -> Mapping[str, Any]:
    if not client.data_dir:
        return document
    from tiphys._local_code import with_local_code

    return with_local_code(document)


def _create(client: Client, workflow: Dict[str, Any]) -> Mapping[str, Any]:
    """By a name of our own: asked again after a lost connection, it makes no second one."""
    metadata = workflow["metadata"]
    api = WorkflowApi(client.http, metadata.get("namespace") or client.namespace)
    generated = not metadata.get("name")
    lost = taken = False
    while True:
        if generated and not lost:
            metadata["name"] = _generated_name(metadata["generateName"])
        try:
            return api.create(workflow)
        except ServerUnreachable:
            if lost or not client.revive():
                raise
            lost = True
        except ApiError as refused:
            if refused.status != _CONFLICT or taken:
                raise
            if lost:
                return api.get(metadata["name"])
            if not generated:
                raise
            taken = True


def _generated_name(prefix: str) -> str:
    return str(prefix)[:_LONGEST_PREFIX] + "".join(_LETTERS[each % len(_LETTERS)] for each in os.urandom(5))


def check_runtime(runtime: Optional[str]) -> None:
    if runtime not in (None, *RUNTIMES):
        raise ValueError(f"runtime is {' or '.join(map(repr, RUNTIMES))}, not {runtime!r}")


def source_of(x: Any) -> Union[Dict[str, Any], str, "os.PathLike[str]"]:
    """A document, text of YAML or JSON, or a path."""
    if isinstance(x, os.PathLike):
        _check_file(x)
        return x
    if isinstance(x, Mapping):
        return dict(x)
    if isinstance(x, (list, tuple)):
        return "\n---\n".join(json.dumps(_document(each), indent=1) for each in x)
    if isinstance(x, bytes):
        x = x.decode(errors="surrogateescape")  # the program tells where they are no text
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
    if hasattr(value, "model_dump_json") and not isinstance(value, type):  # of Pydantic
        return str(value.model_dump_json())
    if not isinstance(value, _OF_JSON):
        value = _plain(value)
    if not isinstance(value, str):
        return json.dumps(value, default=_plain)
    if not value.isascii():
        value.encode()  # a name of a file may hold bytes that are no text
    return value


def _plain(value: Any) -> Any:
    """What stands for an object that JSON does not know: of the standard library, Pydantic, NumPy and pandas."""
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, range):
        return list(value)
    if type(value).__name__ in ("Decimal", "UUID"):  # asking by the type would import it
        return str(value)
    if hasattr(value, "__dataclass_fields__") and not isinstance(value, type):
        return {name: getattr(value, name) for name in value.__dataclass_fields__}
    if callable(getattr(value, "model_dump", None)) and not isinstance(value, type):
        return value.model_dump(mode="json")
    if hasattr(type(value), "__members__"):  # an enumeration's
        return value.value
    for name in ("item", "tolist", "isoformat"):
        made = getattr(value, name, None)
        if callable(made) and not (name == "item" and getattr(value, "size", 1) != 1):
            return made()
    raise TypeError(f"a parameter holds a {type(value).__name__}, which is no JSON: give text")


def _check_shape(document: Mapping[str, Any]) -> None:
    """As far as it is looked into here; the server tells the rest."""
    spec = document.get("spec")
    parts = [("metadata", document.get("metadata")), ("spec", spec)]
    if isinstance(spec, Mapping):
        inner = spec.get("workflowSpec") if document.get("kind") == "CronWorkflow" else spec
        at = "spec" if inner is spec else "spec.workflowSpec"
        parts.append((at, inner))
        if isinstance(inner, Mapping):
            parts += [(f"{at}.arguments", inner.get("arguments")), (f"{at}.podMetadata", inner.get("podMetadata"))]
            templates = inner.get("templates")
            if not isinstance(templates, (list, tuple, type(None))):
                raise ManifestError(f"{at}.templates is a {type(templates).__name__}, not a list")
            parts += [(f"{at}.templates[{number}]", each) for number, each in enumerate(templates or [])]
    for place, value in parts:
        if value is not None and not isinstance(value, Mapping):
            raise ManifestError(f"{place} is a {type(value).__name__}, not a dict")


def _text_or_path(x: str) -> Union[str, "os.PathLike[str]"]:
    if "\n" in x or x.lstrip().startswith("{"):
        return x
    _check_file(x)
    import pathlib

    return pathlib.Path(x)


def _check_file(path: "str | os.PathLike[str]") -> None:
    name = os.fspath(path)
    if not name:
        raise ManifestError("an empty text describes no workflow")
    if not os.path.exists(name):
        raise FileNotFoundError(f"there is no file {name!r}" + ("; text of YAML has more than one line" if isinstance(path, str) else ""))
    if os.path.isdir(name):
        raise IsADirectoryError(f"{name!r} is a folder: a run is of a file")


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


def _changed(client: Client, document: Mapping[str, Any], submission: Submission, beside: Sequence[Mapping[str, Any]] = ()) -> Dict[str, Any]:
    """A copy with what the submission says; `beside` is the template that it refers to."""
    workflow = completed(copy.deepcopy(dict(document)))
    metadata = workflow["metadata"]
    spec = workflow["spec"] = dict(workflow.get("spec") or {})
    metadata.setdefault("namespace", client.namespace)
    if submission.name:
        metadata["name"] = submission.name
        metadata.pop("generateName", None)
    if submission.labels:
        metadata["labels"] = {**(metadata.get("labels") or {}), **submission.labels}
    if submission.entrypoint:
        spec["entrypoint"] = submission.entrypoint
    chosen = {_RUNTIME_ANNOTATION: submission.runtime, _WARM_ANNOTATION: warm_text(submission.warm)}
    chosen = {name: value for name, value in chosen.items() if value}
    if chosen:
        pods = spec["podMetadata"] = dict(spec.get("podMetadata") or {})
        pods["annotations"] = {**(pods.get("annotations") or {}), **chosen}
    if submission.parameters:
        _set_parameters(spec, submission.parameters)
    if not submission.artifacts:
        return workflow
    from tiphys._given_artifacts import with_artifacts

    return with_artifacts(client, workflow, submission.artifacts, beside)


def _set_parameters(spec: Dict[str, Any], values: Mapping[str, Any]) -> None:
    arguments = spec["arguments"] = dict(spec.get("arguments") or {})
    declared = [dict(each) for each in arguments.get("parameters") or []]
    left = {name: value_text(value) for name, value in values.items()}
    for parameter in declared:
        if parameter["name"] in left:
            parameter["value"] = left.pop(parameter["name"])
            parameter.pop("valueFrom", None)
    arguments["parameters"] = declared + [{"name": name, "value": value} for name, value in left.items()]
