"""tiphys.run() and what it gives, as somebody uses them in a script."""

import asyncio
import dataclasses
import datetime
import decimal
import enum
import fcntl
import json
import os
import pathlib
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
import uuid

import pytest
from conftest import EXAMPLES
from python_support import clean_environment, plane, shell, steps, tiphys, workflow  # noqa: F401

TWO = workflow(
    steps("main", [("make", "make")], [("use", "use")]),
    shell("make", "echo made; echo 5 >/tmp/count", outputs={"parameters": [{"name": "count", "valueFrom": {"path": "/tmp/count"}, "globalName": "count"}]}),
    shell("use", "echo used"),
)
BREAKS = workflow(steps("main", [("good", "good")], [("bad", "bad")]), shell("good", "true"), shell("bad", "for i in 1 2 3; do echo line $i; done; exit 3"))
WAITS = workflow({"name": "gate", "suspend": {}})


def test_a_dict_is_run_to_its_end(plane):
    run = plane.run(TWO, runtime="process", wait=True)
    assert (run.status, run.finished, run.succeeded) == ("Succeeded", True, True)
    assert run.outputs == {"count": "5"} and run.outputs.json("count") == 5
    assert [node.name for node in run.nodes if node.type == "Pod"] == ["make", "use"]
    assert run.nodes["make"].outputs.exit_code == 0
    assert run.logs() == "make: made\nuse: used"
    assert run.logs("use") == run.nodes["use"].logs() == "used"


@pytest.mark.parametrize("give", [str, lambda path: path, lambda path: path.read_text()], ids=["a path as text", "a path", "text of YAML"])
def test_what_a_manifest_may_be(plane, give):
    run = plane.run(give(EXAMPLES / "hello-world.yaml"), runtime="process", wait=True)
    assert run.succeeded and run.name.startswith("hello-world-")


def test_an_object_that_knows_how_it_looks(plane):
    class Described:
        def to_dict(self):
            return TWO

    assert plane.run(Described(), runtime="process", wait=True).succeeded


def test_a_file_with_what_it_refers_to(plane):
    template = {"apiVersion": "argoproj.io/v1alpha1", "kind": "WorkflowTemplate", "metadata": {"name": "shared"}, "spec": {"templates": [shell("hi", "echo $WHO")]}}
    template["spec"]["templates"][0]["container"]["env"] = [{"name": "WHO", "valueFrom": {"configMapKeyRef": {"name": "who", "key": "name"}}}]
    who = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "who"}, "data": {"name": "Ann"}}
    main = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"generateName": "refers-"},
            "spec": {"entrypoint": "main", "templates": [{"name": "main", "steps": [[{"name": "hi", "templateRef": {"name": "shared", "template": "hi"}}]]}]}}
    assert plane.run([who, template, main], runtime="process", wait=True).logs() == "Ann"


PARAMETERS = [
    ("text", "three words here", "three words here"),
    ("a number", 3, "3"),
    ("a fraction", 0.5, "0.5"),
    ("a truth", True, "true"),
    ("a list", [1, "b"], '[1, "b"]'),
    ("a dict", {"a": None}, '{"a": null}'),
]


@pytest.mark.parametrize("value, expected", [row[1:] for row in PARAMETERS], ids=[row[0] for row in PARAMETERS])
@pytest.mark.parametrize("as_text", [False, True], ids=["dict", "YAML"])
def test_parameters(plane, value, expected, as_text):
    given = workflow(shell("main", "cat <<'END'\n{{workflow.parameters.value}}\nEND"), arguments={"parameters": [{"name": "value", "value": "default"}]})
    given = json.dumps({"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", **given}) if as_text else given
    run = plane.run(given, {"value": value}, runtime="process", wait=True)
    assert run.logs() == expected and run.parameters == {"value": expected}


class Color(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


@dataclasses.dataclass
class Layer:
    size: int = 64
    color: Color = Color.RED


OBJECTS = [
    ("a path", pathlib.Path("/a/b"), "/a/b"),
    ("a date", datetime.date(2026, 1, 2), "2026-01-02"),
    ("a member", Color.RED, "red"),
    ("a member that is a number", Level.HIGH, "3"),
    ("a decimal", decimal.Decimal("0.10"), "0.10"),
    ("an id", uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    ("a range", range(3), "[0, 1, 2]"),
    ("a dataclass", Layer(), '{"size": 64, "color": "red"}'),
    ("within a list", [pathlib.Path("a"), Color.RED, Layer(1), datetime.date(2026, 1, 2)], '["a", "red", {"size": 1, "color": "red"}, "2026-01-02"]'),
]


@pytest.mark.parametrize("value, expected", [row[1:] for row in OBJECTS], ids=[row[0] for row in OBJECTS])
def test_objects_as_parameters(value, expected):
    from tiphys._submit import value_text

    assert value_text(value) == expected


NO_TEXT = [("a set", {1}, TypeError, "a set, which is no JSON"), ("bytes", b"x", TypeError, "a bytes, which is no JSON"), ("a class", Layer, TypeError, "a type, which is no JSON"),
           ("a name that is no text", os.fsdecode(b"a\xff"), ValueError, "surrogates not allowed")]


@pytest.mark.parametrize("value, kind, message", [row[1:] for row in NO_TEXT], ids=[row[0] for row in NO_TEXT])
def test_what_is_no_parameter_is_told(value, kind, message):
    from tiphys._submit import value_text

    with pytest.raises(kind, match=message):
        value_text(value)


def test_a_large_parameter(plane):
    """Ten megabytes, there and back."""
    large = "x" * 10_000_000
    given = workflow(
        {"name": "main", "inputs": {"artifacts": [{"name": "in", "path": "/tmp/in", "raw": {"data": "{{workflow.parameters.large}}"}}]},
         "container": {"image": "busybox", "command": ["sh", "-c", "wc -c </tmp/in"]}},
        arguments={"parameters": [{"name": "large"}]})
    run = plane.run(given, {"large": large}, runtime="process", wait=True)
    assert run.logs().strip() == "10000000" and run.parameters["large"] == large


def test_a_failed_run_raises_with_what_failed(plane):
    with pytest.raises(tiphys.RunFailed) as failed:
        plane.run(BREAKS, runtime="process", wait=True)
    assert failed.value.node.name == "bad" and failed.value.log == "line 1\nline 2\nline 3"
    assert str(failed.value).splitlines()[0].endswith("failed: bad: main: Error (exit code 3)")
    assert "    line 3" in str(failed.value)
    assert failed.value.run.wait(check=False).status == "Failed"


WRONG = [
    ("no such file", "nothing.yaml", FileNotFoundError, "there is no file 'nothing.yaml'; text of YAML"),
    ("no such path", pathlib.Path("nothing.yaml"), FileNotFoundError, "there is no file 'nothing.yaml'$"),
    ("a folder", EXAMPLES, IsADirectoryError, "is a folder: a run is of a file"),
    ("nothing", None, TypeError, "a NoneType describes no workflow"),
    ("no workflow", "a: b\n", tiphys.ManifestError, "stdin:1:1: kind is required"),
    ("no such template", {"spec": {"entrypoint": "x", "templates": []}}, tiphys.ManifestError, "template name 'x' undefined"),
    ("a number", 5, TypeError, "describes no workflow"),
    ("a class", dict, TypeError, "describes no workflow"),
]


@pytest.mark.parametrize("given, kind, message", [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_what_cannot_run_is_told(plane, given, kind, message):
    with pytest.raises(kind, match=message):
        plane.run(given)


@pytest.mark.parametrize("what", ["parameters", "artifacts", "labels"])
def test_what_goes_by_name_is_a_dict(plane, what):
    with pytest.raises(TypeError, match=f"{what} are a dict, by name, not a list"):
        plane.run(TWO, **{what: ["a=1"]})


def test_a_wrong_runtime_is_told(plane):
    with pytest.raises(ValueError, match="'process' or 'container', not 'docker'"):
        plane.run(TWO, runtime="docker")


def test_warnings_of_manifests_are_warnings(plane):
    text = (EXAMPLES / "coinflip.yaml").read_text()
    with pytest.warns(tiphys.ManifestWarning, match="is a bare step"):
        plane.run(text, runtime="process").wait()


ONE = shell("main", "echo {{workflow.parameters.epochs}}")
DECLARES = {"parameters": [{"name": "epochs", "value": "1"}]}
INPUT = {"name": "main", "inputs": {"parameters": [{"name": "epochs"}]}, "container": {"image": "x", "command": ["echo", "{{inputs.parameters.epochs}}"]}}
TAKEN = [
    ("it is declared", workflow(shell("main", "true"), arguments=DECLARES), "epochs", None),
    ("it is used", workflow(ONE), "epochs", None),
    ("a template takes it", workflow(INPUT, arguments={}), "epochs", None),
    ("all are used", workflow(shell("main", "echo '{{workflow.parameters}}'")), "epoch", None),
    ("all are used in an expression", workflow(shell("main", "echo '{{=toJson(workflow.parameters)}}'")), "epoch", None),
    ("a slip of the pen", workflow(ONE, arguments=DECLARES), "epoch", "nothing takes the parameter 'epoch'; did you mean 'epochs'"),
    ("there is none", workflow(shell("main", "true")), "seed", "nothing takes the parameter 'seed'$"),
]


@pytest.mark.parametrize("form", [lambda given: given, lambda given: json.dumps({"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", **given}, indent=1)], ids=["dict", "YAML"])
@pytest.mark.parametrize("given, name, message", [row[1:] for row in TAKEN], ids=[row[0] for row in TAKEN])
def test_a_parameter_that_nothing_takes_is_told(plane, recwarn, given, name, message, form):
    plane.run(form(given), {name: 3}, runtime="process", wait=True)
    told = [each for each in recwarn if issubclass(each.category, tiphys.ManifestWarning)]
    assert len(told) == (message is not None)
    assert all(re.search(message, str(each.message)) and each.filename == __file__ for each in told)


def test_events_come_in_order_and_end(plane):
    events = list(plane.run(TWO, runtime="process"))
    of = {name: [event.phase for event in events if event.name == name] for name in ("make", "use", "")}
    assert all(phases[-1] == "Succeeded" for phases in of.values())
    names = [(event.name, event.phase) for event in events]
    assert names.index(("make", "Succeeded")) < names.index(("use", "Succeeded")) < names.index(("", "Succeeded")) == len(names) - 1


def test_events_of_a_run_that_has_ended(plane):
    run = plane.run(TWO, runtime="process", wait=True)
    assert {(event.name, event.phase) for event in run if event.name in ("make", "use", "")} == {("make", "Succeeded"), ("use", "Succeeded"), ("", "Succeeded")}


def test_many_nodes_are_told_one_by_one(plane):
    count = 60
    many = workflow({"name": "main", "steps": [[{"name": "each", "template": "one", "withSequence": {"count": str(count)}}]]}, shell("one", "true"))
    done = [event.name for event in plane.run(many, runtime="process") if event.phase == "Succeeded" and event.name.startswith("each")]
    assert len(done) == len(set(done)) == count


def test_a_time_out_leaves_the_run_alone(plane):
    run = plane.run(WAITS)
    with pytest.raises(TimeoutError, match="it goes on"):
        run.wait(timeout=0.01)
    assert run.status == "Running"
    assert run.resume().wait().succeeded


def test_stop(plane):
    run = plane.run(WAITS)
    with pytest.raises(tiphys.RunFailed, match="failed"):
        run.stop().wait()


def test_retry_goes_on_where_it_failed(plane, tmp_path):
    flag = tmp_path / "fixed"
    once = workflow(
        steps("main", [("first", "first")], [("second", "second")]), shell("first", "echo first"),
        {"name": "second", "container": {"image": "x", "command": ["sh", "-c", "test -e /flag/fixed"], "volumeMounts": [{"name": "flag", "mountPath": "/flag"}]}},
        volumes=[{"name": "flag", "hostPath": {"path": str(tmp_path)}}])
    run = plane.run(once, runtime="process").wait(check=False)
    begun = run.nodes["first"].started
    assert run.status == "Failed"
    flag.touch()
    assert run.retry().wait().succeeded
    assert run.nodes["first"].started == begun


def test_resubmit_is_another_run(plane):
    run = plane.run(TWO, runtime="process", wait=True)
    again = run.resubmit().wait()
    assert again.succeeded and again.name != run.name


def test_runs_are_found_again(plane):
    run = plane.run(TWO, runtime="process", labels={"team": "ml"}, wait=True)
    plane.run(TWO, runtime="process", wait=True)
    assert [each.name for each in plane.runs("team=ml")] == [run.name]
    assert plane.get(run.name).outputs == {"count": "5"}
    run.delete()
    with pytest.raises(tiphys.NotFound):
        plane.get(run.name)


ARTIFACTS = workflow(
    {"name": "main", "container": {"image": "x", "command": ["sh", "-c", "mkdir /tmp/d; echo 1 >/tmp/d/one; echo 2 >/tmp/d/two; printf 'a,b\\n1,2\\n3,4\\n' >/tmp/t.csv; echo '{\"k\": 1}' >/tmp/j.json"]},
     "outputs": {"artifacts": [{"name": "folder", "path": "/tmp/d"}, {"name": "table", "path": "/tmp/t.csv", "globalName": "best"},
                               {"name": "plain", "path": "/tmp/j.json", "archive": {"none": {}}}]}})


def test_artifacts_are_files(plane, tmp_path):
    run = plane.run(ARTIFACTS, runtime="process", wait=True)
    assert sorted(run.artifacts) == ["best", "folder", "plain", "table"]
    assert run.artifacts["plain"].json() == {"k": 1}
    assert run.artifacts["plain"].path.is_relative_to(tmp_path / "data")  # nothing is copied
    assert {each.name: each.read_text() for each in run.artifacts["folder"].path.iterdir()} == {"one": "1\n", "two": "2\n"}
    assert run.artifacts["best"].text() == "a,b\n1,2\n3,4\n"
    assert run.artifacts["table"].array(skiprows=1).tolist() == [[1, 2], [3, 4]]
    assert run.artifacts["table"].save(tmp_path).read_text() == "a,b\n1,2\n3,4\n"
    with pytest.raises(KeyError, match="no artifact 'nothing'; there are best, folder"):
        run.artifacts["nothing"]


def test_names_that_are_not_there_are_told(plane):
    run = plane.run(TWO, runtime="process", wait=True)
    with pytest.raises(KeyError, match="did you mean 'make'"):
        run.nodes["mak"]
    with pytest.raises(KeyError, match="there are \\['count'\\]"):
        run.outputs["size"]


def test_logs_are_followed(plane, tmp_path):
    gate = workflow(
        {"name": "main", "container": {"image": "x", "command": ["sh", "-c", "echo begun; while [ ! -e /gate/open ]; do sleep 0.05; done; echo ended"], "volumeMounts": [{"name": "gate", "mountPath": "/gate"}]}},
        volumes=[{"name": "gate", "hostPath": {"path": str(tmp_path)}}])
    lines = plane.run(gate, runtime="process").follow_logs()
    assert next(lines) == "begun"
    (tmp_path / "open").touch()
    assert list(lines) == ["ended"]


def test_asyncio_waits_for_many_at_once(plane):
    async def main():
        runs = await asyncio.gather(*(plane.arun(TWO, runtime="process", wait=True) for _ in range(8)))
        assert [await run.status() for run in runs] == ["Succeeded"] * 8
        assert [dict(await run.outputs()) for run in runs] == [{"count": "5"}] * 8
        assert await runs[0].finished() and await runs[0].succeeded()
        events = [event async for event in await plane.arun(TWO, runtime="process")]
        assert (events[-1].name, events[-1].phase) == ("", "Succeeded")
        with pytest.raises(tiphys.RunFailed):
            await plane.arun(BREAKS, runtime="process", wait=True)

    asyncio.run(main())


def test_what_a_run_has_its_async_twin_has():
    def public(of):
        return {name for name in dir(of) if not name.startswith("_")}

    assert public(tiphys.Run) - public(tiphys.AsyncRun) == {"api", "follow"}


def test_a_cancelled_wait_leaves_the_run_alone(plane):
    async def main():
        run = await plane.arun(WAITS)
        waiting = asyncio.ensure_future(run.wait())
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        with pytest.raises(TimeoutError):
            await run.wait(timeout=0.01)
        await run.resume()
        assert await (await run.wait()).status() == "Succeeded"

    asyncio.run(main())


def test_threads_share_the_plane(plane):
    outcomes = []
    threads = [threading.Thread(target=lambda: outcomes.append(plane.run(TWO, runtime="process", wait=True).status)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == ["Succeeded"] * 6


def test_a_plane_that_is_killed_is_followed_by_another(plane):
    run = plane.run(WAITS)
    waiting = threading.Thread(target=run.wait)
    waiting.start()
    run.client.plane._launched.process.kill()
    run.client.plane._launched.process.wait()
    assert plane.get(run.name).status == "Running"
    run.resume()
    waiting.join(60)
    assert not waiting.is_alive() and run.succeeded


def test_a_plane_that_is_there_is_used(tiphys, monkeypatch):
    tiphys.up()
    monkeypatch.setenv("TIPHYS_DATA_DIR", str(tiphys.data_dir))
    import tiphys as package

    run = package.run(TWO, runtime="process", wait=True)
    assert run.succeeded and not run.client.plane.ours
    assert run.name in tiphys("list", "-o", "name").stdout.split()


SCRIPT = """
import tiphys
run = tiphys.run({"spec": {"entrypoint": "gate", "templates": [{"name": "gate", "suspend": {}}]}})
print(run.name)
"""


def test_what_a_script_leaves_unfinished_is_told(tmp_path):
    done = subprocess.run([sys.executable, "-c", SCRIPT], env=clean_environment(tmp_path), capture_output=True, text=True, timeout=120, check=True)
    assert f"{done.stdout.strip()} is unfinished" in done.stderr


def test_nothing_stays_behind_when_python_is_killed(tmp_path):
    script = SCRIPT + "print(run.client.plane._launched.process.pid, flush=True)\nimport time\ntime.sleep(600)"
    python = subprocess.Popen([sys.executable, "-c", script], env=clean_environment(tmp_path), stdout=subprocess.PIPE, text=True)
    name, pid = python.stdout.readline().strip(), int(python.stdout.readline())
    server = os.pidfd_open(pid)
    python.kill()
    python.communicate()
    assert name and select.select([server], [], [], 60)[0], "the server outlives its Python"
    os.close(server)


PROGRESS = f"import tiphys, json; tiphys.run(json.loads({json.dumps(json.dumps(TWO))}), runtime='process', wait=True, progress=PROGRESS)"


def on_a_terminal(command, environment):
    """What a program writes to a terminal of 80 columns and 24 lines."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("4H", 24, 80, 0, 0))
    program = subprocess.Popen(command, env=environment, stdin=its, stdout=its, stderr=its)
    os.close(its)
    seen = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # the last of the other side has gone
            break
        if not piece:
            break
        seen += piece
    os.close(ours)
    assert program.wait(60) == 0, seen.decode()
    return seen.decode()


def test_progress_on_a_terminal_is_a_live_tree(tmp_path):
    seen = on_a_terminal([sys.executable, "-c", PROGRESS.replace("PROGRESS", "None")], clean_environment(tmp_path, TERM="xterm", NO_COLOR="1"))
    last = re.split(r"\x1b\[\d+A", seen)[-1]
    assert re.search(r"├─✔ make  \ds", last) and re.search(r"└─✔ use  \ds", last) and "Succeeded  2/2 done" in last
    assert "\x1b[32m" in on_a_terminal([sys.executable, "-c", PROGRESS.replace("PROGRESS", "None")], clean_environment(tmp_path, TERM="xterm"))


@pytest.mark.parametrize("progress, expected", [("None", ""), ("True", "✔ use  Succeeded"), ("False", "")])
def test_progress_elsewhere_is_lines_if_asked_for(tmp_path, progress, expected):
    done = subprocess.run([sys.executable, "-c", PROGRESS.replace("PROGRESS", progress)], env=clean_environment(tmp_path), capture_output=True, text=True, timeout=120, check=True)
    assert expected in done.stderr and (expected or not done.stderr)


def test_an_interrupt_stops_a_run_that_is_waited_for(tmp_path):
    # Where tests run behind a shell's back, it is ignored.
    script = ("import signal, tiphys\nsignal.signal(signal.SIGINT, signal.default_int_handler)\ntry:\n    tiphys.run({'metadata': {'name': 'gate'}, 'spec': {'entrypoint': 'gate', 'templates': [{'name': 'gate', 'suspend': {}}]}}, wait=True, progress=True)\n"
              "except KeyboardInterrupt:\n    print(tiphys.get('gate').wait(check=False).message)")
    python = subprocess.Popen([sys.executable, "-c", script], env=clean_environment(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert any("● gate  Running" in line for line in python.stderr)
    python.send_signal(signal.SIGINT)
    out, err = python.communicate(timeout=60)
    assert python.returncode == 0 and "'Stop'" in out, out + err


FORKS = """
import os, tiphys
hello = {"spec": {"entrypoint": "m", "templates": [{"name": "m", "container": {"image": "x", "command": ["true"]}}]}}
tiphys.run(hello, runtime="process", wait=True)
child = os.fork()
if child == 0:
    print(tiphys.run(hello, runtime="process", wait=True).status, flush=True)
    os.read(0, 1)  # it outlives its parent
    os._exit(0)
"""


def test_a_forked_process_uses_its_parents_plane(tmp_path):
    python = subprocess.Popen([sys.executable, "-c", FORKS], env=clean_environment(tmp_path), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert python.stdout.readline() == "Succeeded\n"
    assert python.wait(60) == 0, "it does not wait for its child"
    python.stdin.close()
    python.stdout.close()


def test_importing_costs_nothing_heavy():
    heavy = "{'asyncio', 'http.client', 'numpy', 'pandas', 'hera', 'kubernetes', 'IPython', 'ssl', 'subprocess', 'yaml'}"
    code = f"import sys; import tiphys; print(sorted({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-S", "-c", f"import sys; sys.path.insert(0, {str(clean_environment(EXAMPLES)['PYTHONPATH'])!r}); {code}"],
                          capture_output=True, text=True, check=True).stdout == "[]\n"
