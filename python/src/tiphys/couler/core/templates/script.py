"""A template that runs a script: a function's body, or a text."""

from __future__ import annotations

from typing import Any, Callable, Union

from tiphys.couler.core import utils
from tiphys.couler.core.source import body
from tiphys.couler.core.templates.container import Container
from tiphys.couler.core.templates.template import Document


class Script(Container):
    def __init__(self, name: str, image: str, command: Any, source: Union[str, Callable[..., Any]], **others: Any) -> None:
        super().__init__(name, image, "python" if command is None else command, **others)
        if not callable(source) and not isinstance(source, str):
            raise ValueError(f"source has to be a function or a text, not {type(source).__name__}")
        self.source = source

    def to_dict(self) -> Document:
        template = super().to_dict()
        container = template.pop("container")
        container["command"] = utils.make_list_if_not(self.command)
        container["source"] = self.source if isinstance(self.source, str) else body(self.source)
        template["script"] = container
        return template
