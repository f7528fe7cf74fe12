"""A collector of OpenTelemetry for tests: OTLP over HTTP and over gRPC, read by protobuf with the fields of github.com/open-telemetry/opentelemetry-proto."""

import concurrent.futures
import contextlib
import http.server
import threading

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

PATIENCE = 60  # seconds after which a test fails

TEXT, BYTES, BOOLEAN, INT64, INT32, FIXED64, SFIXED64, DOUBLE = 9, 12, 8, 3, 5, 6, 16, 1
MESSAGES = {
    "AnyValue": [("string_value", 1, TEXT), ("bool_value", 2, BOOLEAN), ("int_value", 3, INT64)],
    "KeyValue": [("key", 1, TEXT), ("value", 2, "AnyValue")],
    "Resource": [("attributes", 1, "*KeyValue")],
    "Scope": [("name", 1, TEXT)],
    "Status": [("message", 2, TEXT), ("code", 3, INT32)],
    "Span": [("trace_id", 1, BYTES), ("span_id", 2, BYTES), ("parent_span_id", 4, BYTES), ("name", 5, TEXT), ("kind", 6, INT32),
             ("start_time_unix_nano", 7, FIXED64), ("end_time_unix_nano", 8, FIXED64), ("attributes", 9, "*KeyValue"), ("status", 15, "Status")],
    "ScopeSpans": [("scope", 1, "Scope"), ("spans", 2, "*Span")],
    "ResourceSpans": [("resource", 1, "Resource"), ("scope_spans", 2, "*ScopeSpans")],
    "Traces": [("resource_spans", 1, "*ResourceSpans")],
    "NumberPoint": [("start_time_unix_nano", 2, FIXED64), ("time_unix_nano", 3, FIXED64), ("as_double", 4, DOUBLE), ("as_int", 6, SFIXED64),
                    ("attributes", 7, "*KeyValue")],
    "HistogramPoint": [("time_unix_nano", 3, FIXED64), ("count", 4, FIXED64), ("sum", 5, DOUBLE), ("bucket_counts", 6, "*fixed64"),
                       ("explicit_bounds", 7, "*double"), ("attributes", 9, "*KeyValue")],
    "Gauge": [("data_points", 1, "*NumberPoint")],
    "Sum": [("data_points", 1, "*NumberPoint"), ("aggregation_temporality", 2, INT32), ("is_monotonic", 3, BOOLEAN)],
    "Histogram": [("data_points", 1, "*HistogramPoint"), ("aggregation_temporality", 2, INT32)],
    "Metric": [("name", 1, TEXT), ("description", 2, TEXT), ("unit", 3, TEXT), ("gauge", 5, "Gauge"), ("sum", 7, "Sum"), ("histogram", 9, "Histogram")],
    "ScopeMetrics": [("scope", 1, "Scope"), ("metrics", 2, "*Metric")],
    "ResourceMetrics": [("resource", 1, "Resource"), ("scope_metrics", 2, "*ScopeMetrics")],
    "Metrics": [("resource_metrics", 1, "*ResourceMetrics")],
}
PACKED = {"*fixed64": FIXED64, "*double": DOUBLE}


def message_classes():
    file = descriptor_pb2.FileDescriptorProto(name="otlp.proto", package="otlp", syntax="proto3")
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, number, kind in fields:
            repeated = isinstance(kind, str) and kind.startswith("*")
            added = message.field.add(name=field, number=number, label=3 if repeated else 1)
            if kind in PACKED:
                added.type = PACKED[kind]
            elif isinstance(kind, str):
                added.type, added.type_name = 11, ".otlp." + kind.removeprefix("*")
            else:
                added.type = kind
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {name: message_factory.MessageFactory(pool).GetPrototype(pool.FindMessageTypeByName("otlp." + name)) for name in MESSAGES}


TYPES = message_classes()


def attributes(pairs):
    """Their values; what is the type's zero is not to be told from what is not there."""
    found = {pair.key: [value for _, value in pair.value.ListFields()] for pair in pairs}
    return {key: values[0] if values else "" for key, values in found.items()}


class Collector:
    """What has come. `answers` are HTTP statuses and headers for the first requests; later ones are taken."""

    def __init__(self, answers=()):
        self.arrived = threading.Condition()
        self.answers = list(answers)
        self.spans, self.metrics, self.headers, self.resources, self.refused = [], [], [], [], 0

    def take(self, kind, body, headers):
        message = TYPES[kind].FromString(body)
        with self.arrived:
            self.headers.append(headers)
            for each in message.resource_spans if kind == "Traces" else message.resource_metrics:
                self.resources.append(attributes(each.resource.attributes))
                if kind == "Traces":
                    self.spans += [span for scope in each.scope_spans for span in scope.spans]
                else:
                    self.metrics.append([metric for scope in each.scope_metrics for metric in scope.metrics])
            self.arrived.notify_all()

    def until(self, done):
        """Waits until `done` gives something that is true, which is asked after each arrival."""
        with self.arrived:
            assert self.arrived.wait_for(done, PATIENCE), ([span.name for span in self.spans], self.metrics[-1:])
            return done()

    def span(self, name, **wanted):
        """The span with these attributes; None when it has not come."""
        found = [span for span in self.spans if span.name == name and wanted.items() <= attributes(span.attributes).items()]
        return found[0] if found else None

    def distinct(self):
        """All spans. What was under way as the plane ended, and not answered yet, comes again as it was."""
        return list({span.SerializeToString(): span for span in self.spans}.values())

    def points(self, name):
        """Of the last metric of this name: attributes and value (or count), in order."""
        for metrics in reversed(self.metrics):
            for metric in metrics:
                if metric.name != name:
                    continue
                if metric.histogram.data_points:
                    return [(attributes(point.attributes), point.count) for point in metric.histogram.data_points]
                points = metric.sum.data_points or metric.gauge.data_points
                return [(attributes(point.attributes), point.as_int or point.as_double) for point in points]
        return []

    def next_answer(self):
        with self.arrived:
            if not self.answers:
                return None
            self.refused += 1
            self.arrived.notify_all()
            return self.answers.pop(0)


@contextlib.contextmanager
def http_collector(answers=()):
    collector = Collector(answers)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, headers = collector.next_answer() or (200, {})
            if status == 200:
                assert self.headers["Content-Type"] == "application/x-protobuf"
                collector.take({"/v1/traces": "Traces", "/v1/metrics": "Metrics"}[self.path], body, dict(self.headers))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    collector.environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{server.server_port}", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}
    try:
        yield collector
    finally:
        server.shutdown()
        server.server_close()


@contextlib.contextmanager
def grpc_collector():
    collector = Collector()

    def handler(kind):
        def handle(body, context):
            collector.take(kind, body, {pair.key: pair.value for pair in context.invocation_metadata()})
            return b""

        return {"Export": grpc.unary_unary_rpc_method_handler(handle)}

    server = grpc.server(concurrent.futures.ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers((
        grpc.method_handlers_generic_handler("opentelemetry.proto.collector.trace.v1.TraceService", handler("Traces")),
        grpc.method_handlers_generic_handler("opentelemetry.proto.collector.metrics.v1.MetricsService", handler("Metrics"))))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    collector.environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}"}
    try:
        yield collector
    finally:
        server.stop(None).wait()
