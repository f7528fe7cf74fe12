"""The messages of Argo's API for Python's protobuf, built from the program's own schemas: another reader and writer of the same numbers."""

import functools
import json
import pathlib

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

SOURCES = pathlib.Path(__file__).resolve().parents[2] / "src"
REFERENCE = "#/components/schemas/"
Field = descriptor_pb2.FieldDescriptorProto
SCALARS = {"byte": Field.TYPE_BYTES, "enum": Field.TYPE_INT32, "int32": Field.TYPE_INT32, "int64": Field.TYPE_INT64, "uint64": Field.TYPE_UINT64}
TYPES = {"string": Field.TYPE_STRING, "boolean": Field.TYPE_BOOL, "integer": Field.TYPE_INT64, "number": Field.TYPE_DOUBLE}
# What is not the members that JSON has: fields as (number, name, type).
FORMS = {
    "time": [(1, "seconds", Field.TYPE_INT64), (2, "nanos", Field.TYPE_INT32)],
    "text": [(1, "string", Field.TYPE_STRING)],
    "int-or-string": [(1, "type", Field.TYPE_INT64), (2, "intVal", Field.TYPE_INT64), (3, "strVal", Field.TYPE_STRING)],
    "json": [(1, "raw", Field.TYPE_BYTES)],
    "number-text": [(1, "value", Field.TYPE_STRING)],
}
KUBERNETES = {"v1.Time": "time", "v1.MicroTime": "time", "resource.Quantity": "text", "intstr.IntOrString": "int-or-string", "runtime.RawExtension": "json", "v1.FieldsV1": "json"}


class Messages:
    def __init__(self):
        api = json.loads((SOURCES / "argo/data/argo.json").read_text())
        self.schemas = {**json.loads((SOURCES / "schema/data/kubernetes.json").read_text()), **api["schemas"]}
        self.methods = {f"/{each['service']}/{each['name']}": each for each in api["methods"]}
        self.file = descriptor_pb2.FileDescriptorProto(name="argo.proto", package="t", syntax="proto2")
        self.made = set()
        for method in self.methods.values():
            self.reference(method["request"])
            self.reference(method["response"])
        self.pool = descriptor_pool.DescriptorPool()
        self.pool.Add(self.file)

    @functools.cache
    def type(self, name):
        return message_factory.MessageFactory(self.pool).GetPrototype(self.pool.FindMessageTypeByName(f"t.{self.plain(name)}"))

    @staticmethod
    def plain(name):
        return name.replace(".", "_").replace("-", "_")

    def reference(self, name):
        """The full name of a message, which is made when it is not there."""
        if name not in self.made:
            self.made.add(name)
            schema = self.schemas[name]
            form = schema.get("x-wire") or next((form for end, form in KUBERNETES.items() if name.endswith(f".{end}")), None)
            message = self.file.message_type.add(name=self.plain(name))
            if form in FORMS:
                for number, field, kind in FORMS[form]:
                    message.field.add(name=field, number=number, type=kind, label=Field.LABEL_OPTIONAL)
            elif form == "nested-json":
                self.reference("io.argoproj.workflow.v1alpha1.Item")
                message.field.add(name="object", number=1, type=Field.TYPE_MESSAGE, type_name=".t.io_argoproj_workflow_v1alpha1_Item", label=Field.LABEL_OPTIONAL)
            elif form == "elements":
                self.add(message, "items", 1, {"type": "array", "items": schema["items"]}, f".t.{message.name}")
            else:
                self.add_members(message, self.numbered(schema), f".t.{message.name}")
        return f".t.{self.plain(name)}"

    @staticmethod
    def numbered(schema):
        return [(tuple(map(int, each["x-number"].split("."))), name, each) for name, each in schema.get("properties", {}).items() if "x-number" in each]

    def add_members(self, message, members, scope):
        """What is in line goes into a message of its own, which is named by its number."""
        inner = {}
        for (first, *rest), name, schema in members:
            if rest:
                inner.setdefault(first, []).append((tuple(rest), name, schema))
            else:
                self.add(message, name, first, schema, scope)
        for number, within in inner.items():
            nested = message.nested_type.add(name=f"InLine{number}")
            self.add_members(nested, within, f"{scope}.{nested.name}")
            message.field.add(name=f"in_line_{number}", number=number, type=Field.TYPE_MESSAGE, type_name=f"{scope}.{nested.name}", label=Field.LABEL_OPTIONAL)

    def add(self, message, name, number, schema, scope):
        field = message.field.add(name=name, number=number, label=Field.LABEL_OPTIONAL)
        if schema.get("type") == "array":
            field.label = Field.LABEL_REPEATED
            self.set_type(field, schema["items"])
        elif "additionalProperties" in schema:
            entry = message.nested_type.add(name=f"{name[0].upper()}{name[1:]}Entry")
            entry.options.map_entry = True
            entry.field.add(name="key", number=1, type=Field.TYPE_STRING, label=Field.LABEL_OPTIONAL)
            value = entry.field.add(name="value", number=2, label=Field.LABEL_OPTIONAL)
            self.set_type(value, schema["additionalProperties"])
            field.label, field.type, field.type_name = Field.LABEL_REPEATED, Field.TYPE_MESSAGE, f"{scope}.{entry.name}"
        else:
            self.set_type(field, schema)

    def set_type(self, field, schema):
        if "$ref" in schema and "properties" not in schema:
            name = schema["$ref"].removeprefix(REFERENCE)
            target = self.schemas[name]
            if target.get("type") in TYPES and name.rpartition(".")[2] not in ("Time", "MicroTime") and "x-wire" not in target:
                return self.set_type(field, target)
            field.type, field.type_name = Field.TYPE_MESSAGE, self.reference(name)
        else:
            field.type = SCALARS.get(schema.get("format")) or TYPES[schema["type"]]
        return None
