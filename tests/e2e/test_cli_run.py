"""tiphys run."""

import json
import os
import pathlib
import pty
import re
import select
import signal
import struct
import subprocess
import fcntl
import termios

from cli_support import HELLO, PATIENCE, cli

FAILING = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: broken}
spec:
  entrypoint: main
  templates:
    - name: main
      container: {image: busybox, command: [sh, -c, "echo before it broke; echo oh no >&2; exit 3"]}
"""

SLEEPING = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: sleeping}
spec:
  entrypoint: main
  onExit: goodbye
  templates:
    - name: main
      container: {image: busybox, command: [sleep, "300"]}
    - name: goodbye
      container: {image: busybox, command: [echo, goodbye]}
"""

OUTPUTS = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: outputs}
spec:
  entrypoint: main
  templates:
    - name: main
      container:
        image: busybox
        command: [sh, -c, "printf 42 > /tmp/answer; printf model > /tmp/model"]
      outputs:
        parameters: [{name: answer, valueFrom: {path: /tmp/answer}}]
        artifacts: [{name: model, path: /tmp/model, archive: {none: {}}}]
"""

HOOKS = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: hooks}
spec:
  entrypoint: main
  hooks:
    running: {template: say, expression: workflow.status == "Running", arguments: {parameters: [{name: text, value: it runs}]}}
  templates:
    - name: main
      steps:
        - - name: work
            template: work
            hooks:
              running: {template: say, expression: steps.work.status == "Running", arguments: {parameters: [{name: text, value: the step runs}]}}
              failed: {template: say, expression: steps.work.status == "Failed", arguments: {parameters: [{name: text, value: never}]}}
              succeeded:
                template: say
                expression: steps.work.status == "Succeeded"
                arguments: {parameters: [{name: text, value: "{{steps.work.outputs.result}}"}]}
    - name: work
      container: {image: busybox, command: [echo, done]}
    - name: say
      inputs: {parameters: [{name: text}]}
      container: {image: busybox, command: [echo, "{{inputs.parameters.text}}"]}
"""

HOSTNAMES = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: hostnames}
spec:
  entrypoint: main
  parallelism: 1
  templates:
    - name: main
      steps:
        - - {name: s, template: work, withSequence: {count: "8"}}
    - name: work
      container: {image: busybox, command: ["true"]}
      outputs:
        artifacts: [{name: hostname, path: /etc/hostname}]
"""

FAN_OUT = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: fan}
spec:
  entrypoint: main
  templates:
    - name: main
      steps:
        - - {name: s, template: work, withSequence: {count: "60"}}
    - name: work
      container: {image: busybox, command: ["true"]}
"""


def test_a_workflow_that_succeeds(cli):
    done = cli.run(HELLO)
    assert re.search(r"^ ✔ hello-\w+ +main ", done.stdout, re.MULTILINE)
    assert re.search(r"^hello-\w+  Succeeded  1/1 done", done.stdout, re.MULTILINE)
    assert done.stderr.count("image is not used") == 1


def test_a_workflow_that_fails_shows_why(cli):
    done = cli.run(FAILING, code=1)
    assert "✖ broken" in done.stdout
    assert "    before it broke\n" in done.stdout and "    oh no\n" in done.stdout
    assert "exit code 3" in done.stdout


def test_a_bad_manifest_shows_the_place(cli):
    path = cli.file(HELLO.replace("entrypoint: main", "entrypoint: mian"))
    done = cli("run", path, code=2)
    assert re.search(r"wf\.yaml:\d+:\d+: .*mian", done.stderr)
    assert "entrypoint: mian" in done.stderr and "^" in done.stderr
    assert not cli.data_dir.exists(), "nothing was begun"


def test_bad_usage(cli):
    for arguments, message in [
        (["run"], "FILE is missing"),
        (["run", "x.yaml", "--runtme", "process"], 'did you mean "--runtime"?'),
        (["run", "x.yaml", "--runtime", "magic"], "process|container"),
        (["run", "x.yaml", "--priority", "high"], '"high" is not a whole number'),
        (["run"], "Run 'tiphys run --help' for usage."),
        (["run", "-"], "stdin: no workflow found"),
        (["runn"], 'unknown command "runn"; did you mean "run"?'),
        (["run", "/does/not/exist.yaml"], "No such file"),
    ]:
        assert message in cli(*arguments, code=2).stderr, arguments


def test_programs_of_other_folders_are_found_first(cli):
    folder = cli.folder / "programs"
    folder.mkdir()
    for name in ("echo", "of-mine"):
        (folder / name).write_text(f'#!/bin/sh\nprintf "%s\\n" "this {name} says $*"\n')
        (folder / name).chmod(0o755)
    cli.run(HELLO, "--name", "a", "--program-path", folder)
    assert cli("logs", "a").stdout == "a: this echo says hello world\n"
    cli.run(HELLO.replace("[echo", "[env, of-mine"), "--name", "b", "--program-path", folder, "--host-path", cli.folder)
    assert cli("logs", "b").stdout == "b: this of-mine says hello world\n"
    cli.run(HELLO, "--name", "c", "--program-path", "/usr/bin")
    assert cli("logs", "c").stdout == "c: hello world\n"


def test_parameters(cli):
    cli.run(HELLO, "--name", "one", "-p", "message=from the line")
    assert "one: from the line\n" == cli("logs", "one").stdout
    cli.run(HELLO, "--name", "two", "-f", cli.file("message: from a file\n", "p.yaml"))
    assert "two: from a file\n" == cli("logs", "two").stdout


def test_standard_input_and_several_workflows(cli):
    done = cli("run", "-", "--runtime", "process", stdin=HELLO + "---" + HELLO)
    assert len(re.findall(r"^hello-\w+  Succeeded", done.stdout, re.MULTILINE)) == 2
    done = cli("run", cli.file(HELLO, "a.yaml"), cli.file(FAILING, "b.yaml"), "--runtime", "process", code=1)
    assert "Succeeded" in done.stdout and "broken  Failed" in done.stdout


def test_output_forms(cli):
    workflow = json.loads(cli.run(HELLO, "--name", "j", "-o", "json").stdout)
    assert workflow["status"]["phase"] == "Succeeded" and workflow["status"]["nodes"]["j"]["type"] == "Pod"
    assert cli.run(HELLO, "--name", "n", "-o", "name").stdout == "n\n"


def test_outputs_and_where_artifacts_lie(cli):
    done = cli.run(OUTPUTS)
    assert re.search(r"^  answer +42$", done.stdout, re.MULTILINE)
    path = re.search(r"^  model +(/\S+)$", done.stdout, re.MULTILINE).group(1)
    assert pathlib.Path(path).read_text() == "model"


def test_an_output_of_a_step_that_has_written_nothing(cli):
    assert "Failed" not in cli.run(HOSTNAMES).stdout


def test_lifecycle_hooks(cli):
    nodes = json.loads(cli.run(HOOKS, "-o", "json").stdout)["status"]["nodes"].values()
    hooks = {node["name"]: node for node in nodes if node.get("nodeFlag", {}).get("hooked")}
    assert set(hooks) == {"hooks.hooks.running", "hooks[0].work.hooks.running", "hooks[0].work.hooks.succeeded"}
    assert all(node["phase"] == "Succeeded" for node in hooks.values())
    lines = sorted(line.split(": ")[1] for line in cli("logs", "hooks").stdout.splitlines())
    assert lines == ["done", "done", "it runs", "the step runs"]


def test_plain_lines_without_a_terminal(cli):
    done = cli.run(HELLO, "--name", "h")
    assert re.search(r"^\d\d:\d\d:\d\d  ✔ h  Succeeded$", done.stdout, re.MULTILINE)
    assert "\x1b" not in done.stdout


def test_interrupted_once_it_stops_and_runs_exit_handlers(cli):
    process = cli.start("run", cli.file(SLEEPING), "--runtime", "process")
    process.read_until("sleeping  Running")
    process.interrupt()
    done = process.end()
    assert done.returncode == 1
    assert "Ctrl-C again terminates" in done.stdout
    workflow = cli.workflow("sleeping")
    assert workflow["spec"]["shutdown"] == "Stop" and workflow["status"]["phase"] == "Failed"
    phases = {node["displayName"]: node["phase"] for node in workflow["status"]["nodes"].values()}
    assert phases["sleeping.onExit"] == "Succeeded"


def test_interrupted_twice_it_terminates(cli):
    process = cli.start("run", cli.file(SLEEPING.replace("[echo, goodbye]", '[sleep, "300"]')), "--runtime", "process")
    process.read_until("sleeping  Running")
    process.interrupt()
    process.read_until("sleeping.onExit  Running")
    process.interrupt()
    assert process.end().returncode == 1
    assert cli.workflow("sleeping")["spec"]["shutdown"] == "Terminate"


def test_interrupted_three_times_it_leaves_and_the_next_run_goes_on(cli):
    marker = cli.folder / "go"
    os.mkfifo(marker)
    waiting = SLEEPING.replace('[sleep, "300"]', f'[cat, "{marker}"]').replace("onExit: goodbye", "onExit: goodbye\n  volumes: [{name: v, hostPath: {path: " + str(cli.folder) + "}}]")
    waiting = waiting.replace("command: [cat,", f"volumeMounts: [{{name: v, mountPath: {cli.folder}}}], command: [cat,")
    process = cli.start("run", cli.file(waiting), "--runtime", "process")
    process.read_until("sleeping  Running")
    process.popen.terminate()
    done = process.end()
    assert done.returncode == 130
    assert "Left." in done.stderr
    watcher = cli.start("wait", "sleeping")
    with open(marker, "w") as fifo:
        fifo.write("done\n")
    assert watcher.end().returncode == 0
    assert "sleeping: done\n" in cli("logs", "sleeping").stdout


class Screen:
    """What a terminal of some size would show: enough of it for lines, cursor up, erasing."""

    def __init__(self, rows):
        self.rows, self.lines, self.row, self.lost = rows, [""], 0, 0

    def feed(self, text):
        text = re.sub(r"\x1b\[\?\d+[hl]", "", text)
        for part in re.findall(r"\x1b\[\d*[A-Za-z]|\r|\n|[^\x1b\r\n]+", text):
            if part == "\n":
                self.row += 1
                if self.row == len(self.lines):
                    self.lines.append("")
            elif part == "\r":
                pass
            elif part.endswith("A") and part.startswith("\x1b"):
                up = int(part[2:-1])
                assert up < self.rows, "what is redrawn must be on the screen"
                self.row -= up
                assert self.row >= 0
            elif part == "\x1b[J":
                del self.lines[self.row + 1 :]
                self.lines[self.row] = ""
            elif part == "\x1b[K" or part.endswith("m") and part.startswith("\x1b"):
                pass
            else:
                self.lines[self.row] = part


def run_on_terminal(cli, arguments, rows, columns, resized=()):
    """Its exit code and what it wrote. `resized`: sizes that the terminal takes, one at each tree that is drawn."""
    parent, child = pty.openpty()
    resized = list(resized)
    fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    process = subprocess.Popen([cli.binary, *arguments], env=cli.env, stdin=child, stdout=child, stderr=child, close_fds=True)
    os.close(child)
    text = b""
    while select.select([parent], [], [], PATIENCE)[0]:
        try:
            piece = os.read(parent, 65536)
        except OSError:
            break
        if not piece:
            break
        text += piece
        if resized and text.count(b"\x1b[?25h") > 1:
            fcntl.ioctl(parent, termios.TIOCSWINSZ, struct.pack("HHHH", *resized.pop(0), 0, 0))
            process.send_signal(signal.SIGWINCH)
    os.close(parent)
    return process.wait(timeout=PATIENCE), text.decode().replace("\r\n", "\n")


def test_the_live_tree_stays_within_the_screen(cli):
    code, text = run_on_terminal(cli, ["run", cli.file(FAN_OUT), "--runtime", "process"], rows=12, columns=60)
    assert code == 0, text
    screen = Screen(12)
    screen.feed(text)
    assert "\x1b[32m✔\x1b[0m" in text, "colours on a terminal"
    assert any("more succeeded" in line for line in screen.lines)
    assert re.search(r"fan  \S*Succeeded\S*  60/60 done", text)


def test_a_terminal_that_grows_is_drawn_over(cli):
    slow = FAN_OUT.replace('["true"]', "[sleep, '1.5']")
    arguments = ["run", cli.file(slow), "--runtime", "process"]
    sizes = [(20, 80 + i) for i in range(10)]
    code, text = run_on_terminal(cli, arguments, rows=20, columns=80, resized=sizes)
    assert code == 0, text
    frames = [frame for frame in text.split("\x1b[?25l") if "\x1b[?25h" in frame]
    assert len(frames) > 5
    assert all(re.search(r"\x1b\[\d+A", frame) for frame in frames[1:]), "no old tree is left behind"


def test_no_color(cli):
    cli.env["NO_COLOR"] = "1"
    code, text = run_on_terminal(cli, ["run", cli.file(HELLO), "--runtime", "process"], rows=24, columns=80)
    assert code == 0 and "✔" in text
    assert not re.search(r"\x1b\[\d+m", text)
