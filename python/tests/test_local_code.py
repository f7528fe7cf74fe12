"""Which folders steps of Hera's runner are shown, and which steps."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "src"))

from tiphys import ManifestError, _local_code  # noqa: E402


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A program's folder with a module and a package."""
    (tmp_path / "mine.py").write_text("")
    (tmp_path / "package").mkdir()
    (tmp_path / "package/__init__.py").write_text("")
    (tmp_path / "package/inner.py").write_text("")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *(place for place in sys.path if place in _local_code._found_anyway())])
    monkeypatch.setattr(_local_code, "_of_the_program", lambda: [str(tmp_path)])
    return str(tmp_path)


def script(*args, command=("python",), **more):
    return {"name": "s", "script": {"image": "i", "command": list(command), "args": list(args), "source": "{{inputs.parameters}}", **more}}


def with_code(template, **spec):
    return _local_code.with_local_code({"spec": {"templates": [template], **spec}})["spec"]


RUNNER = ("-m", "hera.workflows.runner", "-e")
SHOWN = [
    ("a module", script(*RUNNER, "mine:f")),
    ("a module of a package", script(*RUNNER, "package.inner:f")),
    ("in the command", script(command=["python", *RUNNER, "mine:f"])),
    ("a container", {"name": "s", "container": {"image": "i", "args": [*RUNNER, "mine:f"]}}),
]


@pytest.mark.parametrize("template", [row[1] for row in SHOWN], ids=[row[0] for row in SHOWN])
def test_the_folder_of_a_module_is_shown(folder, template):
    spec = with_code(template)
    assert spec["volumes"] == [{"name": "tiphys-local-code-0", "hostPath": {"path": folder}}]
    (made,) = spec["templates"]
    container = made.get("script") or made["container"]
    assert container["volumeMounts"] == [{"name": "tiphys-local-code-0", "mountPath": folder, "readOnly": True}]
    assert container["env"] == [{"name": "PYTHONPATH", "value": folder}]
    assert "env" not in (template.get("script") or template["container"]), "what was given stays as it was"


UNCHANGED = [
    ("no runner", script("-c", "pass")),
    ("a module that is installed", script(*RUNNER, "yaml:f")),
    ("a module of Python's own", script(*RUNNER, "json:f")),
    ("a module that nobody has", script(*RUNNER, "nowhere_at_all:f")),
    ("no container", {"name": "s", "steps": [[]]}),
]


@pytest.mark.parametrize("template", [row[1] for row in UNCHANGED], ids=[row[0] for row in UNCHANGED])
def test_others_are_left_alone(folder, template):
    assert with_code(template) == {"templates": [template]}


def test_what_a_template_says_itself_comes_first(folder):
    spec = with_code(
        script(*RUNNER, "mine:f", env=[{"name": "PYTHONPATH", "value": "/first"}, {"name": "A", "value": "b"}], volumeMounts=[{"name": "v", "mountPath": "/v"}]),
        volumes=[{"name": "v", "emptyDir": {}}],
    )
    container = spec["templates"][0]["script"]
    assert container["env"] == [{"name": "A", "value": "b"}, {"name": "PYTHONPATH", "value": f"/first:{folder}"}]
    assert [mount["name"] for mount in container["volumeMounts"]] == ["v", "tiphys-local-code-0"]
    assert [volume["name"] for volume in spec["volumes"]] == ["v", "tiphys-local-code-0"]


def test_all_folders_from_which_the_program_imports(folder, tmp_path_factory, monkeypatch):
    other = str(tmp_path_factory.mktemp("other"))
    monkeypatch.setattr(_local_code, "_of_the_program", lambda: [other, folder, "/usr/lib", "/not/there"])
    spec = with_code(script(*RUNNER, "mine:f"))
    assert [volume["hostPath"]["path"] for volume in spec["volumes"]] == [folder, other], "steps see /usr anyway"
    assert spec["templates"][0]["script"]["env"] == [{"name": "PYTHONPATH", "value": f"{folder}:{other}:/usr/lib"}]


def test_a_program_in_the_root_is_refused(folder, monkeypatch):
    monkeypatch.setattr(_local_code, "_of_the_program", lambda: ["/"])
    with pytest.raises(ManifestError, match="move it to a folder"):
        with_code(script(*RUNNER, "mine:f"))
