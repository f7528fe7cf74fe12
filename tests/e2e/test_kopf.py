"""An operator on Kopf does what it is for, beside a plane that knows nothing of it."""

import subprocess

from cli_support import cli  # noqa: F401
from client_environments import PATIENCE, define, in_environments, programs  # noqa: F401
from conftest import ROOT


@in_environments("kubernetes-37")
def test_an_operator(programs):
    define(programs, "boxes.yaml")
    operator = subprocess.Popen([programs.python, "-m", "kopf", "run", "--standalone", "--dev", "-n", "default", ROOT / "tests/clients/kopf_operator.py"],
                                env=programs.variables(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        assert programs("kopf_user.py") == "done\n"
    finally:
        operator.terminate()
        told, _ = operator.communicate(timeout=PATIENCE)
    assert operator.returncode == 0, told
    assert "Handler 'deleted' succeeded" in told and "Traceback" not in told, told
