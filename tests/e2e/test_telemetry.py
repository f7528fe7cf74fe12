"""Traces and metrics that a plane sends to a collector of OpenTelemetry."""

import json
import signal
import socket

import pytest

from cli_support import cli
from conftest import nodes_by_name
from otlp_collector import attributes, grpc_collector, http_collector

PIPELINE = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "Workflow",
    "metadata": {"name": "traced"},
    "spec": {
        "entrypoint": "main",
        "onExit": "bye",
        "templates": [
            {"name": "main", "steps": [
                [{"name": "one", "template": "tell"}],
                [{"name": "two", "template": "fail", "continueOn": {"failed": True}}, {"name": "no", "template": "tell", "when": "a == b"}],
            ]},
            {"name": "tell", "container": {"image": "busybox", "command": ["sh", "-c", "echo parent=$TRACEPARENT"]}},
            {"name": "fail", "container": {"image": "busybox", "command": ["sh", "-c", "exit 3"]},
             "metrics": {"prometheus": [{"name": "failures", "help": "Of it", "counter": {"value": "2"}}]}},
            {"name": "bye", "container": {"image": "busybox", "command": ["true"]}},
        ],
    },
}
GATED = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "Workflow",
    "metadata": {"name": "gated"},
    "spec": {
        "entrypoint": "main",
        "synchronization": {"mutexes": [{"name": "deploy"}]},
        "templates": [
            {"name": "main", "steps": [[{"name": "before", "template": "quick"}], [{"name": "gate", "template": "gate"}], [{"name": "after", "template": "quick"}]]},
            {"name": "quick", "container": {"image": "busybox", "command": ["true"]}},
            {"name": "gate", "suspend": {}},
        ],
    },
}
OK, ERROR = 1, 2


def seconds(nanoseconds):
    return nanoseconds // 10**9


def until_the_gate(cli):
    watch = cli.start("watch", "gated", "--no-color")
    watch.read_until("gate  Running")
    watch.kill()  # it would take over a directory whose server is gone


def check_tree(spans):
    """One trace, one root, no id twice, and every parent is there."""
    assert len({span.trace_id for span in spans}) == 1
    ids = [span.span_id for span in spans]
    assert len(set(ids)) == len(ids) and all(len(each) == 8 for each in ids)
    assert [span.name for span in spans if not span.parent_span_id] == ["workflow"]
    assert {span.parent_span_id for span in spans} - {b""} <= set(ids)
    assert all(span.start_time_unix_nano <= span.end_time_unix_nano for span in spans)


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_a_run_is_traced_and_counted(cli, protocol):
    with (grpc_collector() if protocol == "grpc" else http_collector()) as collector:
        cli.tiphys.env |= collector.environment | {
            "OTEL_EXPORTER_OTLP_HEADERS": "api-key=a%20b", "OTEL_RESOURCE_ATTRIBUTES": "team=ml", "OTEL_SERVICE_NAME": "mine"}
        done = cli.run(json.dumps(PIPELINE))
        assert "reach" not in done.stderr and "sent" not in done.stderr
    assert {headers.get("api-key") for headers in collector.headers} == {"a b"}
    for resource in collector.resources:
        assert resource["service.name"] == "mine" and resource["team"] == "ml" and resource["process.pid"] > 0
        assert resource["telemetry.sdk.language"] == "cpp" and resource["service.version"].startswith("v")

    workflow = cli.workflow("traced")
    nodes = nodes_by_name(workflow)
    check_tree(collector.distinct())
    root = collector.span("workflow")
    assert root.trace_id.hex() == workflow["metadata"]["uid"].replace("-", "")
    assert attributes(root.attributes) == {"name": "traced", "namespace": "default"} and root.status.code == OK
    assert len([span for span in collector.distinct() if span.name == "node"]) == len(nodes)
    spans = {}
    for node in nodes.values():
        span = spans[node["id"]] = collector.span("node", node_id=node["id"])
        told = attributes(span.attributes)
        assert (told["name"], told["namespace"], told["node_type"], told["node_name"], told["node_phase"]) == (
            "traced", "default", node["type"], node["displayName"], node["phase"])
        assert span.status.code == {"Succeeded": OK, "Failed": ERROR, "Error": ERROR}.get(node["phase"], 0), node["name"]
    for node in nodes.values():
        parent = spans[node["boundaryID"]] if node.get("boundaryID") else root
        assert spans[node["id"]].parent_span_id == parent.span_id, node["name"]
    failed = spans[nodes["[1].two"]["id"]]
    assert failed.status.message == "Failed" and attributes(failed.attributes)["message"] == "main: Error (exit code 3)"
    assert {attributes(span.attributes)["node_phase"] for span in collector.spans if span.name == "nodePhase"} <= {"Pending", "Running"}

    one = spans[nodes["[0].one"]["id"]]
    assert cli("logs", "traced", "--no-color").stdout.count(f"parent=00-{one.trace_id.hex()}-{one.span_id.hex()}-01\n") == 1

    assert ({"namespace": "default", "phase": "Succeeded"}, 1) in collector.points("total_count")
    assert collector.points("failures") == [({}, 2)]
    assert collector.points("operation_duration_seconds")[0][1] > 0
    units = {metric.name: metric.unit for metrics in collector.metrics for metric in metrics}
    assert (units["total_count"], units["failures"]) == ("{workflow}", "{item}")


def test_without_a_collector_steps_know_of_none(cli):
    cli.run(json.dumps(PIPELINE))
    assert "parent=\n" in cli("logs", "traced", "--no-color").stdout


def test_a_trace_goes_on_over_a_crash(cli):
    with http_collector() as collector:
        cli.tiphys.env |= collector.environment | {"OTEL_BSP_SCHEDULE_DELAY": "10"}
        server = cli.up()
        cli("submit", cli.file(json.dumps(GATED)))
        before = collector.until(lambda: collector.span("node", node_name="before"))
        until_the_gate(cli)
        server.popen.send_signal(signal.SIGKILL)
        server.popen.communicate()
        assert not collector.span("workflow")

        server = cli.up()
        cli("resume", "gated")
        cli("wait", "gated")
        collector.until(lambda: collector.span("workflow") and collector.span("node", node_name="gated"))
        server.interrupt()
        server.end()
    check_tree(collector.distinct())
    entry = collector.span("node", node_name="gated")
    assert before.parent_span_id == entry.span_id, "told of before the crash and after it"
    started = [seconds(span.start_time_unix_nano) for span in (entry, before, collector.span("node", node_name="gate"))]
    assert started == sorted(started)


def test_metrics_come_at_their_interval(cli):
    config = cli.file(json.dumps({"metricsConfig": {"enabled": False}}), "config.json")
    with http_collector() as collector:
        cli.tiphys.env |= collector.environment | {"OTEL_METRIC_EXPORT_INTERVAL": "50"}
        cli.up("--config", config)
        cli("submit", cli.file(json.dumps(GATED)))
        lock = {"lock_name": "deploy", "namespace": "default", "storage": "configmap", "type": "mutex"}
        collector.until(lambda: collector.points("locks_held") == [(lock, 1)])
        assert collector.points("locks_taken_total") == [(lock, 1)]
        assert collector.points("gauge") == [({"phase": "Pending"}, 0), ({"phase": "Running"}, 1)]
        until_the_gate(cli)
        cli("resume", "gated")
        collector.until(lambda: collector.metrics and not any(metric.name == "locks_held" for metric in collector.metrics[-1]))
        temporalities = {metric.sum.aggregation_temporality for metrics in collector.metrics for metric in metrics if metric.HasField("sum")}
        assert temporalities == {2}, "since the start"


def test_counts_since_the_last_time(cli):
    config = cli.file(json.dumps({"metricsConfig": {"temporality": "Delta"}}), "config.json")
    with http_collector() as collector:
        cli.tiphys.env |= collector.environment | {"OTEL_METRIC_EXPORT_INTERVAL": "50"}
        server = cli.up("--config", config)
        cli("submit", cli.file(json.dumps(PIPELINE)), "--wait")
        server.interrupt()
        server.end()
    new = [point.as_int for metrics in collector.metrics for metric in metrics if metric.name == "total_count"
           for point in metric.sum.data_points if attributes(point.attributes)["phase"] == "New"]
    assert sum(new) == 1
    assert {metric.sum.aggregation_temporality for metrics in collector.metrics for metric in metrics if metric.HasField("sum")} == {1}


def test_a_busy_collector_is_asked_again(cli):
    busy = (503, {"Retry-After": "0"})
    with http_collector([busy, (429, {"Retry-After": "0"}), busy]) as collector:
        cli.tiphys.env |= {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": collector.environment["OTEL_EXPORTER_OTLP_ENDPOINT"] + "/v1/traces",
                           "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf", "OTEL_BSP_SCHEDULE_DELAY": "10"}
        server = cli.up()
        cli("submit", cli.file(json.dumps(PIPELINE)), "--wait")
        collector.until(lambda: collector.span("workflow"))
        server.interrupt()
        said = server.end().stderr
    assert collector.refused == 3 and collector.metrics == []
    check_tree(collector.distinct())
    assert said.count("traces do not reach") == 1 and said.count("traces reach") == 1


def test_a_dead_collector_hinders_nothing(cli, free_port):
    cli.tiphys.env |= {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{free_port}"}
    done = cli.run(json.dumps(PIPELINE))
    assert cli.workflow("traced")["status"]["phase"] == "Succeeded"
    for signal_name in ("traces", "metrics"):
        assert done.stderr.count(f"{signal_name} do not reach http://127.0.0.1:{free_port}: ") == 1, done.stderr
    assert "connection refused; they are lost" in done.stderr and "spans were not sent" in done.stderr


def test_a_collector_that_never_answers_hinders_nothing(cli):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        cli.tiphys.env |= {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{silent.getsockname()[1]}", "OTEL_EXPORTER_OTLP_TIMEOUT": "300",
                           "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf", "OTEL_BSP_SCHEDULE_DELAY": "10"}
        server = cli.up()
        cli("submit", cli.file(json.dumps(PIPELINE)), "--wait")
        server.interrupt()
        said = server.end().stderr
    assert said.count("traces do not reach") == 1 and "spans were not sent" in said


def test_what_cannot_be_meant_is_said(cli):
    cli.tiphys.env |= {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_EXPORTER_OTLP_PROTOCOL": "thrift"}
    done = cli.run(json.dumps(PIPELINE))
    assert 'no traces and metrics are sent: OTEL_EXPORTER_OTLP_PROTOCOL: "thrift" is neither grpc nor http/protobuf' in done.stderr
