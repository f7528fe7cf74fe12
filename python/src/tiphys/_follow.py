"""A run as it goes on: its workflow and nodes, kept fresh by watches in threads of their own."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Mapping, Optional

from tiphys._errors import ApiError, NotFound, ServerUnreachable
from tiphys._events import Event
from tiphys._forks import tell_of_forks
from tiphys._http import Stream
from tiphys._nodes import Node

if TYPE_CHECKING:
    from tiphys._run import Run

COMPLETED = frozenset(["Succeeded", "Failed", "Error"])

# Python looks for signals before it waits: one that comes in between, such as Ctrl-C, is seen when the wait is over.
SLICE_SECONDS = 1.0

Listener = Callable[[Optional[Event]], None]  # None: there will be no more


class Following:
    """Begins as it is made. Nodes are watched only where somebody wants to hear of them: a wait costs the same for each size."""

    def __init__(self, run: Run, with_nodes: bool) -> None:
        self._run = run
        self.process = os.getpid()  # whose threads watch: one that was forked has none of them
        self.with_nodes = with_nodes
        self.workflow: Mapping[str, Any] = {}  # the whole object once it has finished
        self.error: Optional[BaseException] = None
        self._nodes: Dict[str, Mapping[str, Any]] = {}
        self._phase, self._message = "", ""
        self.in_child()
        self._over = threading.Lock()  # whoever gets it has nothing left to wait for
        self._over.acquire()
        self._listeners: List[Listener] = []
        self._ended = self._dropped = False
        self._streams: List[Stream] = []
        tell_of_forks(self)
        threading.Thread(target=self._keep, args=(self._watch_workflow,), name=f"tiphys {run.name}", daemon=True).start()
        if with_nodes and run.client.streams_nodes:
            threading.Thread(target=self._keep, args=(self._watch_nodes,), name=f"tiphys {run.name} nodes", daemon=True).start()

    def in_child(self) -> None:
        self._lock = threading.RLock()

    @property
    def ended(self) -> bool:
        """The run has finished, or cannot be followed any more (error)."""
        return self._ended

    def wait(self, timeout: Optional[float] = None) -> bool:
        """True once it has ended, False when the time is over."""
        until = None if timeout is None else time.monotonic() + timeout
        while not self._ended:
            left = SLICE_SECONDS if until is None else min(SLICE_SECONDS, until - time.monotonic())
            if left <= 0:
                return False
            if self._over.acquire(timeout=left):
                self._over.release()
        return True

    def state(self) -> Mapping[str, Any]:
        """The workflow's status as it is known now, nodes included."""
        with self._lock:
            if self.workflow:
                return self.workflow.get("status") or {}
            return {"phase": self._phase, "message": self._message, "nodes": dict(self._nodes)}

    def listen(self, listener: Listener) -> None:
        """Calls it, on some thread, with what is so far and with each event from then on, and with None at the end."""
        with self._lock:
            for document in sorted(self._nodes.values(), key=lambda each: each.get("startedAt") or ""):
                listener(self._event(document, ""))
            if self._phase:
                listener(Event(None, self._phase, self._message))
            if self._ended:
                listener(None)
            else:
                self._listeners.append(listener)

    def forget(self, listener: Listener) -> None:
        with self._lock:
            if listener in self._listeners:
                self._listeners.remove(listener)

    def drop(self) -> None:
        """Follows no more; nobody waits for it."""
        with self._lock:
            self._dropped = True
            streams = list(self._streams)
        for stream in streams:
            stream.close()

    def _keep(self, watch: Callable[[], None]) -> None:
        """Watches to the end, anew where the server is another one since."""
        lost = 0
        while not self._ended and not self._dropped:
            begun = time.monotonic()
            try:
                watch()
            except ServerUnreachable as gone:
                lost = 0 if time.monotonic() - begun > 10 else lost + 1
                try:
                    if lost > 5 or not self._run.client.revive():
                        return self._fail(gone)
                except Exception as error:
                    return self._fail(error)
            except NotFound:
                return self._fail(NotFound(f"the workflow {self._run.name} was deleted"))
            except Exception as error:
                return self._fail(error)

    def _watch_workflow(self) -> None:
        whole = self.with_nodes and not self._run.client.streams_nodes
        stream = self._run.api.watch(self._run.name, whole)
        with self._opened(stream):
            for line in stream:
                if "error" in line:
                    raise ApiError(line["error"].get("message", "the watch was refused"), line["error"].get("grpc_code", 0))
                change = line.get("result") or {}
                if change.get("type") == "DELETED":
                    raise NotFound("deleted")
                workflow = change.get("object") or {}
                status = workflow.get("status") or {}
                for document in (status.get("nodes") or {}).values():
                    self._take_node(document)
                if status.get("phase") in COMPLETED:
                    return self._finish(self._run.api.get(self._run.name))
                self._take_phase(status.get("phase") or "", status.get("message") or "")

    def _watch_nodes(self) -> None:
        stream = self._run.api.watch_nodes(self._run.name)
        with self._opened(stream):
            for line in stream:
                if line.get("type") == "NODE":
                    self._take_node(line["object"])
        self.wait(1)  # the end is told by the other watch

    def _opened(self, stream: Stream) -> Stream:
        with self._lock:
            self._streams.append(stream)
            if self._dropped:
                stream.close()
        return stream

    def _take_node(self, document: Mapping[str, Any]) -> None:
        with self._lock:
            if self._ended:
                return
            before = (self._nodes.get(document["id"]) or {}).get("phase", "")
            self._nodes[document["id"]] = document
            if document.get("phase", "") != before:
                self._tell(self._event(document, before))

    def _take_phase(self, phase: str, message: str) -> None:
        with self._lock:
            before, self._phase, self._message = self._phase, phase, message
            if phase and phase != before:
                self._tell(Event(None, phase, message, before))

    def _finish(self, workflow: Mapping[str, Any]) -> None:
        status = workflow.get("status") or {}
        with self._lock:
            for document in (status.get("nodes") or {}).values():
                if self.with_nodes:
                    self._take_node(document)
                else:
                    self._nodes[document["id"]] = document
            self._take_phase(status.get("phase") or "", status.get("message") or "")
            self.workflow = workflow
        self._end()

    def _fail(self, error: BaseException) -> None:
        with self._lock:
            if self._ended:
                return
            self.error = error
        self._end()

    def _end(self) -> None:
        with self._lock:
            if self._ended:
                return
            self._ended = True
            self._over.release()
            listeners, self._listeners = self._listeners, []
            for listener in listeners:
                listener(None)
        self.drop()

    def _tell(self, event: Event) -> None:
        for listener in list(self._listeners):
            listener(event)

    def _event(self, document: Mapping[str, Any], before: str) -> Event:
        return Event(Node(self._run, document), document.get("phase", ""), document.get("message", ""), before)
