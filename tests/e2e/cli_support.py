"""What the tests of the commands need beyond conftest.py: programs that are read as they run, manifests on the spot."""

import json
import signal
import subprocess

import pytest

from conftest import tell_end

PATIENCE = 120  # seconds after which a hanging program fails its test

HELLO = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: hello-}
spec:
  entrypoint: main
  arguments: {parameters: [{name: message, value: hello world}]}
  templates:
    - name: main
      inputs: {parameters: [{name: message}]}
      container: {image: busybox, command: [echo, "{{inputs.parameters.message}}"]}
"""


class Process:
    """A program under way, whose lines are read as they come."""

    def __init__(self, popen):
        self.popen, self.seen = popen, []

    def read_until(self, text):
        """The first line that holds the text; fails when the program ends before."""
        for line in self.popen.stdout:
            self.seen.append(line)
            if text in line:
                return line
        raise AssertionError(f"{text!r} never came:\n{''.join(self.seen)}\n{self.popen.stderr.read()}")

    def interrupt(self):
        self.popen.send_signal(signal.SIGINT)

    def end(self, patience=PATIENCE):
        out, err = self.popen.communicate(timeout=patience)
        return subprocess.CompletedProcess(self.popen.args, self.popen.returncode, "".join(self.seen) + out, err)

    def kill(self):
        self.popen.kill()
        self.popen.communicate()


class Commands:
    """The program, called as users call it."""

    def __init__(self, tiphys, folder):
        self.tiphys, self.folder = tiphys, folder
        self.binary, self.data_dir = tiphys.binary, tiphys.data_dir
        tiphys.env |= {"TZ": "UTC", "TERM": "xterm", "LC_ALL": "C.UTF-8"}
        self.env = tiphys.env
        self.processes = []

    def __call__(self, *arguments, **how):
        return self.tiphys(*arguments, **how)

    def file(self, text, name="wf.yaml"):
        path = self.folder / name
        path.write_text(text)
        return str(path)

    def run(self, manifest, *arguments, **how):
        return self("run", self.file(manifest), *self.tiphys.runtime, *arguments, **how)

    def workflow(self, name="@latest"):
        return json.loads(self("get", name, "-o", "json").stdout)

    def start(self, *arguments):
        process = Process(self.tiphys.start(*arguments))
        self.processes.append(process)
        return process

    def up(self, *arguments):
        process = self.start("up", "--port", "0", *self.tiphys.runtime, *arguments)
        process.read_until("is up")
        process.server = json.loads((self.data_dir / "server.json").read_text())
        return process

    def close(self):
        for process in self.processes:
            popen, ended = process.popen, process.popen.poll()
            if ended is None:
                popen.send_signal(signal.SIGKILL)
                popen.wait()
            tell_end(popen, ended)
            popen.stdout.close()
            popen.stderr.close()


@pytest.fixture
def cli(tiphys, tmp_path):
    commands = Commands(tiphys, tmp_path)
    yield commands
    commands.close()
