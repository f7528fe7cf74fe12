"""What is changed of a workflow before it runs."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "src"))

from tiphys import _submit  # noqa: E402


class Client:
    namespace = "default"


@pytest.mark.parametrize("warm, text", [(None, None), (True, "true"), (False, "false"), ("numpy", "numpy"), (["numpy", "hera.workflows"], "numpy,hera.workflows"), ([], "true")])
def test_warm(warm, text):
    changed = _submit._changed(Client(), {"spec": {"podMetadata": {"annotations": {"a": "b"}}}}, _submit.Submission(runtime="process", warm=warm))
    chosen = {"a": "b", "tiphys.io/runtime": "process", **({"tiphys.io/warm-python": text} if text else {})}
    assert changed["spec"]["podMetadata"]["annotations"] == chosen
