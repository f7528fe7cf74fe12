"""Makes the definitions of the files named, and waits until the API serves them."""

import sys

import yaml
from kubernetes import client, config, watch

config.load_kube_config()
custom = client.CustomObjectsApi()
definitions = ("apiextensions.k8s.io", "v1", "customresourcedefinitions")
waiting = set()
for path in sys.argv[1:]:
    with open(path) as file:
        for document in filter(None, yaml.safe_load_all(file)):
            waiting.add(custom.create_cluster_custom_object(*definitions, document)["metadata"]["name"])
follow = watch.Watch()
for event in follow.stream(custom.list_cluster_custom_object, *definitions, timeout_seconds=60):
    conditions = event["object"].get("status", {}).get("conditions") or []
    if any(each["type"] == "Established" and each["status"] == "True" for each in conditions):
        waiting.discard(event["object"]["metadata"]["name"])
    if not waiting:
        follow.stop()
if waiting:
    sys.exit(f"never served: {sorted(waiting)}")
print("done")
