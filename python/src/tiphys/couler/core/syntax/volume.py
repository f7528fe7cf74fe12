"""Volumes of the workflow."""

from __future__ import annotations

from tiphys.couler.core import states
from tiphys.couler.core.templates.volume import Volume
from tiphys.couler.core.templates.volume_claim import VolumeClaimTemplate


def add_volume(volume: Volume) -> None:
    """One that exists; steps have it where their volume_mounts say."""
    states.workflow.add_volume(volume)


def create_workflow_volume(volume_claim_template: VolumeClaimTemplate) -> None:
    """One that is made when the workflow begins, and goes with it."""
    states.workflow.add_pvc_template(volume_claim_template)
