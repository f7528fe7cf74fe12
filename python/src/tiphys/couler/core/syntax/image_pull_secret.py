from __future__ import annotations

from tiphys.couler.core import states
from tiphys.couler.core.templates.image_pull_secret import ImagePullSecret


def add_image_pull_secret(image_pull_secret: ImagePullSecret) -> None:
    """One more Secret by which images of the workflow are pulled."""
    states.workflow.add_image_pull_secret(image_pull_secret)
