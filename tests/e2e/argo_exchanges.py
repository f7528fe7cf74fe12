#!/usr/bin/env python3
"""Replays what Argo's command sends (tests/argo_clients), byte by byte, and tells in what the answers differ from the original's.

    argo_exchanges.py record [NAME...]   has argo ($ARGO_BIN, of Argo Workflows 4.1) ask its own server in front of a plane of $TIPHYS_BIN, and writes tests/argo_clients
    argo_exchanges.py show [NAME...]     asks `tiphys up` itself, and prints the differences
"""

import base64
import contextlib
import http.client
import http.server
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
from concurrent import futures

import grpc
from google.protobuf import json_format

import kube_requests
import web_ui_requests
from argo_messages import Messages

DATA = kube_requests.ROOT / "tests" / "argo_clients"
NAMES = ("grpc", "http1")
FINAL = ("Succeeded", "Failed", "Error")
UNLIKE = {"workflows.argoproj.io/workflow-archiving-status", "generation", "resourceVersion", "estimatedDuration"}
# (part of what is asked, where its answer differs): docs/argo-api.md says how.
EXPLAINED = (("LintWorkflow", "code"), ("/lint", "code"), ("LintWorkflow", "answers[0].metadata.namespace"), ("/lint", "answers[0].metadata.namespace"))
HOP = {"connection", "transfer-encoding", "content-length", "host", "accept-encoding"}


class Calls(grpc.GenericRpcHandler):
    """Hands calls on to a server, and notes them."""

    def __init__(self, target, note):
        self.channel, self.note = grpc.insecure_channel(target), note

    def service(self, details):
        return grpc.unary_stream_rpc_method_handler(lambda request, context: self.hand_on(details, request, context))

    def hand_on(self, details, request, context):
        metadata = [pair for pair in details.invocation_metadata if pair[0] == "authorization"]
        call = self.channel.unary_stream(details.method)(request, metadata=metadata, timeout=60)
        context.add_callback(call.cancel)
        answers = []
        try:
            for answer in call:
                answers.append(answer)
                yield answer
            self.note({"call": details.method, "request": request}, answers, 0)
        except grpc.RpcError as error:
            # A watch that its client has seen enough of is cancelled.
            cancelled = error.code() == grpc.StatusCode.CANCELLED
            self.note({"call": details.method, "request": request}, answers, 0 if cancelled else error.code().value[0])
            if not cancelled:
                context.abort(error.code(), error.details())


@contextlib.contextmanager
def noting_calls(target, note):
    server = grpc.server(futures.ThreadPoolExecutor(8), handlers=[Calls(target, note)])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(None).wait()


@contextlib.contextmanager
def noting_requests(target, note):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            connection = http.client.HTTPConnection(target, timeout=60)
            connection.request(self.command, self.path, body or None, {name: value for name, value in self.headers.items() if name.lower() not in HOP})
            answer = connection.getresponse()
            self.send_response_only(answer.status)
            self.send_header("Content-Type", answer.headers["Content-Type"])
            self.end_headers()
            lines = []
            # A watch that its client has seen enough of is closed.
            with contextlib.suppress(OSError):
                for line in answer:
                    lines.append(line)
                    self.wfile.write(line)
            connection.close()
            asked = {"do": f"{self.command} {self.path}", "accept": self.headers.get("Accept"), "body": body.decode()}
            note({key: value for key, value in asked.items() if value}, lines, answer.status)

        do_POST = do_PUT = do_DELETE = do_GET

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


class Reader:
    """Answers as values that can be compared."""

    def __init__(self):
        self.messages = Messages()

    def of_call(self, method, answers):
        made = self.messages.type(self.messages.methods[method]["response"])
        return [self.plain(json_format.MessageToDict(made.FromString(answer), preserving_proto_field_name=True)) for answer in answers]

    @staticmethod
    def of_request(lines):
        text = b"".join(lines)
        events = [line.removeprefix(b"data: ") for line in text.splitlines() if line.startswith(b"data: ")]
        values = [json.loads(event).get("result") for event in events] if events else [json.loads(text)] if text.strip() else []
        return [Reader.plain(value) for value in values]

    @staticmethod
    def plain(value):
        if isinstance(value, dict):
            if value.keys() <= {"seconds", "nanos"} and value:
                return "<time>"
            return {name: Reader.plain(one) for name, one in value.items()}
        return [Reader.plain(one) for one in value] if isinstance(value, list) else value


def objects_of(value):
    """Those with metadata of their own."""
    for each in [value, value.get("object"), *(value.get("items") or [])] if isinstance(value, dict) else []:
        if isinstance(each, dict) and isinstance(each.get("metadata"), dict):
            yield each["metadata"]


def made_up(answers):
    """What a later request may have in it, by what it is."""
    return [[each.get(key, "") for key in ("name", "uid", "resourceVersion")] for answer in answers for each in objects_of(answer)]


def phase_of(answer):
    found = answer.get("object", answer) if isinstance(answer, dict) else {}
    return kube_requests.find_or_none(found, "status.phase")


CREATES = re.compile(r"/(CreateWorkflow|SubmitWorkflow|ResubmitWorkflow)$|^POST /api/v1/workflows/[^/]+(/submit)?\?|/resubmit\?")
CHANGES = re.compile(r"\.WorkflowService/(Suspend|Resume|Set|Stop|Terminate|Retry)Workflow$|^PUT /api/v1/workflows/[^/]+/[^/]+/(suspend|resume|set|stop|terminate|retry)\?")
NAME = re.compile(r"\b((?:hello|greet|fails|yearly|kept|submitted)(?:-greet)?)-(?:[a-z0-9]{5}|\d{10})\b")


def shown(answer):
    """Of lists and watches who is told of and how it is, of what is under way not how far it is, of a version nothing."""
    if not isinstance(answer, dict):
        return answer
    if "object" in answer:
        return {"object": summary(answer["object"])}
    if isinstance(answer.get("items"), list):
        return {"items": [summary(item) if isinstance(item, dict) else item for item in answer["items"] if not str(item).startswith("workflows.argoproj.io/")]}
    if "goVersion" in answer:
        return "<version>"
    if "spec" in answer and phase_of(answer) not in FINAL:
        answer = {key: value for key, value in answer.items() if key != "status"}
    return answer


def summary(item):
    return {path: kube_requests.find_or_none(item, path) for path in ("metadata.name", "metadata.namespace", "status.phase")}


def told(answers, asked, code):
    """What matters of an answer: of a watch how it ends, of a refusal its code."""
    if code >= 400 or (code and not answers):
        return {"code": code}
    if is_stream(asked) and any(phase_of(answer) for answer in answers):
        answers = answers[-1:]
    if CHANGES.search(asked.get("call") or asked["do"]):
        answers = [{"object": {"metadata": answer["metadata"]}} for answer in answers]  # the plane behind the original carries it out later
    normal = kube_requests.normal({"body": [shown(answer) for answer in answers]}, {}, [])["body"]
    return {"code": code, "answers": without_unlike(json.loads(NAME.sub(r"\1-<made up>", json.dumps(web_ui_requests.seen(normal)))))}


def without_unlike(value):
    """Leaves out what two servers, or their archives, tell at different times, and numbers of 64 bits that are not set."""
    if isinstance(value, dict):
        return {name: without_unlike(one) for name, one in value.items() if name not in UNLIKE and one != "0"}
    return [without_unlike(one) for one in value] if isinstance(value, list) else value


def is_stream(asked):
    return asked.get("accept") == "text/event-stream" or asked.get("call", "").rpartition("/")[2] in ("WatchWorkflows", "WatchEvents", "WorkflowLogs", "PodLogs")


def at_rest(workflow):
    nodes = workflow.get("status", {}).get("nodes", {}).values()
    archived = workflow["metadata"].get("labels", {}).get("workflows.argoproj.io/workflow-archiving-status") == "Archived"
    return archived or any(node.get("type") == "Suspend" for node in nodes)


class Player:
    """Sends recorded requests, with the ids that this server has given."""

    def __init__(self, address, token):
        self.address, self.token, self.reader, self.values = address, token, Reader(), {}
        self.begun = None
        self.channel = grpc.insecure_channel(address, [("grpc.use_local_subchannel_pool", 1)])

    def play(self, exchange):
        asked = exchange["asked"]
        if self.begun:
            self.follow(*self.begun)
        answers, code = (self.call if "call" in asked else self.request)(exchange, asked)
        for old, new in zip(exchange["made"], made_up(answers)):
            self.values |= {before: after for before, after in zip(old, new) if before and before != after}
        creates = code in (0, 200) and CREATES.search(asked.get("call") or asked["do"])
        self.begun = tuple(answers[0]["metadata"].get(key) for key in ("namespace", "name")) if creates else None
        return told(answers, asked, code)

    def follow(self, namespace, name):
        """Until it waits for someone, or is archived: the command takes its time to ask more."""
        connection = http.client.HTTPConnection(self.address, timeout=60)
        headers = {"Authorization": f"Bearer {self.token}"}
        connection.request("GET", f"/api/v1/workflows/{namespace}/{name}", headers=headers)
        there = connection.getresponse()
        there.read()
        if there.status == 200:
            connection.request("GET", f"/api/v1/workflow-events/{namespace}?listOptions.fieldSelector=metadata.name={name}&listOptions.resourceVersion=0",
                               headers=headers | {"Accept": "text/event-stream"})
            for line in connection.getresponse():
                if line.startswith(b"data: ") and at_rest(json.loads(line.removeprefix(b"data: "))["result"]["object"]):
                    break
        connection.close()

    def satisfied(self, exchange, answer):
        """A watch goes on until it has told what the original's has."""
        wanted = exchange["until"]
        return wanted and phase_of(answer) == wanted

    def fill(self, text):
        for old, new in self.values.items():
            text = text.replace(old, new) if len(old) > 8 else text.replace(f'"resourceVersion":"{old}"', f'"resourceVersion":"{new}"')
        return text

    def call(self, exchange, asked):
        method = asked["call"]
        request = base64.b64decode(asked["request"])
        for old, new in self.values.items():
            if len(old) == len(new) > 8:
                request = request.replace(old.encode(), new.encode())
        request = self.with_versions(method, request)
        call = self.channel.unary_stream(method)(request, metadata=(("authorization", f"Bearer {self.token}"),), timeout=60)
        answers = []
        try:
            for answer in call:
                answers += self.reader.of_call(method, [answer])
                if is_stream(asked) and self.satisfied(exchange, answers[-1]):
                    call.cancel()
                    break
        except grpc.RpcError as error:
            return [], error.code().value[0]
        return answers, 0

    def with_versions(self, method, request):
        """Versions may be longer than they were: only where one is sent is the message written anew."""
        message = self.reader.messages.type(self.reader.messages.methods[method]["request"]).FromString(request)
        for part in ("template", "cronWorkflow"):
            if part in message.DESCRIPTOR.fields_by_name and message.HasField(part):
                metadata = getattr(message, part).metadata
                if metadata.resourceVersion in self.values:
                    metadata.resourceVersion = self.values[metadata.resourceVersion]
                    return message.SerializeToString()
        return request

    def request(self, exchange, asked):
        method, path = self.fill(asked["do"]).split(" ", 1)
        connection = http.client.HTTPConnection(self.address, timeout=60)
        headers = {"Authorization": f"Bearer {self.token}"} | ({"Accept": asked["accept"]} if "accept" in asked else {})
        connection.request(method, path, self.fill(asked["body"]) if "body" in asked else None, headers)
        answer = connection.getresponse()
        lines = []
        for line in answer:
            lines.append(line)
            if is_stream(asked) and line.startswith(b"data: ") and self.satisfied(exchange, self.reader.of_request([line])[0]):
                break
        connection.close()
        return self.reader.of_request(lines), answer.status


def file_of(name):
    return DATA / f"{name}.jsonl"


def read(name):
    return [json.loads(line) for line in file_of(name).read_text().splitlines()]


def in_one_order(value):
    """Workflows that began in the same second come in any order."""
    if isinstance(value, dict):
        return {name: sorted(map(in_one_order, one), key=json.dumps) if name == "items" else in_one_order(one) for name, one in value.items()}
    return [in_one_order(one) for one in value] if isinstance(value, list) else value


def differences(name, player):
    """Lines that tell what differs."""
    found = []
    for number, exchange in enumerate(read(name)):
        asked = exchange["asked"]
        ours = player.play(exchange)
        found += [f"{name}/{number} {asked.get('call') or asked['do']}: {path}\n    argo   {json.dumps(one)[:300]}\n    tiphys {json.dumps(other)[:300]}"
                  for path, one, other in kube_requests.differences(in_one_order(exchange["told"]), in_one_order(ours))
                  if not any(part in (asked.get("call") or asked["do"]) and path == where for part, where in EXPLAINED)]
    return found


class Recording:
    def __init__(self, name):
        self.name, self.reader, self.exchanges, self.lock = name, Reader(), [], threading.Lock()

    def note(self, asked, answers, code):
        stream = is_stream(asked)
        values = self.reader.of_call(asked["call"], answers) if "call" in asked else self.reader.of_request(answers)
        if self.asks_for_more(asked):
            return
        if "request" in asked:
            asked["request"] = base64.b64encode(asked["request"]).decode()
        until = phase_of(values[-1]) if stream and values else None
        if stream and not until and ("/workflow-events/" in asked.get("do", "") or asked.get("call", "").endswith("/WatchWorkflows")):
            return  # a watch that its client left before anything was told
        with self.lock:
            self.exchanges.append({"asked": asked, "made": made_up(values[-1:] if stream else values), "until": until, "told": told(values, asked, code)})

    def asks_for_more(self, asked):
        """The original tells of more pages than there are where it has an archive."""
        if "do" in asked:
            return "listOptions.continue=" in asked["do"]
        message = self.reader.messages.type(self.reader.messages.methods[asked["call"]]["request"]).FromString(asked["request"])
        return "listOptions" in message.DESCRIPTOR.fields_by_name and bool(getattr(message.listOptions, "continue"))

    def write(self):
        DATA.mkdir(exist_ok=True)
        file_of(self.name).write_text("".join(json.dumps(each, separators=(",", ":"), ensure_ascii=False) + "\n" for each in self.exchanges))


def record(name):
    recording = Recording(name)
    with web_ui_requests.shared_archive("archive") as settings, web_ui_requests.plane(settings) as data_dir, \
            web_ui_requests.original(data_dir, settings, "archive") as server:
        connection = server.connect(10)
        noting = {"grpc": noting_calls, "http1": noting_requests}[name]
        with noting(f"{connection.host}:{connection.port}", recording.note) as address, tempfile.TemporaryDirectory() as folder:
            environment = {"PATH": os.environ["PATH"], "HOME": folder, "ARGO_SERVER": address, "ARGO_TOKEN": f"Bearer {server.token}", "ARGO_SECURE": "false",
                           "ARGO_HTTP1": str(name == "http1").lower(), "ARGO_NAMESPACE": "requests-archive", "KUBECONFIG": "/dev/null"}
            manifests = json.loads((DATA / "manifests.json").read_text())
            for file, manifest in manifests.items():
                (pathlib.Path(folder) / f"{file}.json").write_text(json.dumps(manifest))
            for line in (DATA / "commands").read_text().splitlines():
                done = subprocess.run([os.environ["ARGO_BIN"], *line.split()], cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)
                print(done.returncode, line, (done.stderr.strip().splitlines() or [""])[-1][:200], file=sys.stderr)
    recording.write()


def player_of(data_dir):
    server = json.loads((pathlib.Path(data_dir) / "server.json").read_text())
    return Player(server["address"], server["token"])


def show(name):
    with web_ui_requests.plane(web_ui_requests.config_of("archive")) as data_dir:
        print("\n".join(differences(name, player_of(data_dir))))


if __name__ == "__main__":
    for each in sys.argv[2:] or NAMES:
        {"record": record, "show": show}[sys.argv[1]](each)
