"""The dynamic client: kinds as they are discovered, with a definition of its own."""

from kubernetes import client, config, dynamic
from kubernetes.client.rest import ApiException

config.load_kube_config()
api = dynamic.DynamicClient(client.ApiClient())
definitions = api.resources.get(api_version="apiextensions.k8s.io/v1", kind="CustomResourceDefinition")
schema = {"type": "object", "properties": {"spec": {"type": "object", "properties": {"size": {"type": "integer", "default": 1}}},
                                           "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}}
version = {"name": "v1", "served": True, "storage": True, "subresources": {"status": {}}, "schema": {"openAPIV3Schema": schema}}
definitions.create(body={"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "crates.example.com"},
                         "spec": {"group": "example.com", "scope": "Namespaced", "names": {"plural": "crates", "kind": "Crate", "shortNames": ["cr"]}, "versions": [version]}})
for event in definitions.watch(field_selector="metadata.name=crates.example.com", timeout=60):
    if any(c["type"] == "Established" and c["status"] == "True" for c in event["raw_object"].get("status", {}).get("conditions", [])):
        break
api.resources.invalidate_cache()
crates = api.resources.get(api_version="example.com/v1", kind="Crate")
assert crates.namespaced and crates.short_names == ["cr"] and "patch" in crates.verbs
crate = {"apiVersion": "example.com/v1", "kind": "Crate", "metadata": {"name": "a", "labels": {"k": "v"}}, "spec": {}}
made = crates.create(body=crate, namespace="default")
assert made.spec.size == 1 and made.metadata.generation == 1
merge = "application/merge-patch+json"
assert crates.patch(name="a", namespace="default", body={"spec": {"size": 2}}, content_type=merge).spec.size == 2
assert crates.patch(name="a", namespace="default", body=[{"op": "replace", "path": "/spec/size", "value": 3}], content_type="application/json-patch+json").spec.size == 3
status = crates.status.patch(name="a", namespace="default", body={"status": {"full": True}, "spec": {"size": 9}}, content_type=merge)
assert status.status.full is True and status.spec.size == 3
made = crates.get(name="a", namespace="default").to_dict()
made["spec"]["size"] = 4
assert crates.replace(body=made, namespace="default").metadata.generation == 4
assert [item.metadata.name for item in crates.get(label_selector="k=v").items] == ["a"]
try:
    crates.replace(body={**made, "metadata": {**made["metadata"], "resourceVersion": "1"}}, namespace="default")
    raise AssertionError("a stale write was not refused")
except (dynamic.exceptions.ConflictError, ApiException) as error:
    assert error.status == 409
crates.delete(name="a", namespace="default")
assert crates.get(namespace="default").items == []
definitions.delete(name="crates.example.com")
print("done")
