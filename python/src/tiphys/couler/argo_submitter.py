"""Submits workflows: to this machine, or to a cluster where a kubeconfig is given."""

from __future__ import annotations

import logging
import os
import re
from typing import TYPE_CHECKING, Any, Iterable, Optional, Protocol

from tiphys._client import current
from tiphys.couler.core.constants import WorkflowCRD
from tiphys.couler.core.current_form import submitted
from tiphys.couler.core.unknown_arguments import told

if TYPE_CHECKING:
    from tiphys.couler.core.templates.secret import Secret

_SUBMITTER_IMPL_ENV_VAR_KEY = "SUBMITTER_IMPLEMENTATION"
_LOG = logging.getLogger("tiphys.couler")
Document = dict[str, Any]


class _SubmitterImplTypes:
    """Of Couler's own; here there is one implementation, whatever the variable says."""

    PYTHON = "Python"
    GO = "Go"


class Connection(Protocol):
    """Where workflows go."""

    def submit(self, namespace: str, workflow: Document, secrets: "list[Secret]") -> Document:
        """Makes the secrets and the workflow; gives the workflow with its name."""

    def delete(self, namespace: str, name: str, grace_period_seconds: int, propagation_policy: str) -> Any: ...


# Takes what all submitters submit, in place of theirs.
redirected: Optional[Connection] = None


def connection_for(config_file: Optional[str], context: Optional[str], client_configuration: Any, persist_config: bool) -> Connection:
    """A cluster's, where something names one: an argument, KUBECONFIG, or the pod that this runs in; else this machine's.

    Within tiphys.Server() or tiphys.connect(), it is theirs, whatever the variables say.
    """
    if redirected is not None:
        return redirected
    asked = config_file or context or client_configuration is not None
    if asked or (current() is None and any(os.environ.get(name) for name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST"))):
        from tiphys.couler.kubernetes_connection import KubernetesConnection

        return KubernetesConnection(config_file, context, client_configuration, persist_config)
    from tiphys.couler.local_connection import LocalConnection

    return LocalConnection()


class ArgoSubmitter:
    """Of a namespace. config_file, context, client_configuration and persist_config are those of the Kubernetes client."""

    _default_submitter: Optional["ArgoSubmitter"] = None

    @told
    def __init__(
        self,
        namespace: str = "default",
        config_file: Optional[str] = None,
        context: Optional[str] = None,
        client_configuration: Any = None,
        persist_config: bool = True,
    ) -> None:
        self.namespace = namespace
        self.go_impl = False
        self._connection = connection_for(config_file, context, client_configuration, persist_config)

    @staticmethod
    def check_name(name: str) -> None:
        """Raises ValueError for what is no name of a workflow, or, with a dash at its end, no beginning of one."""
        rule = f"a workflow's name has to be letters a to z, digits and dashes, at most {WorkflowCRD.NAME_MAX_LENGTH} characters; set it by config_workflow(name=)"
        if len(name) > WorkflowCRD.NAME_MAX_LENGTH:
            raise ValueError(f"{name!r} has {len(name)} characters: {rule}")
        if not re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?-?", name):
            raise ValueError(f"{name!r} is no name: {rule}")

    def get_custom_object_api_client(self) -> Any:
        return self._cluster().custom_objects

    def get_core_api_client(self) -> Any:
        return self._cluster().core

    def submit(self, workflow_yaml: Document, secrets: "Optional[Iterable[Secret]]" = None) -> Document:
        """Makes the secrets and the workflow; gives the workflow with the name that it got."""
        metadata = workflow_yaml["metadata"]
        self.check_name(metadata.get("name") or metadata["generateName"])
        made = [secret for secret in secrets or [] if not secret.use_existing]
        answer = self._connection.submit(self.namespace, submitted(workflow_yaml), made)
        _LOG.info("%s %s is submitted to namespace %s", answer.get("kind", "Workflow"), answer["metadata"]["name"], self.namespace)
        return answer

    def _cluster(self) -> Any:
        if not hasattr(self._connection, "custom_objects"):
            raise RuntimeError("this submitter submits to this machine, without a client of Kubernetes: set KUBECONFIG (eval \"$(tiphys env)\") or pass config_file=")
        return self._connection
