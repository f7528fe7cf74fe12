"""Every route of every kind, taken from discovery, asked by callers who may not: nobody gets anything, and nothing changes.

The shape of CVE-2026-28229 (any bearer read templates), CVE-2024-53862 (archived workflows without a check) and CVE-2026-42297 (locks without a check).
"""

import json

import pytest
from api_client import Api

MINE, THEIRS = "mine", "theirs"
CANARY = "canary-b7c1"
OPEN = {"/healthz", "/metrics"}
SAMPLES = {
    "configmaps": {"data": {"key": CANARY}},
    "secrets": {"stringData": {"key": CANARY}},
    "pods": {"spec": {"nodeName": "elsewhere", "containers": [{"name": "main", "image": "x", "env": [{"name": "A", "value": CANARY}]}]}},
    "workflowtemplates": {"spec": {"templates": [{"name": "main", "container": {"image": "x", "command": [CANARY]}}]}},
    "workflows": {"spec": {"suspend": True, "entrypoint": "main", "templates": [{"name": "main", "container": {"image": "x", "command": [CANARY]}}]}},
}


def routes(api):
    """(verb, method, path, body) of all that discovery tells, in the namespace `mine`."""
    groups = [("/api/v1", api.ask("GET", "/api/v1")[1])]
    for group in api.ask("GET", "/apis")[1]["groups"]:
        for version in group["versions"]:
            groups.append((f"/apis/{version['groupVersion']}", api.ask("GET", f"/apis/{version['groupVersion']}")[1]))
    found = []
    for base, resources in groups:
        for resource in resources["resources"]:
            plural, _, part = resource["name"].partition("/")
            place = f"{base}/namespaces/{MINE}/{plural}" if resource["namespaced"] else f"{base}/{plural}"
            name = f"{place}/it" + (f"/{part}" if part else "")
            for verb in resource["verbs"]:
                found += of_verb(verb, place, name, part, resource["kind"])
            if plural == "workflows" and not part:
                found.append(("watch", "GET", f"{name}?watchNodes=true", None))
    return found


def of_verb(verb, place, name, part, kind):
    body = {"kind": kind, "metadata": {"name": "it"}}
    return {
        "get": [("get", "GET", name, None)],
        "list": [("list", "GET", place, None), ("list", "GET", f"{place}?fieldSelector=metadata.name%3Dit", None)],
        "watch": [("watch", "GET", f"{place}?watch=1", None), ("watch", "GET", f"{place}?watch=1&resourceVersion=1", None)],
        "create": [("create", "POST", name if part else place, body)],
        "update": [("update", "PUT", name, body)],
        "patch": [("patch", "PATCH", name, {"metadata": {"labels": {"a": "b"}}})],
        "delete": [("delete", "DELETE", name, None)],
        "deletecollection": [("deletecollection", "DELETE", place, None)],
    }[verb]


def kind_of(method):
    return "application/merge-patch+json" if method == "PATCH" else "application/json"


def is_review(path):
    return "reviews" in path.rsplit("/", 1)[-1]


@pytest.fixture
def plane(tiphys):
    tiphys.up()
    owner = Api(tiphys.data_dir)
    for namespace in (MINE, THEIRS):
        assert owner.ask("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}})[0] == 201
    for plural, body in SAMPLES.items():
        base = "/apis/argoproj.io/v1alpha1" if plural.startswith("workflow") else "/api/v1"
        code, made = owner.ask("POST", f"{base}/namespaces/{MINE}/{plural}", {"metadata": {"name": "it"}, **body})
        assert code == 201, made
    return tiphys, owner


def token_of(owner, namespace, name, role=None):
    """Of a new service account, with all rights in its own namespace where `role` is given."""
    accounts = f"/api/v1/namespaces/{namespace}/serviceaccounts"
    assert owner.ask("POST", accounts, {"metadata": {"name": name}})[0] == 201
    if role:
        binding = {"metadata": {"name": name}, "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
                   "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": namespace}]}
        code, made = owner.ask("POST", f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/rolebindings", binding)
        assert code == 201, made
    code, made = owner.ask("POST", f"{accounts}/{name}/token", {"spec": {}})
    assert code == 201, made
    return made["status"]["token"]


def state(owner):
    """All objects of the namespace, without what their own controllers go on writing."""
    found = {}
    for verb, _, path, _ in routes(owner):
        if verb == "list" and "?" not in path and f"/{MINE}/" in path:
            for item in owner.ask("GET", path)[1]["items"]:
                found[path, item["metadata"]["name"]] = item["metadata"]["uid"]
    return found


def refused(api, route, codes):
    verb, method, path, body = route
    answer = api.open(method, path, body, kind_of(method))
    text = answer.read().decode()
    assert answer.status in codes, f"{method} {path}: {answer.status} {text[:300]}"
    assert CANARY not in text, f"{method} {path}: {text[:300]}"


def test_without_a_token_of_the_plane_there_is_nothing(plane):
    tiphys, owner = plane
    all_routes, before = routes(owner), state(owner)
    good = owner.token
    pages = [("get", "GET", path, None) for path in ("/", "/api", "/apis", "/version", "/openapi/v2", "/openapi/v3", "/configz", "/readyz", "/livez", "/logs", "/debug/pprof")]
    for token in ("nothing", "", "null", good[:-1], good + "x", good.upper(), "eyJhbGciOiJub25lIn0.eyJzdWIiOiJzeXN0ZW06YWRtaW4ifQ."):
        api = Api(tiphys.data_dir)
        api.token = token
        for route in all_routes + pages:
            refused(api, route, {401})
    assert state(owner) == before


@pytest.mark.parametrize("role", [None, "view", "edit", "admin", "cluster-admin"])
def test_rights_end_with_their_namespace(plane, role):
    tiphys, owner = plane
    api = Api(tiphys.data_dir)
    api.token = token_of(owner, THEIRS, "somebody", role)
    before = state(owner)
    for route in routes(owner):
        # Everybody may ask what they may do themselves; of other groups' versions of a path rights do not differ.
        if not is_review(route[2]) or "tokenreviews" in route[2] or "/subjectaccess" in route[2] or "localsubject" in route[2]:
            refused(api, route, {403})
    for path in ("/configz", "/logs", "/debug/pprof"):
        refused(api, ("get", "GET", path, None), {403})
    assert state(owner) == before


def test_rights_end_with_their_account(plane):
    tiphys, owner = plane
    api = Api(tiphys.data_dir)
    api.token = token_of(owner, MINE, "somebody", "admin")
    secret = f"/api/v1/namespaces/{MINE}/secrets/it"
    assert api.ask("GET", secret)[0] == 200
    assert owner.ask("DELETE", f"/api/v1/namespaces/{MINE}/serviceaccounts/somebody")[0] == 200
    for route in routes(owner):
        refused(api, route, {401})


def test_nobody_becomes_somebody_else(plane):
    """Impersonation, and rights that one has not, are not for those who have neither."""
    tiphys, owner = plane
    api = Api(tiphys.data_dir)
    api.token = token_of(owner, THEIRS, "somebody", "admin")
    for headers in ({"Impersonate-User": "system:admin"}, {"Impersonate-User": "x", "Impersonate-Group": "system:masters"}):
        api.open("GET", "/version").read()
        api.connection.request("GET", f"/api/v1/namespaces/{MINE}/secrets", headers={"Authorization": f"Bearer {api.token}", **headers})
        answer = api.connection.getresponse()
        assert answer.status == 403, answer.read()
        answer.read()
    rbac = "/apis/rbac.authorization.k8s.io/v1"
    stronger = {"metadata": {"name": "stronger"}, "rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]}
    code, told = api.ask("POST", f"{rbac}/namespaces/{THEIRS}/roles", stronger)
    assert code == 403 and "attempting to grant RBAC permissions not currently held" in told["message"]
    code, told = api.ask("POST", f"{rbac}/clusterroles", stronger)
    assert code == 403, json.dumps(told)
