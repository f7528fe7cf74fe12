"""The Python clients of Kubernetes, old and new: the same programs in each environment."""

import pytest

from cli_support import cli  # noqa: F401
from client_environments import in_environments, programs  # noqa: F401


@pytest.mark.parametrize("program", ["typed", "dynamic", "watch", "stream"])
@in_environments("kubernetes-12", "kubernetes-30", "kubernetes-37")
def test_kubernetes(programs, program):
    assert programs(f"kubernetes_{program}.py").splitlines()[-1] == "done"


@in_environments("kubernetes-37")
def test_asyncio(programs):
    assert programs("asyncio_client.py").splitlines()[-1] == "done"


@in_environments("kubernetes-30", "kubernetes-37")
def test_leader_election(programs):
    """The second candidate leads once the first, which died, is out of its time."""
    assert programs("kubernetes_leader.py", "one") == "leads\n"
    assert programs("kubernetes_leader.py", "two") == "leads\n"
