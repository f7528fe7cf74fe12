"""The workflow that a program is making."""

from __future__ import annotations

from typing import Any, Optional

from tiphys.couler.core import cluster_config, location, utils
from tiphys.couler.core.templates.container import Container
from tiphys.couler.core.templates.dependencies import in_one_way
from tiphys.couler.core.templates.dns import DnsConfig
from tiphys.couler.core.templates.image_pull_secret import ImagePullSecret
from tiphys.couler.core.templates.job import Job
from tiphys.couler.core.templates.step import Step, groups
from tiphys.couler.core.templates.template import Document, Template
from tiphys.couler.core.templates.toleration import Toleration
from tiphys.couler.core.templates.volume import Volume
from tiphys.couler.core.templates.volume_claim import VolumeClaimTemplate

EXIT_HANDLER = "exit-handler"


class Workflow:
    """Templates by name; groups of steps by what made them, or, in dag mode, tasks by name."""

    def __init__(self, workflow_filename: Optional[str] = None) -> None:
        self._generate_name = workflow_filename
        self.cleanup()
        self.cluster_config: Any = utils.load_cluster_config()

    def cleanup(self) -> None:
        self._program: Optional[str] = None  # the name of the program that makes it
        self.name: Optional[str] = None
        self.timeout: Optional[float] = None
        self.clean_ttl: Optional[float] = None
        self.user_id: Optional[str] = None
        self.templates: dict[str, Template] = {}
        self.steps: dict[str, list[Step]] = {}
        self.dag_tasks: dict[str, Document] = {}
        self.exit_handler_step: dict[str, list[Step]] = {}
        self.dag_mode = False
        self.dag_line: Optional[int] = None  # of the last call of dag(): tasks without a name are named by it
        self.last_task: Optional[str] = None
        self.cluster_config = None
        self.cron_config: Optional[Document] = None
        self.volumes: list[Document] = []
        self.image_pull_secrets: list[Document] = []
        self.pvcs: list[Document] = []
        self.tolerations: list[Document] = []
        self.service_account: Optional[str] = None
        self.security_context: Optional[Document] = None
        self.dns_policy: Optional[str] = None
        self.dns_config: Optional[DnsConfig] = None

    @property
    def generate_name(self) -> str:
        return self._generate_name or self._program or location.program_name()

    @generate_name.setter
    def generate_name(self, name: str) -> None:
        self._generate_name = name

    @property
    def empty(self) -> bool:
        return not (self.templates or self.steps or self.dag_tasks or self.exit_handler_step)

    def add_template(self, template: Template) -> None:
        self._program = self._program or location.program_name()
        self.templates[template.name] = template

    def get_template(self, name: str) -> Optional[Template]:
        return self.templates.get(name)

    def add_step(self, name: str, step: Step) -> None:
        self.steps.setdefault(name, []).append(step)

    def get_step(self, name: str) -> Optional[list[Step]]:
        return self.steps.get(name)

    def get_steps_dict(self) -> list[list[Document]]:
        return groups(self.steps)

    def enable_dag_mode(self) -> None:
        self.dag_mode = True

    def dag_mode_enabled(self) -> bool:
        return self.dag_mode

    def get_dag_task(self, name: str) -> Optional[Document]:
        return self.dag_tasks.get(name)

    def update_dag_task(self, name: str, task: Document) -> None:
        self.dag_tasks[name] = task

    def add_pvc_template(self, claim: VolumeClaimTemplate) -> None:
        self.pvcs.append(claim.to_dict())

    def has_pvc_template(self, name: str) -> bool:
        return any(claim["metadata"]["name"] == name for claim in self.pvcs)

    def add_volume(self, volume: Volume) -> None:
        self.volumes.append(volume.to_dict())

    def has_volume(self, name: str) -> bool:
        return any(volume["name"] == name for volume in self.volumes)

    def add_image_pull_secret(self, secret: ImagePullSecret) -> None:
        self.image_pull_secrets.append(secret.to_dict())

    def add_toleration(self, toleration: Toleration) -> None:
        self.tolerations.append(toleration.to_dict())

    def set_dns(self, dns_policy: str, dns_config: DnsConfig) -> None:
        self.dns_policy, self.dns_config = dns_policy, dns_config

    def set_security_context(self, security_context: Document) -> None:
        if not isinstance(security_context, dict):
            raise TypeError(f"security_context has to be a dict, not {type(security_context).__name__}")
        self.security_context = security_context

    def config_cron_workflow(self, cron_config: Document) -> None:
        self.cron_config = cron_config

    def get_cluster_config_name(self) -> Any:
        return None if self.cluster_config is None else self.cluster_config._cluster

    def to_dict(self) -> Document:
        """The document; each call makes a new one."""
        spec = self._spec()
        if self.cluster_config is not None:
            spec = cluster_config.configure_workflow(self.cluster_config, spec)
        return {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Workflow" if self.cron_config is None else "CronWorkflow",
            "metadata": {"generateName": f"{self.generate_name}-"} if self.name is None else {"name": self.name},
            "spec": spec if self.cron_config is None else {**self.cron_config, "workflowSpec": spec},
        }

    def _spec(self) -> Document:
        spec: Document = {"entrypoint": self.name or self.generate_name}
        optional = {
            "dnsPolicy": self.dns_policy,
            "dnsConfig": None if self.dns_config is None else self.dns_config.to_dict(),
            "securityContext": None if not self.security_context else dict(self.security_context),
            "volumes": self._all_volumes() or None,
            "imagePullSecrets": list(self.image_pull_secrets) or None,
            "volumeClaimTemplates": list(self.pvcs) or None,
            "tolerations": list(self.tolerations) or None,
            "onExit": EXIT_HANDLER if self.exit_handler_step else None,
            "activeDeadlineSeconds": self.timeout,
            "ttlSecondsAfterFinished": self.clean_ttl,
            "serviceAccountName": self.service_account,
        }
        spec.update((key, value) for key, value in optional.items() if value is not None)
        spec["templates"] = self._templates(spec["entrypoint"])
        return spec

    def _templates(self, entrypoint: str) -> list[Document]:
        main: Document = {"name": entrypoint}
        if self.dag_mode:
            main["dag"] = {"tasks": in_one_way(list(self.dag_tasks.values()))}
        else:
            main["steps"] = self.get_steps_dict()
        found = [main, *(self._template(template) for template in self.templates.values())]
        if self.exit_handler_step:
            found.append({"name": EXIT_HANDLER, "steps": groups(self.exit_handler_step)})
        return found

    def _template(self, template: Template) -> Document:
        document = template.to_dict()
        if self.cluster_config is None or not isinstance(template, (Container, Job)):
            return document
        return cluster_config.configure_pod(self.cluster_config, document, template.pool, template.enable_ulogfs)

    def _all_volumes(self) -> list[Document]:
        """Those of the program, and an empty folder for each mount of a volume that nobody declared."""
        found = list(self.volumes)
        known = {volume["name"] for volume in found} | {claim["metadata"]["name"] for claim in self.pvcs}
        for template in self.templates.values():
            for mount in (template.get_volume_mounts() or []) if isinstance(template, Container) else []:
                if mount.name not in known:
                    found.append({"name": mount.name, "emptyDir": {}})
                    known.add(mount.name)
        return found
