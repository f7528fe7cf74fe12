"""What the controllers of a kind would do, for programs of users: conditions, and pods with labels."""

from datetime import datetime, timezone

from kubernetes import client, watch


def set_status(api_version, plural, name, status, namespace="default"):
    group, version = api_version.split("/")
    client.CustomObjectsApi().patch_namespaced_custom_object_status(group, version, namespace, plural, name, {"status": status})


def condition(type_, status="True"):
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"type": type_, "status": status, "reason": type_, "message": f"it is {type_}", "lastTransitionTime": now, "lastUpdateTime": now}


def run_pod(name, labels, container, *command):
    """Until it has ended."""
    core = client.CoreV1Api()
    spec = client.V1PodSpec(restart_policy="Never", containers=[client.V1Container(name=container, image="busybox", command=list(command))])
    core.create_namespaced_pod("default", client.V1Pod(metadata=client.V1ObjectMeta(name=name, labels=labels), spec=spec))
    follow = watch.Watch()
    for event in follow.stream(core.list_namespaced_pod, "default", field_selector=f"metadata.name={name}"):
        if event["object"].status.phase == "Succeeded":
            follow.stop()
