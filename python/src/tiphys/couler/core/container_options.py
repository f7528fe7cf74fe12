"""What run_container and run_script take alike."""

from __future__ import annotations

import inspect
from typing import Any, Optional, TypedDict

from tiphys.couler.core.templates.cache import Cache
from tiphys.couler.core.templates.container import Container
from tiphys.couler.core.templates.volume import VolumeMount


class ContainerOptions(TypedDict, total=False):
    """In the order in which they may stand without their names, as in the original."""

    secret: Any  # what create_secret() returned
    resources: Optional[dict[str, Any]]
    timeout: Optional[float]  # seconds
    retry: Optional[int]  # how many times
    step_name: Optional[str]  # the template is named after it, else after the function that calls
    image_pull_policy: Any
    pool: Any
    enable_ulogfs: bool
    daemon: bool
    volume_mounts: Optional[list[VolumeMount]]
    working_dir: Optional[str]
    node_selector: Optional[dict[str, str]]
    cache: Optional[Cache]


_OF_TEMPLATES = inspect.signature(Container).parameters

DEFAULTS = {name: _OF_TEMPLATES[name].default if name in _OF_TEMPLATES else None for name in ContainerOptions.__annotations__}
