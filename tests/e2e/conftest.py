"""The real program on a data directory of its own. TIPHYS_BIN names it (tools/run-tests sets it)."""

import json
import os
import pathlib
import signal
import socket
import struct
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
ENGINES = {"podman": "TIPHYS_TEST_PODMAN", "dockerd": "TIPHYS_TEST_DOCKERD"}  # tools/with-engines sets them to sockets

# Where a test's steps run; without one of these, in the process runtime.
every_runtime = pytest.mark.parametrize("tiphys", ["process", *ENGINES], indirect=True)
every_engine = pytest.mark.parametrize("tiphys", ENGINES, indirect=True)


class Tiphys:
    """Calls the program; `data_dir` is removed with the test."""

    def __init__(self, binary, data_dir, home, where):
        self.binary, self.data_dir, self.where = binary, data_dir, where
        self.runtime = ["--runtime", "process"] if where == "process" else ["--runtime", "container", "--engine", os.environ[ENGINES[where]]]
        self.env = {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "TIPHYS_DATA_DIR": str(data_dir),
        }
        self.servers = []

    def join_engine(self):
        """As on a host whose engine is its own: the tests' engines have a network of their own, where the program's probes must be."""
        if self.where == "process":
            return
        with socket.socket(socket.AF_UNIX) as engine:
            engine.connect(os.environ[ENGINES[self.where]])
            pid, _, _ = struct.unpack("3i", engine.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        inside = pathlib.Path(self.env["HOME"]) / "tiphys-beside-the-engine"
        inside.write_text(f'#!/bin/sh\nexec nsenter --net=/proc/{pid}/ns/net {self.binary} "$@"\n')
        inside.chmod(0o755)
        self.binary = inside

    def start(self, *arguments, **options):
        return subprocess.Popen([self.binary, *map(str, arguments)], env={**self.env, **options.pop("env", {})}, text=True,
                                stdin=options.pop("stdin", subprocess.DEVNULL), stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)

    def __call__(self, *arguments, code=0, stdin="", env=None, timeout=120):
        done = subprocess.run([self.binary, *map(str, arguments)], env={**self.env, **(env or {})}, input=stdin, text=True, capture_output=True, timeout=timeout)
        assert code is None or done.returncode == code, f"exit {done.returncode}, expected {code}\n--- stdout\n{done.stdout}\n--- stderr\n{done.stderr}"
        return done

    def up(self, *arguments):
        """A server that answers; it ends with the test, at the latest."""
        server = self.start("up", *self.runtime, "--port", "0", *arguments)
        self.servers.append(server)
        assert server.stdout.readline(), server.stderr.read()
        return server

    def object(self, name, *arguments):
        return json.loads(self("get", name, "-o", "json", *arguments).stdout)

    def run_object(self, manifest, *arguments, code=0, **options):
        """Runs a manifest (path or dict) to its end and gives the Workflow with its status."""
        if isinstance(manifest, dict):
            path = pathlib.Path(self.data_dir).parent / f"manifest-{len(os.listdir(pathlib.Path(self.data_dir).parent))}.json"
            path.write_text(json.dumps(manifest))
            manifest = path
        done = self("run", manifest, *self.runtime, "-o", "name", *arguments, code=code, **options)
        return self.object(done.stdout.strip().splitlines()[-1])

    def close(self):
        for server in self.servers:
            ended = server.poll()
            if ended is None:
                server.send_signal(signal.SIGTERM)
                try:
                    server.wait(30)
                except subprocess.TimeoutExpired:
                    server.kill()
            tell_end(server, ended)
            server.stdout.close()
            server.stderr.close()
        end_steps(self.data_dir)


def last_words(process):
    """What a program that has ended has said; what it has left behind may still hold its standard error, of which there is no end then."""
    if process.stderr.closed:
        return ""  # the test has read it
    os.set_blocking(process.stderr.fileno(), False)
    try:
        return os.read(process.stderr.fileno(), 1 << 20).decode(errors="replace")
    except BlockingIOError:
        return ""


def tell_end(process, ended):
    """Shown with a test that fails. `ended`: its exit code before the test was over; None: it ran."""
    how = "ran to the end of the test" if ended is None else f"had ended with {ended}"
    print(f"{' '.join(map(str, process.args))}: {how}\n{last_words(process)}", file=sys.stderr)


def end_steps(data_dir):
    """What still runs of a plane that is down, which the next one would adopt: its supervisor and the steps' inits, known by their log."""
    log = f"{data_dir}/supervisor/log"
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if os.readlink(process / "fd/1") == log:
                os.kill(int(process.name), signal.SIGKILL)
        except OSError:
            pass  # it has just ended, or is somebody else's


@pytest.fixture
def tiphys(tmp_path, request):
    where = getattr(request, "param", "process")
    if where != "process" and not os.environ.get(ENGINES[where]):
        pytest.skip("no engine: " + os.environ.get("TIPHYS_NO_ENGINES", "run below tools/with-engines"))
    binary = os.environ.get("TIPHYS_BIN")
    assert binary and os.path.exists(binary), "TIPHYS_BIN must name the program"
    home = tmp_path / "home"
    home.mkdir()
    program = Tiphys(binary, tmp_path / "data", home, where)
    yield program
    program.close()


@pytest.fixture
def free_port():
    """A port of 127.0.0.1 that nobody has: steps of the process runtime share this host's."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def nodes_by_name(workflow):
    """Nodes by their name without the workflow's own: "", "[0]", ".A", ..."""
    prefix = len(workflow["metadata"]["name"])
    return {node["name"][prefix:]: node for node in workflow["status"]["nodes"].values()}


def tree(workflow):
    """One line a node: name, type, phase and children's names, sorted; what a test of the node tree compares."""
    prefix = len(workflow["metadata"]["name"])
    nodes = workflow["status"]["nodes"]
    lines = []
    for node in nodes.values():
        children = sorted(nodes[child]["name"][prefix:] for child in node.get("children") or [])
        lines.append(f"{node['name'][prefix:] or '/'} {node['type']} {node['phase']}" + (f" -> {', '.join(children)}" if children else ""))
    return sorted(lines)
