"""Arguments that a function does not have are told with what was meant."""

from __future__ import annotations

import functools
import inspect
from typing import Any, Callable, TypeVar

from tiphys.couler.core.utils import did_you_mean

F = TypeVar("F", bound=Callable[..., Any])


def told(function: F) -> F:
    """The function, which refuses unknown arguments with a suggestion."""
    known = list(inspect.signature(function).parameters)

    @functools.wraps(function)
    def checked(*arguments: Any, **named: Any) -> Any:
        for name in named:
            if name not in known:
                raise TypeError(f"{function.__name__}() has no argument {name!r}{did_you_mean(name, known)}")
        return function(*arguments, **named)

    return checked  # type: ignore[return-value]
