"""Templates, and what they are made of."""

from tiphys.couler.core.templates.artifact import Artifact, LocalArtifact, OssArtifact, S3Artifact, TypedArtifact
from tiphys.couler.core.templates.cache import Cache
from tiphys.couler.core.templates.container import Container
from tiphys.couler.core.templates.job import Job
from tiphys.couler.core.templates.output import Output, OutputArtifact, OutputEmpty, OutputJob, OutputParameter, OutputScript
from tiphys.couler.core.templates.script import Script
from tiphys.couler.core.templates.secret import Secret
from tiphys.couler.core.templates.step import Step, Steps
from tiphys.couler.core.templates.template import Template
from tiphys.couler.core.templates.workflow import Workflow

__all__ = [
    "Artifact",
    "Cache",
    "Container",
    "Job",
    "LocalArtifact",
    "OssArtifact",
    "Output",
    "OutputArtifact",
    "OutputEmpty",
    "OutputJob",
    "OutputParameter",
    "OutputScript",
    "S3Artifact",
    "Script",
    "Secret",
    "Step",
    "Steps",
    "Template",
    "TypedArtifact",
    "Workflow",
]
