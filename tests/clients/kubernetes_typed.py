"""Typed objects: what a program makes, reads, changes and removes, and every list that its models must be able to read."""

import base64

from kubernetes import client, config, watch

config.load_kube_config()
core, apps, batch = client.CoreV1Api(), client.AppsV1Api(), client.BatchV1Api()
meta = client.V1ObjectMeta


def plain(answer):
    """As it came: what the models of a deletion's answer are depends on the client's version."""
    return client.ApiClient().sanitize_for_serialization(answer)


def refused(status, reason, call, *arguments, **options):
    try:
        call(*arguments, **options)
    except client.rest.ApiException as error:
        assert error.status == status and f'"reason":"{reason}"' in error.body, error
        return error.body
    raise AssertionError(f"{call.__name__} was not refused")


def until(condition, call, name):
    """The object once it is as it should be."""
    follow = watch.Watch()
    for event in follow.stream(call, "default", field_selector=f"metadata.name={name}", timeout_seconds=60):
        if event["object"].status and condition(event["object"].status):
            follow.stop()
            return event["object"]
    raise AssertionError(f"{name} was never as it should be")


def configurations():
    body = client.V1ConfigMap(metadata=meta(name="c", labels={"app": "a"}), data={"k": "v"})
    made = core.create_namespaced_config_map("default", body)
    assert made.metadata.uid and made.metadata.creation_timestamp.tzinfo
    refused(409, "AlreadyExists", core.create_namespaced_config_map, "default", body)
    assert core.patch_namespaced_config_map("c", "default", {"data": {"j": "u"}}).data == {"k": "v", "j": "u"}
    read = core.read_namespaced_config_map("c", "default")
    read.data = {"k": "w"}
    assert core.replace_namespaced_config_map("c", "default", read).data == {"k": "w"}
    refused(409, "Conflict", core.replace_namespaced_config_map, "c", "default", read)
    core.create_namespaced_config_map("default", client.V1ConfigMap(metadata=meta(generate_name="c-", labels={"app": "a"}), binary_data={"b": "AAE="}))
    first = core.list_namespaced_config_map("default", label_selector="app in (a, b)", limit=1)
    assert len(first.items) == 1 and first.metadata._continue
    second = core.list_namespaced_config_map("default", label_selector="app in (a, b)", limit=1, _continue=first.metadata._continue)
    assert len(second.items) == 1 and not second.metadata._continue
    assert [c.metadata.name for c in core.list_config_map_for_all_namespaces(field_selector="metadata.name=c").items] == ["c"]
    core.delete_collection_namespaced_config_map("default", label_selector="app=a")
    refused(404, "NotFound", core.read_namespaced_config_map, "c", "default")
    secret = core.create_namespaced_secret("default", client.V1Secret(metadata=meta(name="s"), string_data={"a": "b"}))
    assert secret.type == "Opaque" and base64.b64decode(secret.data["a"]) == b"b"
    assert "metadata.name: Invalid value" in refused(422, "Invalid", core.create_namespaced_secret, "default", client.V1Secret(metadata=meta(name="S_")))


def container(*command):
    return client.V1Container(name="main", image="busybox", command=list(command))


def pods():
    spec = client.V1PodSpec(restart_policy="Never", containers=[container("sh", "-c", "echo out; exit 3")])
    core.create_namespaced_pod("default", client.V1Pod(metadata=meta(name="p"), spec=spec))
    log = core.read_namespaced_pod_log("p", "default", follow=True)
    assert log == "out\n", log
    until(lambda status: status.phase == "Failed", core.list_namespaced_pod, "p")
    state = core.read_namespaced_pod_status("p", "default").status.container_statuses[0].state
    assert state.terminated.exit_code == 3 and state.terminated.finished_at >= state.terminated.started_at
    core.delete_namespaced_pod("p", "default", grace_period_seconds=0)


def workloads():
    template = client.V1PodTemplateSpec(metadata=meta(labels={"app": "j"}), spec=client.V1PodSpec(restart_policy="Never", containers=[container("true")]))
    batch.create_namespaced_job("default", client.V1Job(metadata=meta(name="j"), spec=client.V1JobSpec(template=template, backoff_limit=0)))
    until(lambda status: status.succeeded and status.conditions, batch.list_namespaced_job, "j")
    assert batch.read_namespaced_job_status("j", "default").status.completion_time
    assert plain(batch.delete_namespaced_job("j", "default", propagation_policy="Background"))["status"]
    template.spec = client.V1PodSpec(containers=[container("sleep", "600")])
    spec = client.V1DeploymentSpec(replicas=1, selector=client.V1LabelSelector(match_labels={"app": "j"}), template=template)
    apps.create_namespaced_deployment("default", client.V1Deployment(metadata=meta(name="d"), spec=spec))
    until(lambda status: status.available_replicas == 1, apps.list_namespaced_deployment, "d")
    assert apps.patch_namespaced_deployment_scale("d", "default", {"spec": {"replicas": 2}}).spec.replicas == 2
    until(lambda status: status.ready_replicas == 2, apps.list_namespaced_deployment, "d")
    assert apps.read_namespaced_deployment_scale("d", "default").status.replicas == 2
    every_list()
    apps.delete_namespaced_deployment("d", "default", propagation_policy="Foreground")
    for event in watch.Watch().stream(apps.list_namespaced_deployment, "default", timeout_seconds=60):
        if event["type"] == "DELETED":
            break
    assert not core.list_namespaced_pod("default", label_selector="app=j").items


def every_list():
    """Each model of what the plane serves, as it is when there is something of it."""
    core.create_namespaced_service("default", client.V1Service(metadata=meta(name="web"), spec=client.V1ServiceSpec(selector={"app": "j"}, ports=[client.V1ServicePort(port=80)])))
    claim = client.V1PersistentVolumeClaimSpec(access_modes=["ReadWriteOnce"], resources={"requests": {"storage": "1Mi"}})
    core.create_namespaced_persistent_volume_claim("default", client.V1PersistentVolumeClaim(metadata=meta(name="v"), spec=claim))
    coordination, roles = client.CoordinationV1Api(), client.RbacAuthorizationV1Api()
    coordination.create_namespaced_lease("default", client.V1Lease(metadata=meta(name="l"), spec=client.V1LeaseSpec(holder_identity="me", lease_duration_seconds=9)))
    roles.create_namespaced_role("default", client.V1Role(metadata=meta(name="r"), rules=[client.V1PolicyRule(verbs=["get"], api_groups=[""], resources=["pods"])]))
    client.SchedulingV1Api().create_priority_class(client.V1PriorityClass(metadata=meta(name="high"), value=9))
    for count in (core.list_namespaced_service, core.list_namespaced_persistent_volume_claim, core.list_namespaced_service_account, core.list_namespaced_pod,
                  core.list_namespaced_event, apps.list_namespaced_replica_set, coordination.list_namespaced_lease, roles.list_namespaced_role):
        assert count("default").items, count.__name__
    for count in (core.list_node, core.list_namespace, roles.list_cluster_role, roles.list_cluster_role_binding, client.SchedulingV1Api().list_priority_class):
        assert count().items, count.__name__
    assert core.read_node(core.list_node().items[0].metadata.name).status.allocatable["cpu"]
    assert roles.list_namespaced_role_binding("default").items == []


def the_plane():
    assert client.VersionApi().get_code().git_version.startswith("v1.34")
    assert "apps" in [group.name for group in client.ApisApi().get_api_versions().groups]
    assert "pods/log" in [resource.name for resource in core.get_api_resources().resources]
    review = client.V1SelfSubjectAccessReview(spec=client.V1SelfSubjectAccessReviewSpec(resource_attributes=client.V1ResourceAttributes(verb="create", resource="pods", namespace="default")))
    assert client.AuthorizationV1Api().create_self_subject_access_review(review).status.allowed
    assert client.ApiextensionsV1Api().list_custom_resource_definition().items is not None


the_plane()
configurations()
pods()
workloads()
print("done")
