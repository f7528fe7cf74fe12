"""A run in Jupyter: live while it goes on, and in a saved notebook what it came to, without scripts."""

from __future__ import annotations

import base64
import re
import sys
import threading
from contextlib import contextmanager
from html import escape
from typing import TYPE_CHECKING, Any, Dict, Iterator, List, Mapping, Optional

from tiphys._api import Document
from tiphys._errors import TiphysError
from tiphys._nodes import FAILED
from tiphys._svg import COLORS, svg_of
from tiphys._tree import ICONS, Row, duration_text, rows_of, seconds_of

if TYPE_CHECKING:
    from tiphys._events import Event
    from tiphys._follow import Following
    from tiphys._run import Run

_REDRAW_SECONDS = 0.25
_TICK_SECONDS = 1.0
_LOG_LINES, _MOST_ROWS = 20, 50


def in_notebook() -> bool:
    """Whether this process is a kernel that shows pictures."""
    shell = _shell()
    return shell is not None and hasattr(shell, "kernel")


def show(run: Run) -> None:
    """What a cell shows whose value the run is; in the cell that has shown it already, nothing."""
    if not in_notebook():
        return print(repr(run))
    if run._shown_in == _shell().execution_count:
        return
    if run._known().get("phase") in COLORS and run._finished is not None:
        return _View(run).show_once()
    _View(run).keep_until_end()


@contextmanager
def showing(run: Run) -> Iterator[Following]:
    view = _View(run)
    view.begin()
    try:
        yield view.following
    finally:
        view.end()


class _View:
    """One picture on the page, drawn anew as the run changes."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._changed, self._over = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._keep, name="tiphys view", daemon=True)
        self._handle: Any = None
        run._shown_in = _shell().execution_count

    def show_once(self) -> None:
        _display(bundle_of(self._run))

    def begin(self) -> None:
        self.following = self._run.follow(with_nodes=True)
        self._handle = _display(self._bundle(), live=True)
        self.following.listen(self._hear)
        self._thread.start()

    def keep_until_end(self) -> None:
        """It goes on behind the cell's back."""
        self.begin()

    def end(self) -> None:
        self.following.forget(self._hear)
        self._over.set()
        self._changed.set()
        self._thread.join()

    def _hear(self, event: Optional[Event]) -> None:
        if event is None:
            self._over.set()
        self._changed.set()

    def _keep(self) -> None:
        while not self._over.is_set():
            self._changed.wait(_TICK_SECONDS)
            self._changed.clear()
            self._handle.update(self._bundle(), raw=True)
            self._over.wait(_REDRAW_SECONDS)
        self._handle.update(self._bundle(), raw=True)

    def _bundle(self) -> Dict[str, str]:
        return bundle(self._run.name, self.following.state(), _log_of(self._run))


def bundle_of(run: Run) -> Dict[str, str]:
    try:
        status = run._status()
    except TiphysError:
        status = run._known()  # the server has gone, or the run
    return bundle(run.name, status, _log_of(run))


def bundle(name: str, status: Mapping[str, Any], log: str) -> Dict[str, str]:
    """The picture in each form that a page may take: HTML with the picture inside for notebooks, whose table stays where
    pictures are taken out; the picture itself; Markdown; text."""
    svg = svg_of(name, status)
    return {
        "text/html": _html(name, status, log, svg),
        "image/svg+xml": svg,
        "text/markdown": _markdown(name, status, log),
        "text/plain": text_of_tree(name, status),
    }


def _html(name: str, status: Mapping[str, Any], log: str, svg: str) -> str:
    phase = status.get("phase") or "Pending"
    picture = base64.b64encode(svg.encode()).decode()
    head = f'<b>{escape(name)}</b> <span style="color:{COLORS.get(phase, "inherit")}">{ICONS.get(phase, "")} {phase}</span> {escape(_about(status))}'
    rows, left = _rows(name, status)
    table = "".join(_table_row("td", f"{_indent(row.lead)}{ICONS.get(row.phase, '')} {row.name}", row.template, row.phase, duration_text(row.seconds), row.message) for row in rows)
    more = f"<p>and {left} more</p>" if left else ""
    logged = f'<details open><summary>Log</summary><pre style="font-family:monospace">{escape(log)}</pre></details>' if log else ""
    return (
        f'<div><p>{head}</p><img alt="Graph and timeline of {escape(name)}" style="max-width:100%" src="data:image/svg+xml;base64,{picture}"/>'
        f"<details{'' if len(rows) > 12 else ' open'}><summary>Steps</summary><table><thead>{_table_row('th', 'Step', 'Template', 'Phase', 'Duration', 'Message')}</thead>"
        f"<tbody>{table}</tbody></table>{more}</details>{_outputs_html(status, name)}{logged}</div>"
    )


def _table_row(tag: str, *cells: str) -> str:
    """Pages align tables to the right, as if all were numbers."""
    return "<tr>" + "".join(f'<{tag} style="text-align:left">{escape(cell)}</{tag}>' for cell in cells) + "</tr>"


def _markdown(name: str, status: Mapping[str, Any], log: str) -> str:
    phase = status.get("phase") or "Pending"
    lines = [f"**{name}** {ICONS.get(phase, '')} {phase} {_about(status)}", "", "| Step | Template | Phase | Duration | Message |", "|---|---|---|---|---|"]
    rows, left = _rows(name, status)
    for row in rows:
        cells = (_indent(row.lead) + row.name, row.template, f"{ICONS.get(row.phase, '')} {row.phase}", duration_text(row.seconds), row.message)
        lines.append("| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |")
    lines += ["", f"and {left} more"] if left else []
    outputs = _outputs(status, name)
    lines += ["", *(f"- `{each['name']}`: {each['value']}" for each in outputs)] if outputs else []
    fence = "`" * max([3, *(len(ticks) + 1 for ticks in re.findall("`+", log))])
    lines += ["", fence, log, fence] if log else []
    return "\n".join(lines)


def text_of_tree(name: str, status: Mapping[str, Any]) -> str:
    rows, left = _rows(name, status)
    lines = [f"{name}  {status.get('phase') or 'Pending'}  {_about(status)}".rstrip()]
    lines += [f" {row.lead}{ICONS.get(row.phase, ' ')} {row.name}  {duration_text(row.seconds)}  {row.message}".rstrip() for row in rows]
    return "\n".join(lines + ([f" and {left} more"] if left else []))


def _rows(name: str, status: Mapping[str, Any]) -> "tuple[List[Row], int]":
    """Those that are shown: of many, what failed and what runs goes first."""
    rows = rows_of(name, status)
    if len(rows) <= _MOST_ROWS:
        return rows, 0
    kept = sorted(sorted(range(len(rows)), key=lambda i: rows[i].phase not in (*FAILED, "Running"))[:_MOST_ROWS])
    return [rows[i] for i in kept], len(rows) - _MOST_ROWS


def _about(status: Mapping[str, Any]) -> str:
    pods = [each for each in (status.get("nodes") or {}).values() if each.get("type") == "Pod"]
    done = sum(each.get("phase") in ("Succeeded", *FAILED) for each in pods)
    text = f"{done}/{len(pods)} done · {duration_text(seconds_of(status) or 0)}"
    return text + (f" · {status['message']}" if status.get("message") else "")


def _indent(lead: str) -> str:
    return "\u00a0\u00a0" * (len(lead) // 2)


def _outputs(status: Mapping[str, Any], name: str) -> List[Document]:
    root = ((status.get("nodes") or {}).get(name) or {}).get("outputs") or {}
    found = {each["name"]: each for of in (root, status.get("outputs") or {}) for each in of.get("parameters") or [] if "value" in each}
    return list(found.values())


def _outputs_html(status: Mapping[str, Any], name: str) -> str:
    outputs = _outputs(status, name)
    if not outputs:
        return ""
    items = "".join(f"<li><code>{escape(each['name'])}</code>: {escape(str(each['value'])[:500])}</li>" for each in outputs)
    return f"<p>Outputs</p><ul>{items}</ul>"


def _log_of(run: Run) -> str:
    try:
        return "\n".join(run.logs(tail=_LOG_LINES).splitlines()[-_LOG_LINES:])[-10_000:]
    except (TiphysError, OSError):
        return ""  # there is none yet, or no longer


def _shell() -> Any:
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython else None


def _display(bundle: Dict[str, str], live: bool = False) -> Any:
    import importlib

    return importlib.import_module("IPython.display").display(bundle, raw=True, display_id=True if live else None)
