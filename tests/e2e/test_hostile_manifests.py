"""Objects with every field missing, empty or of another type, by every way in: the plane answers, lives, and starts again with what it has taken.

The shape of CVE-2026-40886 (an annotation ended the controller), CVE-2026-42183 (a nil pointer) and CVE-2024-47827 (daemons).

Each field gets two of the odd values; all of them with TIPHYS_ODD_VALUES=all, which takes minutes.
"""

import copy
import http.client
import itertools
import json
import os
import signal

import pytest

from api_client import Api
from cli_support import cli

ODD = [None, {}, [], "", "\u0000 {{=1/0}} {{x", -1, 1e308, True, {"a": None}, [None], [[]], "9" * 400]
TURN = itertools.cycle(ODD)
CONTAINER = {"name": "main", "image": "x", "command": ["true"], "args": ["a"], "env": [{"name": "A", "value": "b"}, {"name": "B", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
             "resources": {"requests": {"cpu": "1m"}, "limits": {"memory": "64Mi"}}, "volumeMounts": [{"name": "v", "mountPath": "/v", "subPath": "a"}],
             "livenessProbe": {"exec": {"command": ["true"]}, "periodSeconds": 1}, "securityContext": {"runAsUser": 0}, "ports": [{"containerPort": 1, "name": "p"}]}
SPEC = {
    "entrypoint": "main", "onExit": "one", "parallelism": 2, "activeDeadlineSeconds": 5, "priority": 1, "serviceAccountName": "default",
    "arguments": {"parameters": [{"name": "p", "value": "1", "enum": ["1"], "valueFrom": {"configMapKeyRef": {"name": "m", "key": "k", "optional": True}}}],
                  "artifacts": [{"name": "a", "raw": {"data": "x"}}]},
    "volumes": [{"name": "v", "emptyDir": {}}], "volumeClaimTemplates": [{"metadata": {"name": "c"}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}}],
    "podGC": {"strategy": "OnPodCompletion", "deleteDelayDuration": "1s", "labelSelector": {"matchLabels": {"a": "b"}}}, "ttlStrategy": {"secondsAfterCompletion": 3600},
    "podMetadata": {"labels": {"a": "b"}, "annotations": {"a": "b"}}, "podSpecPatch": "{}", "hooks": {"exit": {"template": "one", "expression": "true"}},
    "synchronization": {"mutexes": [{"name": "m"}], "semaphores": [{"configMapKeyRef": {"name": "m", "key": "k"}}]}, "retryStrategy": {"limit": 1},
    "metrics": {"prometheus": [{"name": "m", "help": "h", "labels": [{"key": "a", "value": "b"}], "when": "true", "counter": {"value": "1"}}]},
    "workflowMetadata": {"labels": {"a": "b"}, "labelsFrom": {"c": {"expression": "workflow.name"}}}, "templateDefaults": {"timeout": "5s"},
    "artifactGC": {"strategy": "Never"}, "artifactRepositoryRef": {"configMap": "m", "key": "k"}, "tolerations": [{"key": "a"}], "nodeSelector": {}, "hostAliases": [{"ip": "1.1.1.1", "hostnames": ["h"]}],
    "templates": [
        {"name": "main", "dag": {"failFast": True, "target": "a", "tasks": [
            {"name": "a", "template": "one", "arguments": {"parameters": [{"name": "p", "value": "{{workflow.parameters.p}}"}]}, "withItems": [1, {"x": 2}], "when": "1 == 1",
             "continueOn": {"failed": True}, "hooks": {"running": {"template": "one", "expression": "true"}}},
            {"name": "b", "template": "one", "depends": "a.Succeeded", "withParam": "[1]"}, {"name": "c", "template": "one", "dependencies": ["b"], "withSequence": {"count": "1"}},
            {"name": "d", "templateRef": {"name": "t", "template": "main"}}, {"name": "e", "inline": {"suspend": {"duration": "0"}}}]}},
        {"name": "one", "inputs": {"parameters": [{"name": "p", "default": "1"}], "artifacts": [{"name": "a", "path": "/a", "raw": {"data": "x"}, "mode": 384, "optional": True}]},
         "outputs": {"parameters": [{"name": "o", "valueFrom": {"path": "/o", "default": "x"}, "globalName": "g"}], "artifacts": [{"name": "o", "path": "/o", "optional": True, "archive": {"tar": {"compressionLevel": 1}}}]},
         "container": CONTAINER, "retryStrategy": {"limit": "1", "backoff": {"duration": "0", "factor": 2, "maxDuration": "1s", "cap": "1s"}, "expression": "false"},
         "memoize": {"key": "k", "maxAge": "1s", "cache": {"configMap": {"name": "m"}}}, "synchronization": {"mutex": {"name": "t"}},
         "sidecars": [{"name": "s", "image": "x", "command": ["true"], "mirrorVolumeMounts": True}], "initContainers": [{"name": "i", "image": "x", "command": ["true"]}], "metadata": {"annotations": {"a": "b"}}},
        {"name": "more", "steps": [[{"name": "s", "template": "script"}], [{"name": "set", "template": "set"}, {"name": "data", "template": "data"}]]},
        {"name": "script", "script": {"image": "x", "command": ["sh"], "source": "true"}, "daemon": True, "timeout": "1s"},
        {"name": "set", "containerSet": {"retryStrategy": {"retries": "1", "duration": "0"}, "volumeMounts": [{"name": "v", "mountPath": "/v"}],
                                         "containers": [{"name": "main", "image": "x", "command": ["true"]}, {"name": "b", "image": "x", "command": ["true"], "dependencies": ["main"]}]}},
        {"name": "data", "data": {"source": {"artifactPaths": {"name": "d", "s3": {"key": "k"}}}, "transformation": [{"expression": "data"}]}},
        {"name": "http", "http": {"url": "http://127.0.0.1:1", "method": "GET", "headers": [{"name": "a", "value": "b"}], "timeoutSeconds": 1, "successCondition": "true", "body": "x"}},
        {"name": "resource", "resource": {"action": "get", "manifest": "{}", "successCondition": "a == b", "failureCondition": "c == d", "flags": ["x"], "mergeStrategy": "merge"}},
        {"name": "plugin", "plugin": {"a": {"b": 1}}}, {"name": "wait", "suspend": {"duration": "1s"}}],
}
METADATA = {"name": "it", "namespace": "default", "labels": {"workflows.argoproj.io/completed": "false", "a": "b"},
            "annotations": {"workflows.argoproj.io/pod-name-format": "v1", "tiphys.io/node-requests": "{}", "workflows.argoproj.io/title": "t"},
            "finalizers": [], "ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "m", "uid": "u"}]}
ARGO = "/apis/argoproj.io/v1alpha1/namespaces/default"
KINDS = {
    "workflows": {"spec": SPEC, "status": {"phase": "Running", "nodes": {"it": {"id": "it", "name": "it", "type": "DAG", "phase": "Running", "children": ["x"], "startedAt": "2026-01-01T00:00:00Z"}},
                                           "storedTemplates": {"a": {"name": "a"}}, "synchronization": {"mutex": {"holding": [{"mutex": "m", "holder": "it"}]}}}},
    "workflowtemplates": {"spec": SPEC},
    "clusterworkflowtemplates": {"spec": SPEC},
    "cronworkflows": {"spec": {"schedules": ["0 0 1 1 *"], "timezone": "UTC", "concurrencyPolicy": "Allow", "startingDeadlineSeconds": 1, "successfulJobsHistoryLimit": 1, "when": "true",
                               "stopStrategy": {"expression": "false"}, "workflowMetadata": {"labels": {"a": "b"}}, "workflowSpec": SPEC, "suspend": False},
                      "status": {"active": [{"name": "x"}], "conditions": [{"type": "Completed"}], "lastScheduledTime": "2026-01-01T00:00:00Z"}},
    "workfloweventbindings": {"spec": {"event": {"selector": "true"}, "submit": {"workflowTemplateRef": {"name": "t"}, "arguments": {"parameters": [{"name": "p", "valueFrom": {"event": "payload"}}]}}}},
    "pods": {"spec": {"containers": [CONTAINER], "volumes": [{"name": "v", "emptyDir": {}}, {"name": "c", "configMap": {"name": "m", "items": [{"key": "k", "path": "p"}], "optional": True}}],
                      "restartPolicy": "Never", "initContainers": [{"name": "i", "image": "x", "command": ["true"]}], "terminationGracePeriodSeconds": 1},
             "status": {"phase": "Running", "containerStatuses": [{"name": "main"}]}},
}
ANNOTATIONS = ("tiphys.io/inputs", "tiphys.io/outputs-wanted", "workflows.argoproj.io/outputs", "tiphys.io/runtime", "tiphys.io/container-set", "tiphys.io/command-attempts", "tiphys.io/end",
               "workflows.argoproj.io/kill-cmd-main", "workflows.argoproj.io/pod-gc-strategy", "tiphys.io/node-requests", "tiphys.io/duration", "workflows.argoproj.io/node-name")


def places(document, path=()):
    """The paths of all fields and elements, the outer ones first."""
    members = document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    for key, member in members:
        yield (*path, key)
        yield from places(member, (*path, key))


def changed(document, path, value):
    made = copy.deepcopy(document)
    inner = made
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return made


def odd_values():
    return ODD if os.environ.get("TIPHYS_ODD_VALUES") == "all" else [None, next(TURN)]


def path_of(kind):
    if kind == "pods":
        return "/api/v1/namespaces/default/pods"
    return ARGO.replace("/namespaces/default", "") + "/" + kind if kind.startswith("cluster") else f"{ARGO}/{kind}"


class Plane:
    def __init__(self, cli):
        self.cli, self.count, self.taken = cli, 0, 0
        self.begin()

    def begin(self):
        self.process = self.cli.up()
        self.owner = Api(self.cli.data_dir)

    def ask(self, method, path, body, about, kind="application/json"):
        """Any answer but an error of the server's own."""
        try:
            answer = self.owner.open(method, path, body, kind)
            text = answer.read().decode()
        except (OSError, http.client.HTTPException) as error:
            raise AssertionError(f"{about}: {error!r}; the plane's end: {self.process.popen.poll()} {self.process.popen.stderr.read() if self.process.popen.poll() is not None else ''}") from error
        # What does not exist in this plane is told as such: 501.
        assert answer.status < 500 or answer.status == 501, f"{about}: {answer.status} {text[:500]}"
        return answer.status, text

    def create(self, kind, document, about):
        self.count += 1
        document = {**document, "metadata": {**document["metadata"], "name": f"it-{self.count}"}} if isinstance(document.get("metadata"), dict) else document
        status, text = self.ask("POST", path_of(kind), document, about)
        assert status in (201, 400, 403, 404, 409, 422), f"{about}: {status} {text[:300]}"
        self.taken += status == 201
        return json.loads(text)["metadata"]["name"] if status == 201 else None

    def is_well(self):
        good = {"metadata": {"generateName": "good-"}, "spec": {"entrypoint": "main", "templates": [{"name": "main", "suspend": {"duration": "0"}}]}}
        code, made = self.owner.ask("POST", f"{ARGO}/workflows", good)
        assert code == 201, made
        name = made["metadata"]["name"]
        self.cli("wait", name)
        assert self.cli.workflow(name)["status"]["phase"] == "Succeeded"


@pytest.fixture
def plane(cli):
    made = Plane(cli)
    made.owner.ask("POST", "/api/v1/namespaces/default/configmaps", {"metadata": {"name": "m"}, "data": {"k": "1"}})
    return made


def remove(plane, kind):
    plane.ask("DELETE", path_of(kind), None, f"delete {kind}")


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_may_be_anything(plane, kind):
    whole = {"metadata": METADATA, **KINDS[kind]}
    for path in places(whole):
        if path == ("metadata", "name"):
            continue
        for odd in odd_values():
            plane.create(kind, changed(whole, path, odd), f"{kind} {'.'.join(map(str, path))} = {str(odd)[:50]!r}")
        if plane.taken > 100:
            remove(plane, kind)
            plane.taken = 0
    plane.is_well()
    # Killed and begun again with what is there.
    plane.process.popen.send_signal(signal.SIGKILL)
    plane.process.popen.wait()
    plane.begin()
    plane.is_well()


def test_specs_may_be_anything(plane):
    """Of new objects, without a status: what has one has begun."""
    for kind in ("workflows", "workflowtemplates", "clusterworkflowtemplates", "cronworkflows"):
        for odd in ODD:
            plane.create(kind, {"metadata": {}, "spec": odd}, f"{kind} spec = {str(odd)[:50]!r}")
    for odd in ODD:
        cron = {"schedules": ["* * * * *"], "workflowSpec": odd}
        plane.create("cronworkflows", {"metadata": {}, "spec": cron}, f"cronworkflows spec.workflowSpec = {str(odd)[:50]!r}")
    plane.is_well()


def test_annotations_may_be_anything(plane):
    texts = ["", "x", "{", "{}", "[]", "null", "[null]", '"a"', "-1", "1e999", '{"attempts":-1,"pause":"x"}', '{"files":[{"path":"../../x"}]}', '{"artifacts":[{"path":1}],"parameters":[null],"logs":{}}',
             '{"main":["main"]}', "OnPodSuccess", "OnPodSuccess/", "/", "/1s", "true", "process", "[" * 5000, "{{=x}}", "\u0000"]
    for name in ANNOTATIONS:
        for text in texts:
            about = f"{name} = {text[:40]!r}"
            metadata = {**METADATA, "annotations": {name: text}, "ownerReferences": []}
            plane.create("pods", {"metadata": metadata, "spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "x", "command": ["true"]}]}}, about)
            spec = {"entrypoint": "main", "templates": [{"name": "main", "metadata": {"annotations": {name: text}}, "container": {"image": "x", "command": ["true"]}}]}
            workflow = plane.create("workflows", {"metadata": metadata, "spec": spec}, about)
            # And on pods of workflows that are under way.
            if workflow:
                plane.ask("PATCH", f"{ARGO}/workflows/{workflow}", {"metadata": {"annotations": {other: text for other in ANNOTATIONS}}}, about, "application/merge-patch+json")
        remove(plane, "pods")
    plane.is_well()


@pytest.mark.parametrize("service", ["workflows/default", "workflows/default/lint", "workflows/default/submit", "workflow-templates/default", "cluster-workflow-templates", "cron-workflows/default",
                                     "sync/default", "events/default/x"])
def test_requests_to_argo_may_be_anything(plane, service):
    body = {"namespace": "default", "resourceKind": "Workflow", "resourceName": "it", "submitOptions": {"parameters": ["a=b"], "labels": "a=b", "ownerReference": {"name": "x"}, "priority": 1},
            "workflow": {"metadata": METADATA, "spec": SPEC}, "template": {"metadata": METADATA, "spec": SPEC}, "createOptions": {"dryRun": ["All"]},
            "cronWorkflow": {"metadata": METADATA, "spec": {"schedules": ["* * * * *"], "workflowSpec": SPEC}}, "cmName": "m", "key": "k", "limit": 1, "type": 0, "payload": {"a": 1}}
    deep = ("workflow", "template", "cronWorkflow")
    for path in places(body):
        if len(path) <= 2 or path[0] not in deep or path[1] == "metadata" or len(path) <= 3:
            for odd in odd_values():
                status, text = plane.ask("POST", f"/api/v1/{service}", changed(body, path, odd), f"{service} {path} = {str(odd)[:40]!r}")
                assert status in (200, 400, 403, 404, 409, 422), f"{path} {odd}: {status} {text[:300]}"
    for odd in ODD:
        assert plane.ask("POST", f"/api/v1/{service}", odd, f"{service} {odd!r}")[0] in (200, 400, 404, 409)
    plane.is_well()
