"""Arguments that a function does not have are told with what was meant."""

from __future__ import annotations

import functools
import inspect
from typing import Any, Callable, Mapping, Optional, TypeVar

from tiphys.couler.core.utils import did_you_mean

F = TypeVar("F", bound=Callable[..., Any])


def told(function: F) -> F:
    """The function, which refuses unknown arguments with a suggestion."""
    return _telling(function, None)


def told_with(options: Mapping[str, Any]) -> Callable[[F], F]:
    """The same for a function whose ** are these options: they are arguments as all others are, in the order and with the
    defaults that are given here, before those that the function takes by name alone."""
    return lambda function: _telling(function, options)


def _telling(function: F, options: Optional[Mapping[str, Any]]) -> F:
    signature = inspect.signature(function)
    if options is not None:
        signature = _with_options(signature, options)
    known = list(signature.parameters)

    @functools.wraps(function)
    def checked(*arguments: Any, **named: Any) -> Any:
        for name in named:
            if name not in known:
                raise TypeError(f"{function.__name__}() has no argument {name!r}{did_you_mean(name, known)}")
        if options is None:
            return function(*arguments, **named)
        try:
            bound = signature.bind(*arguments, **named)
        except TypeError as wrong:
            raise TypeError(f"{function.__name__}(): {wrong}") from None
        return function(**bound.arguments)

    vars(checked)["__signature__"] = signature  # what help() and notebooks show
    return checked  # type: ignore[return-value]


def _with_options(signature: inspect.Signature, options: Mapping[str, Any]) -> inspect.Signature:
    own = signature.parameters.values()
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    first = [each for each in own if each.kind == kind]
    shared = [inspect.Parameter(name, kind, default=default) for name, default in options.items()]
    last = [each.replace(kind=kind) for each in own if each.kind == inspect.Parameter.KEYWORD_ONLY]
    return signature.replace(parameters=[*first, *shared, *last])
