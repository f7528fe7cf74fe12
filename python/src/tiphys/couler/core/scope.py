"""What surrounds a step that is being made: a condition, a loop, dependencies, an exit handler."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Iterator, Optional

if TYPE_CHECKING:
    from tiphys.couler.core.templates.output import Output
    from tiphys.couler.core.templates.step import Step

Groups = dict[str, list["Step"]]


@dataclass
class Scope:
    when: Optional[str] = None  # the condition of the steps
    when_task: Optional[str] = None  # the task whose output the condition is about
    group: Optional[str] = None  # the group of the steps, where they are to be beside others
    upstream: Optional[list[str]] = None  # tasks that the next task waits for
    depends: Optional[str] = None  # the same, as an expression
    linked: bool = False  # dag() or set_dependencies() say what the steps wait for
    named_once: bool = False  # a task may not be made again without a name: set_dependencies()
    concurrent_line: Optional[int] = None  # of the call of concurrent()
    concurrent_number: int = 0
    steps: Optional[Groups] = None  # where steps go, instead of to the workflow
    exit_handler: bool = False
    recording: bool = False  # the step is wanted, but goes nowhere: map()
    inherited: Optional[list["Output"]] = None  # outputs of what the step waits for: arguments that nobody writes


current = Scope()


@contextlib.contextmanager
def entered(**changes: Any) -> Iterator[Scope]:
    """The same surroundings but for some; left as they were, whatever happens."""
    global current
    outer, current = current, replace(current, **changes)
    try:
        yield current
    finally:
        current = outer


def reset() -> None:
    global current
    current = Scope()
