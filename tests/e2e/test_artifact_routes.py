"""Artifacts as files: download, by uid, in folders, inputs, uploads; and who gets none.

The shapes of CVE-2022-29164 and CVE-2026-23960 (what an artifact holds runs in a reader's browser) and of paths that lead elsewhere.
"""

import io
import json
import tarfile

import pytest
import yaml

from stores import SECRET, s3
from test_argo_rest import Client
from test_authorization import token_of
from api_client import Api

CANARY = "canary-5f0e"
MAKE = f"""
mkdir -p /out/site/deep '/out/tree/a b'
echo '<script>alert(1)</script>' > /out/site/index.html
printf x > /out/site/deep/x.png
printf 1 > '/out/tree/a b/1.txt'; printf 2 > '/out/tree/<b>'; printf 3 > /out/tree/z.json
printf {CANARY} > /out/plain.txt
head -c 3000000 /dev/zero > /out/large.bin
cat /in.txt > /out/copy
"""
NONE = {"none": {}}


def output(name, path, **fields):
    return {"name": name, "path": path, "archive": NONE, **fields}


def maker(name, **arguments):
    outputs = [output("site", "/out/site"), output("tree", "/out/tree"), output("plain", "/out/plain.txt"), output("large", "/out/large.bin"),
               {"name": "packed", "path": "/out/plain.txt"}, output("copy", "/out/copy")]
    return {"metadata": {"name": name}, "spec": {
        "entrypoint": "main", "arguments": {"artifacts": [{"name": "in", "raw": {"data": "input"}}]},
        "templates": [{"name": "main", "inputs": {"artifacts": [{"name": "in", "path": "/in.txt"}]}, "outputs": {"artifacts": outputs},
                       "container": {"image": "x", "command": ["sh", "-ec", MAKE]}}], **arguments}}


def ended(client, name, ns="default"):
    for line in client.open("GET", f"/api/v1/workflow-events/{ns}?listOptions.fieldSelector=metadata.name={name}"):
        found = json.loads(line)["result"]["object"]
        if found.get("status", {}).get("phase") in ("Succeeded", "Failed", "Error"):
            assert found["status"]["phase"] == "Succeeded", found["status"]
            return found
    raise AssertionError("the watch has ended")


def get(client, path, token=None):
    """(status, headers, body)"""
    headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
    answer = client.open("GET", path, **headers)
    return answer.status, answer.headers, answer.read()


def upload(client, path, body, kind):
    answer = client.open("POST", path, body, **{"Content-Type": kind})
    text = answer.read().decode()
    assert answer.status == 200, text
    return json.loads(text)


def form(name, content, field="file"):
    body = b"--B\r\nContent-Disposition: form-data; name=\"%b\"; filename=\"%b\"\r\n\r\n%b\r\n--B--\r\n" % (field.encode(), name.encode(), content)
    return body, "multipart/form-data; boundary=B"


@pytest.fixture
def plane(tiphys, tmp_path):
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump({"persistence": {"archive": True}}))
    tiphys.up("--config", config)
    return tiphys, Client(tiphys)


def test_artifacts_are_files(plane):
    _, client = plane
    assert client.ask("POST", "/api/v1/workflows/default", {"workflow": maker("maker")})[0] == 200
    made = ended(client, "maker")
    base = "/artifacts/default/maker/maker"
    status, headers, body = get(client, f"{base}/plain")
    assert (status, body) == (200, CANARY.encode())
    assert headers["content-type"] == "text/plain; charset=utf-8" and headers["content-disposition"] == 'filename="plain.txt"'
    assert headers["content-security-policy"].startswith("sandbox allow-same-origin;") and headers["x-content-type-options"] == "nosniff"
    status, headers, body = get(client, f"{base}/packed")
    assert tarfile.open(fileobj=io.BytesIO(body)).extractfile("plain.txt").read() == CANARY.encode() and headers["content-type"] == "application/gzip"
    assert get(client, f"{base}/large")[2] == bytes(3000000)
    assert get(client, f"{base}/copy")[2] == b"input"
    assert get(client, "/input-artifacts/default/maker/maker/in")[2] == b"input"
    status, _, body = get(client, f"{base}/tree")
    assert status == 501 and b"is a folder" in body
    uid = made["metadata"]["uid"]
    assert get(client, f"/artifacts-by-uid/{uid}/maker/plain")[2] == CANARY.encode()
    assert get(client, f"/input-artifacts-by-uid/{uid}/maker/in")[2] == b"input"
    # What has gone is in the archive.
    assert client.ask("DELETE", "/api/v1/workflows/default/maker")[0] == 200
    assert get(client, f"{base}/plain")[0] == 404
    assert get(client, f"/artifacts-by-uid/{uid}/maker/plain")[2] == CANARY.encode()
    assert get(client, f"/artifact-files/default/archived-workflows/{uid}/maker/outputs/plain")[2] == CANARY.encode()
    assert get(client, f"/artifact-files/other/archived-workflows/{uid}/maker/outputs/plain")[0] == 404


def test_folders_are_pages(plane):
    _, client = plane
    assert client.ask("POST", "/api/v1/workflows/default", {"workflow": maker("maker")})[0] == 200
    ended(client, "maker")
    base = "/artifact-files/default/workflows/maker/maker"
    assert get(client, f"{base}/inputs/in")[2] == b"input"
    status, headers, _ = get(client, f"{base}/outputs/tree?x=1")
    assert (status, headers["location"]) == (307, "./tree/?x=1"), "whatever a proxy has taken off"
    status, headers, body = get(client, f"{base}/outputs/tree/")
    assert status == 200 and headers["content-type"] == "text/html; charset=utf-8" and headers["content-security-policy"].startswith("sandbox allow-same-origin;")
    assert b'<a href="./a%20b/">a b/</a>' in body and b"&lt;b&gt;" in body and b"<b>" not in body
    assert b'<a href="./1.txt">1.txt</a>' in get(client, f"{base}/outputs/tree/a%20b/")[2]
    assert get(client, f"{base}/outputs/tree/a%20b/1.txt")[2] == b"1"
    status, headers, body = get(client, f"{base}/outputs/tree/z.json")
    assert (body, headers["content-type"]) == (b"3", "application/json")
    # A folder with a page of its own is shown by that, which may do nothing.
    status, headers, _ = get(client, f"{base}/outputs/site/")
    assert (status, headers["location"]) == (307, "./index.html")
    status, headers, body = get(client, f"{base}/outputs/site/index.html")
    assert b"<script>" in body and headers["content-security-policy"].startswith("sandbox allow-same-origin;") and headers["x-frame-options"] == "SAMEORIGIN"
    assert get(client, f"{base}/outputs/plain/")[0] == 404


def test_what_is_not_there_is_told(plane):
    _, client = plane
    assert client.ask("POST", "/api/v1/workflows/default", {"workflow": maker("maker")})[0] == 200
    ended(client, "maker")
    rows = [
        ("/artifacts/default/none/maker/plain", 404, "none"), ("/artifacts/default/maker/none/plain", 404, 'no node "none"'),
        ("/artifacts/default/maker/maker/none", 404, 'no artifact "none"'), ("/input-artifacts/default/maker/maker/plain", 404, 'inputs of node "maker"'),
        ("/artifacts-by-uid/none/maker/plain", 404, "no workflow with the UID none"), ("/artifacts/default/maker/plain", 400, "the path is not"),
        ("/artifact-files/default/other/maker/maker/outputs/plain", 400, "the path is not"),
        ("/artifact-files/default/workflows/maker/maker/outputs/tree/none", 404, "none"),
        # Nothing leads out of an artifact, or to another one.
        ("/artifact-files/default/workflows/maker/maker/outputs/tree/../plain.txt", 400, "no name"),
        ("/artifact-files/default/workflows/maker/maker/outputs/tree/%2e%2e/plain.txt", 400, "no name"),
        ("/artifact-files/default/workflows/maker/maker/outputs/tree/..%2f..%2f..%2fsecrets.key", 400, "no name"),
        ("/artifact-files/default/workflows/maker/maker/outputs/tree/%00", 400, "no name"),
        ("/artifacts/default/maker/maker/plain%", 400, ""),
    ]
    for path, code, words in rows:
        status, _, body = get(client, path)
        assert status == code and words in body.decode(), f"{path}: {status} {body}"
    assert client.open("POST", "/artifacts/default/maker/maker/plain", b"").status == 405


def test_artifacts_are_for_those_who_may_get_the_workflow(plane):
    tiphys, client = plane
    owner = Api(tiphys.data_dir)
    for namespace in ("mine", "theirs"):
        assert owner.ask("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}})[0] == 201
    assert client.ask("POST", "/api/v1/workflows/mine", {"workflow": maker("maker")})[0] == 200
    uid = ended(client, "maker", "mine")["metadata"]["uid"]
    paths = ["/artifacts/mine/maker/maker/plain", f"/artifacts-by-uid/{uid}/maker/plain", "/artifact-files/mine/workflows/maker/maker/outputs/plain",
             f"/artifact-files/mine/archived-workflows/{uid}/maker/outputs/plain", f"/artifact-files/theirs/archived-workflows/{uid}/maker/outputs/plain"]
    theirs, mine = token_of(owner, "theirs", "somebody", "admin"), token_of(owner, "mine", "reader", "view")
    for path in paths:
        for token, codes in ((theirs, {403, 404}), ("nothing", {401}), ("", {401})):
            status, _, body = get(client, path, token)
            assert status in codes and CANARY.encode() not in body, f"{path}: {status}"
    for path in paths[:4]:
        assert get(client, path, mine)[2] == CANARY.encode(), path
    body, kind = form("a.txt", b"x")
    for token, code in ((theirs, 403), (mine, 403), ("nothing", 401)):
        answer = client.open("POST", "/upload-artifacts/mine/train/data", body, **{"Content-Type": kind, "Authorization": f"Bearer {token}"})
        assert answer.status == code, answer.read()


TRAIN = {"metadata": {"name": "train"}, "spec": {
    "entrypoint": "main", "arguments": {"artifacts": [{"name": "data", "s3": {"key": "none"}}]},
    "templates": [{"name": "main", "inputs": {"artifacts": [{"name": "data", "path": "/data"}]}, "outputs": {"parameters": [{"name": "seen", "valueFrom": {"path": "/seen"}}]},
                   "container": {"image": "x", "command": ["sh", "-ec", "cp /data /seen"]}}]}}


def test_uploads_are_inputs(plane):
    tiphys, client = plane
    assert client.ask("POST", "/api/v1/workflow-templates/default", {"template": TRAIN})[0] == 200
    body, kind = form("C:\\\\data\\\\rows.csv", b"1,2\r\n--\r\n")
    answer = upload(client, "/upload-artifacts/default/train/data", body, kind)
    assert answer["name"] == "data" and answer["key"].startswith("uploads/default/") and answer["key"].endswith("/rows.csv"), answer
    status, made = client.ask("POST", "/api/v1/workflows/default/submit", {
        "resourceKind": "WorkflowTemplate", "resourceName": "train", "submitOptions": {"name": "trained", "artifacts": [f"data={answer['key']}"]}})
    assert status == 200, made
    outputs = ended(client, "trained")["status"]["nodes"]["trained"]["outputs"]
    assert outputs["parameters"][0]["value"] == "1,2\r\n--\r"
    rows = [("/upload-artifacts/default/none/data", form("a", b"1"), 404, "none"), ("/upload-artifacts/default/train/none", form("a", b"1"), 404, "none"),
            ("/upload-artifacts/default/train/data", form("..", b"1"), 400, "no name for a file"),
            ("/upload-artifacts/default/train/data", form("a", b"1", "other"), 400, 'no file "file"'),
            ("/upload-artifacts/default/train/data", (b"{}", "application/json"), 400, "multipart/form-data"),
            ("/upload-artifacts/default/train", form("a", b"1"), 400, "the path is not")]
    for path, (body, kind), code, words in rows:
        answer = client.open("POST", path, body, **{"Content-Type": kind})
        assert answer.status == code and words in answer.read().decode(), path
    assert client.open("GET", "/upload-artifacts/default/train/data").status == 405
    # Nothing stays of what was on its way.
    assert not list((tiphys.data_dir / "transfers").iterdir())


def test_artifacts_and_uploads_in_s3(plane, s3):
    tiphys, client = plane
    owner = Api(tiphys.data_dir)
    assert owner.ask("POST", "/api/v1/namespaces/default/secrets", SECRET)[0] == 201
    workflow = maker("maker")
    for artifact in workflow["spec"]["templates"][0]["outputs"]["artifacts"]:
        artifact["s3"] = s3.place(f"made/{artifact['name']}" + (".txt" if artifact["name"] == "plain" else ""))
    status, made = client.ask("POST", "/api/v1/workflows/default", {"workflow": workflow})
    assert status == 200, made
    ended(client, "maker")
    assert get(client, "/artifacts/default/maker/maker/plain")[2] == CANARY.encode()
    base = "/artifact-files/default/workflows/maker/maker/outputs"
    assert get(client, f"{base}/tree")[0] == 307
    assert b'<a href="./a%20b/">' in get(client, f"{base}/tree/")[2]
    assert get(client, f"{base}/tree/a%20b/1.txt")[2] == b"1"
    # A store's Secret is the caller's to read.
    reader = token_of(owner, "default", "reader", "view")
    status, _, body = get(client, "/artifacts/default/maker/maker/plain", reader)
    assert status == 403 and b"secrets" in body
    template = json.loads(json.dumps(TRAIN))
    template["spec"]["arguments"]["artifacts"] = [{"name": "data", "s3": s3.place("k")}]
    assert client.ask("POST", "/api/v1/workflow-templates/default", {"template": template})[0] == 200
    body, kind = form("rows.csv", b"1,2")
    answer = upload(client, "/upload-artifacts/default/train/data", body, kind)
    assert s3.get(answer["key"]) == b"1,2", answer
    status, made = client.ask("POST", "/api/v1/workflows/default/submit", {
        "resourceKind": "WorkflowTemplate", "resourceName": "train", "submitOptions": {"name": "trained", "artifacts": [f"data={answer['key']}"]}})
    assert status == 200, made
    assert ended(client, "trained")["status"]["nodes"]["trained"]["outputs"]["parameters"][0]["value"] == "1,2"
