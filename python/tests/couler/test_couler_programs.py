"""Programs as they are: their imports find this package, what they submit can be taken."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

import tiphys.couler.argo as couler
from tiphys.couler import capture, program

SOURCES = pathlib.Path(couler.__file__).parents[2]

# Statement, and what it makes x.
IMPORTS = [
    ("import couler as x", "tiphys.couler"),
    ("import couler.argo as x", "tiphys.couler.argo"),
    ("import couler; x = couler.core.states", "tiphys.couler.core.states"),
    ("from couler import argo_submitter as x", "tiphys.couler.argo_submitter"),
    ("from couler.core import utils as x", "tiphys.couler.core.utils"),
    ("from couler.core.templates import volume as x", "tiphys.couler.core.templates.volume"),
    ("import couler.core.syntax.dag as x", "tiphys.couler.core.syntax.dag"),
    ("from couler.steps import mpi as x", "tiphys.couler.steps.mpi"),
    ("import couler.docker_submitter as x", "tiphys.couler.docker_submitter"),
    ("import couler.argo, importlib; x = importlib.reload(couler.argo)", "tiphys.couler.argo"),
]


@pytest.mark.parametrize("statement, name", IMPORTS)
def test_imports(statement, name):
    """In an interpreter of its own, with a `couler` on its path that is not looked at."""
    code = f"import sys\nfrom tiphys.couler import import_hook\nimport_hook.install()\n{statement}\nprint(x.__name__, x.__spec__.name, x is sys.modules[{name!r}])"
    done = python("-c", code)
    assert done.stdout.split() == [name, name, "True"], done.stderr


def python(*arguments, **options):
    environment = {**os.environ, "PYTHONPATH": str(SOURCES), **options.pop("env", {})}
    return subprocess.run([sys.executable, *arguments], env=environment, capture_output=True, text=True, timeout=120, check=False, **options)


def test_what_is_written_down_is_all_there_is():
    import tiphys.couler

    assert sorted(tiphys.couler.__all__) == sorted(couler.__all__)
    assert [name for name in couler.__all__ if not hasattr(couler, name)] == []


PROGRAM = """
import sys
import couler.argo as couler
from couler.argo_submitter import ArgoSubmitter

def step(): return couler.run_container(image="i", command="c", secret=couler.create_secret({"a": "b"}, name="s"))

for name in sys.argv[1:]:
    step()
    print(couler.run(ArgoSubmitter(namespace=name))["metadata"]["name"])
step()
"""


def write(tmp_path, text=PROGRAM):
    path = tmp_path / "flow.py"
    path.write_text(text)
    return str(path)


def test_what_a_program_submits(tmp_path, capsys):
    before = sys.argv, sys.path[:]
    found = program.documents(write(tmp_path), ["one", "two"])
    assert [(each["kind"], each["metadata"].get("namespace")) for each in found] == [("Secret", None), ("Workflow", "one"), ("Secret", None), ("Workflow", "two")]
    assert capsys.readouterr().out == "flow-1\nflow-2\n"
    assert (sys.argv, sys.path[:]) == before
    assert not couler.workflow.empty, "it has made another one"


def test_what_a_program_leaves_behind(tmp_path):
    found = program.documents(write(tmp_path))
    assert [each["kind"] for each in found] == ["Secret", "Workflow"]
    assert couler.workflow.empty


def test_a_default_submitter_ends_with_who_set_it(tmp_path):
    text = PROGRAM + "couler.set_default_submitter(ArgoSubmitter('mine'))\ncouler.run()"
    assert program.documents(write(tmp_path, text))[-1]["metadata"]["namespace"] == "mine"
    assert couler.ArgoSubmitter._default_submitter is None


def test_other_submitters(tmp_path):
    class Mine:
        def submit(self, workflow, secrets):
            return workflow["metadata"], [secret.name for secret in secrets]

    def made():
        couler.run_container(image="i", command="c", secret=couler.create_secret({"a": "b"}, name="s"))
        return couler.run(Mine())

    metadata, secrets = made()
    assert metadata["generateName"].endswith("-") and secrets == ["s"]
    assert couler.workflow.empty


def test_printed(tmp_path):
    done = python("-m", "tiphys.couler", "--print", write(tmp_path), "n")
    assert done.returncode == 0, done.stderr
    assert "kind: Workflow" in done.stdout and done.stdout.count("\n---\n") == 3
    assert "the program submits no workflow by couler.run(); this is the one that it makes:" in done.stderr


def test_printed_without_a_yaml_writer(tmp_path):
    (tmp_path / "yaml.py").write_text("raise ImportError")
    done = python("-m", "tiphys.couler", "--print", write(tmp_path), env={"PYTHONPATH": f"{SOURCES}:{tmp_path}"})
    secret, workflow = done.stdout.split("---\n")
    assert json.loads(secret)["kind"] == "Secret" and json.loads(workflow)["kind"] == "Workflow"


def test_a_program_that_there_is_not():
    done = python("-m", "tiphys.couler", "none.py")
    assert done.returncode == 2 and "there is no file none.py" in done.stderr


def test_an_error_names_the_line_of_the_program(tmp_path):
    done = python("-m", "tiphys.couler", write(tmp_path, "import couler\ncouler.run_container(imge='i')\n"))
    assert done.returncode == 1
    assert 'flow.py", line 2' in done.stderr and done.stderr.splitlines()[-1].endswith("did you mean 'image'?")


def test_a_kubeconfig_without_its_client(tmp_path):
    (tmp_path / "kubernetes.py").write_text("raise ImportError")
    code = "from tiphys.couler.argo_submitter import ArgoSubmitter\nArgoSubmitter()"
    done = python("-c", code, env={"PYTHONPATH": f"{SOURCES}:{tmp_path}", "KUBECONFIG": "x"})
    assert "pip install kubernetes; or unset KUBECONFIG" in done.stderr


def test_captures_nest():
    inner, outer = [], []
    with capture.captured(outer.extend):
        with capture.captured(inner.extend):
            couler.run_container(image="i", command="c", step_name="a")
            couler.run()
        couler.run_container(image="i", command="c", step_name="b")
        couler.run()
    assert (len(inner), len(outer)) == (1, 1)
