"""KServe's client: services, models, graphs and caches, and a wait for one that gets ready."""

import kserve
from kubernetes import client, config

from status_of import condition, set_status

config.load_kube_config()
serving = kserve.KServeClient()


def service(image="a", resource_version=None):
    predictor = kserve.V1beta1PredictorSpec(min_replicas=1, sklearn=kserve.V1beta1SKLearnSpec(storage_uri="s3://models/" + image))
    return kserve.V1beta1InferenceService(api_version="serving.kserve.io/v1beta1", kind="InferenceService",
                                          metadata=client.V1ObjectMeta(name="iris", namespace="default", resource_version=resource_version),
                                          spec=kserve.V1beta1InferenceServiceSpec(predictor=predictor))


made = serving.create(service())
assert made["metadata"]["uid"] and made["spec"]["predictor"]["sklearn"]["storageUri"] == "s3://models/a", made
assert [each["metadata"]["name"] for each in serving.get(namespace="default")["items"]] == ["iris"]
assert not serving.is_isvc_ready("iris", namespace="default")
set_status("serving.kserve.io/v1beta1", "inferenceservices", "iris", {"observedGeneration": 1, "url": "http://iris.default", "conditions": [condition("PredictorReady"), condition("Ready")]})
serving.wait_isvc_ready("iris", namespace="default", polling_interval=1, timeout_seconds=60)
serving.get("iris", namespace="default", watch=True, timeout_seconds=60)
assert serving.patch("iris", service("b"))["spec"]["predictor"]["sklearn"]["storageUri"] == "s3://models/b"
replaced = serving.replace("iris", service("c"))
assert replaced["spec"]["predictor"]["sklearn"]["storageUri"] == "s3://models/c" and replaced["metadata"]["generation"] == 3
assert replaced["status"]["url"] == "http://iris.default"

model = kserve.V1alpha1TrainedModel(api_version="serving.kserve.io/v1alpha1", kind="TrainedModel", metadata=client.V1ObjectMeta(name="m", namespace="default"),
                                    spec=kserve.V1alpha1TrainedModelSpec(inference_service="iris", model=kserve.V1alpha1ModelSpec(storage_uri="s3://m", framework="sklearn", memory="1Gi")))
serving.create_trained_model(model, "default")
serving.delete_trained_model("m", "default")
graph = kserve.V1alpha1InferenceGraph(api_version="serving.kserve.io/v1alpha1", kind="InferenceGraph", metadata=client.V1ObjectMeta(name="g", namespace="default"),
                                      spec=kserve.V1alpha1InferenceGraphSpec(nodes={"root": kserve.V1alpha1InferenceRouter(
                                          router_type="Sequence", steps=[kserve.V1alpha1InferenceStep(service_name="iris")])}))
serving.create_inference_graph(graph)
set_status("serving.kserve.io/v1alpha1", "inferencegraphs", "g", {"conditions": [condition("Ready")]})
serving.wait_ig_ready("g", namespace="default", polling_interval=1, timeout_seconds=60)
serving.delete_inference_graph("g", namespace="default")
cache = kserve.models.V1alpha1LocalModelCache(api_version="serving.kserve.io/v1alpha1", kind="LocalModelCache", metadata=client.V1ObjectMeta(name="l"),
                                       spec=kserve.models.V1alpha1LocalModelCacheSpec(source_model_uri="s3://m", model_size="1Gi", node_groups=["n"]))
serving.create_local_model_cache(cache)
assert serving.get_local_model_cache("l")["spec"]["sourceModelUri"] == "s3://m"
serving.delete_local_model_cache("l")
serving.delete("iris", namespace="default")
assert serving.get(namespace="default")["items"] == []
print("done")
