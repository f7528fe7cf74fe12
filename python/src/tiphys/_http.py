"""Requests to one server: on a unix socket, or by TCP with TLS or without."""

from __future__ import annotations

import json
import select
import socket
import threading
from types import TracebackType
from typing import Any, BinaryIO, Callable, Iterator, List, Mapping, NamedTuple, Optional, Type, Union

from tiphys._errors import ApiError, ManifestError, NotFound, ServerUnreachable
from tiphys._forks import tell_of_forks
from tiphys._wire import Answer, Wire, connect_tcp, connect_unix

Query = Mapping[str, Union[str, int, bool]]

_MOST_IDLE = 4
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_INVALID_ARGUMENT, _NOT_FOUND = 3, 5  # codes of gRPC


class Endpoint(NamedTuple):
    """Where a server answers, and what it is shown."""

    socket: str = ""  # the path of a unix socket; "" for host and port
    host: str = ""
    port: int = 0
    tls: bool = False
    authority: str = ""  # PEM file of who is trusted; "" for the system's
    verify: bool = True
    token: str = ""

    @property
    def url(self) -> str:
        return f"unix:{self.socket}" if self.socket else f"{'https' if self.tls else 'http'}://{self.host}:{self.port}"


class Http:
    """Keeps connections for the next request. Threads may share it; a process that was forked has its own connections."""

    def __init__(self, endpoint: Endpoint, revive: Optional[Callable[[], None]] = None) -> None:
        """`revive` is called where the server has gone away, before it is asked once more what may be asked twice."""
        self.endpoint, self._revive = endpoint, revive
        self.in_child()
        tell_of_forks(self)

    def in_child(self) -> None:
        self._idle: List[Wire] = []
        self._lock = threading.Lock()

    def ask(self, method: str, path: str, query: Optional[Query] = None, body: Any = None) -> Any:
        """The document that is answered with; ApiError when the server refuses, ServerUnreachable when it does not answer."""
        try:
            return self.ask_once(method, path, query, body)
        except ServerUnreachable:
            if method != "GET" or self._revive is None:
                raise
            self._revive()
            return self.ask_once(method, path, query, body)

    def ask_once(self, method: str, path: str, query: Optional[Query] = None, body: Any = None) -> Any:
        wire = self._take()
        try:
            answer = self._send(wire, method, path, query, body)
            content = answer.read()
        except (OSError, ValueError) as lost:
            wire.close()
            raise self._unreachable(lost) from lost
        self._give_back(wire, answer)
        if answer.status >= 400:
            raise _refusal(answer.status, content)
        return _document(content) if content.strip() else {}

    def stream(self, path: str, query: Optional[Query] = None) -> Stream:
        """An answer that goes on, on a connection of its own."""
        wire = self._connection()
        return Stream(wire, self._begun(wire, path, query))

    def download(self, path: str, to: BinaryIO) -> None:
        """Writes what is answered with to an open file, piece by piece."""
        wire = self._connection()
        try:
            for piece in self._begun(wire, path, None).pieces():
                to.write(piece)
        except ConnectionError as lost:
            raise self._unreachable(lost) from lost
        finally:
            wire.close()

    def is_connected(self) -> bool:
        """Whether a connection is open that the server has not closed."""
        with self._lock:
            return any(not _has_ended(each) for each in self._idle)

    def close(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for wire in idle:
            wire.close()

    def _begun(self, wire: Wire, path: str, query: Optional[Query]) -> Answer:
        try:
            answer = self._send(wire, "GET", path, query, None)
            if answer.status < 400:
                return answer
            content = answer.read()
        except (OSError, ValueError) as lost:
            wire.close()
            raise self._unreachable(lost) from lost
        wire.close()
        raise _refusal(answer.status, content)

    def _send(self, wire: Wire, method: str, path: str, query: Optional[Query], body: Any) -> Answer:
        target = path + ("?" + "&".join(f"{part(name)}={part(_text(value))}" for name, value in query.items()) if query else "")
        headers = {"Accept": "application/json"}
        if self.endpoint.token:
            headers["Authorization"] = _bearer(self.endpoint.token)
        if body is None:
            return wire.ask(method, target, headers)
        return wire.ask(method, target, {**headers, "Content-Type": "application/json"}, json.dumps(body).encode())

    def _take(self) -> Wire:
        with self._lock:
            while self._idle:
                wire = self._idle.pop()
                if not _has_ended(wire):
                    return wire
                wire.close()
        return self._connection()

    def _give_back(self, wire: Wire, answer: Answer) -> None:
        with self._lock:
            if answer.complete and len(self._idle) < _MOST_IDLE:
                self._idle.append(wire)
                return
        wire.close()

    def _connection(self) -> Wire:
        end = self.endpoint
        try:
            return connect_unix(end.socket) if end.socket else connect_tcp(end.host, end.port, _tls_context(end) if end.tls else None)
        except OSError as lost:
            raise self._unreachable(lost) from lost

    def _unreachable(self, why: BaseException) -> ServerUnreachable:
        return ServerUnreachable(f"no server answers at {self.endpoint.url}: {why}")


class Stream:
    """Lines of JSON as they come. close() may be called by another thread, and ends whoever waits for a line."""

    def __init__(self, wire: Wire, answer: Answer) -> None:
        self._wire, self._answer, self._closed = wire, answer, False

    def __iter__(self) -> Iterator[Any]:
        """Ends when the server ends the stream, or close() does; ServerUnreachable when the server goes away."""
        try:
            for line in self._answer.lines():
                if line.strip():
                    yield _document(line)
        except (OSError, ValueError) as lost:
            if not self._closed:
                raise ServerUnreachable(f"the server went away: {lost}") from lost

    def close(self) -> None:
        self._closed = True
        try:
            self._wire.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # the server was first

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]) -> None:
        self.close()
        self._wire.close()


def part(text: str) -> str:
    """A part of a path or of a query. What urllib does would cost more than a request."""
    return "".join(chr(byte) if byte in _UNRESERVED else f"%{byte:02X}" for byte in text.encode())


def _document(content: bytes) -> Any:
    """Logs hold whatever programs write."""
    return json.loads(content.decode(errors="replace"))


def _text(value: Union[str, int, bool]) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _bearer(token: str) -> str:
    return token if token.startswith(("Bearer ", "Basic ")) else f"Bearer {token}"


def _has_ended(wire: Wire) -> bool:
    """Whether the server has closed a connection on which nothing is asked."""
    poll = select.poll()
    poll.register(wire.sock, select.POLLIN)
    return bool(poll.poll(0))


def _tls_context(end: Endpoint) -> Any:
    import ssl

    if not end.verify:
        return ssl._create_unverified_context()
    return ssl.create_default_context(cafile=end.authority or None)


def _refusal(status: int, content: bytes) -> Exception:
    """What the server says: an error of Argo's API, a Status of Kubernetes', or else the body as it is."""
    try:
        said = _document(content)
    except ValueError:
        said = {}
    if not isinstance(said, dict):
        said = {}
    message = said.get("message") or content.decode(errors="replace").strip() or f"it answers with {status}"
    code = said.get("code", 0) if "kind" not in said else 0
    if code == _NOT_FOUND or status == 404:
        return NotFound(message, code, status)
    if code == _INVALID_ARGUMENT or status == 422:
        return ManifestError(message)
    return ApiError(message, code, status)
