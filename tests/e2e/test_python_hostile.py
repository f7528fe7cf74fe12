"""What a new user does wrong, and what goes wrong around the package: each with a clear error, or the right result."""

import os
import shutil
import subprocess
import sys
import threading

import pytest
from python_support import clean_environment, plane, shell, tiphys, workflow  # noqa: F401

GATE = workflow({"name": "gate", "suspend": {}})

SHAPES = [
    ("a spec that is a list", {"spec": [1]}, "^spec is a list, not a dict$"),
    ("metadata that is text", {"metadata": "w", "spec": {}}, "^metadata is a str, not a dict$"),
    ("templates that are text", {"spec": {"entrypoint": "m", "templates": "m"}}, "^spec.templates is a str, not a list$"),
    ("a template that is text", {"spec": {"entrypoint": "m", "templates": ["m"]}}, r"^spec.templates\[0\] is a str, not a dict$"),
    ("arguments that are a list", {"spec": {"arguments": [{"name": "a"}], "templates": []}}, "^spec.arguments is a list, not a dict$"),
    ("a schedule of a list", {"kind": "CronWorkflow", "metadata": {"name": "c"}, "spec": {"workflowSpec": []}}, "^spec.workflowSpec is a list, not a dict$"),
    ("empty text", "", "^an empty text describes no workflow$"),
    ("bytes that are no text", b"kind: Workflow\nmetadata: {name: \xff}\n", "stdin:2:18: a byte that is no UTF-8"),
    ("YAML that is broken", "kind: Workflow\nspec:\n  entrypoint: main\n   templates: [\n", "stdin:3:15: "),
]


@pytest.mark.parametrize("given, message", [row[1:] for row in SHAPES], ids=[row[0] for row in SHAPES])
def test_what_describes_no_workflow_is_told(plane, recwarn, given, message):
    with pytest.raises(tiphys.ManifestError, match=message):
        plane.run(given, {"a": 1}, runtime="process")
    assert not [str(each.message) for each in recwarn if issubclass(each.category, tiphys.ManifestWarning)]


def test_a_file_that_is_no_text_is_told(plane, tmp_path):
    (tmp_path / "bad.yaml").write_bytes(b"kind: Workflow\nmetadata: {name: \xff}\n")
    with pytest.raises(tiphys.ManifestError, match=r"bad.yaml:2:18: a byte that is no UTF-8"):
        plane.run(tmp_path / "bad.yaml", {"a": 1})


@pytest.mark.parametrize("what", ["parameters", "artifacts", "labels"])
def test_names_are_text(plane, what):
    with pytest.raises(TypeError, match=f"{what} are named by text, not by 1"):
        plane.run(GATE, **{what: {1: "x"}})


def test_logs_that_are_no_text(plane):
    run = plane.run(workflow(shell("main", r"printf 'a\377b\n\000c\n'; exit 3")), runtime="process").wait(check=False)
    assert run.logs() == "a\ufffdb\n\0c" and list(run.follow_logs()) == ["a\ufffdb", "\0c"]
    with pytest.raises(tiphys.RunFailed) as failed:
        run.wait()
    assert failed.value.log == run.logs()


def test_outputs_that_are_no_text(plane):
    """As in the original: each byte that is none is U+FFFD, in a parameter and in a result that another step takes."""
    writes = shell("writes", r"printf 'a\377b\n' >/tmp/p; printf 'c\303\n'", outputs={"parameters": [{"name": "p", "valueFrom": {"path": "/tmp/p"}}]})
    values = [{"name": "p", "value": "{{steps.first.outputs.parameters.p}}"}, {"name": "r", "value": "{{steps.first.outputs.result}}"}]
    takes = shell("takes", "echo {{inputs.parameters.p}} {{inputs.parameters.r}}", inputs={"parameters": [{"name": "p"}, {"name": "r"}]})
    main = {"name": "main", "steps": [[{"name": "first", "template": "writes"}], [{"name": "second", "template": "takes", "arguments": {"parameters": values}}]]}
    run = plane.run(workflow(main, writes, takes), runtime="process", wait=True)
    assert run.nodes["first"].outputs == {"p": "a\ufffdb"} and run.nodes["first"].outputs.result == "c\ufffd"
    assert run.logs("second") == "a\ufffdb c\ufffd"


def test_a_failure_shows_the_end_of_a_long_line(plane):
    with pytest.raises(tiphys.RunFailed) as failed:
        plane.run(workflow(shell("main", "head -c 3000000 /dev/zero | tr '\\0' x; echo end; exit 3")), runtime="process", wait=True)
    assert failed.value.log.endswith("xxxend") and len(failed.value.log) == 10_000


def test_many_nodes(plane):
    many = workflow({"name": "main", "steps": [[{"name": "each", "template": "one", "withSequence": {"count": "10000"}, "when": "{{item}} == 7"}]]}, shell("one", "echo 7"))
    run = plane.run(many, runtime="process", wait=True)
    assert run.logs() == "7" and run.nodes["each(9999:9999)"].phase == "Skipped"
    assert len(run.nodes.of_template("one")) == 10_000
    from tiphys._notebook import bundle_of

    shown = bundle_of(run)
    assert "and 9951 more" in shown["text/html"] and all(len(form) < 100_000 for form in shown.values())


def test_a_plane_that_cannot_come_back_is_told(plane, monkeypatch):
    run = plane.run(GATE)
    monkeypatch.setenv("TIPHYS_BIN", "/bin/false")
    run.client.plane._launched.process.kill()
    with pytest.raises(tiphys.ServerNotStarted):
        run.wait()
    monkeypatch.undo()


def remove(folder):
    """Although what runs writes there yet."""
    while os.path.exists(folder):
        shutil.rmtree(folder, ignore_errors=True)


def test_a_data_directory_that_is_removed_begins_anew(plane, tmp_path):
    run = plane.run(GATE)
    remove(tmp_path / "data")
    assert plane.run(workflow(shell("main", "echo anew")), runtime="process", wait=True).logs() == "anew"
    remove(tmp_path / "data")
    with pytest.raises(tiphys.NotFound):
        run.status


THREADS = """
import os, threading
spawn, spawned = os.posix_spawn, []
os.posix_spawn = lambda *arguments, **options: spawned.append(1) or spawn(*arguments, **options)
import tiphys
hello = {"spec": {"entrypoint": "m", "templates": [{"name": "m", "container": {"image": "x", "command": ["true"]}}]}}
together, outcomes = threading.Barrier(8), []
def first():
    together.wait()
    outcomes.append(tiphys.run(hello, runtime="process", wait=True).status)
threads = [threading.Thread(target=first) for _ in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(set(outcomes), len(outcomes), len(spawned))
"""


def test_threads_that_begin_together_start_one_plane(tmp_path):
    done = subprocess.run([sys.executable, "-c", THREADS], env=clean_environment(tmp_path), capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout == "{'Succeeded'} 8 1\n", done.stdout + done.stderr


FORKS = """
import multiprocessing, os, sys, threading, tiphys
hello = {"spec": {"entrypoint": "m", "templates": [{"name": "m", "container": {"image": "x", "command": ["true"]}}]}}
gate = {"spec": {"entrypoint": "gate", "templates": [{"name": "gate", "suspend": {}}]}}

def work(_):
    return tiphys.run(hello, runtime="process", wait=True).status

if __name__ == "__main__":
    if sys.argv[1] == "follow":
        run = tiphys.run(gate)
        run.follow(with_nodes=True)  # by threads that a child has not
        if os.fork() == 0:
            run.resume()
            os._exit(0 if run.wait().succeeded else 1)
        print(os.wait()[1], run.wait().status)
    else:
        with multiprocessing.get_context(sys.argv[1]).Pool(3) as pool:
            print(pool.map(work, range(3)))
"""


@pytest.mark.parametrize("how, expected", [("follow", "0 Succeeded"), *((how, "['Succeeded', 'Succeeded', 'Succeeded']") for how in ("fork", "spawn", "forkserver"))])
def test_processes_of_one_program(tmp_path, how, expected):
    (tmp_path / "forks.py").write_text(FORKS)
    done = subprocess.run([sys.executable, tmp_path / "forks.py", how], env=clean_environment(tmp_path), capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout.strip() == expected, done.stdout + done.stderr


def test_a_server_elsewhere_that_goes_is_told():
    with tiphys.Server(runtime="process") as server:
        run = tiphys.connect(server.url, server.token).run(GATE)
        said = []
        waiting = threading.Thread(target=lambda: said.append(pytest.raises(tiphys.ServerUnreachable, run.wait)))
        waiting.start()
        server.plane._launched.process.kill()
        waiting.join()
    assert len(said) == 1
