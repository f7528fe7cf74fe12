"""Podman as an ordinary user: its containers' addresses are in no network of this host, so that all that the plane connects to them goes by sockets of
their networks (base/network_doors.h)."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import urllib.request

import pytest
from conftest import ROOT, Tiphys
from test_services import ask, create, service
from test_sessions import KUBECTL, Kubectl

SCRIPT = ROOT / "tools/images/rootless"
IMAGE = "localhost/busybox:latest"


def cannot(reason):
    if os.environ.get("TIPHYS_ENGINES") == "required":
        pytest.fail(f"no rootless podman, and TIPHYS_ENGINES=required: {reason}")
    pytest.skip(f"no rootless podman: {reason}")


@pytest.fixture
def rootless():
    """A plane of the user whose podman it is."""
    if not os.environ.get("TIPHYS_TEST_PODMAN"):
        cannot(os.environ.get("TIPHYS_NO_ENGINES", "run below tools/with-engines"))
    # Others may not look into the folders of tests.
    parent = pathlib.Path(tempfile.mkdtemp(prefix="rootless."))
    parent.chmod(0o755)
    folder = parent / "user"
    engine = subprocess.Popen([SCRIPT, "start", folder], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        if engine.stdout.readline() != "ready\n":
            cannot(engine.communicate()[1].strip())
        shutil.copy(os.environ["TIPHYS_BIN"], folder / "tiphys")
        binary = parent / "tiphys-as-user"
        binary.write_text(f'#!/bin/sh\nexec {SCRIPT} run {folder} env TIPHYS_DATA_DIR={folder}/home/data {folder}/tiphys "$@"\n')
        binary.chmod(0o755)
        program = Tiphys(binary, folder / "home/data", parent, "process")
        program.runtime = ["--runtime", "container", "--engine", f"{folder}/runtime/podman.sock", "--offline"]
        yield program
        program.close()
    finally:
        # Its first process takes all others with it.
        engine.kill()
        engine.communicate()
        shutil.rmtree(parent)


def pod(name, command, **container):
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": name}},
            "spec": {"restartPolicy": "Never", "terminationGracePeriodSeconds": 0,
                     "containers": [{"name": "main", "image": IMAGE, "command": ["sh", "-c", command], **container}]}}


def server(name, port):
    serve = f"mkdir /www && echo {name} serves | tee /www/index.html && exec httpd -f -p {port} -h /www"
    return pod(name, serve, ports=[{"containerPort": port}],
               readinessProbe={"httpGet": {"path": "/", "port": port}, "periodSeconds": 1},
               livenessProbe={"tcpSocket": {"port": port}, "periodSeconds": 1},
               startupProbe={"exec": {"command": ["test", "-e", "/www/index.html"]}, "periodSeconds": 1})


@pytest.mark.skipif(not KUBECTL, reason="needs kubectl")
def test_pods_of_a_rootless_podman(rootless, tmp_path, free_port):
    rootless.up()
    kubectl = Kubectl(rootless, "websocket", tmp_path)
    create(kubectl, service("web", free_port, 8080), server("web", 8080), server("other", 8080))
    kubectl("wait", "--for=condition=Ready", "pod/web", "pod/other", "--timeout=60s")
    address = {name: json.loads(kubectl("get", "pod", name, "-o", "json").stdout)["status"]["podIP"] for name in ("web", "other")}
    assert address["web"] != address["other"] and not any(each.startswith("127.") for each in address.values()), "each has a network of its own"

    # From this host: the Service, and a port of the pod.
    cluster_ip = json.loads(kubectl("get", "service", "web", "-o", "json").stdout)["spec"]["clusterIP"]
    assert ask(cluster_ip, free_port) == "web serves\n"
    client = kubectl.start("port-forward", "web", ":8080")
    try:
        local = re.search(rb"127.0.0.1:(\d+)", client.stdout.readline()).group(1).decode()
        with urllib.request.urlopen(f"http://127.0.0.1:{local}/", timeout=60) as answer:
            assert answer.read() == b"web serves\n"
    finally:
        client.terminate()
        client.communicate()

    # From one another, and from a third by the name of the Service.
    for asking, asked in (("web", "other"), ("other", "web")):
        assert kubectl("exec", asking, "--", "wget", "-q", "-O", "-", f"http://{address[asked]}:8080").stdout == f"{asked} serves\n"
    create(kubectl, pod("client", f"until wget -q -O - http://web:{free_port}; do sleep 0.2; done"))
    kubectl("wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/client", "--timeout=60s")
    assert kubectl("logs", "client").stdout == "web serves\n"
    assert kubectl("logs", "web").stdout == "web serves\n"

    status = json.loads(kubectl("get", "pod", "web", "-o", "json").stdout)["status"]["containerStatuses"][0]
    assert (status["ready"], status["started"], status["restartCount"]) == (True, True, 0)
    assert "ServicesUnreachable" not in kubectl("get", "events").stdout
