"""A template that runs a container."""

from __future__ import annotations

import copy
import os
from typing import Any, Optional

from tiphys.couler.core import utils
from tiphys.couler.core.templates import arguments
from tiphys.couler.core.templates.artifact import TypedArtifact
from tiphys.couler.core.templates.cache import Cache
from tiphys.couler.core.templates.output import OutputArtifact
from tiphys.couler.core.templates.secret import Secret
from tiphys.couler.core.templates.template import Document, Template
from tiphys.couler.core.templates.volume import VolumeMount


class Container(Template):
    def __init__(
        self,
        name: str,
        image: Optional[str],
        command: Any,
        args: Any = None,
        env: Optional[dict[str, Any]] = None,
        env_from: Optional[list[Document]] = None,
        secret: Optional[Secret] = None,
        resources: Optional[dict[str, Any]] = None,
        image_pull_policy: Any = None,
        retry: Optional[int] = None,
        timeout: Optional[float] = None,
        pool: Any = None,
        output: Any = None,
        input: Any = None,
        enable_ulogfs: bool = True,
        daemon: bool = False,
        volume_mounts: Optional[list[VolumeMount]] = None,
        working_dir: Optional[str] = None,
        node_selector: Optional[dict[str, str]] = None,
        volumes: Any = None,
        cache: Optional[Cache] = None,
        parallelism: Optional[int] = None,
    ) -> None:
        super().__init__(
            name,
            output=utils.make_list_if_not(output),
            input=utils.make_list_if_not(input),
            timeout=timeout,
            retry=retry,
            pool=pool,
            enable_ulogfs=enable_ulogfs,
            daemon=daemon,
            cache=cache,
            parallelism=parallelism,
        )
        if secret is not None and not isinstance(secret, Secret):
            raise ValueError(f"secret has to be what couler.create_secret or couler.obtain_secret returned, not {secret!r}")
        self.image, self.command, self.args = image, utils.make_list_if_not(command), args
        self.env, self.env_from, self.secret = env, env_from, secret
        self.resources, self.image_pull_policy = resources, image_pull_policy
        self.volume_mounts, self.working_dir = volume_mounts, working_dir
        self.node_selector, self.volumes = node_selector, volumes

    def get_volume_mounts(self) -> Optional[list[VolumeMount]]:
        return self.volume_mounts

    def to_dict(self) -> Document:
        template = super().to_dict()
        inputs = self._inputs()
        if inputs:
            template["inputs"] = inputs
        if self.node_selector is not None:
            template["nodeSelector"] = self.node_selector
        template["container"] = self.container_dict()
        if self.output:
            template["outputs"] = self._outputs()
        return template

    def container_dict(self) -> Document:
        container: Document = {"image": self.image, "command": self.command}
        if self.args:
            container["args"] = arguments.container_args(self.name, self.args)
        env = self._env()
        if env:
            container["env"] = env
        if self.env_from is not None:
            container["envFrom"] = self.env_from
        if self.resources is not None:
            container["resources"] = {"requests": self.resources, "limits": copy.deepcopy(self.resources)}
        if self.image_pull_policy is not None:
            container["imagePullPolicy"] = utils.config_image_pull_policy(self.image_pull_policy)
        if self.volume_mounts is not None:
            container["volumeMounts"] = [mount.to_dict() for mount in self.volume_mounts]
        if self.working_dir is not None:
            container["workingDir"] = self.working_dir
        return container

    def _inputs(self) -> Document:
        parameters = arguments.inputs(self.name, self.args)
        artifacts: dict[str, Document] = {}
        for each in self.input or []:
            if isinstance(each, TypedArtifact):
                artifacts.setdefault(each.id, each.to_yaml())
            elif isinstance(each, OutputArtifact):
                artifacts.setdefault(each.artifact["name"], each.artifact)
        found: Document = {}
        if parameters:
            found["parameters"] = parameters
        if artifacts:
            found["artifacts"] = list(artifacts.values())
        return found

    def _env(self) -> list[Document]:
        entries = [] if self.env is None else utils.convert_dict_to_env_list(self.env)
        return entries + self.secret.to_env_list() if self.secret is not None else entries

    def _outputs(self) -> Document:
        kinds = {isinstance(each, TypedArtifact) for each in self.output}
        if len(kinds) > 1:
            raise ValueError(f"template {self.name!r} has both parameters and artifacts as output: Couler takes one kind for a step; make two steps of it")
        return {"artifacts" if kinds == {True} else "parameters": distinct([each.to_yaml() for each in self.output])}


def distinct(declared: list[Document]) -> list[Document]:
    """Outputs that are made in one line are named alike: what follows gets a number."""
    taken: set[str] = set()
    for each in declared:
        name, number = each["name"], 1
        while each["name"] in taken:
            number += 1
            each["name"] = f"{name}-{number}"
        taken.add(each["name"])
    return declared


def output_mounts(outputs: list[Any], mounts: Optional[list[VolumeMount]]) -> list[VolumeMount]:
    """The mounts, and an empty folder where outputs are to be: executors of Argo before 3.4 read outputs from volumes only."""
    found = list(mounts or [])
    taken = {mount.mount_path for mount in found}
    for index, output in enumerate(outputs):
        folder = os.path.dirname(output.path)
        if folder not in ("", "/") and folder not in taken:
            found.append(VolumeMount(f"couler-out-dir-{index}", folder))
            taken.add(folder)
    return found
