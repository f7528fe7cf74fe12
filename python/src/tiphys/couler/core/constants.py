"""Names and limits that programs read: kinds, policies, states."""

from __future__ import annotations

from enum import Enum

# What a step without a GPU gets to see of one (states._overwrite_nvidia_gpu_envs).
OVERWRITE_GPU_ENVS = {"NVIDIA_VISIBLE_DEVICES": "", "NVIDIA_DRIVER_CAPABILITIES": ""}


class WorkflowCRD:
    PLURAL = "workflows"
    KIND = "Workflow"
    GROUP = "argoproj.io"
    VERSION = "v1alpha1"
    NAME_MAX_LENGTH = 45
    NAME_PATTERN = r"[a-z]([-a-z0-9]*[a-z0-9])?"


class CronWorkflowCRD(WorkflowCRD):
    PLURAL = "cronworkflows"
    KIND = "CronWorkflow"


class ImagePullPolicy(Enum):
    IfNotPresent = "IfNotPresent"
    Always = "Always"
    Never = "Never"

    @classmethod
    def valid(cls, value: str) -> bool:
        return value in cls.__members__

    @classmethod
    def values(cls) -> list[str]:
        return list(cls.__members__)


class WFStatus(Enum):
    """How a workflow has ended, for exit handlers."""

    Succeeded = "Succeeded"
    Failed = "Failed"
    Error = "Error"


class ArtifactType:
    LOCAL = "local"
    S3 = "s3"
    OSS = "oss"
