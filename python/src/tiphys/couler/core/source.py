"""The source of a function's body, which becomes a step's script."""

from __future__ import annotations

import inspect
import io
import textwrap
import tokenize
from typing import Any, Callable


def body(function: Callable[..., Any]) -> str:
    """What stands below (or behind) the function's signature, without its indentation."""
    try:
        code = inspect.getsource(function)
    except (OSError, TypeError) as error:
        raise ValueError(
            f"the source of {getattr(function, '__name__', function)!r} cannot be read ({error}): a function that is a step's source has to stand in a file "
            "or a notebook's cell; else give the source as a string"
        ) from None
    first, newline, rest = code[_end_of_signature(code) :].partition("\n")
    if first.strip().startswith("#"):
        first = ""  # a remark about the signature
    return textwrap.dedent(first + newline + rest)


def _end_of_signature(code: str) -> int:
    """Where the text goes on after the colon that ends the signature: colons of annotations and defaults are within brackets."""
    depth, defined = 0, False
    lines = code.splitlines(keepends=True)
    for token in tokenize.generate_tokens(io.StringIO(code).readline):
        if token.type == tokenize.NAME and token.string in ("def", "lambda"):
            defined = True
        elif token.type == tokenize.OP and token.string in "([{":
            depth += 1
        elif token.type == tokenize.OP and token.string in ")]}":
            depth -= 1
        elif defined and token.string == ":" and depth == 0:
            row, column = token.end
            return sum(len(line) for line in lines[: row - 1]) + column
    raise ValueError("a step's source has to be a function that is defined with def")
