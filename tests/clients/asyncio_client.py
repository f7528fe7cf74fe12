"""The client for asyncio: typed objects, watches beside them, commands in containers."""

import asyncio

from kubernetes_asyncio import client, config, watch
from kubernetes_asyncio.stream import WsApiClient

meta = client.V1ObjectMeta


async def objects(core):
    made = await core.create_namespaced_config_map("default", client.V1ConfigMap(metadata=meta(name="c"), data={"k": "v"}))
    assert made.metadata.uid
    assert (await core.patch_namespaced_config_map("c", "default", {"data": {"j": "u"}})).data == {"k": "v", "j": "u"}
    read = await core.read_namespaced_config_map("c", "default")
    read.data = {"k": "w"}
    assert (await core.replace_namespaced_config_map("c", "default", read)).data == {"k": "w"}
    try:
        await core.replace_namespaced_config_map("c", "default", read)
        raise AssertionError("a stale write was not refused")
    except client.ApiException as error:
        assert error.status == 409
    await core.delete_namespaced_config_map("c", "default")


async def watched(core):
    """One task follows what others do, and both end."""
    start = (await core.list_namespaced_config_map("default")).metadata.resource_version
    seen = []

    async def follow():
        async with watch.Watch().stream(core.list_namespaced_config_map, "default", resource_version=start, timeout_seconds=60) as events:
            async for event in events:
                seen.append((event["type"], event["object"].metadata.name))
                if event["type"] == "DELETED":
                    return

    async def change():
        await core.create_namespaced_config_map("default", client.V1ConfigMap(metadata=meta(name="w")))
        await core.patch_namespaced_config_map("w", "default", {"data": {"k": "1"}})
        await core.delete_namespaced_config_map("w", "default")

    await asyncio.gather(follow(), change())
    assert seen == [("ADDED", "w"), ("MODIFIED", "w"), ("DELETED", "w")], seen


async def commands(core):
    spec = client.V1PodSpec(restart_policy="Never", containers=[client.V1Container(name="main", image="busybox", command=["sh", "-c", "echo up; sleep 600"])])
    await core.create_namespaced_pod("default", client.V1Pod(metadata=meta(name="p"), spec=spec))
    async with watch.Watch().stream(core.list_namespaced_pod, "default", field_selector="metadata.name=p", timeout_seconds=60) as events:
        async for event in events:
            if event["object"].status.phase == "Running":
                break
    async with watch.Watch().stream(core.read_namespaced_pod_log, "p", "default", follow=True) as lines:
        async for line in lines:
            assert line.rstrip() == "up", line
            break
    async with WsApiClient() as sockets:
        exec_ = client.CoreV1Api(api_client=sockets).connect_get_namespaced_pod_exec
        options = {"stderr": True, "stdin": False, "stdout": True, "tty": False}
        assert await exec_("p", "default", command=["echo", "hello"], **options) == "hello\n"
        async with await exec_("p", "default", command=["sh", "-c", "exit 5"], _preload_content=False, **options) as socket:
            async for message in socket:
                if message.data[:1] == b"\x03":
                    assert sockets.parse_error_data(message.data[1:].decode()) == 5
                    break
            else:
                raise AssertionError("no exit code came")
    await core.delete_namespaced_pod("p", "default", grace_period_seconds=0)


async def definitions(api):
    custom, kinds = client.CustomObjectsApi(api), client.ApiextensionsV1Api(api)
    assert (await kinds.list_custom_resource_definition()).items is not None
    where = ("argoproj.io", "v1alpha1", "default", "workflows")
    body = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"name": "hello"},
            "spec": {"entrypoint": "main", "templates": [{"name": "main", "container": {"image": "x", "command": ["echo", "hello"]}}]}}
    await custom.create_namespaced_custom_object(*where, body)
    async with watch.Watch().stream(custom.list_namespaced_custom_object, *where, timeout_seconds=60) as events:
        async for event in events:
            if event["object"].get("status", {}).get("phase") == "Succeeded":
                return
    raise AssertionError("the workflow did not end")


async def main():
    await config.load_kube_config()
    async with client.ApiClient() as api:
        core = client.CoreV1Api(api)
        await objects(core)
        await watched(core)
        await commands(core)
        await definitions(api)


asyncio.run(main())
print("done")
