"""The module that programs import: `import tiphys.couler.argo as couler`."""

from __future__ import annotations

from typing import Any, Optional

from tiphys.couler.argo_submitter import ArgoSubmitter, connection_for
from tiphys.couler.core import session, states
from tiphys.couler.core.config import config_defaults, config_workflow
from tiphys.couler.core.constants import OVERWRITE_GPU_ENVS, ArtifactType, CronWorkflowCRD, ImagePullPolicy, WFStatus, WorkflowCRD
from tiphys.couler.core.current_form import submitted
from tiphys.couler.core.manifest import dump
from tiphys.couler.core.run_templates import run_canned_step, run_container, run_job, run_script
from tiphys.couler.core.states import _cleanup, get_secret, get_step_output, workflow
from tiphys.couler.core.syntax import (
    add_image_pull_secret,
    add_toleration,
    add_volume,
    bigger,
    bigger_equal,
    concurrent,
    create_workflow_volume,
    dag,
    equal,
    exec_while,
    map,
    not_equal,
    set_dependencies,
    set_dns,
    set_exit_handler,
    smaller,
    smaller_equal,
    when,
)
from tiphys.couler.core.templates import Artifact, Cache, LocalArtifact, OssArtifact, S3Artifact, Secret
from tiphys.couler.core.unknown_arguments import told
from tiphys.couler.core.workflow_validation_utils import validate_workflow_yaml

Document = dict[str, Any]
map_ = map  # for programs that import names


def workflow_yaml() -> Document:
    """The workflow that the program has made so far, as Couler writes it."""
    return states.workflow.to_dict()


def manifests() -> list[Document]:
    """What is submitted: the secrets that have to be made, and the workflow in today's form."""
    found = workflow_yaml()
    validate_workflow_yaml(found)
    return [*(secret.to_yaml() for secret in session.secrets.values() if not secret.use_existing), submitted(found)]


def run(submitter: Any = None) -> Any:
    """Submits the workflow and begins a new one. Gives what the submitter's submit() returns: the workflow that was created.

    submitter: an ArgoSubmitter, a class of such, or an object with submit(workflow, secrets=...); without one the default one, else a new ArgoSubmitter.
    """
    if submitter is None:
        submitter = ArgoSubmitter._default_submitter or ArgoSubmitter
    if isinstance(submitter, type):
        submitter = submitter()
    if not callable(getattr(submitter, "submit", None)):
        raise ValueError(f"the submitter has to be an ArgoSubmitter, not {submitter!r}")
    found = workflow_yaml()
    validate_workflow_yaml(found)
    answer = submitter.submit(found, secrets=list(session.secrets.values()))
    states._enable_print_yaml = False
    _cleanup()
    return answer


def set_default_submitter(submitter: Optional[ArgoSubmitter] = None) -> None:
    """The submitter of run() without one."""
    if submitter is None:
        return
    if not isinstance(submitter, ArgoSubmitter):
        raise ValueError(f"the default submitter has to be an ArgoSubmitter, not {submitter!r}")
    ArgoSubmitter._default_submitter = submitter


@told
def delete(
    name: str,
    namespace: str = "default",
    config_file: Optional[str] = None,
    context: Optional[str] = None,
    client_configuration: Any = None,
    persist_config: bool = True,
    grace_period_seconds: int = 5,
    propagation_policy: str = "Background",
) -> Any:
    """Deletes a workflow, where ArgoSubmitter would have submitted it."""
    connection = connection_for(config_file, context, client_configuration, persist_config)
    return connection.delete(namespace, name, grace_period_seconds, propagation_policy)


def to_yaml() -> str:
    """The workflow and its secrets as text: YAML where PyYAML is installed, else JSON, which is YAML too."""
    texts = [workflow_yaml(), *(secret.to_yaml() for secret in session.secrets.values() if not secret.dry_run)]
    return "---\n".join(dump(each) for each in texts)


def _dump_yaml() -> None:
    if states._enable_print_yaml:
        print(to_yaml())


def create_parameter_artifact(path: str, is_global: bool = False) -> Artifact:
    """A parameter that a step writes to the file."""
    return Artifact(path=path, type="parameters", is_global=is_global)


def create_local_artifact(path: str, is_global: bool = False) -> LocalArtifact:
    """A file or folder of a step that the workflow's own repository keeps."""
    return LocalArtifact(path=path, is_global=is_global)


@told
def create_oss_artifact(
    path: str,
    bucket: Optional[str] = None,
    accesskey_id: Optional[str] = None,
    accesskey_secret: Optional[str] = None,
    key: Optional[str] = None,
    endpoint: Optional[str] = None,
    is_global: bool = False,
) -> OssArtifact:
    """A file of a step that is an object of Alibaba's object store."""
    return OssArtifact(path, accesskey_id, accesskey_secret, bucket, key=key, endpoint=endpoint, is_global=is_global)


@told
def create_s3_artifact(
    path: str,
    bucket: Optional[str] = None,
    accesskey_id: Optional[str] = None,
    accesskey_secret: Optional[str] = None,
    key: Optional[str] = None,
    endpoint: Optional[str] = None,
    is_global: bool = False,
    insecure: bool = False,
) -> S3Artifact:
    """A file of a step that is an object of S3. insecure: by HTTP."""
    return S3Artifact(path, accesskey_id, accesskey_secret, bucket, key=key, endpoint=endpoint, is_global=is_global, insecure=insecure)


@told
def obtain_secret(secret_keys: Any, namespace: str = "default", name: Optional[str] = None, dry_run: bool = False) -> str:
    """A secret that exists, by its keys and name; gives what secret= of a step takes."""
    return create_secret({key: "" for key in secret_keys}, namespace=namespace, name=name, dry_run=dry_run, use_existing=True)


@told
def create_secret(
    secret_data: dict[str, str],
    namespace: str = "default",
    name: Optional[str] = None,
    dry_run: bool = False,
    use_existing: bool = False,
    artifact_secret: bool = False,
) -> str:
    """A secret that is made when the workflow is submitted; gives what secret= of a step takes, its name."""
    return session.add_secret(Secret(namespace, secret_data, name, dry_run, use_existing, artifact_secret))


__all__ = [
    "ArgoSubmitter",
    "Artifact",
    "ArtifactType",
    "Cache",
    "CronWorkflowCRD",
    "ImagePullPolicy",
    "LocalArtifact",
    "OVERWRITE_GPU_ENVS",
    "OssArtifact",
    "S3Artifact",
    "Secret",
    "WFStatus",
    "WorkflowCRD",
    "_cleanup",
    "add_image_pull_secret",
    "add_toleration",
    "add_volume",
    "bigger",
    "bigger_equal",
    "concurrent",
    "config_defaults",
    "config_workflow",
    "create_local_artifact",
    "create_oss_artifact",
    "create_parameter_artifact",
    "create_s3_artifact",
    "create_secret",
    "create_workflow_volume",
    "dag",
    "delete",
    "equal",
    "exec_while",
    "get_secret",
    "get_step_output",
    "manifests",
    "map",
    "map_",
    "not_equal",
    "obtain_secret",
    "run",
    "run_canned_step",
    "run_container",
    "run_job",
    "run_script",
    "set_default_submitter",
    "set_dependencies",
    "set_dns",
    "set_exit_handler",
    "smaller",
    "smaller_equal",
    "states",
    "to_yaml",
    "validate_workflow_yaml",
    "when",
    "workflow",
    "workflow_yaml",
]
