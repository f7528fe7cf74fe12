"""A template that makes an object of Kubernetes and waits for what becomes of it."""

from __future__ import annotations

from typing import Any, Optional

from tiphys.couler.core import utils
from tiphys.couler.core.templates.cache import Cache
from tiphys.couler.core.templates.output import quoted
from tiphys.couler.core.templates.template import Document, Template

OUTPUTS = (
    ("job-name", {"jsonPath": quoted("{.metadata.name}")}),
    ("job-id", {"jsonPath": quoted("{.metadata.uid}")}),
    ("job-obj", {"jqFilter": quoted(".")}),
)


class Job(Template):
    """args: the template's parameters, as declarations: [{"name": ...}]."""

    def __init__(
        self,
        name: str,
        args: list[Document],
        action: str,
        manifest: str,
        set_owner_reference: bool,
        success_condition: Optional[str],
        failure_condition: Optional[str],
        timeout: Optional[float] = None,
        retry: Optional[int] = None,
        pool: Any = None,
        cache: Optional[Cache] = None,
    ) -> None:
        super().__init__(name, timeout=timeout, retry=retry, pool=pool, cache=cache)
        self.args, self.action, self.manifest = args, action, manifest
        self.set_owner_reference = utils.bool_to_str(set_owner_reference)
        self.success_condition, self.failure_condition = success_condition, failure_condition

    def to_dict(self) -> Document:
        template = super().to_dict()
        if self.args:
            template["inputs"] = {"parameters": list(self.args)}
        template["resource"] = self.resource_dict()
        template["outputs"] = {"parameters": [{"name": name, "valueFrom": dict(source)} for name, source in OUTPUTS]}
        return template

    def resource_dict(self) -> Document:
        resource = {"action": self.action, "setOwnerReference": self.set_owner_reference, "manifest": self.manifest}
        if self.success_condition:
            resource["successCondition"] = self.success_condition
        if self.failure_condition:
            resource["failureCondition"] = self.failure_condition
        return resource
