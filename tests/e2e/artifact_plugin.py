"""An artifact plugin as Argo's documentation wants them, by Debian's python3-grpcio: keeps artifacts in a folder of its own, /tmp/kept.

Its one argument is the socket to listen on. It prints each call. Its configuration may hold "fail: WORDS" (each call fails with these) or
"die" (the plugin ends). The messages are those of pkg/apiclient/artifact/artifact.proto.
"""

import concurrent.futures
import os
import pathlib
import shutil
import signal
import sys

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

TEXT, NUMBER, BOOLEAN = 9, 5, 8
MESSAGES = {
    "PluginArtifact": [("name", 1, TEXT), ("configuration", 2, TEXT), ("connection_timeout_seconds", 3, NUMBER), ("key", 4, TEXT)],
    "Artifact": [("name", 1, TEXT), ("path", 2, TEXT), ("mode", 3, NUMBER), ("plugin", 5, "PluginArtifact"), ("optional", 6, BOOLEAN)],
    "LoadRequest": [("artifact", 1, "Artifact"), ("path", 2, TEXT)],
    "SaveRequest": [("path", 1, TEXT), ("artifact", 2, "Artifact")],
    "OnlyArtifact": [("artifact", 1, "Artifact")],
    "Outcome": [("success", 1, BOOLEAN), ("error", 2, TEXT)],
    "Objects": [("objects", 1, "*"), ("error", 2, TEXT)],
}


def message_classes():
    file = descriptor_pb2.FileDescriptorProto(name="artifact.proto", package="artifact", syntax="proto3")
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, number, kind in fields:
            added = message.field.add(name=field, number=number, label=3 if kind == "*" else 1)
            if kind in (TEXT, NUMBER, BOOLEAN):
                added.type = kind
            elif kind == "*":
                added.type = TEXT
            else:
                added.type, added.type_name = 11, ".artifact." + kind
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {name: message_factory.MessageFactory(pool).GetPrototype(pool.FindMessageTypeByName("artifact." + name)) for name in MESSAGES}


TYPES = message_classes()
KEPT = pathlib.Path("/tmp/kept")


def kept(artifact):
    return KEPT / artifact.plugin.key


def copy(source, target):
    target = pathlib.Path(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(source, target) if os.path.isdir(source) else shutil.copy(source, target)


def load(request, context):
    if not kept(request.artifact).exists():
        context.abort(grpc.StatusCode.NOT_FOUND, "no " + request.artifact.plugin.key)
    copy(kept(request.artifact), request.path)


def save(request, context):
    copy(request.path, kept(request.artifact))


def delete(request, context):
    kept(request.artifact).unlink(missing_ok=True)


def list_objects(request, context):
    top = kept(request.artifact)
    return TYPES["Objects"](objects=sorted(str(path.relative_to(KEPT)) for path in top.rglob("*") if path.is_file()))


def handler(name, request_type, call):
    def handle(request, context):
        artifact = request.artifact
        configuration = artifact.plugin.configuration
        print(name, artifact.name, artifact.path, artifact.plugin.key, artifact.plugin.connection_timeout_seconds, flush=True)
        if configuration == "die":
            print("dying as told", flush=True)
            os._exit(3)
        if configuration.startswith("fail: "):
            return TYPES["Objects" if call is list_objects else "Outcome"](error=configuration[6:])
        return call(request, context) or TYPES["Outcome"](success=True)

    return name, grpc.unary_unary_rpc_method_handler(handle, TYPES[request_type].FromString, lambda answer: answer.SerializeToString())


def main():
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(4))
    methods = dict([handler("Load", "LoadRequest", load), handler("Save", "SaveRequest", save), handler("Delete", "OnlyArtifact", delete),
                    handler("ListObjects", "OnlyArtifact", list_objects)])
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("artifact.ArtifactService", methods),))
    server.add_insecure_port("unix:" + sys.argv[1])
    signal.signal(signal.SIGTERM, lambda *_: server.stop(0))
    server.start()
    print("listening on", sys.argv[1], flush=True)
    server.wait_for_termination()


main()
