"""Code hosts that sign their webhooks start workflows by the event endpoint, each as the service account that its client is."""

import base64
import hashlib
import hmac
import http.client
import json

import pytest

from api_client import Api

EVENTS = "/api/v1/events/default/"
KINDS = "/apis/argoproj.io/v1alpha1/namespaces/default"
CLIENTS = "/api/v1/namespaces/default/secrets/argo-workflows-webhook-clients"
PUSH = json.dumps({"ref": "main"}).encode()
TEMPLATE = {"metadata": {"name": "build"}, "spec": {"entrypoint": "main", "arguments": {"parameters": [{"name": "what"}]},
                                                    "templates": [{"name": "main", "suspend": {}}]}}
BINDING = {"metadata": {"name": "build"}, "spec": {
    "event": {"selector": 'payload.ref == "main" && metadata["x-github-event"] == ["push"] && discriminator == "builds"'},
    "submit": {"workflowTemplateRef": {"name": "build"},
               "arguments": {"parameters": [{"name": "what", "valueFrom": {"event": 'metadata["x-github-event"][0] + " of " + payload.ref'}}]}}}}
RULES = [{"apiGroups": ["argoproj.io"], "resources": ["workfloweventbindings", "workflowtemplates", "workflows"], "verbs": ["list", "get", "create"]}]


def signature(secret, body=PUSH):
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def clients(**entries):
    return {"metadata": {"name": "argo-workflows-webhook-clients"}, "data": {name: base64.b64encode(text.encode()).decode() for name, text in entries.items()}}


class Host:
    """Posts as a code host does: without a token."""

    def __init__(self, api):
        self.host = api.host

    def post(self, path=EVENTS + "builds", body=PUSH, **headers):
        connection = http.client.HTTPConnection(self.host, timeout=60)
        connection.request("POST", path, body, {"Content-Type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}})
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, text


@pytest.fixture
def api(tiphys):
    tiphys.up()
    api = Api(tiphys.data_dir)
    for path, body in (
            (f"{KINDS}/workflowtemplates", TEMPLATE), (f"{KINDS}/workfloweventbindings", BINDING),
            ("/api/v1/namespaces/default/serviceaccounts", {"metadata": {"name": "github"}}), ("/api/v1/namespaces/default/serviceaccounts", {"metadata": {"name": "poor"}}),
            ("/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles", {"metadata": {"name": "builder"}, "rules": RULES}),
            ("/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings", {
                "metadata": {"name": "builder"}, "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "builder"},
                "subjects": [{"kind": "ServiceAccount", "name": "github", "namespace": "default"}]})):
        status, made = api.ask("POST", path, body)
        assert status == 201, made
    return api


def workflows(api):
    return api.ask("GET", f"{KINDS}/workflows")[1]["items"]


def test_a_signed_webhook_starts_a_workflow(api):
    host, signed = Host(api), {"X_GitHub_Event": "push", "X_Hub_Signature_256": signature("shh")}
    assert host.post(**signed)[0] == 401, "there are no clients yet"
    assert api.ask("POST", CLIENTS.rsplit("/", 1)[0], clients(github="type: github\nsecret: shh\n", poor="type: gitlab\nsecret: hush\n"))[0] == 201
    assert host.post(**signed) == (200, "{}")
    [made] = workflows(api)
    assert made["spec"]["arguments"]["parameters"] == [{"name": "what", "value": "push of main"}]
    assert made["metadata"]["labels"]["workflows.argoproj.io/creator"] == "system-serviceaccount-default-github"


def test_nobody_else_does(api, tiphys):
    host, headers = Host(api), {"X_GitHub_Event": "push"}
    api.ask("POST", CLIENTS.rsplit("/", 1)[0], clients(github="type: github\nsecret: shh\n", poor="type: gitlab\nsecret: hush\n"))
    assert host.post(**headers)[0] == 401
    assert host.post(**headers, X_Hub_Signature_256=signature("other"))[0] == 401
    assert host.post(body=b'{"ref": "x"}', **headers, X_Hub_Signature_256=signature("shh"))[0] == 401
    assert host.post(path="/api/v1/events/other/builds", **headers, X_Hub_Signature_256=signature("shh"))[0] == 401
    status, text = host.post(X_Gitlab_Event="Push Hook", X_Gitlab_Token="hush")
    assert status == 403 and "poor" in text, "known, but without any rights"
    large = b'"' + b"x" * (2 << 20) + b'"'
    assert host.post(body=large, **headers, X_Hub_Signature_256=signature("shh", large))[0] == 413
    for path in ("/api/v1/workflows/default", "/api/v1/namespaces/default/events", f"{KINDS}/workflows"):
        assert host.post(path=path, **headers, X_Hub_Signature_256=signature("shh"))[0] == 401, path
    assert workflows(api) == []


def test_clients_that_are_wrong_are_told_to_the_owner_alone(api):
    host, signed = Host(api), {"X_GitHub_Event": "push", "X_Hub_Signature_256": signature("shh")}
    api.ask("POST", CLIENTS.rsplit("/", 1)[0], clients(gone="type: github\nsecret: shh\n"))
    status, text = host.post(**signed)
    assert (status, json.loads(text)["message"]) == (403, "failed to process webhook request")
    api.ask("PUT", CLIENTS, clients(github="type: gitea\nsecret: shh\n"))
    assert host.post(**signed)[0] == 403
    assert workflows(api) == []
