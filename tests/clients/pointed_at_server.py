"""Libraries that know nothing of tiphys, within tiphys.Server(): pointed_at_server.py before|after, as they are imported."""

import importlib
import sys

import tiphys

LIBRARY = sys.argv[1]
WHEN = sys.argv[2]
SETTINGS = {"hera": ("hera.workflows", "WorkflowsService"), "kubernetes": ("kubernetes.config", "load_kube_config")}


def work(server):
    if LIBRARY == "hera":
        from hera.shared import global_config
        from hera.workflows import Container, Workflow

        with Workflow(generate_name="h-", entrypoint="say") as workflow:
            Container(name="say", image="busybox", command=["echo", "hello"])
        made = workflow.create(wait=True, poll_interval=1)
        assert made.status.phase == "Succeeded"
        assert tiphys.run(workflow, wait=True).logs() == "hello"
        return global_config
    import kubernetes

    kubernetes.config.load_kube_config()
    kubernetes.client.CoreV1Api().create_namespaced_config_map("default", {"metadata": {"name": "made"}})
    assert kubernetes.client.CoreV1Api().read_namespaced_config_map("made", "default").metadata.uid
    return None


if WHEN == "before":
    importlib.import_module(SETTINGS[LIBRARY][0])
with tiphys.Server(runtime="process") as server:
    configured = work(server)
if LIBRARY == "hera":
    assert configured.token is None, "it is given back what it had"
else:
    from kubernetes.config import kube_config

    assert "tiphys-server" not in kube_config.KUBE_CONFIG_DEFAULT_LOCATION or WHEN == "after"
print("done")
