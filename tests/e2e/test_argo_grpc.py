"""Argo's API by gRPC: Google's client, with messages that Python's protobuf reads and writes."""

import base64
import functools
import json

import grpc
import pytest
import yaml

from argo_messages import Messages

SERVICE = "/workflow.WorkflowService"


@pytest.fixture(scope="module")
def messages():
    return Messages()


class Client:
    def __init__(self, tiphys, messages, credentials=None):
        server = json.loads((tiphys.data_dir / "server.json").read_text())
        self.messages, self.metadata = messages, (("authorization", f"Bearer {server['token']}"),)
        # Two channels of one target would share a connection.
        options = [("grpc.max_receive_message_length", 100 << 20), ("grpc.use_local_subchannel_pool", 1)]
        address = server["address"]
        self.channel = grpc.secure_channel(address, credentials, options) if credentials else grpc.insecure_channel(address, options)

    def ask(self, path, request=None, **options):
        """One answer, or the stream of them."""
        method = self.messages.methods[path]
        make = self.channel.unary_stream if method["streams"] else self.channel.unary_unary
        request_type, response_type = self.messages.type(method["request"]), self.messages.type(method["response"])
        call = make(path, request_serializer=lambda message: message.SerializeToString(), response_deserializer=response_type.FromString)
        return call(request or request_type(), metadata=options.pop("metadata", self.metadata), timeout=options.pop("timeout", 60), **options)

    def request(self, path, **fields):
        message = self.messages.type(self.messages.methods[path]["request"])()
        for name, value in fields.items():
            setattr(message, name, value)
        return message

    def create(self, name, script="echo hello", **labels):
        request = self.request(f"{SERVICE}/CreateWorkflow", namespace="default")
        request.workflow.metadata.name = name
        for label, value in labels.items():
            request.workflow.metadata.labels[label] = value
        request.workflow.spec.entrypoint = "main"
        template = request.workflow.spec.templates.add()
        template.name, template.container.image = "main", "x"
        template.container.command.extend(["sh", "-c", script])
        return self.ask(f"{SERVICE}/CreateWorkflow", request)

    def close(self):
        self.channel.close()


@pytest.fixture
def client(tiphys, messages):
    tiphys.up()
    made = Client(tiphys, messages)
    yield made
    made.close()


def code_of(call):
    with pytest.raises(grpc.RpcError) as failed:
        call()
    return failed.value.code()


def test_workflows(client, tiphys):
    created = client.create("hello", a="b")
    assert created.metadata.uid and created.metadata.labels["a"] == "b"
    watched = client.request(f"{SERVICE}/WatchWorkflows", namespace="default")
    watched.listOptions.fieldSelector = "metadata.name=hello"
    for event in client.ask(f"{SERVICE}/WatchWorkflows", watched):
        if event.object.status.phase in ("Succeeded", "Failed", "Error"):
            break
    assert event.object.status.phase == "Succeeded", event
    found = client.ask(f"{SERVICE}/GetWorkflow", client.request(f"{SERVICE}/GetWorkflow", namespace="default", name="hello"))
    assert found.metadata.uid == created.metadata.uid
    [node] = found.status.nodes.values()
    assert (node.type, node.phase) == ("Pod", "Succeeded") and node.startedAt.seconds > 0
    logs = client.ask(f"{SERVICE}/WorkflowLogs", client.request(f"{SERVICE}/WorkflowLogs", namespace="default", name="hello"))
    assert [entry.content for entry in logs] == ["hello"]
    # The same as others see it.
    assert tiphys.object("hello")["metadata"]["labels"]["a"] == "b"
    listed = client.ask(f"{SERVICE}/ListWorkflows", client.request(f"{SERVICE}/ListWorkflows", namespace="default"))
    assert [each.metadata.name for each in listed.items] == ["hello"]
    client.ask(f"{SERVICE}/DeleteWorkflow", client.request(f"{SERVICE}/DeleteWorkflow", namespace="default", name="hello"))
    get = client.request(f"{SERVICE}/GetWorkflow", namespace="default", name="hello")
    assert code_of(lambda: client.ask(f"{SERVICE}/GetWorkflow", get)) == grpc.StatusCode.NOT_FOUND


def test_calls_that_are_refused(client):
    get = client.request(f"{SERVICE}/GetWorkflow", namespace="default", name="none")
    ask = functools.partial(client.ask, f"{SERVICE}/GetWorkflow", get)
    assert code_of(ask) == grpc.StatusCode.NOT_FOUND
    assert code_of(lambda: ask(metadata=())) == grpc.StatusCode.UNAUTHENTICATED
    assert code_of(lambda: ask(metadata=(("authorization", "Bearer wrong"),))) == grpc.StatusCode.UNAUTHENTICATED
    unknown = client.channel.unary_unary("/grpc.health.v1.Health/Check")
    assert code_of(lambda: unknown(b"", metadata=client.metadata)) == grpc.StatusCode.UNIMPLEMENTED
    garbage = client.channel.unary_unary(f"{SERVICE}/GetWorkflow")
    assert code_of(lambda: garbage(b"\xff\xff", metadata=client.metadata)) == grpc.StatusCode.INVALID_ARGUMENT
    large = client.request(f"{SERVICE}/GetWorkflow", name="x" * (17 << 20))
    assert code_of(lambda: client.ask(f"{SERVICE}/GetWorkflow", large)) == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert code_of(ask) == grpc.StatusCode.NOT_FOUND, "the connection goes on"


def test_answers_tell_the_version(client):
    path = "/info.InfoService/GetVersion"
    method = client.channel.unary_unary(path, response_deserializer=client.messages.type(client.messages.methods[path]["response"]).FromString)
    answer, call = method.with_call(b"", metadata=client.metadata, timeout=60)
    assert dict(call.initial_metadata())["argo-version"].startswith("v4.1.")
    assert answer.version


def test_by_tls(client, tiphys, messages):
    kubeconfig = yaml.safe_load((tiphys.data_dir / "kubeconfig").read_text())
    authority = base64.b64decode(kubeconfig["clusters"][0]["cluster"]["certificate-authority-data"])
    secure = Client(tiphys, messages, grpc.ssl_channel_credentials(authority))
    client.create("hello")
    listed = secure.ask(f"{SERVICE}/ListWorkflows", secure.request(f"{SERVICE}/ListWorkflows", namespace="default"))
    assert [each.metadata.name for each in listed.items] == ["hello"]
    secure.close()


def test_a_compressed_request(client):
    request = client.request(f"{SERVICE}/ListWorkflows", namespace="default")
    assert list(client.ask(f"{SERVICE}/ListWorkflows", request, compression=grpc.Compression.Gzip).items) == []


def test_a_stream_ends_in_time_or_when_it_is_cancelled(client):
    watch = client.request(f"{SERVICE}/WatchWorkflows", namespace="default")
    assert code_of(lambda: list(client.ask(f"{SERVICE}/WatchWorkflows", watch, timeout=0.5))) == grpc.StatusCode.DEADLINE_EXCEEDED
    client.create("one")
    stream = client.ask(f"{SERVICE}/WatchWorkflows", watch)
    assert next(iter(stream)).object.metadata.name == "one"
    stream.cancel()
    assert code_of(lambda: list(stream)) == grpc.StatusCode.CANCELLED


def test_large_logs_come_whole_to_a_slow_reader(client):
    lines, width = 3000, 1000
    client.create("long", f"i=0; while [ $i -lt {lines} ]; do printf '%0{width}d\\n' $i; i=$((i+1)); done")
    request = client.request(f"{SERVICE}/WorkflowLogs", namespace="default", name="long")
    request.logOptions.follow = True
    assert [int(entry.content) for entry in client.ask(f"{SERVICE}/WorkflowLogs", request)] == list(range(lines))
