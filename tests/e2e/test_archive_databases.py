"""The archive in a database that others share, on real servers: what is written there, and what is read that the original has written."""

import base64
import datetime
import http.client
import json
import random
import urllib.parse

from api_client import Api
from cli_support import HELLO, cli
from sql_servers import PASSWORD, USER, database, insert_row

LABEL = "workflows.argoproj.io/workflow-archiving-status"
WORKFLOWS = "/apis/argoproj.io/v1alpha1/namespaces/default/workflows"
COLUMNS = "clustername, instanceid, uid, name, namespace, phase, startedat, finishedat, creationtimestamp"
FAILS = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: fails, labels: {app: train}}
spec:
  entrypoint: main
  arguments: {parameters: [{name: code, value: "1"}]}
  templates:
    - name: main
      container: {image: none, command: [sh, -c, "exit {{workflow.parameters.code}}"]}
"""


def up(cli, server, **config):
    """A plane whose archive is in the database, and who knows its user."""
    process = cli.up("--config", cli.file(json.dumps({"persistence": server.config(**config)}), "config.yaml"))
    data = {name: base64.b64encode(text.encode()).decode() for name, text in (("name", USER), ("word", PASSWORD))}
    api = Api(cli.data_dir)
    status, _ = api.ask("POST", "/api/v1/namespaces/default/secrets", {"metadata": {"name": "archive-user"}, "data": data})
    assert status in (201, 409)
    return process, api


def wait_for(cli, name, mark):
    """Until the workflow is marked so."""
    api = Api(cli.data_dir, timeout=120)
    answer = api.open("GET", f"{WORKFLOWS}?watch=1&fieldSelector=metadata.name%3D{name}")
    for line in answer:
        workflow = json.loads(line)["object"]
        if workflow["metadata"].get("labels", {}).get(LABEL) == mark:
            api.close()
            return workflow
    raise AssertionError(f"{name} was never {mark}")


def page(api, path="/api/v1/archived-workflows", **parameters):
    status, answer = api.ask("GET", f"{path}?{urllib.parse.urlencode(parameters)}")
    assert status == 200, answer
    return answer


def names(answer):
    return {item["metadata"]["name"] for item in answer["items"] or []}


def time_text(minutes):
    return (datetime.datetime(2026, 1, 1) + datetime.timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")


def golden(number, namespace="default"):
    """As the original's controller has a workflow in JSON."""
    name, uid = f"golden-{number:03}", f"00000000-0000-4000-8000-{number:012}"
    phase = ("Succeeded", "Failed", "Error")[number % 3]
    node = {"id": name, "name": name, "displayName": name, "type": "Pod", "templateName": "main", "templateScope": f"local/{name}", "phase": phase, "hostNodeName": "node-1",
            "startedAt": time_text(number), "finishedAt": time_text(number + 5), "progress": "1/1", "resourcesDuration": {"cpu": 1, "memory": 2},
            "outputs": {"exitCode": "0"}}
    return {
        "metadata": {"name": name, "generateName": "golden-", "namespace": namespace, "uid": uid, "resourceVersion": "1", "generation": 3,
                     "creationTimestamp": time_text(number - 1), "annotations": {"workflows.argoproj.io/pod-name-format": "v2"},
                     "labels": {"app": ("train", "serve")[number % 2], "number": str(number), "workflows.argoproj.io/phase": phase,
                                "workflows.argoproj.io/completed": "true", LABEL: "Persisted"},
                     "managedFields": [{"manager": "argo", "operation": "Update", "apiVersion": "argoproj.io/v1alpha1", "time": time_text(number), "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {}}}]},
        "spec": {"entrypoint": "main", "arguments": {"parameters": [{"name": "code", "value": "0"}]},
                 "templates": [{"name": "main", "inputs": {}, "outputs": {}, "metadata": {}, "container": {"name": "", "image": "none", "command": ["sh", "-c", "exit {{workflow.parameters.code}}"], "resources": {}}}]},
        "status": {"phase": phase, "startedAt": time_text(number), "finishedAt": time_text(number + 5), "progress": "1/1", "nodes": {name: node},
                   "conditions": [{"type": "Completed", "status": "True"}], "resourcesDuration": {"cpu": 1, "memory": 2},
                   "artifactRepositoryRef": {"default": True, "artifactRepository": {}}, "artifactGCStatus": {"notSpecified": True}},
    }


def make_tables(cli, server):
    """They are made with the first question."""
    process, api = up(cli, server)
    assert page(api)["items"] in (None, [])
    return process, api


def test_a_workflow_is_archived_as_the_original_does(cli, database):
    up(cli, database, persistence={"clusterName": "west"})
    name = cli("submit", cli.file(HELLO), "--wait", "-o", "name").stdout.strip()
    live = wait_for(cli, name, "Archived")
    (row,) = database.sql(f"SELECT {COLUMNS} FROM argo_archived_workflows")
    meta, status = live["metadata"], live["status"]
    times = [time.replace("T", " ").rstrip("Z") for time in (status["startedAt"], status["finishedAt"], meta["creationTimestamp"])]
    assert row == ["west", "", meta["uid"], name, "default", "Succeeded", *times]
    (column,) = database.sql("SELECT workflow FROM argo_archived_workflows")
    stored = json.loads(column[0])
    assert stored["metadata"]["labels"][LABEL] == "Persisted"
    assert stored["spec"] == live["spec"] and stored["status"]["nodes"]
    labels = dict(database.sql("SELECT name, value FROM argo_archived_workflows_labels"))
    assert labels == stored["metadata"]["labels"]
    assert database.sql("SELECT schema_version FROM schema_history") == [["68"]]

    cli("delete", name)
    assert name in cli("archive", "list").stdout
    found = json.loads(cli("archive", "get", meta["uid"], "-o", "json").stdout)
    assert found["spec"] == live["spec"] and found["status"]["nodes"] == stored["status"]["nodes"]
    # Here and there are one list.
    assert name in json.dumps(page(Api(cli.data_dir), "/api/v1/workflows/default"))
    assert "Archived workflow" in cli("archive", "delete", name).stdout
    assert database.sql("SELECT count(*) FROM argo_archived_workflows_labels") == [["0"]]


def test_rows_of_the_original_are_found_by_every_filter(cli, database):
    _, api = make_tables(cli, database)
    workflows = [golden(number, "other" if number % 10 == 9 else "default") for number in range(40)]
    text = [insert_row(database, each) for each in workflows]
    text += [insert_row(database, golden(50), cluster="east"), insert_row(database, golden(51), instance="blue")]
    database.sql("\n".join(text))

    def expected(condition):
        return {each["metadata"]["name"] for number, each in enumerate(workflows) if condition(number)}

    rows = [
        ({}, lambda n: True),
        ({"namespace": "other"}, lambda n: n % 10 == 9),
        ({"listOptions.fieldSelector": "metadata.namespace=default"}, lambda n: n % 10 != 9),
        ({"listOptions.fieldSelector": "metadata.name=golden-007"}, lambda n: n == 7),
        ({"namePrefix": "golden-01"}, lambda n: 10 <= n < 20),
        ({"listOptions.fieldSelector": "metadata.name=en-00", "nameFilter": "Contains"}, lambda n: n < 10),
        ({"listOptions.fieldSelector": "metadata.name=golden_0", "nameFilter": "Prefix"}, lambda n: False),
        ({"listOptions.fieldSelector": "metadata.name=golden-007", "nameFilter": "NotEquals"}, lambda n: n != 7),
        ({"listOptions.labelSelector": "app=train"}, lambda n: n % 2 == 0),
        ({"listOptions.labelSelector": "app!=train"}, lambda n: n % 2 == 1),
        ({"listOptions.labelSelector": "number in (1,2,x)"}, lambda n: n in (1, 2)),
        ({"listOptions.labelSelector": "number notin (1,2),app=train"}, lambda n: n % 2 == 0 and n != 2),
        ({"listOptions.labelSelector": "number,!missing"}, lambda n: True),
        ({"listOptions.labelSelector": "missing"}, lambda n: False),
        ({"listOptions.labelSelector": "number>35,app>1"}, lambda n: False),
        ({"listOptions.labelSelector": "number>35"}, lambda n: n > 35),
        ({"listOptions.labelSelector": "number<3"}, lambda n: n < 3),
        ({"listOptions.labelSelector": "workflows.argoproj.io/phase in (Failed)"}, lambda n: n % 3 == 1),
        ({"listOptions.fieldSelector": f"spec.startedAt>{time_text(20)},spec.startedAt<{time_text(25)}"}, lambda n: 20 < n < 25),
    ]
    for parameters, condition in rows:
        found = page(api, **parameters)
        assert names(found) == expected(condition), parameters
        # A page without a limit is one.
        assert "continue" not in found["metadata"]
    both = page(api, "/api/v1/workflows/default", createdAfter=time_text(9), finishedBefore=time_text(25))
    assert names(both) == expected(lambda n: 10 < n < 20 and n % 10 != 9)

    (one,) = page(api, **{"listOptions.fieldSelector": "metadata.name=golden-004"})["items"]
    assert "nodes" not in one["status"] and one["status"]["progress"] == "1/1"
    whole = api.ask("GET", f"/api/v1/archived-workflows/{one['metadata']['uid']}")[1]
    original = golden(4)
    assert whole["status"]["nodes"] == original["status"]["nodes"]
    assert whole["metadata"] == original["metadata"]
    assert api.ask("GET", "/api/v1/archived-workflows/00000000-0000-4000-8000-000000000050")[0] == 404, "of another cluster"
    assert page(api, "/api/v1/archived-workflows-label-values", **{"listOptions.labelSelector": "app"})["items"] == ["serve", "train"]
    assert page(api, "/api/v1/archived-workflows-label-values", namespace="other", **{"listOptions.labelSelector": "app"})["items"] == ["serve"]
    assert "number" in page(api, "/api/v1/archived-workflows-label-keys")["items"]


def test_pages_go_through_many_rows(cli, database):
    _, api = make_tables(cli, database)
    numbers = list(range(500))
    random.Random(1).shuffle(numbers)
    # Many begin in the same second.
    workflows = [golden(number) for number in numbers]
    for workflow in workflows:
        number = int(workflow["metadata"]["labels"]["number"])
        workflow["status"]["startedAt"] = time_text(number // 7)
    database.sql("\n".join(insert_row(database, each) for each in workflows))
    for path in ("/api/v1/archived-workflows", "/api/v1/workflows/default"):
        seen, after, rest = [], "", 500
        while True:
            more = {"listOptions.continue": after} if after else {}
            found = page(api, path, fields="metadata,items.metadata.name", **{"listOptions.limit": 37, "listOptions.fieldSelector": "ext.showRemainingItemCount=true"}, **more)
            seen += [item["metadata"]["name"] for item in found["items"]]
            rest -= len(found["items"])
            assert found["metadata"].get("remainingItemCount", 0) == rest
            after = found["metadata"].get("continue", "")
            if not after:
                break
            assert after == str(len(seen))
        assert len(seen) == 500 and len(set(seen)) == 500
    # Who comes with an offset that nobody has given.
    assert len(page(api, **{"listOptions.continue": "450"})["items"]) == 50
    assert len(page(api, "/api/v1/workflows/default", **{"listOptions.continue": "450"})["items"]) == 50


def test_a_row_of_the_original_runs_again(cli, database):
    _, api = make_tables(cli, database)
    failed = golden(1)
    failed["status"]["nodes"]["golden-001"]["outputs"]["exitCode"] = "1"
    database.sql(insert_row(database, failed))
    cli("archive", "retry", "golden-001", "--wait")
    assert cli.workflow("golden-001")["status"]["phase"] == "Succeeded"
    again = json.loads(cli("archive", "resubmit", failed["metadata"]["uid"], "--wait", "-o", "json").stdout.splitlines()[0])
    assert cli.workflow(again["metadata"]["name"])["status"]["phase"] == "Succeeded"


def test_nothing_is_lost_while_the_database_is_away(cli, database):
    process, api = make_tables(cli, database)
    database.stop()
    cli("submit", cli.file(FAILS), "--wait", code=1)
    assert cli.workflow("fails")["metadata"]["labels"][LABEL] == "Pending"
    for path in ("/api/v1/archived-workflows", "/api/v1/workflows/default"):
        status, answer = api.ask("GET", path)
        assert status == 503 and "SQL: " in answer["message"], answer
    # Its object goes, and so does the plane.
    cli("delete", "fails")
    name = cli("submit", cli.file(HELLO), "--wait", "-o", "name").stdout.strip()
    process.kill()
    database.start()
    up(cli, database)
    wait_for(cli, name, "Archived")
    for _ in range(1000):  # the other one follows
        rows = {row[0]: row[1] for row in database.sql("SELECT name, phase FROM argo_archived_workflows")}
        if len(rows) == 2:
            break
    assert rows == {"fails": "Failed", name: "Succeeded"}
    assert names(page(Api(cli.data_dir))) == {"fails", name}
    # And also when it comes back to a plane that has connections to it.
    database.stop()
    database.start()
    assert names(page(Api(cli.data_dir))) == {"fails", name}
    again = cli("submit", cli.file(HELLO), "--wait", "-o", "name").stdout.strip()
    wait_for(cli, again, "Archived")


def test_what_is_old_goes(cli, database):
    process, _ = make_tables(cli, database)
    database.sql("\n".join(insert_row(database, golden(number)) for number in range(3)))
    process.kill()
    _, api = up(cli, database, persistence={"archiveTTL": "10d"})
    name = cli("submit", cli.file(HELLO), "--wait", "-o", "name").stdout.strip()
    wait_for(cli, name, "Archived")
    for _ in range(10_000):  # it goes by itself, a moment after the start
        if names(page(api)) == {name}:
            break
    assert names(page(api)) == {name}


def test_tables_of_an_earlier_version_are_brought_up_to_date(cli, database):
    process, api = make_tables(cli, database)
    database.sql(insert_row(database, golden(1)))
    process.kill()
    drop = "DROP INDEX {}" if database.kind == "postgresql" else "DROP INDEX {} ON argo_archived_workflows"
    database.sql("; ".join([drop.format("argo_archived_workflows_i5"), "ALTER TABLE argo_archived_workflows DROP COLUMN creationtimestamp",
                            "UPDATE schema_history SET schema_version = 62"]) + ";")
    _, api = up(cli, database)
    assert names(page(api)) == {"golden-001"}
    assert database.sql("SELECT schema_version FROM schema_history") == [["68"]]
    assert database.sql("SELECT creationtimestamp FROM argo_archived_workflows") == [["2026-01-01 00:01:00"]]


def test_connections_are_encrypted(cli, database):
    database.with_tls()
    ways = {"postgresql": [({}, 503), ({"ssl": True, "sslMode": "require"}, 200), ({"ssl": True, "sslMode": "verify-full"}, 503)],
            "mysql": [({}, 503), ({"options": {"tls": "skip-verify"}}, 200), ({"options": {"tls": "true"}}, 503)]}[database.kind]
    for config, expected in ways:
        process, api = up(cli, database, **config)
        status, answer = api.ask("GET", "/api/v1/archived-workflows")
        assert status == expected, answer
        assert status == 200 or not config or "certificate" in answer["message"]
        process.kill()


def test_no_password_is_told(cli, database):
    process, api = up(cli, database)
    api.ask("PATCH", "/api/v1/namespaces/default/secrets/archive-user", {"stringData": {"word": "wrong-word"}}, "application/merge-patch+json")
    status, answer = api.ask("GET", "/api/v1/archived-workflows")
    assert status == 503 and "wrong-word" not in answer["message"]
    process.interrupt()
    assert "wrong-word" not in process.end().stderr
