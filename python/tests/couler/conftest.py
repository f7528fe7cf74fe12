"""Programs, and what becomes of them."""

import pathlib
import sys
import textwrap

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "src"))

import tiphys.couler.argo as couler  # noqa: E402
from tiphys.couler import program  # noqa: E402


@pytest.fixture(autouse=True)
def anew():
    couler._cleanup()
    yield
    couler._cleanup()


@pytest.fixture
def made(tmp_path):
    """Runs a program's text and gives the workflow that it makes."""

    def run(text):
        path = tmp_path / "flow.py"
        path.write_text("import couler.argo as couler\n" + textwrap.dedent(text))
        return program.documents(str(path))[-1]

    return run
