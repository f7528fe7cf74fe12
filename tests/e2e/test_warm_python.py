"""Steps of Python that are forks of an interpreter that is kept: to their programs they are new interpreters."""

import json
import os
import pathlib
import re
import signal
import subprocess
import sys

import pytest

from conftest import nodes_by_name
from python_support import plane, workflow  # noqa: F401 - a fixture

WARM = "open('/proc/self/cmdline').read().count(' '.join(['tiphys', 'zygote']))"  # whether the process that asks is a fork
LOOK = r"""
import json, os, resource, signal, stat, sys, threading
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
main = sys.modules["__main__"]
json.dump({
    "argv": sys.argv, "orig_argv": getattr(sys, "orig_argv", None), "path": sys.path, "executable": sys.executable, "prefix": sys.prefix,
    "flags": str(sys.flags), "cwd": os.getcwd(), "environment": {name: value for name, value in os.environ.items() if not name.startswith("ARGO_") and name != "HOSTNAME"},
    "names": sorted(vars(main)), "name": __name__, "file": globals().get("__file__"), "spec": type(__spec__).__name__, "package": __package__, "loader": type(__loader__).__name__,
    "streams": [[repr(each), each.line_buffering, each.write_through, each.errors, each.newlines, type(each.buffer).__name__, each.fileno()] for each in (sys.stdin, sys.stdout, sys.stderr)],
    "originals": [sys.stdin is sys.__stdin__, sys.stdout is sys.__stdout__, sys.stderr is sys.__stderr__],
    "encodings": [sys.getfilesystemencoding(), sys.getdefaultencoding(), sys.stdout.encoding],
    "input": sys.stdin.read(),
    "open": sum(1 for fd in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{fd}")),
    "kinds": [stat.S_IFMT(os.fstat(fd).st_mode) for fd in range(3)], "inheritable": [os.get_inheritable(fd) for fd in range(3)],
    "rights": {name: status[name].strip() for name in ("CapInh", "CapPrm", "CapEff", "CapAmb", "NoNewPrivs", "Seccomp", "Uid", "Gid", "Groups", "SigBlk", "SigIgn", "SigCgt")},
    "dumpable": os.stat("/proc/self/environ").st_uid == os.getuid(), "umask": os.umask(0),
    "leads": [os.getsid(0) == os.getpid(), os.getpgrp() == os.getpid(), os.getppid()],
    "root": sorted(os.listdir("/")), "limits": {name: resource.getrlimit(getattr(resource, name)) for name in dir(resource) if name.startswith("RLIMIT_")},
    "signals": {each.name: str(signal.getsignal(each)) for each in signal.Signals}, "threads": [threading.main_thread().name, threading.active_count(), threading.current_thread() is threading.main_thread()],
}, sys.stdout, default=str)
"""


def script(source, command=("python3",), **more):
    return {"script": {"image": "python", "command": list(command), "source": source, **more}}


def command(*argv, **more):
    return {"container": {"image": "python", "command": list(argv), **more}}


def variables(**values):
    return [{"name": name, "value": value} for name, value in values.items()]


def with_files(template, **files):
    """Files of /work, where the template works."""
    template["inputs"] = {"artifacts": [{"name": name.replace("_", "-"), "path": f"/work/{name.replace('_', '.')}", "raw": {"data": data}} for name, data in files.items()]}
    next(iter(template.values()))["workingDir"] = "/work"
    return template


RAISE = "def f():\n    raise ValueError('wrong')\nf()\n"
# What a template does, and whether a fork is to do it.
CASES = {
    "what a script sees": (script(LOOK), True),
    "what code sees": (command("python3", "-c", LOOK, "a", "ä", "-b"), sys.version_info < (3, 13)),
    "what an unbuffered script sees": (script(LOOK, ["python3", "-u"]), True),
    "what it sees with unbuffered streams": (script(LOOK, env=variables(PYTHONUNBUFFERED="1")), True),
    "what a path and a folder show": (with_files(command("/usr/bin/python3", "look.py", "--x=1"), look_py=LOOK), True),
    "what a module sees": (with_files(command("python3", "-m", "look", "x"), look_py=LOOK), True),
    "what variables do": (script(LOOK, env=variables(A="b", TZ="Asia/Tokyo", HOME="/tmp", PYTHONPATH="/work:/nowhere::/work")), True),
    "the time zone": (script("import time; print(time.strftime('%z', time.localtime(0)))", env=variables(TZ="Asia/Tokyo")), True),
    "modules of PYTHONPATH": (with_files(command("python3", "-c", "import one; print(one.x)", env=variables(PYTHONPATH="/work")), one_py="x = 1"), True),
    "a module in place of the library's": (with_files(command("python3", "main.py"), main_py="import json; print(json.x)", json_py="x = 'mine'"), False),
    "the same by PYTHONPATH": (with_files(script("import re; print(re.x)", env=variables(PYTHONPATH="/work")), re_py="x = 're'"), False),
    "a sitecustomize": (with_files(script("print(1)", env=variables(PYTHONPATH="/work")), sitecustomize_py="print('customized')"), False),
    "the seed of hashes": (script("print(hash('a'))", env=variables(PYTHONHASHSEED="7")), False),
    "no command": (command("python3", "-c", "print(1)", env=variables(LC_ALL="C")), False),
    "sys.exit": (script("import sys; print('out'); sys.exit(3)"), True),
    "sys.exit with text": (script("import sys; sys.exit('why')"), True),
    "sys.exit without": (script("import sys; sys.exit()"), True),
    "os._exit": (script("import os; print('lost'); os._exit(5)"), True),
    "an exception": (script(RAISE), True),
    "an exception of code": (command("python3", "-c", RAISE), True),
    "an exception of a module": (with_files(command("python3", "-m", "wrong"), wrong_py=RAISE), True),
    "an exception with a cause": (script("try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    raise KeyError('k') from e\n"), True),
    "an exception of an import": (with_files(command("python3", "main.py"), main_py="import wrong\n", wrong_py=RAISE), True),
    "a hook for exceptions": (script("import sys\nsys.excepthook = lambda *what: print('hooked', what[0].__name__)\n1 / 0\n"), True),
    "an interrupt": (script("raise KeyboardInterrupt"), True),
    "an interrupt by a signal": (script("import os, signal; os.kill(os.getpid(), signal.SIGINT)"), True),
    "wrong syntax": (script("print(\n"), True),
    "no such file": (command("python3", "/nowhere.py"), True),
    "no such module": (command("python3", "-m", "nowhere"), True),
    "a folder": (with_files(command("python3", "/work"), __main___py="print('main', __name__)"), True),
    "bytes that are no text": (command("python3", "/bin/true"), True),
    "another encoding": (script("# coding: latin-1\nprint('ä')"), True),
    "at exit": (script("import atexit\nfor n in range(3):\n    atexit.register(print, n)\n"), True),
    "an exception at exit": (script("import atexit\natexit.register(lambda: 1 / 0)\n"), True),
    "threads that go on": (script("import threading, time\nthreading.Thread(target=lambda: (time.sleep(.1), print('late'))).start()\nprint('first')\n"), True),
    "daemons": (script("import threading, time\nthreading.Thread(target=lambda: time.sleep(99), daemon=True).start()\nprint('first')\n"), True),
    "files that are left open": (script("f = open('/tmp/x', 'w')\nf.write('kept')\n", ["sh", "-c", "python3 $0; cat /tmp/x"]), False),
    "objects that are left": (script("class A:\n    def __del__(self):\n        print('deleted')\na = A()\n"), True),
    "SIGTERM to itself": (script("import os, signal\nprint('out', flush=True)\nos.kill(os.getpid(), signal.SIGTERM)\n"), True),
    "SIGKILL to itself": (script("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n"), True),
    "SIGSEGV": (script("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n"), True),
    "children": (script("import os, subprocess\nprint(subprocess.run(['echo', 'x'], capture_output=True, text=True).stdout, os.system('exit 3'))\n"), True),
    "processes": (script("import multiprocessing\nif __name__ == '__main__':\n    with multiprocessing.Pool(2) as pool:\n        print(pool.map(abs, [-1, -2]))\n"), True),
    "processes anew": (with_files(command("python3", "main.py"), main_py="import multiprocessing\ndef f(x):\n    return x + 1\nif __name__ == '__main__':\n    multiprocessing.set_start_method('spawn')\n"
                                  "    with multiprocessing.Pool(1) as pool:\n        print(pool.map(f, [1, 2]))\n"), True),
    "pickles of its own classes": (script("import pickle\nclass A:\n    pass\nprint(type(pickle.loads(pickle.dumps(A()))).__module__)\n"), True),
    "where it is": (script("import inspect\ndef f():\n    return [(each.function, each.lineno) for each in inspect.stack()][:2]\nprint(f())\n"), True),
    "warnings": (script("import warnings\nwarnings.warn('careful')\nopen('/dev/null')\n"), True),
    "much output": (script("print('x' * 300000)\nimport sys\nprint('e' * 70000, file=sys.stderr)\n"), True),
    "a step's own limit of memory": (script("import resource\ntry:\n    x = bytearray(1 << 30)\n    print(len(x))\nexcept MemoryError:\n    raise SystemExit(137)\n",
                                            resources={"limits": {"memory": "64Mi"}}), True),
    "another user": ({**script("import os; print(os.getuid(), os.getgid(), open('/proc/self/environ').read() != '', os.access('/root', os.W_OK))"), "securityContext": {"runAsUser": 1234}}, os.geteuid() == 0),
    "what another user sees": ({**script(LOOK), "securityContext": {"runAsUser": 1234, "runAsGroup": 77}}, os.geteuid() == 0),
    "a root that is read-only": (script(LOOK, securityContext={"readOnlyRootFilesystem": True}), True),
    "a volume": ({**script("print(open('/data/f', 'w').write('x'))", volumeMounts=[{"name": "data", "mountPath": "/data"}]), "volumes": [{"name": "data", "emptyDir": {}}]}, True),
    "a volume over the interpreter": ({**command("python3", "-c", "print(1)", volumeMounts=[{"name": "data", "mountPath": "/usr/lib"}]), "volumes": [{"name": "data", "emptyDir": {}}]}, False),
    "a working directory that is new": (script("import os; print(os.getcwd())", workingDir="/some/place"), True),
}


def workflow_of(cases):
    templates = [{"name": f"c{number}", **template} for number, (template, _) in enumerate(cases.values())]
    tasks = [{"name": template["name"], "template": template["name"], "continueOn": {"failed": True, "error": True}} for template in templates]
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"generateName": "w-"},
            "spec": {"entrypoint": "main", "templates": [{"name": "main", "steps": [tasks]}, *templates]}}


def outcomes(tiphys, cases, *flags):
    """By case: how it ended and all that it wrote."""
    workflow = tiphys.run_object(workflow_of(cases), *flags, code=None)
    nodes = nodes_by_name(workflow)
    found = {}
    for number, name in enumerate(cases):
        node = nodes[f"[0].c{number}"]
        pod = node["id"]
        log = tiphys("logs", workflow["metadata"]["name"], f"{workflow['metadata']['name']}-c{number}-{pod.rsplit('-', 1)[-1]}", "--no-color", code=None).stdout
        found[name] = node["phase"], node.get("message"), (node.get("outputs") or {}).get("exitCode"), readable(log)
    return found


def readable(log):
    lines = [re.sub(" at 0x[0-9a-f]+", "", line.split(": ", 1)[-1]) for line in log.splitlines()]
    try:
        return json.loads("".join(lines))
    except ValueError:
        return sorted(lines)  # of two streams


def lines_of(tiphys, workflow):
    """What all of its steps have written."""
    return [line.split(": ", 1)[-1] for line in tiphys("logs", workflow["metadata"]["name"], "--no-color").stdout.splitlines()]


def test_a_fork_is_what_a_new_interpreter_is(tiphys):
    """Everything that programs may look at, and all that ends them."""
    new, forked = outcomes(tiphys, CASES), outcomes(tiphys, CASES, "--warm-python")
    assert {name: forked[name] for name in forked if forked[name] != new[name]} == {name: new[name] for name in new if forked[name] != new[name]}


def test_who_is_a_fork(tiphys):
    tells = f"print({WARM})"
    cases = {
        "a script": (script(tells), True),
        "code": (command("python3", "-c", tells), sys.version_info < (3, 13)),
        "a module": (with_files(command("/usr/bin/python3", "-u", "-m", "tells"), tells_py=tells), True),
        "with limits": (script(tells, resources={"limits": {"memory": "256Mi", "cpu": "1"}}), True),
        "with a volume": ({**script(tells, volumeMounts=[{"name": "data", "mountPath": "/data"}]), "volumes": [{"name": "data", "emptyDir": {}}]}, True),
        "with variables of Python": (script(tells, env=variables(PYTHONHASHSEED="7")), False),
        "with a json of its own": (with_files(command("python3", "main.py"), main_py=tells, json_py=""), False),
        "by a shell": (command("sh", "-c", f'python3 -c "{tells}"'), False),
    }
    found = outcomes(tiphys, cases, "--warm-python")
    assert {name: outcome[3] for name, outcome in found.items()} == {name: int(forked) for name, (_, forked) in cases.items()}
    # Without the flag none is; a workflow says so itself as well.
    assert {outcome[3] for outcome in outcomes(tiphys, cases).values()} == {0}
    own = workflow_of({"": cases["a script"]})
    for text, forked in (("true", "1"), ("false", "0"), ("json.tool, csv", "1")):
        own["spec"]["podMetadata"] = {"annotations": {"tiphys.io/warm-python": text}}
        own["spec"]["podMetadata"]["annotations"]["tiphys.io/runtime"] = "process"
        assert lines_of(tiphys, tiphys.run_object(own)) == [forked], text


def test_steps_know_nothing_of_each_other(tiphys):
    """A hundred of them: what one does to its modules no other sees, and each draws its own numbers."""
    source = ("import json, os, random, sys, uuid\nassert not hasattr(json, 'mark') and 'MARK' not in os.environ\njson.mark = os.environ['MARK'] = sys.argv[0]\n"
              "print(json.dumps([random.random(), str(uuid.uuid4()), {{inputs.parameters.n}}]))\n")
    manifest = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"generateName": "w-"}, "spec": {"entrypoint": "main", "templates": [
        {"name": "main", "steps": [[{"name": "s", "template": "s", "arguments": {"parameters": [{"name": "n", "value": "{{item}}"}]}, "withSequence": {"count": "100"}}]]},
        {"name": "s", "inputs": {"parameters": [{"name": "n"}]}, **script(source)}]}}
    results = [json.loads(line) for line in lines_of(tiphys, tiphys.run_object(manifest, "--warm-python"))]
    assert sorted(number for _, _, number in results) == list(range(100))
    assert len({chance for chance, _, _ in results}) == len({each for _, each, _ in results}) == 100


def zygotes(data_dir):
    """Process ids of the interpreters that are kept for this data directory."""
    found = []
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            # A fork has no supervisor's log for its output.
            if os.readlink(process / "fd/1") == f"{data_dir}/supervisor/log" and b"tiphys zygote" in (process / "cmdline").read_bytes():
                found.append(int(process.name))
        except OSError:
            pass  # it has just ended, or is somebody else's
    return found


def submitted(tiphys, template, path):
    path.write_text(json.dumps(workflow_of({"": (template, True)})))
    name = tiphys("submit", path, "-o", "name").stdout.strip()
    tiphys("wait", name, code=None)
    workflow = tiphys.object(name)
    return workflow["status"]["phase"], *lines_of(tiphys, workflow)


def test_an_interpreter_that_is_killed(tiphys, tmp_path):
    """The steps go on as they would without it, and the next find another one."""
    server = tiphys.up("--warm-python")
    tells = script(f"print({WARM})")
    assert submitted(tiphys, tells, tmp_path / "w.json") == ("Succeeded", "1")
    first, = zygotes(tiphys.data_dir)
    os.kill(first, signal.SIGKILL)
    assert submitted(tiphys, tells, tmp_path / "w.json")[0] == "Succeeded"
    assert submitted(tiphys, tells, tmp_path / "w.json") == ("Succeeded", "1")
    second, = zygotes(tiphys.data_dir)
    assert second != first
    # One that does not answer: a step that is to end does.
    os.kill(second, signal.SIGSTOP)
    path = tmp_path / "w.json"
    path.write_text(json.dumps(workflow_of({"": (script("import time; time.sleep(600)"), True)})))
    name = tiphys("submit", path, "-o", "name").stdout.strip()
    tiphys("terminate", name)
    tiphys("wait", name, code=None)
    assert nodes_by_name(tiphys.object(name))["[0].c0"]["phase"] == "Failed"
    os.kill(second, signal.SIGKILL)
    server.terminate()
    assert "kept for steps of Python" in server.communicate(timeout=60)[1]


def test_a_step_ends_when_it_is_to(tiphys):
    slow = script("import signal, time\nsignal.signal(signal.SIGTERM, lambda *_: (print('told', flush=True), exit(9)))\nprint('begun', flush=True)\ntime.sleep(600)\n")
    workflow = workflow_of({"": (slow, True)})
    workflow["spec"]["templates"][1]["activeDeadlineSeconds"] = 1
    node = nodes_by_name(tiphys.run_object(workflow, "--warm-python", code=None))["[0].c0"]
    assert node["phase"] == "Failed" and "deadline" in node["message"].lower()
    workflow["spec"]["templates"][1] = {"name": "c0", "activeDeadlineSeconds": 1, **script("import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(600)\n")}
    workflow["spec"]["podSpecPatch"] = "terminationGracePeriodSeconds: 1"
    assert nodes_by_name(tiphys.run_object(workflow, "--warm-python", code=None))["[0].c0"]["phase"] == "Failed"


def test_the_plane_is_killed_meanwhile(tiphys, tmp_path):
    """A step that runs goes on, and the next plane finds it."""
    ran = tmp_path / "ran"
    ran.mkdir()
    os.mkfifo(ran / "go")
    template = script(f"import os\nos.mkdir('/ran/begun')\nopen('/ran/go').read()\nprint({WARM})\n", volumeMounts=[{"name": "ran", "mountPath": "/ran"}])
    template["volumes"] = [{"name": "ran", "hostPath": {"path": str(ran)}}]
    path = tmp_path / "w.json"
    path.write_text(json.dumps(workflow_of({"": (template, True)})))
    server = tiphys.up("--warm-python")
    name = tiphys("submit", path, "-o", "name").stdout.strip()
    with open(ran / "go", "w") as go:  # it waits until the step reads
        server.send_signal(signal.SIGKILL)
        server.wait()
        tiphys.up("--warm-python")
        go.write("x")
    tiphys("wait", name)
    assert lines_of(tiphys, tiphys.object(name)) == ["1"]
    # The interpreter is its supervisor's, which outlives planes.
    assert len(zygotes(tiphys.data_dir)) == 1


@pytest.fixture
def own_environment(tmp_path):
    """An environment of Python outside of the system's folders, with a module."""
    place = tmp_path / "environment"
    subprocess.run(["/usr/bin/python3", "-m", "venv", "--without-pip", place], check=True)
    packages, = place.glob("lib/python3*/site-packages")
    return place, packages


def told_when_warm(tiphys, template, path):
    """What a step tells: until another interpreter is there, after the one that was kept has found that it is none of today's, each step has its own."""
    for _ in range(100):
        told = submitted(tiphys, template, path)[1]
        if told.endswith("1"):
            return told
    return told


def test_packages_that_change(tiphys, tmp_path, own_environment):
    """What is kept is what is on disk: a module that was changed or added, another environment at the same place."""
    place, packages = own_environment
    (packages / "known.py").write_text("value = 1\n")
    tiphys.up("--warm-python=known", "--program-path", place / "bin", "--host-path", place)
    tells = script(f"import known, sys\nprint(known.value, sys.prefix == '{place}', {WARM})\n")
    assert submitted(tiphys, tells, tmp_path / "w.json")[1] == "1 True 1"
    (packages / "known.py").write_text("value = 22\n")
    assert told_when_warm(tiphys, tells, tmp_path / "w.json") == "22 True 1"
    (packages / "zmore.pth").write_text("import sys; sys.more = 'more'\n")
    values = [submitted(tiphys, script("import sys; print(sys.more)"), tmp_path / "w.json")[1] for _ in range(2)]
    assert values == ["more", "more"]
    place.rename(tmp_path / "before")
    subprocess.run(["/usr/bin/python3", "-m", "venv", "--without-pip", place], check=True)
    (packages / "known.py").write_text("value = 333\n")
    assert told_when_warm(tiphys, tells, tmp_path / "w.json") == "333 True 1"


def test_modules_that_cannot_be_imported(tiphys, tmp_path):
    """The step says so when it needs it; what ends the interpreter ends no step."""
    tells = script(f"print({WARM})")
    workflow = workflow_of({"": (tells, True)})
    assert lines_of(tiphys, tiphys.run_object(workflow, "--warm-python=no_such_module")) == ["1"]
    wrong = tiphys("run", tmp_path / "x.yaml", "--warm-python=a b", code=2)
    assert '--warm-python: "a b" is no module of Python' in wrong.stderr
    workflow["spec"]["podMetadata"] = {"annotations": {"tiphys.io/warm-python": "x y"}}
    assert "is no module of Python" in nodes_by_name(tiphys.run_object(workflow, code=None))["[0].c0"]["message"]


def test_from_python(plane, tmp_path):
    tells = {"name": "main", **script(f"import sys; print({WARM}, 'csv' in sys.modules)")}
    for x in (workflow(tells), json.dumps(workflow(tells) | {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow"})):
        for warm, expected in ((None, "0 False"), (True, "1 False"), (["csv"], "1 True"), ("csv", "1 True"), (False, "0 False")):
            run = plane.run(x, runtime="process", wait=True, warm=warm)
            assert run.logs().strip() == expected, warm
    with plane.Server(runtime="process", warm=["csv"]) as server:
        assert server.run(workflow(tells), wait=True).logs().strip() == "1 True"
        assert server.run(workflow(tells), wait=True, warm=False).logs().strip() == "0 False"
