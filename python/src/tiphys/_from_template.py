"""One workflow from a template or a CronWorkflow, as `argo submit --from` makes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, List, Mapping, Sequence

from tiphys._errors import ApiError, ManifestError

if TYPE_CHECKING:
    from tiphys._client import Client

Document = Dict[str, Any]

_CRON = "CronWorkflow"
_TEMPLATE_LABELS = {
    "WorkflowTemplate": "workflows.argoproj.io/workflow-template",
    "ClusterWorkflowTemplate": "workflows.argoproj.io/cluster-workflow-template",
}
KINDS = (*_TEMPLATE_LABELS, _CRON)

_CRON_LABEL = "workflows.argoproj.io/cron-workflow"
_INSTANCE_LABEL = "workflows.argoproj.io/controller-instanceid"
_SCHEDULED_TIME = "workflows.argoproj.io/scheduled-time"
_CONFLICT = 409
_MOST_TRIES = 5  # to replace a template that others replace too


def kind_of(document: Mapping[str, Any]) -> str:
    return str(document.get("kind") or "Workflow")


def chosen(documents: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The one of which a workflow is to be made: the CronWorkflow, or else the template, or the only one that says where it
    begins. ManifestError where that leaves several, or none."""
    found = [each for each in documents if kind_of(each) == _CRON] or [each for each in documents if kind_of(each) in _TEMPLATE_LABELS]
    if len(found) > 1 and kind_of(found[0]) != _CRON:
        found = [each for each in found if (each.get("spec") or {}).get("entrypoint")]
    if len(found) == 1:
        return found[0]
    names = ", ".join(f"{kind_of(each)} {_name(each)}" for each in found)
    raise ManifestError(f"{len(found)} of these could be run, and a run is of one: {names}" if found else "none of these templates has an entrypoint")


def workflow_from(document: Mapping[str, Any]) -> Document:
    """A Workflow of a template, to which it refers, or of a CronWorkflow, whose spec it takes."""
    name = _name(document)
    if not name:
        raise ManifestError(f"the {kind_of(document)} has no name: a workflow that is made from it refers to metadata.name")
    made = _from_cron(document, name) if kind_of(document) == _CRON else _from_template(document, name)
    namespace = (document.get("metadata") or {}).get("namespace")
    if namespace:
        made["metadata"]["namespace"] = namespace
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", **made}


def put_template(client: Client, template: Mapping[str, Any], namespace: str) -> None:
    """Makes the template on the server, or makes the one that is there what it says."""
    of_cluster = kind_of(template) == "ClusterWorkflowTemplate"
    path = "/api/v1/cluster-workflow-templates" if of_cluster else f"/api/v1/workflow-templates/{namespace}"
    name = _name(template)
    for _ in range(_MOST_TRIES):
        try:
            client.http.ask("POST", path, body={"template": template})
            return
        except ApiError as refused:
            if refused.status != _CONFLICT:
                raise
        there = client.http.ask("GET", f"{path}/{name}")
        if there.get("spec") == template.get("spec"):
            return
        version = {"resourceVersion": there["metadata"]["resourceVersion"]}
        try:
            client.http.ask("PUT", f"{path}/{name}", body={"name": name, "template": {**template, "metadata": {**template["metadata"], **version}}})
            return
        except ApiError as refused:
            if refused.status != _CONFLICT:
                raise
    raise ApiError(f"the {kind_of(template)} {name} is changed by others all the time", status=_CONFLICT)


def _name(document: Mapping[str, Any]) -> str:
    return str((document.get("metadata") or {}).get("name") or "")


def _from_template(template: Mapping[str, Any], name: str) -> Document:
    of_cluster = {"clusterScope": True} if kind_of(template) == "ClusterWorkflowTemplate" else {}
    return {
        "metadata": {"generateName": f"{name}-", "labels": {_TEMPLATE_LABELS[kind_of(template)]: name}},
        "spec": {"workflowTemplateRef": {"name": name, **of_cluster}},
    }


def _from_cron(cron: Mapping[str, Any], name: str) -> Document:
    from datetime import datetime

    metadata, spec = cron.get("metadata") or {}, cron.get("spec") or {}
    given = spec.get("workflowMetadata") or {}
    instance = {key: value for key, value in (metadata.get("labels") or {}).items() if key == _INSTANCE_LABEL}
    made: Document = {
        "generateName": f"{name}-",
        "labels": {**instance, _CRON_LABEL: name, **(given.get("labels") or {})},
        "annotations": {_SCHEDULED_TIME: datetime.now().astimezone().isoformat(timespec="seconds"), **(given.get("annotations") or {})},
    }
    if given.get("finalizers"):
        made["finalizers"] = given["finalizers"]
    if metadata.get("uid"):  # a server has it, and takes its workflows along when it goes
        made["ownerReferences"] = [_owner(cron, name)]
    return {"metadata": made, "spec": dict(spec.get("workflowSpec") or {})}


def _owner(cron: Mapping[str, Any], name: str) -> Document:
    about = {"apiVersion": "argoproj.io/v1alpha1", "kind": _CRON, "name": name, "uid": cron["metadata"]["uid"]}
    return {**about, "controller": True, "blockOwnerDeletion": True}


def mentioned(text: str) -> bool:
    """Whether text of YAML may hold a document of one of these kinds: a quick look that misses none."""
    return any(kind in text for kind in ("WorkflowTemplate", _CRON))


def none_is_a_workflow(documents: List[Any]) -> bool:
    kinds = [kind_of(each) for each in documents if isinstance(each, Mapping)]
    return "Workflow" not in kinds and any(kind in KINDS for kind in kinds)
