from __future__ import annotations


class ImagePullSecret:
    """The name of a Secret by which images are pulled."""

    def __init__(self, name: str) -> None:
        self.name = name

    def to_dict(self) -> dict[str, str]:
        return {"name": self.name}
