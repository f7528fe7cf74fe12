"""The API of Kubeflow Pipelines as kfp.Client asks it: its runs are workflows, and it is answered within this process.

Paths and fields are those of backend/api/v1beta1 in kubeflow/pipelines."""

from __future__ import annotations

import json
import uuid
from types import ModuleType
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Mapping, Optional, Tuple
from urllib.parse import unquote, urlsplit

from tiphys._errors import ApiError, ManifestError, TiphysError
from tiphys._submit import Submission, submit

if TYPE_CHECKING:
    from tiphys._client import Client

Document = Dict[str, Any]

_PREFIX = "/apis/v1beta1/"
_PREFIX_2 = "/apis/v2beta1/"
_NAME = "pipelines.kubeflow.org/run_name"  # an annotation, as Kubeflow has it
_EXPERIMENT = "pipelines.kubeflow.org/experiment"  # a label: the experiment's id
_BAD_REQUEST, _NOT_FOUND, _NOT_IMPLEMENTED = 400, 404, 501
_SECOND = "pipelines of Kubeflow Pipelines 2 are no workflows of Argo: those that kfp 1.8 compiles are"


class Pipelines:
    """Experiments are kept here; a run is known by its workflow's name."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._experiments: Dict[str, Document] = {}  # by id

    def answer(self, method: str, path: str, query: Mapping[str, str], body: Optional[Document]) -> Document:
        """Raises ApiError with HTTP's status."""
        if path.startswith(_PREFIX_2) and path != _PREFIX_2 + "healthz":
            raise ApiError(_SECOND, status=_NOT_IMPLEMENTED)
        what, *rest = [unquote(each) for each in path[len(_PREFIX) :].split("/")]
        if (method, what, rest) == ("GET", "healthz", []):
            return {"multi_user": False}
        calls: Dict[Tuple[str, str, int], Callable[..., Document]] = {
            ("POST", "experiments", 0): lambda: self._create_experiment(body or {}),
            ("GET", "experiments", 0): lambda: self._list_experiments(query),
            ("GET", "experiments", 1): self._experiment,
            ("DELETE", "experiments", 1): self._delete_experiment,
            ("POST", "runs", 0): lambda: self._create_run(body or {}),
            ("GET", "runs", 0): lambda: self._list_runs(query),
            ("GET", "runs", 1): self._run,
            ("DELETE", "runs", 1): self._delete_run,
            ("POST", "runs", 2): self._act,
        }
        call = calls.get((method, what, len(rest)))
        if call is None or any(":" in each for each in rest):
            raise ApiError(f"{method} {path}: of Kubeflow Pipelines there are experiments and runs here, no pipelines, schedules or archives", status=_NOT_IMPLEMENTED)
        return call(*rest)

    def _create_experiment(self, given: Document) -> Document:
        name = given.get("name")
        if not name:
            raise ApiError("an experiment has a name", status=_BAD_REQUEST)
        made = {"id": str(uuid.uuid5(uuid.NAMESPACE_URL, name)), "name": name, "description": given.get("description") or "", "storage_state": "STORAGESTATE_AVAILABLE"}
        return self._experiments.setdefault(made["id"], made)

    def _list_experiments(self, query: Mapping[str, str]) -> Document:
        wanted = _equal_to(query.get("filter", ""))
        found = [each for each in self._experiments.values() if all(each.get(key) == value for key, value in wanted.items())]
        return {"experiments": found, "total_size": len(found)}

    def _experiment(self, key: str) -> Document:
        if key not in self._experiments:
            raise ApiError(f"there is no experiment {key}", status=_NOT_FOUND)
        return self._experiments[key]

    def _delete_experiment(self, key: str) -> Document:
        self._experiment(key)
        del self._experiments[key]
        return {}

    def _create_run(self, given: Document) -> Document:
        spec = given.get("pipeline_spec") or {}
        if not spec.get("workflow_manifest"):
            raise ApiError("a run is of a compiled pipeline: pipelines are not kept here", status=_BAD_REQUEST)
        try:
            manifest = json.loads(spec["workflow_manifest"])
        except ValueError as wrong:
            raise ApiError(f"workflow_manifest is no JSON: {wrong}", status=_BAD_REQUEST) from wrong
        owner = next((each["key"]["id"] for each in given.get("resource_references") or [] if each["key"].get("type") == "EXPERIMENT"), "")
        metadata = manifest["metadata"] = dict(manifest.get("metadata") or {})
        metadata["annotations"] = {**(metadata.get("annotations") or {}), _NAME: given.get("name") or ""}
        if given.get("service_account"):
            manifest["spec"]["serviceAccountName"] = given["service_account"]
        parameters = {each["name"]: each.get("value") or "" for each in spec.get("parameters") or []}
        return _detail(submit(self._client, manifest, Submission(parameters=parameters, labels={_EXPERIMENT: owner} if owner else {})))

    def _list_runs(self, query: Mapping[str, str]) -> Document:
        key = query.get("resource_reference_key.id")
        labels = f"{_EXPERIMENT}={key}" if key and query.get("resource_reference_key.type") == "EXPERIMENT" else ""
        found = [_run_of(each) for each in self._client.api.list(labels)]
        return {"runs": found, "total_size": len(found)}

    def _run(self, name: str) -> Document:
        return _detail(self._client.api.get(name))

    def _delete_run(self, name: str) -> Document:
        self._client.api.delete(name)
        return {}

    def _act(self, name: str, action: str) -> Document:
        if action not in ("terminate", "retry"):
            raise ApiError(f"a run has no {action}", status=_NOT_FOUND)
        self._client.api.act(name, action)
        return {}


def _run_of(workflow: Mapping[str, Any]) -> Document:
    metadata, status = workflow["metadata"], workflow.get("status") or {}
    owner = (metadata.get("labels") or {}).get(_EXPERIMENT)
    return {
        "id": metadata["name"],
        "name": (metadata.get("annotations") or {}).get(_NAME) or metadata["name"],
        "status": status.get("phase") or "Pending",
        "error": status.get("message") or "",
        "created_at": metadata.get("creationTimestamp"),
        "finished_at": status.get("finishedAt"),
        "storage_state": "STORAGESTATE_AVAILABLE",
        "resource_references": [{"key": {"type": "EXPERIMENT", "id": owner}, "relationship": "OWNER"}] if owner else [],
    }


def _detail(workflow: Mapping[str, Any]) -> Document:
    return {"run": _run_of(workflow), "pipeline_runtime": {"workflow_manifest": json.dumps(workflow)}}


def _equal_to(text: str) -> Dict[str, str]:
    """The client's own filters ask for names alone."""
    wanted: Dict[str, str] = {}
    for each in (json.loads(text) if text else {}).get("predicates") or []:
        operator = each.get("op")
        if operator not in (1, "EQUALS"):
            raise ApiError(f"a filter asks for what is equal, not for {operator}", status=_BAD_REQUEST)
        wanted[each["key"]] = each.get("stringValue") or each.get("string_value") or ""
    return wanted


class _Answer:
    """As the client reads one."""

    def __init__(self, status: int, document: Document) -> None:
        self.status, self.reason = status, document.get("error", "OK")
        self.data: Any = json.dumps(document).encode()

    def getheader(self, name: str, default: Optional[str] = None) -> Optional[str]:
        return {"content-type": "application/json"}.get(name.lower(), default)

    def getheaders(self) -> Dict[str, str]:
        return {"content-type": "application/json"}


def request_of(rest: ModuleType, client: Client) -> Callable[..., Any]:
    """In the place of kfp_server_api.rest.RESTClientObject.request: what goes to the client's server is answered by it."""
    before = rest.RESTClientObject.request
    pipelines = Pipelines(client)

    def request(self: Any, method: str, url: str, query_params: Any = None, headers: Any = None, body: Any = None, **more: Any) -> Any:
        parts = urlsplit(url)
        if not url.startswith(client.url + "/") or not parts.path.startswith((_PREFIX, _PREFIX_2)):
            return before(self, method, url, query_params=query_params, headers=headers, body=body, **more)
        try:
            answer = _Answer(200, pipelines.answer(method.upper(), parts.path, dict(_pairs(query_params)), body))
        except TiphysError as wrong:
            status = getattr(wrong, "status", 0) or (_BAD_REQUEST if isinstance(wrong, ManifestError) else 500)
            refusal = _Answer(status, {"error": str(wrong), "message": str(wrong)})
            raise rest.ApiException(http_resp=refusal) from wrong
        return answer

    return request


def _pairs(query: Any) -> List[Tuple[str, str]]:
    pairs = query.items() if isinstance(query, Mapping) else query or []
    return [(str(name), str(value)) for name, value in pairs]
