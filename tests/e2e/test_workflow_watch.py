"""Watches of workflows show their nodes as they change, as those of Kubernetes do."""

import json

from api_client import Api

WORKFLOWS = "/apis/argoproj.io/v1alpha1/namespaces/default/workflows"


def fan_out(count):
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"name": "w"},
            "spec": {"entrypoint": "main", "templates": [
                {"name": "main", "steps": [[{"name": "each", "template": "work", "withSequence": {"count": str(count)}}]]},
                {"name": "work", "container": {"image": "x", "command": ["true"]}}]}}


def follow(data_dir, version, events_a_connection):
    """Each event up to the workflow's end; the connection is a new one after so many events."""
    while True:
        api = Api(data_dir)
        answer = api.open("GET", f"{WORKFLOWS}?watch=1&resourceVersion={version}")
        assert answer.status == 200, answer.read()
        for _ in range(events_a_connection):
            event = json.loads(answer.readline())
            assert event["type"] in ("ADDED", "MODIFIED"), event
            version = event["object"]["metadata"]["resourceVersion"]
            yield event["object"]
            if event["object"].get("status", {}).get("phase") == "Succeeded":
                return api.close()
        api.close()


def check(tiphys, count, events_a_connection):
    tiphys.up()
    api = Api(tiphys.data_dir)
    code, made = api.ask("POST", WORKFLOWS, fan_out(count))
    assert code == 201, made
    phases, last, version = {}, None, 0
    for last in follow(tiphys.data_dir, made["metadata"]["resourceVersion"], events_a_connection):
        assert int(last["metadata"]["resourceVersion"]) > version, "events come in order, none twice"
        version = int(last["metadata"]["resourceVersion"])
        for node in last.get("status", {}).get("nodes", {}).values():
            phases.setdefault(node["displayName"], set()).add(node["phase"])
    assert len(last["status"]["nodes"]) == count + 2
    assert api.ask("GET", f"{WORKFLOWS}/w")[1]["status"]["nodes"] == last["status"]["nodes"]
    assert all("Succeeded" in of for of in phases.values())
    return phases


def test_nodes_come_as_they_change(tiphys):
    phases = check(tiphys, 4, 1000)
    assert any("Running" in of or "Pending" in of for of in phases.values())


def test_one_who_comes_back_misses_nothing(tiphys):
    check(tiphys, 12, 1)


def test_a_large_workflow_does_not_drown_its_reader(tiphys):
    check(tiphys, 1500, 1000)
