"""Progress while a run is waited for: a live tree on a terminal, a live view in a notebook, lines elsewhere if asked for."""

from __future__ import annotations

import os
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Iterator, List, Mapping, Optional, TextIO

if TYPE_CHECKING:
    from tiphys._events import Event
    from tiphys._follow import Following
    from tiphys._run import Run
    from tiphys._tree import Row

_REDRAW_SECONDS = 0.1
_TICK_SECONDS = 1.0
_COLORS = {"Succeeded": "32", "Failed": "31", "Error": "31", "Running": "36", "Pending": "33", "Skipped": "90", "Omitted": "90"}


@contextmanager
def shown(run: Run, progress: Optional[bool]) -> Iterator[Following]:
    """Follows the run, and shows how it goes on as long as the `with` lasts."""
    if progress is not False and _in_notebook():
        from tiphys._notebook import showing

        with showing(run) as following:
            yield following
    elif progress is not False and _can_redraw(sys.stderr):
        with _Terminal(run, sys.stderr) as following:
            yield following
    elif progress:
        with _lines(run, sys.stderr) as following:
            yield following
    else:
        yield run.follow(with_nodes=False)


def _in_notebook() -> bool:
    if "IPython" not in sys.modules:
        return False
    from tiphys._notebook import in_notebook

    return in_notebook()


def _can_redraw(out: TextIO) -> bool:
    return out.isatty() and os.environ.get("TERM", "dumb") != "dumb"


@contextmanager
def _lines(run: Run, out: TextIO) -> Iterator[Following]:
    from tiphys._tree import ICONS

    def tell(event: Optional[Event]) -> None:
        if event and not (event.node and event.node.type in ("StepGroup", "TaskGroup")):
            said = f"  {event.message}" if event.message else ""
            print(f"{time.strftime('%H:%M:%S')}  {ICONS.get(event.phase, ' ')} {event.name or run.name}  {event.phase}{said}", file=out, flush=True)

    following = run.follow(with_nodes=True)
    following.listen(tell)
    try:
        yield following
    finally:
        following.forget(tell)


class _Terminal:
    """Draws in a thread of its own, over what it drew before; what it drew last stays."""

    def __init__(self, run: Run, out: TextIO) -> None:
        self._run, self._out = run, out
        self._drawn = 0
        self._changed, self._over = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._keep, name="tiphys progress", daemon=True)

    def __enter__(self) -> Following:
        self._following = self._run.follow(with_nodes=True)
        self._following.listen(self._hear)
        self._thread.start()
        return self._following

    def __exit__(self, *error: Any) -> None:
        self._following.forget(self._hear)
        self._over.set()
        self._changed.set()
        self._thread.join()
        self._draw()

    def _hear(self, event: Optional[Event]) -> None:
        self._changed.set()

    def _keep(self) -> None:
        while not self._over.is_set():
            self._changed.wait(_TICK_SECONDS)
            self._changed.clear()
            self._draw()
            self._over.wait(_REDRAW_SECONDS)

    def _draw(self) -> None:
        import shutil

        size = shutil.get_terminal_size()
        lines = tree_lines(self._run.name, self._following.state(), size.columns, max(3, size.lines - 2), not os.environ.get("NO_COLOR"))
        up = f"\x1b[{self._drawn}A" if self._drawn else ""
        self._out.write(up + "".join(f"\r{line}\x1b[K\n" for line in lines) + "\x1b[J")
        self._out.flush()
        self._drawn = len(lines)


def tree_lines(name: str, status: Mapping[str, Any], columns: int, most: int, color: bool) -> List[str]:
    """One line a node, those that matter now if there is not room for all, and one about the whole."""
    from tiphys._tree import rows_of

    rows = rows_of(name, status)
    left = len(rows) - (most - 1)
    if left > 0:
        wanted = {"Failed": 0, "Error": 0, "Running": 1, "Pending": 2}
        keep = sorted(sorted(range(len(rows)), key=lambda i: wanted.get(rows[i].phase, 3))[: most - 2])
        rows = [rows[i] for i in keep]
    lines = [_row_line(row, columns, color) for row in rows]
    if left > 0:
        lines.append(f"   ... and {left + 1} more")
    return [*lines, _whole_line(name, status, color)]


def _row_line(row: Row, columns: int, color: bool) -> str:
    from tiphys._tree import ICONS, duration_text

    text = f" {row.lead}{ICONS.get(row.phase, ' ')} {row.name}  {duration_text(row.seconds)}"
    text = " ".join((text + (f"  {row.message}" if row.message else "")).splitlines())[: columns - 1]
    icon = ICONS.get(row.phase, " ")
    return text.replace(icon, f"\x1b[{_COLORS.get(row.phase, '0')}m{icon}\x1b[0m", 1) if color else text


def _whole_line(name: str, status: Mapping[str, Any], color: bool) -> str:
    phase = status.get("phase") or "Pending"
    pods = [each for each in (status.get("nodes") or {}).values() if each.get("type") == "Pod"]
    done = sum(each.get("phase") in ("Succeeded", "Failed", "Error") for each in pods)
    shown_phase = f"\x1b[{_COLORS.get(phase, '0')}m{phase}\x1b[0m" if color else phase
    return f"{name}  {shown_phase}  {done}/{len(pods)} done"
