#!/usr/bin/env python3
"""Plays the requests of tests/kubernetes against a server, and tells in what two servers' answers differ.

    kube_requests.py record [FILE...]   asks a real kube-apiserver, and writes its answers to tests/kubernetes/answers
    kube_requests.py show FILE          asks `tiphys up` ($TIPHYS_BIN), and prints each difference from those answers
    kube_requests.py page               writes the table of differences into docs/kubernetes-api.md
"""

import base64
import copy
import fnmatch
import http.client
import json
import os
import pathlib
import re
import ssl
import string
import sys
import tempfile
import time
import urllib.parse

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = ROOT / "tests" / "kubernetes"
PAGE = ROOT / "docs" / "kubernetes-api.md"
PAGE_MARKS = ("<!-- differences: begin -->\n", "<!-- differences: end -->\n")
HEADERS = ("Content-Type", "Warning", "Allow", "Retry-After", "Location")


def merged(value, patch):
    """A JSON merge patch; a null is kept as a null where its key is written `=key`."""
    if not isinstance(patch, dict):
        return patch
    result = dict(value) if isinstance(value, dict) else {}
    for key, change in patch.items():
        if key.startswith("="):
            result[key[1:]] = change
        elif change is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), change)
    return result


def files():
    return sorted((DATA / "requests").glob("*.yaml"))


def steps_of(file):
    """(id, step) in order. A case `base` with `each` is one request for each of its changes to the base."""
    for name, steps in yaml.load(file.read_text(), yaml.CSafeLoader).items():
        if isinstance(steps, dict):
            base = {key: value for key, value in steps.items() if key != "each"}
            for change, patch in steps["each"].items():
                yield f"{file.stem}/{name}/{change}", {**base, "body": merged(base.get("body"), patch)}
        else:
            for number, step in enumerate(steps):
                yield f"{file.stem}/{name}/{number}", step


class Server:
    """Where requests go; `connect(timeout)` opens a connection."""

    def __init__(self, connect, token):
        self.connect, self.token, self.connection = connect, token, None

    def send(self, connection, step, path, values):
        body = step.get("body")
        kind = "application/json" if body is not None else None
        if step.get("encoded"):
            body = base64.b64decode(step["encoded"])
        elif "text" in step:
            body, kind = fill(step["text"], values), "application/json"
        elif body is not None:
            body = json.dumps(fill(body, values), separators=(",", ":"))
        if body is not None and not isinstance(body, bytes):
            body = body.encode()
        method = step["do"].split(" ", 1)[0] if "do" in step else "GET"
        connection.putrequest(method, path)
        headers = {"Authorization": f"Bearer {self.token}", "User-Agent": "requests/1.0", "Content-Type": kind, "Accept": "application/json",
                   **fill(step.get("headers", {}), values)}
        if body is not None:
            headers["Content-Length"] = str(len(body))
        elif method in ("POST", "PUT", "PATCH"):
            headers["Content-Length"] = "0"
        for name, value in headers.items():
            for one in value if isinstance(value, list) else [value]:
                if one is not None:
                    connection.putheader(name, one)
        connection.endheaders(body)
        return connection.getresponse()

    def request(self, step, values):
        connection = self.connect(10)
        try:
            response = self.send(connection, step, escaped(fill(step["do"].split(" ", 1)[1], values)), values)
            text = b"" if step["do"].startswith("HEAD") else response.read()
        finally:
            connection.close()
        answer = {"status": response.status, "headers": {name: ", ".join(response.headers.get_all(name)) for name in HEADERS if name in response.headers}}
        kind = response.headers.get("Content-Type", "")
        if not text:
            answer["body"] = ""
        elif "json" in kind:
            answer["body"] = json.loads(text)
        elif "yaml" in kind:
            answer["body"] = yaml.load(text, yaml.CSafeLoader)
        else:
            answer["body"] = text.decode(errors="replace")
        return answer

    def watch(self, step, values, meanwhile):
        """Asks again while the server's cache is behind its store, as its answer says to."""
        deadline = time.monotonic() + 60
        while True:
            answer = self.watch_once(step, values, meanwhile)
            if not is_behind(answer) or "meanwhile" in step or time.monotonic() > deadline:
                return answer

    def watch_once(self, step, values, meanwhile):
        """The first `events` events; where a step does not say how many, or there are less, those until the watch ends."""
        connection = self.connect(10)
        path = escaped(fill(step["watch"], values))
        if "timeoutSeconds" not in path:
            path += ("&" if "?" in path else "?") + "timeoutSeconds=3"
        try:
            response = self.send(connection, step, path, values)
            answer = {"status": response.status, "headers": {name: response.headers[name] for name in ("Content-Type",) if name in response.headers}}
            if response.status != 200:
                return {**answer, "body": json.loads(response.read())}
            meanwhile()
            events = []
            while len(events) < step.get("events", 1 << 30):
                line = response.readline()
                if not line:
                    break
                if line.strip() in (b"", b":"):  # between Server-Sent Events
                    continue
                event = json.loads(line.removeprefix(b"data: "))
                if not made_by_controllers(event):
                    events.append(event)
            return {**answer, "events": events}
        finally:
            connection.close()


def is_met(until, answer):
    if isinstance(until, dict):
        return all(find_or_none(answer["body"], path) == value for path, value in until.items())
    return answer["status"] == until


def is_behind(answer):
    """A kube-apiserver whose cache has not caught up in 3 s answers this instead of the first event."""
    causes = find_or_none(answer, "events.0.object.details.causes") or []
    return any(cause["reason"] == "ResourceVersionTooLarge" for cause in causes)


def escaped(path):
    return urllib.parse.quote(path, safe="/?&=%,!:;@+-_.~()'*")


def fill(value, values):
    if isinstance(value, str):
        return string.Template(value).safe_substitute(values) if "$" in value else value
    if isinstance(value, list):
        return [fill(one, values) for one in value]
    if isinstance(value, dict):
        return {fill(key, values): fill(one, values) for key, one in value.items()}
    return value


def find(value, path):
    for part in path.split("."):
        value = value[int(part)] if isinstance(value, list) else value[part]
    return value


def find_or_none(value, path):
    try:
        return find(value, path)
    except (KeyError, IndexError, TypeError, ValueError):
        return None


def find_text(value, path):
    found = find_or_none(value, path)
    return found if isinstance(found, str) else None


def play(server, file):
    """(id, answer as a record) of each request of a file, in a namespace of the file's own."""
    ns = f"requests-{file.stem}"
    values = {"ns": ns, "core": f"/api/v1/namespaces/{ns}", "token": server.token}
    server.request({"do": "POST /api/v1/namespaces", "body": {"metadata": {"name": ns}}}, values)
    played, prefixes = [], set()

    def one(name, step):
        if "watch" in step:
            later = [(f"{name}.{number}", inner) for number, inner in enumerate(step.get("meanwhile", []))]
            answers = []

            def meanwhile():
                for inner_name, inner in later:
                    answers.append((inner_name, inner, one_request(inner)))

            answer = server.watch(step, values, meanwhile)
            for inner_name, inner, inner_answer in answers:
                played.append((inner_name, normal(inner_answer, inner, prefixes)))
            for key, path in step.get("keep", {}).items():
                values[key] = str(find(answer["events"], path))
        else:
            answer = one_request(step)
        if not step.get("unseen"):
            played.append((name, normal(answer, step, prefixes)))

    def one_request(step):
        prefix = find_text(step.get("body"), "metadata.generateName")
        if prefix:
            prefixes.add(prefix[:58])
        deadline = time.monotonic() + 60
        while True:
            answer = server.request(step, values)
            # What the server does beside the requests, such as serving a new definition, is asked for until it is done.
            if "until" not in step or is_met(step["until"], answer):
                break
            if time.monotonic() > deadline:
                break
        for key, path in step.get("keep", {}).items():
            values[key] = find_text(answer["body"], path) or f"no {path}"
        return answer

    for name, step in steps_of(file):
        one(name, step)
    return played


TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
UID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
VERSION = re.compile(r'(resource version: |in record \(|current: |resourceVersion: |\\?"resourceVersion\\?":\\?")\d{2,}( \(\d+\))?')
AGE = re.compile(r"^(\d+[smh])+$")
ADDRESS = re.compile(r"127\.0\.0\.1:\d+|\b127\.96\.\d+\.\d+\b|\b10\.\d+\.\d+\.\d+\b|\bfd00:[0-9a-f:]+")
PUBLIC = tuple(f'RBAC: allowed by ClusterRoleBinding "{name}" of ClusterRole "{name}" to Group "system:authenticated"'
               for name in ("system:discovery", "system:public-info-viewer"))
VERSION_KEYS = ("resourceVersion", "storageVersionHash")


def made_by_controllers(item):
    """What controllers put into each namespace, as an item of a list, a row or an event: the recorded server ran without any."""
    if not isinstance(item, dict):
        return False
    places = ("metadata.name", "object.metadata.name", "cells.0", "object.rows.0.cells.0")
    return any(find_or_none(item, place) == "kube-root-ca.crt" for place in places)


def normal(answer, step, prefixes):
    """What two servers, or one server twice, cannot have in common becomes its kind in pointed brackets; what follows `prefixes` is made up."""

    def text(value):
        for prefix in prefixes:
            value = re.sub(f"{re.escape(prefix)}[a-z0-9]{{5}}\\b", f"<{prefix}*>", value)
        value = TIME.sub("<time>", UID.sub("<uid>", value))
        value = VERSION.sub(lambda found: found[1] + "<version>" + (" (<version>)" if found[2] else ""), value)
        value = ADDRESS.sub("<address>", value)
        return "<age>" if AGE.match(value) else value

    def walk(key, value):
        if isinstance(value, dict):
            return {text(name): walk(name, one) for name, one in value.items() if name != "managedFields" or step.get("owners")}
        if isinstance(value, list):
            return [walk("", one) for one in value if not made_by_controllers(one)]
        if isinstance(value, str):
            if key in VERSION_KEYS and value not in ("", "0"):
                return "<version>"
            if key == "continue" and value:
                return "<continue>"
            if key == "token":
                return "<token>"
            return text(value)
        return f"<{key}>" if key in ("nodePort", "healthCheckNodePort") and value else value

    made = walk("", answer)
    # A server asks its bindings in no order of their own: of several that allow the same, any may be named.
    rules = find_or_none(made, "body.status.nonResourceRules")
    if isinstance(rules, list):
        rules.sort(key=json.dumps)
    reason = find_text(made, "body.status.reason")
    if reason and reason in PUBLIC:
        made["body"]["status"]["reason"] = PUBLIC[0]
    if "only" in step and "body" in made:
        made["body"] = {path: find_or_none(made["body"], path) for path in step["only"]}
    elif "only" in step and "events" in made:
        made["events"] = [{path: find_or_none(event, path) for path in step["only"]} for event in made["events"]]
    return made


MISSING = "(missing)"


def differences(real, ours, path=""):
    """(path, theirs, ours) of the values that differ."""
    if isinstance(real, dict) and isinstance(ours, dict):
        for key in [*real, *(key for key in ours if key not in real)]:
            yield from differences(real.get(key, MISSING), ours.get(key, MISSING), f"{path}.{key}" if path else key)
    elif isinstance(real, list) and isinstance(ours, list) and len(real) == len(ours):
        for number, (one, other) in enumerate(zip(real, ours)):
            yield from differences(one, other, f"{path}[{number}]")
    elif real != ours or type(real) is not type(ours):
        yield path, real, ours


def owners_in_order(value):
    """Owners come in the order of their times, which differ by how long the requests before took."""
    if isinstance(value, list):
        return [owners_in_order(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {name: sorted(one, key=lambda owner: (owner.get("manager", ""), owner.get("operation", ""), owner.get("subresource", "")))
            if name == "managedFields" and isinstance(one, list) else owners_in_order(one) for name, one in value.items()}


def answers_differ(real, ours):
    """Where even the statuses differ there is no use in comparing what comes with them."""
    if real["status"] == ours["status"]:
        yield from differences(real, ours)
    else:
        yield "status", *(f"{answer['status']} {find_text(answer, 'body.message') or ''}" for answer in (real, ours))


def answers_file(file):
    return DATA / "answers" / f"{file.stem}.jsonl"


def write_answers(file, played):
    answers_file(file).parent.mkdir(exist_ok=True)
    with open(answers_file(file), "w") as out:
        for name, answer in played:
            out.write(json.dumps([name, answer], separators=(",", ":"), ensure_ascii=False) + "\n")


def read_answers(file):
    return [tuple(json.loads(line)) for line in answers_file(file).read_text().splitlines()]


class Explained:
    """The differences that are known, with why they are; each must be met."""

    def __init__(self):
        self.entries = yaml.load((DATA / "differences.yaml").read_text(), yaml.CSafeLoader)
        self.met = set()

    def covers(self, name, path):
        for number, entry in enumerate(self.entries):
            if any(fnmatch.fnmatchcase(name, one) for one in listed(entry["requests"])) and any(matches(path, one) for one in listed(entry["at"])):
                self.met.add(number)
                return True
        return False


    def unmet(self, file):
        """Those that are of this file alone and have not been met in it."""
        return [entry for number, entry in enumerate(self.entries) if number not in self.met and
                all(one.startswith(f"{file.stem}/") for one in listed(entry["requests"]))]


def listed(value):
    return [value] if isinstance(value, str) else value


def matches(path, pattern):
    return fnmatch.fnmatchcase(path.replace("[", "("), pattern.replace("[", "("))


def compare(real, ours, explained):
    """Lines that tell the unexplained differences."""
    found = []
    if [name for name, _ in real] != [name for name, _ in ours]:
        return ["the answers are not those of these requests: kube_requests.py record"]
    for (name, theirs), (_, answer) in zip(real, ours):
        for path, one, other in answers_differ(owners_in_order(theirs), owners_in_order(answer)):
            if not explained or not explained.covers(name, path):
                found.append(f"{name}: {path}\n    Kubernetes {json.dumps(one)}\n    tiphys     {json.dumps(other)}")
    return found


def table():
    rows = ["| where | what | why |", "|---|---|---|"]
    for entry in Explained().entries:
        rows.append(f"| {entry['where']} | {entry['what']} | {entry['why']} |")
    return "\n".join(rows) + "\n"


def page_with_table():
    text = PAGE.read_text()
    before, rest = text.split(PAGE_MARKS[0])
    return before + PAGE_MARKS[0] + table() + PAGE_MARKS[1] + rest.split(PAGE_MARKS[1])[1]


def of_kubernetes(kubernetes):
    from kube_server import TOKEN
    return Server(kubernetes.connect, TOKEN)


def of_tiphys(data_dir):
    """The server whose kubeconfig lies there."""
    config = yaml.load((pathlib.Path(data_dir) / "kubeconfig").read_text(), yaml.CSafeLoader)
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    place = urllib.parse.urlsplit(cluster["server"])
    trust = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
    return Server(lambda timeout: http.client.HTTPSConnection(place.hostname, place.port, context=trust, timeout=timeout), user["token"])


def chosen(names):
    return [file for file in files() if not names or file.stem in names]


def record(names):
    from kube_server import Kubernetes
    with tempfile.TemporaryDirectory(prefix=os.environ.get("TIPHYS_TEST_PREFIX", "tiphys-requests-")) as folder:
        kubernetes = Kubernetes(pathlib.Path(folder))
        try:
            for file in chosen(names):
                write_answers(file, play(of_kubernetes(kubernetes), file))
        finally:
            kubernetes.close()


def show(names):
    import subprocess
    with tempfile.TemporaryDirectory(prefix=os.environ.get("TIPHYS_TEST_PREFIX", "tiphys-requests-")) as folder:
        server = subprocess.Popen([os.environ["TIPHYS_BIN"], "up", "--runtime", "process", "--port", "0", "--data-dir", folder], stdout=subprocess.PIPE, text=True)
        try:
            server.stdout.readline()
            explained = Explained()
            for file in chosen(names):
                found = compare(read_answers(file), play(of_tiphys(folder), file), explained)
                print("\n".join(found))
                print(f"{file.stem}: {len(found)} differences in {sum(1 for _ in steps_of(file))} requests", file=sys.stderr)
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    command, *names = sys.argv[1:]
    if command == "page":
        PAGE.write_text(page_with_table())
    else:
        {"record": record, "show": show}[command](names)
