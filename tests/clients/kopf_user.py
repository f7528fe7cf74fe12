"""Somebody who makes, changes and removes a box, and waits for what the operator does."""

import sys

from kubernetes import client, config, watch

config.load_kube_config()
custom, core = client.CustomObjectsApi(), client.CoreV1Api()
boxes = ("example.com", "v1", "default", "boxes")


def until(condition):
    follow = watch.Watch()
    for event in follow.stream(custom.list_namespaced_custom_object, *boxes, timeout_seconds=120):
        if condition(event["type"], event["object"].get("metadata", {}), event["object"].get("status", {})):
            follow.stop()
            return event["object"]
    sys.exit("the box was never as it should be")


custom.create_namespaced_custom_object(*boxes, {"apiVersion": "example.com/v1", "kind": "Box", "metadata": {"name": "b"}, "spec": {"size": 3}})
made = until(lambda type_, metadata, status: status.get("created", {}).get("made"))
assert made["status"]["size"] == 3 and any(name.startswith("kopf.") for name in made["metadata"]["finalizers"]), made
kept = core.read_namespaced_config_map("b-box", "default")
assert kept.data == {"size": "3"} and kept.metadata.owner_references[0].uid == made["metadata"]["uid"]
until(lambda type_, metadata, status: status.get("ticks") == 2)
custom.patch_namespaced_custom_object(*boxes, "b", {"spec": {"size": 4}})
until(lambda type_, metadata, status: status.get("size") == 4 and status.get("was") == 3)
assert core.read_namespaced_config_map("b-box", "default").data == {"size": "4"}
for event in watch.Watch().stream(core.list_namespaced_event, "default", field_selector="involvedObject.kind=Box,involvedObject.name=b"):
    if event["object"].message == "a box of 3 was made":
        break
custom.delete_namespaced_custom_object(*boxes, "b")
until(lambda type_, metadata, status: type_ == "DELETED")
try:
    core.read_namespaced_config_map("b-box", "default")
    sys.exit("what the box kept was not removed")
except client.ApiException as error:
    assert error.status == 404
print("done")
