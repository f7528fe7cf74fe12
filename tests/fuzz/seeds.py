#!/usr/bin/env python3
"""Writes the inputs that a fuzz target starts from, taken from the tables of tests/oracles and our manifests.

  tests/fuzz/seeds.py TARGET FOLDER
"""

import bz2
import gzip
import hashlib
import io
import json
import lzma
import re
import struct
import sys
import tarfile
import zipfile
import zlib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TABLES = ROOT / "tests/oracles"
SEPARATOR = b"\xff"  # as in targets.h


def rows(table):
    for line in (TABLES / f"{table}.jsonl").open():
        row = json.loads(line)
        if "in" in row:
            yield row


def text(value):
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def document(row):
    """The JSON text of "with"."""
    value = row.get("with")
    return (TABLES / f"data/{value}.json").read_text().strip() if isinstance(value, str) else json.dumps(value)


def with_documents(table, *more):
    return [(text(row["in"]), document(row), *(text(row.get(name, "")) for name in more)) for row in rows(table)]


def texts(table):
    return [(text(row["in"]),) for row in rows(table)]


def literals(word):
    """The quoted texts of each expression that matches."""
    expressions = [row["in"] for row in rows("expr") if isinstance(row["in"], str) and re.search(word, row["in"])]
    return [re.findall(r"""["']([^"']*)["']""", expression) for expression in expressions]


def manifests():
    return [(path.read_text(),) for folder in ("examples", "tests/bad") for path in sorted((ROOT / folder).rglob("*.yaml"))]


def answers():
    """What stores of artifacts answer, and XML that is odd."""
    return [(text,) for text in (
        "<?xml version=\"1.0\"?>\n<!-- a --><s:List xmlns:s=\"u>v\"><Key>a&amp;b&#x41;&#228;</Key><Empty/><In a='>'><Key>c</Key> t<![CDATA[<d>]]></In></s:List>",
        "<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message><Key>a</Key></Error>",
        "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><IsTruncated>true</IsTruncated><Contents><Key>a%20b</Key></Contents></ListBucketResult>",
        "<EnumerationResults><Blobs><Blob><Name>a</Name></Blob></Blobs><NextMarker/></EnumerationResults>",
        "<a>b&#13;\r\nc&#x110000;</a>", "<a>&#13;</a>", "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "<a>" * 40)]


def archives():
    """Tars and zips by each filter that is read, with links, devices and names that lead out."""
    def tar(packed, *members):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT if packed is bz2.compress else tarfile.PAX_FORMAT) as made:
            for name, kind, content in members:
                member = tarfile.TarInfo(name)
                member.type, member.mode = kind, 0o755
                if kind == tarfile.REGTYPE:
                    member.size = len(content)
                else:
                    member.linkname = content
                made.addfile(member, io.BytesIO(content) if kind == tarfile.REGTYPE else None)
        return (packed(out.getvalue()),)

    def zipped(method, *members):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", method) as made:
            for name, content, mode in members:
                entry = zipfile.ZipInfo(name)
                entry.external_attr, entry.compress_type = mode << 16, method
                made.writestr(entry, content)
        return (out.getvalue(),)

    file, folder, link, hard = tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE
    usual = [("a", folder, ""), ("a/b", file, b"text"), ("a/c", link, "b"), ("a/d", hard, "a/b"), ("a/\u00e4" + "n" * 120, file, b"")]
    hostile = [("../outside/x", file, b"x"), ("a", link, "../outside"), ("a/file", file, b"x"), ("/b", file, b"y"), ("n", tarfile.CHRTYPE, ""), ("p", tarfile.FIFOTYPE, ""), ("h", hard, "../outside/file")]
    filters = (bytes, lambda data: gzip.compress(data, mtime=0), bz2.compress, lzma.compress)
    made = [tar(packed, *members) for packed in filters for members in (usual, hostile)] + [tar(bytes, member) for member in hostile]
    members = [("a/", b"", 0o40755), ("a/b", b"text" * 9, 0o100644), ("a/c", b"b", 0o120777)]
    return made + [zipped(method, *members, *more) for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for more in ((), (("../x", b"x", 0o100644),), (("l", b"../outside", 0o120777), ("l/x", b"x", 0o100644)))]


def spdy_client():
    """Bytes of a client that forwards a port, once with a reset: streams of SPDY/3 with headers that are only stored, so that no dictionary is needed."""
    stored = zlib.compressobj(0)

    def control(kind, body):
        return struct.pack(">HHI", 0x8003, kind, len(body)) + body

    def stream(number, **headers):
        block = struct.pack(">I", len(headers))
        for name, value in headers.items():
            block += struct.pack(">I", len(name)) + name.encode() + struct.pack(">I", len(value)) + value.encode()
        block = stored.compress(block) + stored.flush(zlib.Z_SYNC_FLUSH)
        return control(1, struct.pack(">IIH", number, 0, 0) + block)

    def data(number, text, last=0):
        return struct.pack(">II", number, last << 24 | len(text)) + text

    opened = stream(1, streamtype="error", port="80", requestid="0") + stream(3, streamtype="data", port="80", requestid="0")
    talk = data(1, b"", 1) + data(3, b"GET / HTTP/1.1") + control(6, struct.pack(">I", 1))
    return [(opened + talk + data(3, b"", 1),), (opened + control(3, struct.pack(">II", 3, 5)),), (talk + control(7, bytes(8)),)]


def websocket_client():
    def frame(first, payload):
        return bytes([first, 0x80 | len(payload)]) + bytes(4) + payload

    return [(frame(0x82, b"\0in") + frame(0x89, b"p") + frame(0x88, b"\x03\xe8"),), (frame(0x01, b"a") + frame(0x80, b"b"),)]


def http2_client():
    """Requests with literal headers of HPACK, one with a body, and a reset."""
    def frame(kind, flags, stream, payload=b""):
        return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload

    def literal(name, value):
        return bytes([0, len(name)]) + name + bytes([len(value)]) + value

    def asked(method, path):
        return literal(b":method", method) + literal(b":path", path) + b"\x86" + literal(b":authority", b"localhost")

    begin = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0)
    maps = b"/api/v1/namespaces/default/configmaps"
    made = frame(1, 4, 1, asked(b"POST", maps)) + frame(0, 1, 1, b'{"metadata":{"name":"a"}}')
    watch = frame(1, 5, 3, asked(b"GET", maps + b"?watch=1")) + frame(3, 0, 3, bytes(4))
    return [(begin + made,), (begin + watch + made,), (begin + frame(1, 5, 1, asked(b"GET", b"/version")),)]


def requests():
    maps, pods = "/api/v1/namespaces/default/configmaps", "/api/v1/namespaces/default/pods"
    a_map = '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "labels": {"b": "c"}}, "data": {"d": "e"}}'
    a_pod = '{"metadata": {"generateName": "p-"}, "spec": {"containers": [{"name": "m", "image": "i", "ports": [{"containerPort": 80}], "resources": {"limits": {"cpu": "100m"}}}]}}'
    rows = [("GET", maps + "?labelSelector=a%20in%20(b,c),!d&limit=3"), ("GET", maps + "?fieldSelector=metadata.name%3Da&watch=1&timeoutSeconds=1"), ("GET", "/openapi/v3/api/v1"),
            ("GET", "/apis/batch/v1"), ("POST", maps, "application/json", a_map), ("POST", pods + "?dryRun=All&fieldValidation=Strict", "application/yaml", a_pod),
            ("PATCH", maps + "/a?fieldManager=f&force=true", "application/apply-patch+yaml", a_map), ("DELETE", maps + "?propagationPolicy=Foreground", "", '{"gracePeriodSeconds": 0}'),
            ("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", "application/json", '{"spec": {"resourceAttributes": {"verb": "get", "resource": "pods"}}}'),
            ("POST", maps, "application/vnd.kubernetes.protobuf", "k8s\x00\n\x0f\n\x02v1\x12\tConfigMap")]
    workflow = '{"workflow": {"metadata": {"generateName": "a-", "labels": null}, "spec": {"entrypoint": "m", "templates": [{"name": "m", "steps": [[{"name": "s", "withItems": [1, null]}]]}]}}}'
    rows += [("POST", "/api/v1/workflows/argo", "", workflow), ("GET", "/api/v1/workflows/argo?listOptions.labelSelector=a%3Db&listOptions.limit=3&fields=metadata"),
             ("GET", "/api/v1/workflows/argo/%40latest/log?logOptions.follow=True&logOptions.sinceTime.seconds=1"),
             ("PUT", "/api/v1/workflows/argo/a/retry", "", '{"parameters": ["a=b"], "restartSuccessful": true}'), ("POST", "/api/v1/events/argo/", "", '{"a": [1]}'),
             ("DELETE", "/api/v1/workflows/argo/a?deleteOptions.dryRun=All&deleteOptions.gracePeriodSeconds=0"), ("POST", "/api/v1/sync/argo", "", '{"type": 1, "limit": "2"}'),
             ("GET", "/api/v1/workflow-events/argo?fields=-result.object.metadata.name")]
    return [row + ("",) * (4 - len(row)) for row in rows]


def field(number, value):
    """Of a protobuf message: a number or bytes, each shorter than 128."""
    return bytes([number << 3, value]) if isinstance(value, int) else bytes([number << 3 | 2, len(value)]) + value


def argo_messages():
    """The first byte is a method's place in src/argo/data/argo.json."""
    metadata = field(1, field(1, b"a") + field(11, field(1, b"l") + field(2, b"v")))
    template = field(1, b"m") + field(11, field(1, field(1, b"s") + field(5, field(1, b'{"a": 1}'))))
    spec = field(1, template) + field(2, b"m")
    workflow = field(1, metadata) + field(2, spec)
    return [(b"\0" + field(1, b"argo") + field(2, workflow),), (b"\1" + workflow,), (b"\2" + field(2, field(1, b"a=b") + field(7, 3)),), (b"\2" + field(1, field(8, b"c")) + field(2, workflow),)]


def grpc_calls():
    def frame(message, flag=0):
        return struct.pack(">BI", flag, len(message)) + message

    service = b"/workflow.WorkflowService/"
    gzip = zlib.compressobj(9, zlib.DEFLATED, 31)
    packed = gzip.compress(field(1, b"a")) + gzip.flush()
    calls = [(message[0][1:], name) for message, name in zip(argo_messages(), (b"CreateWorkflow", b"LintWorkflow", b"ListWorkflows"))]
    return [(service + name, b"100m", b"", frame(message)) for message, name in calls] + [(service + b"WorkflowLogs", b"", b"gzip", frame(packed, 1)), (b"/a/b", b"", b"", b"")]


SEEDS = {
    "archive": archives,
    "argo_message": argo_messages,
    "grpc": grpc_calls,
    "http2": http2_client,
    "request": requests,
    "xml": answers,
    "json": lambda: [(document,) for row in with_documents("merge_patch") + with_documents("gjson") for document in row[:2]],
    "yaml": manifests,
    "kubectl_jsonpath": lambda: with_documents("kubectl_jsonpath"),
    "gjson": lambda: with_documents("gjson"),
    "sjson": lambda: with_documents("sjson", "set"),
    "json_patch": lambda: with_documents("json_patch"),
    "merge_patch": lambda: with_documents("merge_patch"),
    "strategic_merge_patch": lambda: with_documents("strategic_merge_patch", "kind"),
    "expr": lambda: texts("expr"),
    "template": lambda: texts("template"),
    "document_template": lambda: texts("template"),
    "when": lambda: texts("when"),
    "depends": lambda: texts("depends"),
    "condition": lambda: with_documents("condition"),
    "jsonpath": lambda: with_documents("jsonpath"),
    "jq_syntax": lambda: texts("jq"),
    "semver": lambda: literals("(?i)semver"),
    "url": lambda: literals("url"),
    "layout": lambda: literals("(?i)date|format"),
    "spdy": spdy_client,
    "spdy_forward": spdy_client,
    "websocket": websocket_client,
    "duration": lambda: literals("(?i)duration|ago|round|date"),
}


def main(target, folder):
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for parts in SEEDS[target]():
        seed = SEPARATOR.join(part if isinstance(part, bytes) else part.encode(errors="surrogatepass") for part in parts)
        (folder / hashlib.sha1(seed).hexdigest()).write_bytes(seed)


if __name__ == "__main__":
    main(*sys.argv[1:])
