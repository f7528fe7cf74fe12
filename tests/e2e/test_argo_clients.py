"""Clients of Argo's own API: programs as their users write them, with nothing but an address and a token."""

import json

from cli_support import cli  # noqa: F401
from client_environments import in_environments, programs  # noqa: F401


def run(programs, program):
    server = json.loads((programs.cli.data_dir / "server.json").read_text())
    return programs(program, ARGO_HOST=f"http://{server['address']}", ARGO_TOKEN=server["token"])


@in_environments("hera")
def test_hera(programs):
    assert run(programs, "hera_workflows.py").splitlines()[-1] == "done"


@in_environments("argo-workflows")
def test_official_sdk(programs):
    assert run(programs, "argo_sdk.py").splitlines()[-1] == "done"
