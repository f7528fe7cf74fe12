"""The workflow under construction, and what is configured for all of them."""

from __future__ import annotations

import re
import secrets as _randomness
import string
from typing import Any, Callable, Optional

from tiphys.couler.core import scope, session
from tiphys.couler.core.constants import WorkflowCRD
from tiphys.couler.core.location import safe_name
from tiphys.couler.core.session import secrets as _secrets
from tiphys.couler.core.templates.output import Output
from tiphys.couler.core.templates.secret import Secret
from tiphys.couler.core.templates.workflow import Workflow

_SALT_LENGTH = 8


def default_workflow_name_salter(name: str) -> str:
    """The name in the letters of Kubernetes, cut, with something random: a name can be used once only."""
    spinal = re.sub(r"[-.\s_]", "-", str(name))
    spinal = spinal[:1].lower() + re.sub(r"[A-Z]", lambda capital: "-" + capital.group().lower(), spinal[1:])
    salt = "".join(_randomness.choice(string.ascii_lowercase + string.digits) for _ in range(_SALT_LENGTH))
    return f"{spinal[: WorkflowCRD.NAME_MAX_LENGTH - _SALT_LENGTH - 1]}-{salt}"


workflow = Workflow()
default_service_account: Optional[str] = None
_workflow_name_salter: Callable[[str], str] = default_workflow_name_salter
_enable_print_yaml = True
# Whether steps that ask for no GPU are kept from seeing one.
_overwrite_nvidia_gpu_envs = False


def get_step_output(step_name: str) -> Optional[list[Output]]:
    """What the step returned; None where there is no such step."""
    return session.steps_outputs.get(step_name) or session.steps_outputs.get(safe_name(step_name))


def get_secret(name: Any) -> Optional[Secret]:
    return _secrets.get(name)


def _cleanup() -> None:
    """Begins anew: a program may make one workflow after another."""
    workflow.cleanup()
    session.clear()
    scope.reset()
