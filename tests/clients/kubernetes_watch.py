"""Watches: from now, from a version, of one object, over an end, and of what is gone."""

import threading

from kubernetes import client, config, watch

config.load_kube_config()
core = client.CoreV1Api()


def put(name, **data):
    return core.create_namespaced_config_map("default", client.V1ConfigMap(metadata=client.V1ObjectMeta(name=name), data=data))


def changes(until, **options):
    """(type, name, data) of each change until the one given."""
    seen, follow = [], watch.Watch()
    for event in follow.stream(core.list_namespaced_config_map, "default", timeout_seconds=60, **options):
        seen.append((event["type"], event["object"].metadata.name, event["object"].data))
        if seen[-1][:2] == until:
            follow.stop()
    return seen


put("a", k="1")
assert ("ADDED", "a", {"k": "1"}) in changes(("ADDED", "a"))
start = core.list_namespaced_config_map("default").metadata.resource_version
core.patch_namespaced_config_map("a", "default", {"data": {"k": "2"}})
put("b", k="1")
core.delete_namespaced_config_map("a", "default")
assert changes(("DELETED", "a"), resource_version=start) == [("MODIFIED", "a", {"k": "2"}), ("ADDED", "b", {"k": "1"}), ("DELETED", "a", {"k": "2"})]
assert changes(("ADDED", "b"), field_selector="metadata.name=b") == [("ADDED", "b", {"k": "1"})]

# A watch that the server ends goes on where it was: the client asks again, from the last version that it saw.
names, follow = [], watch.Watch()
timer = threading.Thread(target=lambda: put("c", k="1"))
for event in follow.stream(core.list_namespaced_config_map, "default", field_selector="metadata.name!=kube-root-ca.crt"):
    names.append(event["object"].metadata.name)
    if names == ["b"]:
        timer.start()
    if names[-1] == "c":
        follow.stop()
assert names == ["b", "c"], names
timer.join()

# Kinds without a model, and lines of a log.
pod = client.V1PodSpec(restart_policy="Never", containers=[client.V1Container(name="main", image="busybox", command=["sh", "-c", "echo one; echo two"])])
core.create_namespaced_pod("default", client.V1Pod(metadata=client.V1ObjectMeta(name="p"), spec=pod))
phases, follow = [], watch.Watch()
for event in follow.stream(core.list_namespaced_pod, "default", field_selector="metadata.name=p", timeout_seconds=60):
    phases.append(event["object"].status.phase)
    if phases[-1] == "Succeeded":
        follow.stop()
assert list(dict.fromkeys(phases)) in (["Pending", "Running", "Succeeded"], ["Running", "Succeeded"], ["Pending", "Succeeded"], ["Succeeded"]), phases
assert list(watch.Watch().stream(core.read_namespaced_pod_log, "p", "default", follow=True)) == ["one", "two"]

try:
    list(watch.Watch().stream(core.list_namespaced_config_map, "default", resource_version="999999999", timeout_seconds=1))
except client.rest.ApiException as error:
    assert error.status in (410, 504), error
print("done")
