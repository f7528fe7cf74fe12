"""An operator on Kopf: boxes, each kept as a ConfigMap of its own, with a finalizer, a timer, an event and a status."""

import kopf
from kubernetes import client, config

config.load_kube_config()
core = client.CoreV1Api()


def config_map(body, spec):
    made = {"metadata": {"name": body["metadata"]["name"] + "-box"}, "data": {"size": str(spec["size"])}}
    kopf.adopt(made, owner=body)
    return made


@kopf.on.create("example.com", "v1", "boxes")
def created(body, spec, namespace, patch, **_):
    core.create_namespaced_config_map(namespace, config_map(body, spec))
    patch.status["size"] = spec["size"]
    kopf.info(body, reason="Made", message=f"a box of {spec['size']} was made")
    return {"made": True}


@kopf.on.update("example.com", "v1", "boxes", field="spec.size")
def resized(old, new, name, namespace, patch, **_):
    core.patch_namespaced_config_map(name + "-box", namespace, {"data": {"size": str(new)}})
    patch.status["size"] = new
    patch.status["was"] = old


@kopf.on.delete("example.com", "v1", "boxes")
def deleted(name, namespace, **_):
    core.delete_namespaced_config_map(name + "-box", namespace)


@kopf.timer("example.com", "v1", "boxes", interval=1, initial_delay=1)
def tick(status, patch, **_):
    if status.get("ticks", 0) < 2:
        patch.status["ticks"] = status.get("ticks", 0) + 1
