"""The wheel, as somebody installs it."""

import os
import subprocess
import sys
import zipfile

import pytest
from client_environments import PATIENCE, environment
from conftest import ROOT

HELLO = """
import tiphys
run = tiphys.run({"spec": {"entrypoint": "m", "templates": [{"name": "m", "script": {"image": "python", "command": ["python"], "source": "import sys; print(sys.prefix)"}}]}},
                 runtime="process", wait=True)
print(tiphys.find_program(), run.logs())
"""


def call(*command, **options):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=PATIENCE, check=False, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built with what is pinned, and with nothing from anywhere."""
    python, folder = environment("wheel"), tmp_path_factory.mktemp("wheel")
    call(sys.executable, "-m", "pip", "--python", python, "wheel", "--quiet", "--no-build-isolation", "--no-deps", "--no-index", "--wheel-dir", folder, ROOT / "python")
    (made,) = folder.glob("*.whl")
    return made


def test_the_wheel_names_the_machines_that_it_runs_on(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        about = archive.read(next(name for name in names if name.endswith("/WHEEL"))).decode()
    assert "Root-Is-Purelib: false" in about and f"manylinux_2_" in wheel.name and wheel.name.startswith("tiphys-0.1.0-py3-none-")
    assert "tiphys/py.typed" in names and any(name.endswith(".data/scripts/tiphys") for name in names)


def test_the_wheel_has_the_licence(wheel):
    with zipfile.ZipFile(wheel) as archive:
        folder = "tiphys-0.1.0.dist-info"
        assert archive.read(f"{folder}/licenses/LICENSE") == (ROOT / "LICENSE").read_bytes()
        assert "License-Expression: Apache-2.0\nLicense-File: LICENSE\n" in archive.read(f"{folder}/METADATA").decode()


def test_an_installed_wheel_is_all_it_takes(wheel, tmp_path):
    venv = tmp_path / "venv"
    call(sys.executable, "-m", "venv", "--without-pip", venv)
    call(sys.executable, "-m", "pip", "--python", venv / "bin/python", "install", "--quiet", "--no-index", wheel)
    clean = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
    assert "tiphys: v0.1.0" in call(venv / "bin/tiphys", "version", env=clean)
    assert "tiphys: v0.1.0" in call(venv / "bin/python", "-m", "tiphys", "version", env=clean)
    assert call(venv / "bin/python", "-c", HELLO, env=clean, cwd=tmp_path).split() == [str(venv / "bin/tiphys"), str(venv)]


def test_the_package_has_the_programs_version():
    sys.path.insert(0, str(ROOT / "python/src"))
    import tiphys

    assert f"tiphys: v{tiphys.__version__}\n" in call(os.environ["TIPHYS_BIN"], "version")
