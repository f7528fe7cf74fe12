#!/usr/bin/env python3
"""Plays what the pages of Argo's web UI ask (tests/web_ui) against a server, and tells in what the answers differ from the original's.

    web_ui_requests.py record [NAME...]   asks argo ($ARGO_BIN, of Argo Workflows 4.1) in front of a plane of $TIPHYS_BIN, and writes tests/web_ui/answers
    web_ui_requests.py show [NAME...]     asks `tiphys up` itself, and prints the differences
"""

import base64
import contextlib
import http.client
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

import yaml

import kube_requests
import sql_servers
from kube_server import free_ports

DATA = kube_requests.ROOT / "tests" / "web_ui"
NAMES = ("requests", "archive", "rights", "mistakes")
CONFIG = {"links": [{"name": "Logs", "scope": "pod", "url": "http://logs.example/${metadata.name}"}],
          "columns": [{"name": "Example", "type": "label", "key": "example"}]}
# What Go's structs have whether it is set or not, and pages read through.
READ_THROUGH = {("spec", "arguments"), ("workflowSpec", "arguments"), ("body", "status"), ("object", "status"), ("items", "status")}


# Of who asks, and of what is told of its type: the original's callers by a bare token have no name, and its objects no type.
LEFT_OUT = {"apiVersion", "kind", "workflows.argoproj.io/creator", "workflows.argoproj.io/actor", "workflows.argoproj.io/action"}
MADE_UP = re.compile(r"\b(greet|hello|kept|short|web-ui|nightly)-[a-z0-9]{5}$")


def seen(value, key="", parent=""):
    """What a page sees. What is not set comes in many ways: as null, as an empty struct, or not at all."""
    if isinstance(value, dict):
        shown = {name: seen(one, name, key or parent) for name, one in value.items() if name not in LEFT_OUT}
        return {name: one for name, one in shown.items() if one not in (None, {}, [], "", 0, False) or (key or parent, name) in READ_THROUGH}
    if isinstance(value, list):
        return [seen(one, "", key) for one in value]
    if value is None and (parent, key) in READ_THROUGH:
        return {}
    return MADE_UP.sub(r"\1-<made up>", value) if isinstance(value, str) else value


def play(server, name):
    """(id, answer), as far as a page looks at it."""
    return [(each, seen({key: value for key, value in answer.items() if key != "headers"})) for each, answer in kube_requests.play(server, DATA / f"{name}.yaml")]


def server_at(address, token):
    return kube_requests.Server(lambda timeout: http.client.HTTPConnection(address, timeout=timeout), token)


def token_for(data_dir, name):
    """The owner's, or that of somebody who may read workflows of one namespace, where there is one."""
    owner = kube_requests.of_tiphys(data_dir)
    if name != "rights":
        return owner.token

    def make(path, body):
        answer = owner.request({"do": f"POST {path}", "body": body}, {})
        assert answer["status"] == 201, answer
        return answer["body"]

    ns, named = f"requests-{name}", {"metadata": {"name": "reader"}}
    accounts, roles = f"/api/v1/namespaces/{ns}/serviceaccounts", f"/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}"
    make("/api/v1/namespaces", {"metadata": {"name": ns}})
    make(accounts, named)
    make(f"{roles}/roles", {**named, "rules": [{"apiGroups": ["argoproj.io"], "resources": ["workflows"], "verbs": ["get", "list", "watch"]}]})
    make(f"{roles}/rolebindings", {**named, "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"},
                                   "subjects": [{"kind": "ServiceAccount", "name": "reader", "namespace": ns}]})
    make(f"/apis/argoproj.io/v1alpha1/namespaces/{ns}/workflows", {
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"name": "there"}, "spec": {"entrypoint": "main", "templates": [{"name": "main", "suspend": {}}]}})
    return make(f"{accounts}/reader/token", {"spec": {"expirationSeconds": 3600}})["status"]["token"]


def of_tiphys(data_dir, name):
    server = json.loads((pathlib.Path(data_dir) / "server.json").read_text())
    return server_at(server["address"], token_for(data_dir, name))


def answers_of(name):
    return DATA / "answers" / f"{name}.jsonl"


def read_answers(name):
    return [tuple(json.loads(line)) for line in answers_of(name).read_text().splitlines()]


def config_of(name):
    """Of a plane that is asked these."""
    return {**CONFIG, "persistence": {"archive": True}} if name == "archive" else CONFIG


def differences(real, ours):
    """Lines that tell what differs."""
    if [name for name, _ in real] != [name for name, _ in ours]:
        return ["the answers are not those of these requests: web_ui_requests.py record"]
    return [f"{name}: {path}\n    argo   {json.dumps(one)}\n    tiphys {json.dumps(other)}"
            for (name, theirs), (_, answer) in zip(real, ours) for path, one, other in kube_requests.answers_differ(theirs, answer)]


@contextlib.contextmanager
def ended(process):
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def plane(settings):
    """A plane's folder."""
    with tempfile.TemporaryDirectory(prefix="tiphys-web-ui-") as folder:
        config = pathlib.Path(folder) / "config.yaml"
        config.write_text(yaml.safe_dump(settings))
        command = [os.environ["TIPHYS_BIN"], "up", "--runtime", "process", "--port", "0", "--data-dir", f"{folder}/data", "--config", config]
        with ended(subprocess.Popen(command, stdout=subprocess.PIPE, text=True)) as server:
            server.stdout.readline()
            yield pathlib.Path(folder) / "data"


@contextlib.contextmanager
def shared_archive(name):
    """A configuration whose archive the original can read, too."""
    if name != "archive":
        yield config_of(name)
        return
    with contextlib.closing(sql_servers.PostgreSql()) as server:
        yield {**config_of(name), "persistence": server.config()}


@contextlib.contextmanager
def original(data_dir, settings, name):
    """Argo's own server in front of a plane."""
    kubernetes, token = kube_requests.of_tiphys(data_dir), token_for(data_dir, name)
    user = {key: base64.b64encode(value.encode()).decode() for key, value in (("name", sql_servers.USER), ("word", sql_servers.PASSWORD))}
    for kind, body in (("configmaps", {"metadata": {"name": "workflow-controller-configmap"}, "data": {key: yaml.safe_dump(value) for key, value in settings.items()}}),
                       ("secrets", {"metadata": {"name": "archive-user"}, "data": user})):
        kubernetes.request({"do": f"POST /api/v1/namespaces/default/{kind}", "body": body}, {})
    kubernetes.request({"do": "POST /api/v1/namespaces", "body": {"metadata": {"name": f"requests-{name}"}}}, {})  # Argo's API makes none
    [port] = free_ports(1)
    command = [os.environ["ARGO_BIN"], "server", "--auth-mode", "client", "--secure=false", "--port", str(port), "--namespace", "default", "--api-rate-limit", "1000000"]
    with ended(subprocess.Popen(command, env={**os.environ, "KUBECONFIG": f"{data_dir}/kubeconfig"}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)) as server:
        argo, deadline = server_at(f"127.0.0.1:{port}", token), time.monotonic() + 60
        while not answers(argo):
            assert server.poll() is None and time.monotonic() < deadline, "argo server does not begin"
            time.sleep(0.1)
        yield argo


def answers(server):
    """It listens before it reaches itself by gRPC."""
    with contextlib.suppress(OSError):
        return server.request({"do": "GET /api/v1/info"}, {})["status"] == 200
    return False


def record(name):
    with shared_archive(name) as settings, plane(settings) as data_dir, original(data_dir, settings, name) as server:
        answers_of(name).write_text("".join(json.dumps(answer, separators=(",", ":"), ensure_ascii=False) + "\n" for answer in play(server, name)))


def show(name):
    with plane(config_of(name)) as data_dir:
        print("\n".join(differences(read_answers(name), play(of_tiphys(data_dir, name), name))))


if __name__ == "__main__":
    for each in sys.argv[2:] or NAMES:
        {"record": record, "show": show}[sys.argv[1]](each)
