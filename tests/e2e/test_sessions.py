"""Streams into pods, as the real kubectl and the Python client open them: exec, attach, cp, port-forward."""

import filecmp
import json
import os
import pty
import re
import select
import shutil
import subprocess
import termios
import urllib.request

import pytest
from conftest import every_runtime

KUBECTL = os.environ.get("TIPHYS_KUBECTL") or shutil.which("kubectl")
PATIENCE = 120  # seconds after which a hanging program fails its test
# kubectl speaks WebSocket first, and SPDY where it cannot or may not.
PROTOCOLS = {"websocket": {}, "spdy": {"KUBECTL_REMOTE_COMMAND_WEBSOCKETS": "false", "KUBECTL_PORT_FORWARD_WEBSOCKETS": "false"}}


def pod(name, *command, **more):
    container = {"name": "main", "image": "busybox", "command": list(command), **more}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"restartPolicy": "Never", "containers": [container]}}


class Kubectl:
    def __init__(self, tiphys, protocol, folder):
        self.env = tiphys.env | PROTOCOLS[protocol] | {"KUBECONFIG": f"{tiphys.data_dir}/kubeconfig"}
        self.folder = folder
        self.with_podman = tiphys.where == "podman"

    def __call__(self, *arguments, code=0, stdin=b"", text=True):
        done = subprocess.run([KUBECTL, *map(str, arguments)], env=self.env, input=stdin, capture_output=True, timeout=PATIENCE)
        assert code is None or done.returncode == code, f"exit {done.returncode}, expected {code}\n{done.stdout[:2000]}\n{done.stderr[:2000]}"
        if text:
            done.stdout, done.stderr = done.stdout.decode(), done.stderr.decode()
            # Of kubectl itself: the message that tells it that its command has begun came before it had made its streams.
            done.stderr = re.sub(r"E\d{4} .* websocket.go:\d+\] Unknown stream id 1, discarding message\n", "", done.stderr)
        return done

    def start(self, *arguments, **how):
        how = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | how
        return subprocess.Popen([KUBECTL, *map(str, arguments)], env=self.env, **how)

    def run_pod(self, document):
        """Begins a pod, and waits until it runs."""
        self("create", "-f", "-", stdin=json.dumps(document).encode())
        self("wait", "--for=jsonpath={.status.phase}=Running", f"pod/{document['metadata']['name']}", f"--timeout={PATIENCE}s")


@pytest.fixture(params=PROTOCOLS)
def kubectl(tiphys, tmp_path, request):
    if not KUBECTL:
        pytest.skip("no kubectl: put one into PATH, or name it by TIPHYS_KUBECTL")
    tiphys.up()
    return Kubectl(tiphys, request.param, tmp_path)


@every_runtime
def test_commands(kubectl):
    kubectl.run_pod(pod("p", "sleep", "1000", env=[{"name": "COLOUR", "value": "blue"}]))
    done = kubectl("exec", "p", "--", "sh", "-c", "echo out $COLOUR; echo err >&2")
    assert (done.stdout, done.stderr) == ("out blue\n", "err\n")
    done = kubectl("exec", "p", "-c", "main", "--", "sh", "-c", "exit 3", code=3)
    assert "command terminated with exit code 3" in done.stderr
    assert kubectl("exec", "-i", "p", "--", "cat", stdin=b"hello").stdout == "hello"
    # A command that does not read to the end, nor waits for it. podman loses its output now and then (tools/images/podman-unread-input).
    said = {kubectl("exec", "-i", "p", "--", "head", "-c", "5", stdin=b"x" * 1_000_000).stdout for _ in range(3 if kubectl.with_podman else 1)}
    assert "xxxxx" in said and said <= {"xxxxx", ""}
    # What a command has left behind does not keep the client.
    assert kubectl("exec", "p", "--", "sh", "-c", "sleep 1000 & echo begun").stdout == "begun\n"


@every_runtime
def test_ten_megabytes_there_and_back(kubectl):
    kubectl.run_pod(pod("p", "sleep", "1000"))
    bulk = os.urandom(10_000_000)
    assert kubectl("exec", "-i", "p", "--", "cat", stdin=bulk, text=False).stdout == bulk


def test_what_cannot_be_opened(kubectl):
    kubectl.run_pod(pod("p", "sleep", "1000"))
    cases = [
        (["exec", "nobody", "--", "true"], r'pods "nobody" not found'),
        (["exec", "p", "-c", "other", "--", "true"], r"container other (is not valid for|not found in) pod p"),
        (["attach", "p", "-c", "other"], r"container other not found in pod p|container not found in pod"),
        (["port-forward", "nobody", ":80"], r'pods "nobody" not found'),
    ]
    for arguments, message in cases:
        assert re.search(message, kubectl(*arguments, code=1).stderr), arguments


def read_until(terminal, text, seen=b""):
    while text not in seen:
        ready, _, _ = select.select([terminal], [], [], PATIENCE)
        assert ready, seen
        seen += os.read(terminal, 65536)
    return seen


@every_runtime
def test_a_terminal(kubectl):
    kubectl.run_pod(pod("p", "sleep", "1000"))
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(ours, (31, 97))
    shell = kubectl.start("exec", "-it", "p", "--", "sh", stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
    os.close(theirs)
    # What is typed is echoed: only what comes of it is looked for.
    # A terminal's size follows its command.
    os.write(ours, b"until [ \"$(stty size)\" = '31 97' ]; do sleep 0.1; done; echo a$((1+1))b\n")
    read_until(ours, b"a2b")
    # The terminal is that command's once it says something.
    os.write(ours, b"sh -c 'echo e$((2+2))f; exec sleep 1000'\n")
    read_until(ours, b"e4f")
    os.write(ours, b"\x03")
    os.write(ours, b"echo c$((1+2))d\n")
    read_until(ours, b"c3d")
    os.write(ours, b"exit 7\n")
    assert shell.wait(PATIENCE) == 7
    os.close(ours)


def test_a_client_that_goes_ends_its_command(kubectl):
    kubectl.run_pod(pod("p", "sh", "-c", "mkfifo /tmp/gone; cat /tmp/gone; sleep 1000"))
    # The pipe's reader in the pod sees its end when the command that holds the other end is dead.
    client = kubectl.start("exec", "-i", "p", "--", "sh", "-c", "while ! [ -p /tmp/gone ]; do sleep 0.1; done; exec >/tmp/gone; echo alive >&2; sleep 1001")
    assert client.stderr.readline() == b"alive\n"
    client.kill()
    client.communicate()
    kubectl("exec", "p", "--", "sh", "-c", "while ps -o args 2>/dev/null | grep -q 'sleep 100[1]'; do sleep 0.1; done")


@every_runtime
def test_files_both_ways(kubectl, tmp_path):
    kubectl.run_pod(pod("p", "sleep", "1000"))
    folder = tmp_path / "folder"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.txt").write_text("a")
    (folder / "deep" / "b.bin").write_bytes(os.urandom(3_000_000))
    kubectl("cp", folder, "p:/tmp/there")
    assert kubectl("exec", "p", "--", "cat", "/tmp/there/a.txt").stdout == "a"
    kubectl("cp", "p:/tmp/there", tmp_path / "back")
    for name in ("a.txt", "deep/b.bin"):
        assert filecmp.cmp(folder / name, tmp_path / "back" / name, shallow=False)


@every_runtime
def test_attach_shows_what_comes(kubectl):
    kubectl.run_pod(pod("p", "sh", "-c", "mkfifo /tmp/go; cat /tmp/go; echo done >&2"))
    client = kubectl.start("attach", "p")
    kubectl("exec", "p", "--", "sh", "-c", "while ! [ -p /tmp/go ]; do sleep 0.1; done; exec 3>/tmp/go; for i in 1 2 3; do echo line $i >&3; sleep 0.3; done")
    out, err = client.communicate(timeout=PATIENCE)
    assert out.decode().endswith("line 3\n")
    assert "done" in err.decode()
    assert client.returncode == 0


def test_attaching_to_an_input_is_refused(kubectl):
    kubectl.run_pod(pod("p", "sleep", "1000", stdin=True))
    assert "standard input of container main cannot be attached to" in kubectl("attach", "-i", "p", code=1).stderr


def test_ports(kubectl, free_port, tmp_path):
    serve = f"echo served > index.html; exec python3 -m http.server {free_port} --bind 127.0.0.1"
    document = pod("p", "sh", "-c", serve, workingDir="/tmp")
    document["spec"]["containers"][0]["readinessProbe"] = {"httpGet": {"path": "/", "port": free_port}, "periodSeconds": 1}
    kubectl.run_pod(document)
    kubectl("wait", "--for=condition=Ready", "pod/p", f"--timeout={PATIENCE}s")
    client = kubectl.start("port-forward", "p", f":{free_port}")
    try:
        local = re.search(rb"127.0.0.1:(\d+)", client.stdout.readline()).group(1).decode()
        for _ in range(3):
            with urllib.request.urlopen(f"http://127.0.0.1:{local}/", timeout=PATIENCE) as answer:
                assert answer.read() == b"served\n"
    finally:
        client.terminate()
        client.communicate()


def test_a_port_where_nobody_listens(kubectl, free_port):
    kubectl.run_pod(pod("p", "sleep", "1000"))
    client = kubectl.start("port-forward", "p", f":{free_port}")
    try:
        local = re.search(rb"127.0.0.1:(\d+)", client.stdout.readline()).group(1).decode()
        with pytest.raises(OSError):
            urllib.request.urlopen(f"http://127.0.0.1:{local}/", timeout=PATIENCE)
        assert b"Connection refused" in client.stderr.readline()
    finally:
        client.terminate()
        client.communicate()


@pytest.fixture
def python_client(tiphys):
    kubernetes = pytest.importorskip("kubernetes", reason="no Python client of Kubernetes")
    tiphys.up()
    kubernetes.config.load_kube_config(f"{tiphys.data_dir}/kubeconfig")
    api = kubernetes.client.CoreV1Api()
    api.create_namespaced_pod("default", pod("p", "sleep", "1000"))
    watch = kubernetes.watch.Watch()
    for event in watch.stream(api.list_namespaced_pod, "default", timeout_seconds=PATIENCE):
        if event["object"].status.phase == "Running":
            watch.stop()
    return api


def test_commands_of_the_python_client(python_client):
    from kubernetes.stream import stream

    streams = {"stderr": True, "stdin": False, "stdout": True, "tty": False}
    run = python_client.connect_get_namespaced_pod_exec
    assert stream(run, "p", "default", command=["echo", "hello"], **streams) == "hello\n"
    talk = stream(run, "p", "default", command=["sh", "-c", "read line; echo got $line; exit 3"], **(streams | {"stdin": True}), _preload_content=False)
    talk.write_stdin("something\n")
    talk.run_forever(PATIENCE)
    assert talk.read_stdout() == "got something\n"
    assert talk.returncode == 3


def test_ports_of_the_python_client(python_client, free_port):
    from kubernetes.stream import portforward, stream

    serve = f"import socket; s = socket.create_server(('127.0.0.1', {free_port})); print('up', flush=True); c, _ = s.accept(); c.sendall(c.recv(100).upper())"
    server = stream(python_client.connect_get_namespaced_pod_exec, "p", "default", command=["python3", "-c", serve],
                    stderr=True, stdin=False, stdout=True, tty=False, _preload_content=False)
    assert server.readline_stdout(timeout=PATIENCE) == "up"
    forward = portforward(python_client.connect_get_namespaced_pod_portforward, "p", "default", ports=str(free_port))
    talk = forward.socket(free_port)
    talk.settimeout(PATIENCE)
    talk.sendall(b"hello")
    assert talk.recv(100) == b"HELLO"
    talk.close()
