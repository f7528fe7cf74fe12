"""A cluster, or whatever else a kubeconfig names, by the Kubernetes client for Python."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional

from tiphys.couler.core.constants import CronWorkflowCRD, WorkflowCRD

if TYPE_CHECKING:
    from tiphys.couler.core.templates.secret import Secret

Document = dict[str, Any]


class KubernetesConnection:
    def __init__(self, config_file: Optional[str], context: Optional[str], client_configuration: Any, persist_config: bool) -> None:
        try:
            from kubernetes import client, config
        except ImportError as error:
            raise ImportError(
                "a kubeconfig is given, and the Kubernetes client is not installed: pip install kubernetes; "
                "or unset KUBECONFIG and pass no config_file, to run on this machine"
            ) from error
        self._client = client
        try:
            config.load_kube_config(config_file, context, client_configuration, persist_config)
            if client_configuration is not None:
                client.Configuration.set_default(client_configuration)
        except config.ConfigException:
            if config_file or context:
                raise
            config.load_incluster_config()
        self.custom_objects = client.CustomObjectsApi()
        self.core = client.CoreV1Api()

    def submit(self, namespace: str, workflow: Document, secrets: "list[Secret]") -> Document:
        for secret in secrets:
            self._make_secret(namespace, secret)
        plural = WorkflowCRD.PLURAL if workflow["kind"] == WorkflowCRD.KIND else CronWorkflowCRD.PLURAL
        made: Document = self.custom_objects.create_namespaced_custom_object(WorkflowCRD.GROUP, WorkflowCRD.VERSION, namespace, plural, workflow)
        return made

    def delete(self, namespace: str, name: str, grace_period_seconds: int, propagation_policy: str) -> Any:
        options = self._client.V1DeleteOptions(grace_period_seconds=grace_period_seconds, propagation_policy=propagation_policy)
        return self.custom_objects.delete_namespaced_custom_object(
            WorkflowCRD.GROUP, WorkflowCRD.VERSION, namespace, WorkflowCRD.PLURAL, name, body=options
        )

    def _make_secret(self, namespace: str, secret: "Secret") -> None:
        """One of an artifact, which is named by what is in it, may be there; another one that is there is an error."""
        try:
            self.core.create_namespaced_secret(namespace, secret.to_yaml())
        except self._client.ApiException as error:
            if error.status != 409 or not secret.artifact_secret:
                raise
