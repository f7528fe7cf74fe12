"""Small conversions between Python's values and Argo's documents."""

from __future__ import annotations

import base64
import os
import uuid
from importlib import util
from typing import Any, Iterable, Mapping, Optional, Sized

from tiphys.couler.core import location
from tiphys.couler.core.constants import ImagePullPolicy
from tiphys.couler.core.source import body as _body


def argo_safe_name(name: Optional[str]) -> Optional[str]:
    return None if name is None else location.safe_name(name)


def invocation_location() -> tuple[str, int]:
    """For functions that make steps for others: the name of the function that calls the calling one, and the line where it was called."""
    call = location.locate(callers=1)
    return call.function, call.line


def workflow_filename() -> str:
    return location.program_name()


def body(function: Any) -> Optional[str]:
    return None if function is None else _body(function)


def input_parameter_name(name: str, position: Any) -> str:
    return f"para-{name}-{position}"


def invocation_name(function: str, line: Any) -> str:
    return f"{function}-{line}"


def load_cluster_config() -> Any:
    """The object `cluster` of the file that the environment's couler_cluster_config names, if it names one."""
    path = os.getenv("couler_cluster_config")
    if path is None:
        return None
    if not os.path.isfile(path):
        raise FileNotFoundError(f"there is no {path}, which couler_cluster_config names")
    spec = util.spec_from_file_location("couler_cluster_config", path)
    if spec is None or spec.loader is None:
        raise ValueError(f"{path}, which couler_cluster_config names, is no Python file")
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if not hasattr(module, "cluster"):
        raise ValueError(f"{path} has no object `cluster`, which configures the workflow")
    return module.cluster


def encode_base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode("ascii")


def convert_dict_to_env_list(variables: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A container's env of a dict; what stands under "secrets" is a list of entries as they are."""
    if not isinstance(variables, Mapping):
        raise TypeError(f"env has to be a dict of names and values, not {type(variables).__name__}")
    entries: list[dict[str, Any]] = []
    for name, value in variables.items():
        if isinstance(value, bool):
            entries.append({"name": str(name), "value": f"'{value}'"})
        elif name == "secrets":
            if not isinstance(value, list):
                raise TypeError('env["secrets"] has to be a list of entries of env')
            entries.extend(value)
        else:
            entries.append({"name": str(name), "value": str(value)})
    return entries


def config_retry_strategy(retry: int) -> dict[str, Any]:
    if not isinstance(retry, int) or isinstance(retry, bool):
        raise ValueError(f"retry has to be how many times a step is retried, not {retry!r}")
    return {"limit": retry, "retryPolicy": "Always"}


def config_image_pull_policy(policy: Any) -> str:
    if isinstance(policy, str) and ImagePullPolicy.valid(policy):
        return policy
    if not isinstance(policy, ImagePullPolicy):
        raise AssertionError(f"image_pull_policy has to be one of ImagePullPolicy: {', '.join(ImagePullPolicy.values())}; not {policy!r}")
    return str(policy.value)


def make_list_if_not(item: Any) -> Any:
    return item if item is None or isinstance(item, list) else [item]


def gpu_requested(resources: Any) -> bool:
    if resources is None:
        return False
    if not isinstance(resources, dict):
        raise TypeError(f'resources has to be a dict, such as {{"cpu": 1, "memory": "2Gi"}}, not {type(resources).__name__}')
    return any("gpu" in key.strip().lower() and int(value) > 0 for key, value in resources.items())


def non_empty(collection: Optional[Sized]) -> bool:
    return collection is not None and len(collection) > 0


def bool_to_str(value: bool) -> str:
    if not isinstance(value, bool):
        raise TypeError(f"True or False is wanted, not {value!r}")
    return "true" if value else "false"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The end of a sentence that says what else there is."""
    import difflib  # costs milliseconds, and only errors need it

    names = list(known)
    close = difflib.get_close_matches(str(name), names, 1)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; there are: {', '.join(names)}" if names else ""


def _get_uuid() -> str:
    return uuid.uuid4().hex[:8]
