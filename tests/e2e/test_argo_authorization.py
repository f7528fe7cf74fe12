"""Every method of Argo's API, by REST and by gRPC, asked by callers who may not: nobody gets anything, and nothing changes.

The shape of CVE-2024-53862 (archived workflows without a check), CVE-2026-28229 (any bearer read templates) and CVE-2026-42297 (locks without a check).
What is asked is taken from the API's own description, so that a method that is added is asked too.
"""

import http.client
import json

import grpc
import pytest
from google.protobuf import json_format

from api_client import Api
from argo_messages import Messages
from test_argo_grpc import Client
from test_authorization import MINE, THEIRS, state, token_of

CANARY = "canary-9e41"
# What everybody with a token may ask: about the server and themselves.
OPEN = {"GetInfo", "GetVersion", "GetUserInfo", "CollectEvent"}
REFUSED = {401: grpc.StatusCode.UNAUTHENTICATED, 403: grpc.StatusCode.PERMISSION_DENIED}
SPEC = {"entrypoint": "main", "templates": [{"name": "main", "container": {"image": "x", "command": ["sh", "-c", f"echo {CANARY} | tee /tmp/out"]},
                                             "outputs": {"artifacts": [{"name": "out", "path": "/tmp/out", "archive": {"none": {}}}]}}]}
# A manifest that is judged with what it refers to: the plane reads that for whoever asks.
REFERRING = {"entrypoint": "main", "templates": [{"name": "main", "dag": {"tasks": [{"name": "a", "templateRef": {"name": "it", "template": "main"}}]}}]}
QUIET = 2  # seconds after which a stream that has begun is taken to have nothing to tell
CONFIG = "persistence: {archive: true}\n"


@pytest.fixture(scope="module")
def messages():
    return Messages()


class Plane:
    """With one object of each kind in the namespace `mine`, all of which tell the canary."""

    def __init__(self, tiphys, messages, folder):
        (folder / "config.yaml").write_text(CONFIG)
        tiphys.up("--config", folder / "config.yaml")
        self.tiphys, self.messages, self.owner = tiphys, messages, Api(tiphys.data_dir)
        for namespace in (MINE, THEIRS):
            self.make("/api/v1/namespaces", {"metadata": {"name": namespace}})
        kinds = f"/apis/argoproj.io/v1alpha1/namespaces/{MINE}"
        named = {"metadata": {"name": "it", "labels": {"canary": CANARY}}}
        self.make(f"{kinds}/workflowtemplates", {**named, "spec": SPEC})
        self.make("/apis/argoproj.io/v1alpha1/clusterworkflowtemplates", {**named, "spec": SPEC})
        self.make(f"{kinds}/cronworkflows", {**named, "spec": {"schedules": ["0 0 1 1 *"], "workflowSpec": SPEC}})
        self.make(f"/api/v1/namespaces/{MINE}/configmaps", {**named, "data": {"it": "3", "canary": CANARY}})
        self.make(f"{kinds}/workfloweventbindings", {**named, "spec": {"event": {"selector": "true"}, "submit": {"workflowTemplateRef": {"name": "it"}}}})
        for name in ("it", "gone"):
            self.make(f"{kinds}/workflows", {"metadata": {"name": name, "labels": {"canary": CANARY}}, "spec": SPEC})
            self.tiphys("wait", name, "-n", MINE)
        there, gone = (self.owner.ask("GET", f"{kinds}/workflows/{name}")[1] for name in ("it", "gone"))
        [self.pod], [self.gone_pod] = there["status"]["nodes"], gone["status"]["nodes"]
        self.uid = gone["metadata"]["uid"]
        assert self.owner.ask("DELETE", f"{kinds}/workflows/gone")[0] == 200

    def make(self, path, body):
        code, made = self.owner.ask("POST", path, body)
        assert code == 201, made

    def everything(self, method, place=MINE):
        """A request that has what any method could want."""
        spec = REFERRING if "Lint" in method["name"] else SPEC
        if "ClusterWorkflowTemplate" in method["name"] and spec is REFERRING:
            spec = json.loads(json.dumps(spec).replace('"name": "it"', '"clusterScope": true, "name": "it"'))
        new = {"metadata": {"name": "new", "namespace": MINE}, "spec": spec}
        return {"namespace": place, "name": "it", "podName": self.pod, "uid": self.uid, "key": "it", "cmName": "it", "limit": 2, "discriminator": "it",
                "resourceKind": "WorkflowTemplate", "resourceName": "it", "workflow": new, "template": new, "payload": {"a": "b"},
                "cronWorkflow": {**new, "spec": {"schedules": ["0 0 1 1 *"], "workflowSpec": spec}}, "nodeFieldSelector": "displayName=it",
                "eventSource": {"metadata": new["metadata"], "spec": {"webhook": {"a": {"port": "1", "url": CANARY}}}},
                "sensor": {"metadata": new["metadata"], "spec": {"dependencies": [{"name": "a", "eventName": CANARY, "eventSourceName": "it"}], "triggers": []}}}

    def calls(self):
        return [method for method in self.messages.methods.values() if method["name"] not in OPEN]

    def by_rest(self, method, token, place=MINE, **headers):
        """The code and text of the answer, of which a stream's beginning is read."""
        verb, path, body = method["routes"][0]
        request = self.everything(method, place)
        for name, value in request.items():
            path = path.replace(f"{{{name}}}", str(value))
        assert "{" not in path, path
        path += f"?namespace={place}&listOptions.fieldSelector=metadata.namespace%3D{place}&listOptions.labelSelector=canary&cmName=it&logOptions.container=main"
        connection = http.client.HTTPConnection(self.owner.host, timeout=60)
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        connection.connect()
        wire = connection.sock
        connection.request(verb, path, json.dumps(request if body == "*" else request.get(body)) if body else None, headers)
        answer = connection.getresponse()
        if method["streams"] and answer.status == 200:
            wire.settimeout(QUIET)
            try:
                return answer.status, answer.read1(65536).decode()
            except TimeoutError:
                return answer.status, ""
        return answer.status, answer.read().decode()

    def by_grpc(self, client, method, token, place=MINE, **headers):
        path = f"/{method['service']}/{method['name']}"
        request = self.messages.type(method["request"])()
        wanted = {**self.everything(method, place), "listOptions": {"labelSelector": "canary"}, "logOptions": {"container": "main"}}
        wanted.pop("payload")
        if "Sync" in method["name"]:
            wanted.pop("name")
        json_format.ParseDict(wanted, request, ignore_unknown_fields=True)
        metadata = [(name.lower(), value) for name, value in headers.items()]
        if token is not None:
            metadata.append(("authorization", f"Bearer {token}"))
        try:
            answer = client.ask(path, request, metadata=tuple(metadata), timeout=QUIET if method["streams"] else 60)
            return grpc.StatusCode.OK, str(next(iter(answer), "") if method["streams"] else answer)
        except grpc.RpcError as error:
            return error.code(), error.details()


@pytest.fixture
def plane(tiphys, messages, tmp_path):
    return Plane(tiphys, messages, tmp_path)


@pytest.fixture
def client(plane, messages):
    made = Client(plane.tiphys, messages)
    yield made
    made.close()


def things(plane):
    code, archived = plane.owner.ask("GET", "/api/v1/archived-workflows?listOptions.labelSelector=canary")
    assert code == 200
    return state(plane.owner), sorted(item["metadata"]["uid"] for item in archived["items"]), plane.owner.ask("GET", f"/api/v1/namespaces/{MINE}/configmaps/it")[1]["data"]


def expect_refusals(plane, client, code, token, place=MINE, **headers):
    for method in plane.calls():
        status, text = plane.by_rest(method, token, place, **headers)
        assert status == code and CANARY not in text, f"{method['name']}: {status} {text[:300]}"
        status, text = plane.by_grpc(client, method, token, place, **headers)
        assert status == REFUSED[code] and CANARY not in text, f"{method['name']}: {status} {text[:300]}"


def test_without_a_token_of_the_plane_there_is_nothing(plane, client):
    good, before = plane.owner.token, things(plane)
    for token in (None, "nothing", "null", good[:-1], good + "x", good.upper(), "eyJhbGciOiJub25lIn0.eyJzdWIiOiJzeXN0ZW06YWRtaW4ifQ."):
        expect_refusals(plane, client, 401, token)
        for method in plane.messages.methods.values():
            if method["name"] in OPEN:
                assert plane.by_rest(method, token)[0] == 401, method["name"]
    assert things(plane) == before


@pytest.mark.parametrize("role", [None, "view", "admin", "cluster-admin"])
def test_rights_end_with_their_namespace(plane, client, role):
    token, before = token_of(plane.owner, THEIRS, "somebody", role), things(plane)
    expect_refusals(plane, client, 403, token)
    assert things(plane) == before


def test_what_is_asked_tells_the_canary_to_who_may(plane, client):
    """Or the other tests prove nothing."""
    token = token_of(plane.owner, MINE, "somebody", "admin")
    reads = [method for method in plane.calls() if method["routes"][0][0] == "GET"]
    readable = {"GetWorkflow", "ListWorkflows", "PodLogs", "WorkflowLogs", "GetWorkflowTemplate", "ListWorkflowTemplates", "GetCronWorkflow", "ListCronWorkflows",
                "ListArchivedWorkflows", "GetArchivedWorkflow"}
    assert not readable - {method["name"] for method in reads if CANARY in plane.by_rest(method, token)[1]}
    assert not readable - {method["name"] for method in reads if CANARY in plane.by_grpc(client, method, token)[1]}


def test_a_namespace_in_the_request_lends_no_rights(plane, client):
    """Asked in a namespace of one's own, with objects that say they are of another."""
    token, before = token_of(plane.owner, THEIRS, "somebody", "admin"), things(plane)
    for method in plane.calls():
        for text in (plane.by_rest(method, token, THEIRS)[1], plane.by_grpc(client, method, token, THEIRS)[1]):
            if method["routes"][0][0] == "GET" or "Archived" in method["name"]:
                assert CANARY not in text, f"{method['name']}: {text[:300]}"
    assert things(plane) == before


def test_nobody_becomes_somebody_else(plane, client):
    token, before = token_of(plane.owner, THEIRS, "somebody", "admin"), things(plane)
    for headers in ({"Impersonate-User": "system:admin"}, {"Impersonate-User": "x", "Impersonate-Group": "system:masters"},
                    {"Impersonate-User": f"system:serviceaccount:{MINE}:default"}):
        for method in plane.calls():
            assert plane.by_rest(method, token, **headers)[0] == 403, method["name"]
            assert plane.by_grpc(client, method, token, **headers)[0] == grpc.StatusCode.PERMISSION_DENIED, method["name"]
    assert things(plane) == before


def test_rights_end_with_their_account(plane, client):
    token = token_of(plane.owner, MINE, "somebody", "admin")
    assert plane.owner.ask("DELETE", f"/api/v1/namespaces/{MINE}/serviceaccounts/somebody")[0] == 200
    expect_refusals(plane, client, 401, token)


def artifact_routes(plane, place=MINE):
    """Those of files, which are no methods. The first four have something to tell."""
    return [("GET", f"/artifacts/{place}/it/{plane.pod}/out"), ("GET", f"/artifacts-by-uid/{plane.uid}/{plane.gone_pod}/out"),
            ("GET", f"/artifact-files/{place}/workflows/it/{plane.pod}/outputs/out"),
            ("GET", f"/artifact-files/{place}/archived-workflows/{plane.uid}/{plane.gone_pod}/outputs/out"),
            ("GET", f"/input-artifacts/{place}/it/{plane.pod}/out"), ("GET", f"/input-artifacts-by-uid/{plane.uid}/{plane.gone_pod}/out"),
            ("POST", f"/upload-artifacts/{place}/it/out")]


def ask_for_file(plane, route, token, **headers):
    connection = http.client.HTTPConnection(plane.owner.host, timeout=60)
    body = b'--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\nx\r\n--b--\r\n' if route[0] == "POST" else None
    connection.request(*route, body, {"Content-Type": "multipart/form-data; boundary=b", **({"Authorization": f"Bearer {token}"} if token else {}), **headers})
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def test_files_of_artifacts_are_for_who_may_read_their_workflow(plane):
    files = artifact_routes(plane)
    for route in files[:4]:
        assert ask_for_file(plane, route, plane.owner.token) == (200, CANARY + "\n"), route
    stranger = token_of(plane.owner, THEIRS, "somebody", "admin")
    reader = token_of(plane.owner, MINE, "reader", "view")
    for route in files:
        for token in (None, "nothing", plane.owner.token[:-1]):
            assert ask_for_file(plane, route, token)[0] == 401, route
        for token, headers in ((stranger, {}), (stranger, {"Impersonate-User": "system:admin"}), (reader, {"Impersonate-User": "system:admin"})):
            status, text = ask_for_file(plane, route, token, **headers)
            assert status == 403 and CANARY not in text, f"{route}: {status} {text[:300]}"
    for route in artifact_routes(plane, THEIRS):
        assert CANARY not in ask_for_file(plane, route, stranger)[1], route
    assert ask_for_file(plane, files[0], reader) == (200, CANARY + "\n")
    assert ask_for_file(plane, files[-1], reader)[0] == 403
