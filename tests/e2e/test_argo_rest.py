"""Argo's API by REST, byte by byte; what its clients make of it is tested with them."""

import http.client
import json
import socket

import pytest

WORKFLOWS = "/api/v1/workflows/default"


class Client:
    def __init__(self, tiphys):
        server = json.loads((tiphys.data_dir / "server.json").read_text())
        self.address, self.token = server["address"], server["token"]

    def open(self, method, path, body=None, **headers):
        connection = http.client.HTTPConnection(self.address, timeout=60)
        connection.request(method, path, body if body is None or isinstance(body, bytes) else json.dumps(body),
                           {"Authorization": f"Bearer {self.token}", **headers})
        return connection.getresponse()

    def ask(self, method, path, body=None, **headers):
        answer = self.open(method, path, body, **headers)
        return answer.status, json.loads(answer.read())

    def raw(self, request):
        host, port = self.address.rsplit(":", 1)
        with socket.create_connection((host, int(port)), timeout=60) as connection:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(65536), b"")).decode()


@pytest.fixture
def client(tiphys):
    tiphys.up()
    return Client(tiphys)


def workflow(name, script="echo hello"):
    # As typed clients write it: without what it is, with nulls.
    return {"workflow": {"metadata": {"name": name, "labels": None},
                         "spec": {"entrypoint": "main", "volumes": None,
                                  "templates": [{"name": "main", "container": {"image": "x", "command": ["sh", "-c", script]}, "script": None}]}},
            "createOptions": None}


def test_workflows(client):
    status, made = client.ask("POST", WORKFLOWS, workflow("hello"))
    assert status == 200 and made["metadata"]["uid"], made
    events = client.open("GET", "/api/v1/workflow-events/default?listOptions.fieldSelector=metadata.name=hello", Accept="text/event-stream")
    assert events.headers["content-type"] == "text/event-stream"
    for line in events:
        if not line.startswith(b"data: "):
            assert line.strip() in (b"", b":")
            continue
        event = json.loads(line[len("data: "):])["result"]
        if event["object"].get("status", {}).get("phase") in ("Succeeded", "Failed", "Error"):
            break
    assert event["object"]["status"]["phase"] == "Succeeded"
    events.close()

    log = client.open("GET", f"{WORKFLOWS}/hello/log?logOptions.container=main&logOptions.follow=True")
    assert log.headers["content-type"] == "application/json"
    [entry] = [json.loads(line)["result"] for line in log]
    assert entry["content"] == "hello" and entry["podName"]
    status, found = client.ask("GET", f"{WORKFLOWS}/hello")
    assert status == 200 and found["metadata"]["uid"] == made["metadata"]["uid"]
    assert client.ask("GET", f"{WORKFLOWS}/%40latest")[1]["metadata"]["name"] == "hello"
    for path in (WORKFLOWS, "/api/v1/workflows/", f"{WORKFLOWS}?listOptions.limit=5&unknown=1"):
        status, listed = client.ask("GET", path)
        assert status == 200 and [each["metadata"]["name"] for each in listed["items"]] == ["hello"], path
    assert client.ask("DELETE", f"{WORKFLOWS}/hello?deleteOptions.propagationPolicy=Background") == (200, {})
    assert client.ask("GET", f"{WORKFLOWS}/hello")[0] == 404


def test_pods_are_found_by_names_with_capitals(client):
    """Clients, the web UI among them, derive a pod's name from its template's, which may have capitals. Names of pods have none."""
    spec = {"entrypoint": "main", "templates": [{"name": "main", "steps": [[{"name": "a", "template": "Say-Hello"}]]},
                                                {"name": "Say-Hello", "container": {"image": "x", "command": ["sh", "-c", "echo hello"]}}]}
    assert client.ask("POST", WORKFLOWS, {"workflow": {"metadata": {"name": "caps"}, "spec": spec}})[0] == 200
    log = client.open("GET", f"{WORKFLOWS}/caps/log?logOptions.container=main&logOptions.follow=True")
    [entry] = [json.loads(line)["result"] for line in log]
    pod = entry["podName"]
    assert pod.startswith("caps-say-hello-")
    derived = pod.replace("say-hello", "Say-Hello")
    log = client.open("GET", f"{WORKFLOWS}/caps/log?logOptions.container=main&podName={derived}")
    assert [json.loads(line)["result"] for line in log] == [entry]
    event = {"metadata": {"name": "scheduled"}, "involvedObject": {"kind": "Pod", "namespace": "default", "name": pod}, "reason": "Scheduled", "type": "Normal"}
    assert client.ask("POST", "/api/v1/namespaces/default/events", event)[0] == 201
    events = client.open("GET", f"/api/v1/stream/events/default?listOptions.fieldSelector=involvedObject.kind=Pod,involvedObject.name={derived}")
    assert json.loads(events.readline())["result"]["involvedObject"]["name"] == pod


def test_errors(client):
    status, error = client.ask("GET", f"{WORKFLOWS}/none")
    assert (status, error["code"]) == (404, 5) and "none" in error["message"]
    assert client.ask("POST", WORKFLOWS, workflow("a"))[0] == 200
    status, error = client.ask("POST", WORKFLOWS, workflow("a"))
    assert (status, error["code"]) == (409, 6)
    for method, path, body, expected in (
            ("PATCH", f"{WORKFLOWS}/a", None, (501, 12)), ("GET", "/api/v1/workflows", None, (501, 12)),
            ("POST", WORKFLOWS, b"{", (400, 3)), ("POST", WORKFLOWS, {"workflow": 1}, (400, 3)),
            ("GET", f"{WORKFLOWS}/..%2f..%2fetc", None, (400, 3)), ("GET", f"{WORKFLOWS}?listOptions.limit=x", None, (400, 3))):
        status, error = client.ask(method, path, body)
        assert (status, error["code"]) == expected and error["message"], path
    status, error = client.ask("GET", WORKFLOWS, Authorization="Bearer wrong")
    assert (status, error["code"]) == (401, 16)


def test_hostile_requests_are_answered(client):
    lead = f"GET {WORKFLOWS} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {client.token}\r\nConnection: close\r\n"
    assert " 431 " in client.raw((lead + "a: b\r\n" * 100_000).encode())
    large = f"POST {WORKFLOWS} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {client.token}\r\nContent-Length: 99999999\r\n\r\n"
    answer = client.raw(large.encode())
    assert " 413 " in answer and '"code":8' in answer
    deep = b'{"workflow":' + b"[" * 100_000
    assert client.ask("POST", WORKFLOWS, deep)[0] == 400
    assert client.ask("GET", f"{WORKFLOWS}/" + "a" * 5000)[0] in (400, 404)


def test_kubernetes_stays_beside_it(client):
    status, listed = client.ask("GET", "/api/v1/namespaces/default/events")
    assert (status, listed["kind"]) == (200, "EventList")
    assert client.ask("GET", "/api/v1/events")[1]["kind"] == "EventList"
    assert client.ask("GET", "/api/v1/namespaces/default/configmaps")[1]["kind"] == "ConfigMapList"


SENSOR = {"metadata": {"name": "watcher"}, "spec": {"dependencies": [{"name": "d", "eventSourceName": "hooks", "eventName": "a"}], "triggers": []}}
SOURCE = {"metadata": {"name": "hooks"}, "spec": {"webhook": {"a": {"endpoint": "/a", "method": "POST", "port": "12000"}}}}


@pytest.mark.parametrize("path, member, body, stream", [("sensors", "sensor", SENSOR, "sensors"), ("event-sources", "eventSource", SOURCE, "event-sources")])
def test_kinds_of_argo_events(client, path, member, body, stream):
    base, name = f"/api/v1/{path}/default", body["metadata"]["name"]
    status, made = client.ask("POST", base, {member: body})
    assert status == 200 and made["metadata"]["uid"] and made["kind"] == member[0].upper() + member[1:], made
    assert client.ask("POST", base, {member: body})[0] == 409
    assert client.ask("GET", base)[1]["items"][0]["spec"] == body["spec"]
    assert client.ask("GET", f"{base}/{name}")[1]["spec"] == body["spec"]
    made["metadata"]["labels"] = {"changed": "yes"}
    assert client.ask("PUT", f"{base}/{name}", {member: made})[1]["metadata"]["labels"] == {"changed": "yes"}
    lines = client.open("GET", f"/api/v1/stream/{stream}/default")
    first = json.loads(lines.readline())["result"]
    assert first["type"] == "ADDED" and first["object"]["metadata"]["name"] == name
    assert client.ask("DELETE", f"{base}/{name}") == (200, {})
    assert json.loads(lines.readline())["result"]["type"] == "DELETED"
    assert client.ask("GET", f"{base}/{name}")[0] == 404
    assert client.ask("POST", base, {})[0] == 400


def test_logs_of_argo_events(client):
    """Lines that are JSON are told by their members, others whole."""
    line = json.dumps({"level": "error", "time": "2026-01-02T03:04:05.006Z", "msg": "bad", "triggerName": "t", "sensorName": "watcher", "other": 1})
    pod = {"metadata": {"name": "watcher-1", "labels": {"sensor-name": "watcher"}},
           "spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "x", "command": ["sh", "-c", f"echo '{line}'; echo plain"]}]}}
    assert client.ask("POST", "/api/v1/namespaces/default/pods", pod, **{"Content-Type": "application/json"})[0] == 201
    follow = client.open("GET", "/api/v1/stream/sensors/default/logs?podLogOptions.follow=true&name=watcher")
    entries = [json.loads(follow.readline())["result"] for _ in range(2)]
    assert entries[0] == {"namespace": "default", "sensorName": "watcher", "triggerName": "t", "level": "error", "time": "2026-01-02T03:04:05Z", "msg": "bad"}
    assert (entries[1]["msg"], entries[1]["level"], entries[1]["sensorName"]) == ("plain", "info", "watcher")

    def read(query):
        return [json.loads(each)["result"]["msg"] for each in client.open("GET", f"/api/v1/stream/sensors/default/logs?{query}")]

    assert read("") == ["bad", "plain"]
    assert read("triggerName=t") == ["bad"] and read("grep=pla") == ["plain"] and read("name=other") == []
    assert [each for each in client.open("GET", "/api/v1/stream/event-sources/default/logs")] == []


def test_nodes_are_changed_in_whole_workflows(client):
    """As the argo command does without a server: it reads a workflow, changes its suspended nodes, and writes it back."""
    path = "/apis/argoproj.io/v1alpha1/namespaces/default/workflows"
    kind = {"Content-Type": "application/json"}
    spec = {"entrypoint": "main", "templates": [
        {"name": "main", "steps": [[{"name": "ask", "template": "ask"}],
                                   [{"name": "show", "template": "show", "arguments": {"parameters": [{"name": "a", "value": "{{steps.ask.outputs.parameters.a}}"}]}}]]},
        {"name": "ask", "suspend": {}, "outputs": {"parameters": [{"name": "a", "valueFrom": {"supplied": {}}}]}},
        {"name": "show", "inputs": {"parameters": [{"name": "a"}]}, "container": {"image": "x", "command": ["test", "{{inputs.parameters.a}}", "=", "yes"]}}]}
    body = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"name": "asks"}, "spec": spec}
    assert client.ask("POST", path, body, **kind)[0] == 201

    def suspended(workflow):
        return next((node for node in (workflow.get("status", {}).get("nodes") or {}).values() if node["type"] == "Suspend"), None)

    def until(holds):
        for line in client.open("GET", "/api/v1/workflow-events/default?listOptions.fieldSelector=metadata.name=asks"):
            found = json.loads(line)["result"]["object"]
            if holds(found):
                return client.ask("GET", f"{path}/asks")[1]
        raise AssertionError("the watch has ended")

    workflow = until(lambda found: (suspended(found) or {}).get("phase") == "Running")
    suspended(workflow)["outputs"]["parameters"][0] = {"name": "a", "value": "yes"}
    assert client.ask("PUT", f"{path}/asks", workflow, **kind)[0] == 200
    workflow = until(lambda found: suspended(found)["outputs"]["parameters"][0].get("value") == "yes")
    node = suspended(workflow)
    assert node["phase"] == "Running"
    node["phase"], node["message"] = "Succeeded", "Resumed by: me"
    assert client.ask("PUT", f"{path}/asks", workflow, **kind)[0] == 200
    workflow = until(lambda found: found.get("status", {}).get("phase") in ("Succeeded", "Failed", "Error"))
    assert workflow["status"]["phase"] == "Succeeded" and suspended(workflow)["message"] == "Resumed by: me"


def test_a_watch_of_what_is_not_there_ends(client):
    status, told = client.ask("GET", "/api/v1/workflow-events/default?listOptions.fieldSelector=metadata.name%3Dnone")
    assert status == 404 and told["message"] == 'workflows.argoproj.io "none" not found', told
    # Others may still come.
    assert client.open("GET", "/api/v1/workflow-events/default?listOptions.fieldSelector=metadata.name!%3Dnone").status == 200
