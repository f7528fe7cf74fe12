"""With templateReferencing: Strict nobody runs but what a template says, whatever else a workflow holds and whoever changes it later.

The shape of CVE-2026-31892 (podSpecPatch), CVE-2026-42296 (hostNetwork, securityContext, serviceAccountName) and CVE-2026-54526 (artifactGC.podSpecPatch).
"""

import json
import signal

import pytest

from api_client import Api
from cli_support import cli

ARGO = "/apis/argoproj.io/v1alpha1/namespaces/default"
REF = {"workflowTemplateRef": {"name": "t"}}
OWN = [{"name": "main", "container": {"image": "x", "command": ["echo", "pwned"]}}]
TEMPLATE = {"metadata": {"name": "t"}, "spec": {"entrypoint": "main", "templates": [
    {"name": "main", "steps": [[{"name": "wait", "template": "wait"}], [{"name": "say", "template": "say"}]]},
    {"name": "wait", "suspend": {}}, {"name": "say", "container": {"image": "x", "command": ["echo", "good"]}}]}}
FORBIDDEN = {
    "templates": OWN, "podSpecPatch": '{"hostNetwork": true}', "hostNetwork": True, "securityContext": {"runAsUser": 0}, "serviceAccountName": "admin", "automountServiceAccountToken": True,
    "volumes": [{"name": "v", "hostPath": {"path": "/"}}], "volumeClaimTemplates": [{"metadata": {"name": "v"}}], "onExit": "main", "hooks": {"exit": {"template": "main"}}, "executor": {"serviceAccountName": "admin"},
    "templateDefaults": {"container": {"securityContext": {"privileged": True}}}, "podMetadata": {"annotations": {"a": "b"}}, "imagePullSecrets": [{"name": "a"}], "tolerations": [{"key": "a"}],
    "nodeSelector": {"a": "b"}, "affinity": {}, "schedulerName": "x", "dnsConfig": {"nameservers": ["1.1.1.1"]}, "hostAliases": [{"ip": "1.1.1.1"}], "artifactRepositoryRef": {"key": "a"},
    "synchronization": {"mutex": {"name": "a"}}, "retryStrategy": {"limit": 1}, "parallelism": 1, "podPriorityClassName": "a", "podDisruptionBudget": {"minAvailable": 1},
    "artifactGC": {"strategy": "Never", "podSpecPatch": "{}"}, "unknownField": 1,
}


@pytest.fixture
def plane(cli):
    config = cli.folder / "config.yaml"
    config.write_text("workflowRestrictions: {templateReferencing: Strict}\n")
    cli.begin = lambda: cli.up("--config", config)
    cli.process = cli.begin()
    cli.owner = Api(cli.data_dir)
    assert cli.owner.ask("POST", f"{ARGO}/workflowtemplates", TEMPLATE)[0] == 201
    return cli


def ends(plane, name, spec, **more):
    code, made = plane.owner.ask("POST", f"{ARGO}/workflows", {"metadata": {"name": name}, "spec": spec, **more})
    if code != 201:
        return code
    plane("wait", name, code=None)
    status = plane.workflow(name)["status"]
    assert "pwned" not in plane("logs", name, code=None).stdout
    return status["phase"], status["message"]


@pytest.mark.parametrize("field", FORBIDDEN)
def test_a_field_that_is_not_allowed_ends_the_workflow(plane, field):
    ended = ends(plane, "w", {**REF, field: FORBIDDEN[field]})
    assert ended in (400, 422) or ended[0] == "Error" and "not permitted when using workflowTemplateRef" in ended[1], ended


@pytest.mark.parametrize("status", [
    {"phase": "Running", "startedAt": "2026-01-01T00:00:00Z"},
    {"phase": "Running", "storedWorkflowTemplateSpec": {"entrypoint": "main", "templates": OWN}},
    {"phase": "Running", "storedTemplates": {"namespaced/t/main": OWN[0]}, "nodes": {"own": {"id": "own", "name": "own", "type": "Steps", "phase": "Running"}}},
])
def test_a_status_of_its_own_lets_nobody_begin(plane, status):
    assert ends(plane, "own", {"entrypoint": "main", "templates": OWN}, status=status)[0] == "Error"
    assert ends(plane, "refers", REF, status=status) == ("Error", "a workflow must not bring a status when the controller is in reference mode")


def test_what_is_changed_later_changes_nothing(plane):
    assert plane.owner.ask("POST", f"{ARGO}/workflows", {"metadata": {"name": "w"}, "spec": REF})[0] == 201
    nodes = {}
    while "Suspend" not in nodes:
        nodes = {node["type"]: node for node in plane.workflow("w").get("status", {}).get("nodes", {}).values()}
    merge = "application/merge-patch+json"
    own = {"entrypoint": "main", "templates": OWN}
    for place in (f"{ARGO}/workflows/w", f"{ARGO}/workflows/w/status"):
        plane.owner.ask("PATCH", place, {"spec": {**own, "podSpecPatch": "{}", "serviceAccountName": "admin"},
                                         "status": {"storedWorkflowTemplateSpec": own, "storedTemplates": {"namespaced/t/say": OWN[0], "namespaced/t/main": OWN[0]}}}, merge)
    plane.process.popen.send_signal(signal.SIGKILL)
    plane.process.popen.wait()
    plane.process = plane.begin()
    plane("resume", "w", code=None)  # it may have ended already
    plane("wait", "w", code=None)
    workflow = plane.workflow("w")
    told = plane("logs", "w", code=None).stdout
    assert "pwned" not in told, json.dumps(workflow["status"])[:2000]
    assert workflow["status"]["phase"] in ("Succeeded", "Failed", "Error")


def id_of(workflow, node):
    """FNV-1a of the node's name, as the ids of nodes are made."""
    if node == workflow:
        return workflow
    number = 0x811C9DC5
    for byte in node.encode():
        number = (number ^ byte) * 0x01000193 & 0xFFFFFFFF
    return f"{workflow}-{number}"


def test_nodes_that_do_not_fit_their_template_end_the_workflow_and_not_the_plane(cli):
    """Whoever may change a workflow under way can make its nodes and templates disagree, which the next plane finds."""
    cli.process, cli.owner = cli.up(), Api(cli.data_dir)
    own = {"entrypoint": "main", "templates": [{**TEMPLATE["spec"]["templates"][0]}, *TEMPLATE["spec"]["templates"][1:]]}
    nodes = {"type": {"type": "DAG"}, "retry": {"type": "Retry"}, "plain": {"type": "Pod"}, "suspended": {"type": "Suspend"}, "exit": {"outputs": {"exitCode": "x"}}, "phase": {"phase": "Odd"},
             "group": {"name": "group[7]", "type": "StepGroup", "boundaryID": "group"}, "dot": {"name": "dot.", "type": "StepGroup", "boundaryID": "dot"},
             "large": {"name": "large[99999999999]", "type": "StepGroup", "boundaryID": "large"}, "children": {"children": ["none"]}, "cycle": {"name": "cycle[0]", "type": "StepGroup", "boundaryID": "cycle"},
             "step": {"name": "step[9].say", "type": "Pod", "boundaryID": "step", "templateName": "say"}, "itself": {"children": ["itself"], "boundaryID": "itself"}}
    for name, change in nodes.items():
        status = {"phase": "Running", "nodes": {name: {"id": name, "name": name, "displayName": name, "type": "Steps", "phase": "Running", "startedAt": "2026-01-01T00:00:00Z"}}}
        if change.get("name"):
            other = id_of(name, change["name"])
            status["nodes"][other] = {"id": other, "displayName": "x", "phase": "Running", "startedAt": "2026-01-01T00:00:00Z", **change}
            status["nodes"][name]["children"] = [other]
            if name == "cycle":
                status["nodes"][other]["children"] = [name, other]
        else:
            status["nodes"][name] |= change
        code, made = cli.owner.ask("POST", f"{ARGO}/workflows", {"metadata": {"name": name}, "spec": own, "status": status})
        assert code in (201, 400, 422), made
        code, found = cli.owner.ask("GET", f"{ARGO}/workflows")
        assert code == 200 and cli.process.popen.poll() is None, name
    cli.process.popen.send_signal(signal.SIGKILL)
    cli.process.popen.wait()
    cli.process = cli.up()
    good = {"metadata": {"name": "good"}, "spec": {"entrypoint": "main", "templates": [{"name": "main", "suspend": {"duration": "0"}}]}}
    assert Api(cli.data_dir).ask("POST", f"{ARGO}/workflows", good)[0] == 201
    cli("wait", "good")
