"""Argo's API, as far as runs need it: https://argo-workflows.readthedocs.io/en/latest/swagger/."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional

from tiphys._http import Http, Query, Stream, part

Document = Dict[str, Any]

_KUBERNETES = "/apis/argoproj.io/v1alpha1/namespaces"
_WITHOUT_NODES = "result.type,result.object.metadata.name,result.object.metadata.resourceVersion,result.object.status.phase,result.object.status.message"


class WorkflowApi:
    """The workflows of one namespace."""

    def __init__(self, http: Http, namespace: str) -> None:
        self._http, self.namespace = http, namespace

    def create(self, workflow: Mapping[str, Any]) -> Document:
        return self._http.ask("POST", self._path(), body={"workflow": workflow})

    def submit(self, kind: str, name: str, options: Mapping[str, Any]) -> Document:
        """A workflow of a template or a CronWorkflow that the server has."""
        return self._http.ask("POST", self._path("submit"), body={"resourceKind": kind, "resourceName": name, "submitOptions": options})

    def get(self, name: str, fields: str = "") -> Document:
        return self._http.ask("GET", self._path(name), {"fields": fields} if fields else None)

    def list(self, labels: str = "", limit: int = 0) -> List[Document]:
        query: Dict[str, Any] = {"fields": "items.metadata,items.status.phase,items.status.startedAt,items.status.finishedAt,items.status.message"}
        if labels:
            query["listOptions.labelSelector"] = labels
        if limit:
            query["listOptions.limit"] = limit
        return self._http.ask("GET", self._path(), query).get("items") or []

    def delete(self, name: str) -> None:
        self._http.ask("DELETE", self._path(name))

    def act(self, name: str, action: str, **options: Any) -> Document:
        """stop, terminate, suspend, resume, retry or resubmit."""
        return self._http.ask("PUT", self._path(name, action), body={"name": name, "namespace": self.namespace, **options})

    def watch(self, name: str, with_nodes: bool) -> Stream:
        """{"result": {"type", "object"}}: what is there, then each change."""
        query = {"listOptions.fieldSelector": f"metadata.name={name}", "listOptions.resourceVersion": "0"}
        if not with_nodes:
            query["fields"] = _WITHOUT_NODES
        return self._http.stream(f"/api/v1/workflow-events/{part(self.namespace)}", query)

    def watch_nodes(self, name: str) -> Stream:
        """{"type": "NODE", "object"}, those that exist and then each change: what tiphys alone has."""
        return self._http.stream(f"{_KUBERNETES}/{part(self.namespace)}/workflows/{part(name)}", {"watchNodes": True})

    def log(self, name: str, container: str, pod: str = "", follow: bool = False, tail: Optional[int] = None, grep: str = "") -> Stream:
        """{"result": {"content", "podName"}} each line."""
        query: Query = {
            "logOptions.container": container,
            **({"podName": pod} if pod else {}),
            **({"logOptions.follow": True} if follow else {}),
            **({"logOptions.tailLines": tail} if tail is not None else {}),
            **({"grep": grep} if grep else {}),
        }
        return self._http.stream(self._path(name, "log"), query)

    def _path(self, *parts: str) -> str:
        return "/".join(["/api/v1/workflows", *map(part, (self.namespace, *parts))])
