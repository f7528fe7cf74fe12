"""Requests to one server: on a unix socket, or by TCP with TLS or without."""

from __future__ import annotations

import http.client
import json
import os
import select
import socket
import threading
from dataclasses import dataclass
from types import TracebackType
from typing import Any, BinaryIO, Iterator, List, Mapping, Optional, Type, Union
from urllib.parse import quote, urlencode

from tiphys._errors import ApiError, ManifestError, NotFound, ServerUnreachable

Query = Mapping[str, Union[str, int, bool]]

_CONNECT_SECONDS = 10
_MOST_IDLE = 4
_COPY_BYTES = 1 << 20
_INVALID_ARGUMENT, _NOT_FOUND = 3, 5  # codes of gRPC


@dataclass(frozen=True)
class Endpoint:
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


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost")
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            _connect_unix(self.sock, self._path)
        except OSError:
            self.sock.close()
            raise


def _connect_unix(sock: socket.socket, path: str) -> None:
    """Also where the path is longer than the 107 bytes that an address holds."""
    if len(os.fsencode(path)) <= 107:
        return sock.connect(path)
    folder = os.open(os.path.dirname(path), os.O_PATH | os.O_CLOEXEC)
    try:
        sock.connect(f"/proc/self/fd/{folder}/{os.path.basename(path)}")
    finally:
        os.close(folder)


class Http:
    """Keeps connections for the next request. Threads may share it; a process that was forked has its own connections."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._idle: List[http.client.HTTPConnection] = []
        self._lock = threading.Lock()
        self._process = os.getpid()

    def ask(self, method: str, path: str, query: Optional[Query] = None, body: Any = None) -> Any:
        """The document that is answered with; ApiError when the server refuses, ServerUnreachable when it does not answer."""
        connection = self._take()
        answer = self._send(connection, method, path, query, body)
        try:
            content = answer.read()
        except (OSError, http.client.HTTPException) as lost:
            connection.close()
            raise self._unreachable(lost) from lost
        self._give_back(connection)
        if answer.status >= 400:
            raise _refusal(answer.status, content)
        return json.loads(content) if content.strip() else {}

    def stream(self, path: str, query: Optional[Query] = None) -> Stream:
        """An answer that goes on, on a connection of its own."""
        connection = self._connection()
        wire = connection.sock
        assert wire
        return Stream(wire, self._checked(connection, self._send(connection, "GET", path, query, None)))

    def download(self, path: str, to: BinaryIO) -> None:
        """Writes what is answered with to an open file, piece by piece."""
        connection = self._connection()
        try:
            answer = self._checked(connection, self._send(connection, "GET", path, None, None))
            while True:
                piece = answer.read(_COPY_BYTES)
                if not piece:
                    return
                to.write(piece)
        except (http.client.HTTPException, ConnectionError) as lost:
            raise self._unreachable(lost) from lost
        finally:
            connection.close()

    def is_connected(self) -> bool:
        """Whether a connection is open that the server has not closed."""
        with self._lock:
            return self._process == os.getpid() and any(not _has_ended(each) for each in self._idle)

    def close(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _checked(self, connection: http.client.HTTPConnection, answer: http.client.HTTPResponse) -> http.client.HTTPResponse:
        if answer.status >= 400:
            content = answer.read()
            connection.close()
            raise _refusal(answer.status, content)
        return answer

    def _send(self, connection: http.client.HTTPConnection, method: str, path: str, query: Optional[Query], body: Any) -> http.client.HTTPResponse:
        target = path + ("?" + urlencode({name: _text(value) for name, value in query.items()}) if query else "")
        headers = {"Accept": "application/json"}
        content = None
        if self.endpoint.token:
            headers["Authorization"] = _bearer(self.endpoint.token)
        if body is not None:
            content = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        try:
            connection.request(method, target, content, headers)
            return connection.getresponse()
        except (OSError, http.client.HTTPException) as lost:
            connection.close()
            raise self._unreachable(lost) from lost

    def _take(self) -> http.client.HTTPConnection:
        with self._lock:
            if self._process != os.getpid():
                self._idle, self._process = [], os.getpid()
            while self._idle:
                connection = self._idle.pop()
                if not _has_ended(connection):
                    return connection
                connection.close()
        return self._connection()

    def _give_back(self, connection: http.client.HTTPConnection) -> None:
        with self._lock:
            if connection.sock and len(self._idle) < _MOST_IDLE and self._process == os.getpid():
                self._idle.append(connection)
                return
        connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        end = self.endpoint
        connection: http.client.HTTPConnection
        if end.socket:
            connection = _UnixConnection(end.socket)
        elif end.tls:
            connection = http.client.HTTPSConnection(end.host, end.port, timeout=_CONNECT_SECONDS, context=_tls_context(end))
        else:
            connection = http.client.HTTPConnection(end.host, end.port, timeout=_CONNECT_SECONDS)
        try:
            connection.connect()
        except OSError as lost:
            raise self._unreachable(lost) from lost
        assert connection.sock
        connection.sock.settimeout(None)  # what is asked for may take its time
        return connection

    def _unreachable(self, why: BaseException) -> ServerUnreachable:
        return ServerUnreachable(f"no server answers at {self.endpoint.url}: {why}")


class Stream:
    """Lines of JSON as they come. close() may be called by another thread, and ends whoever waits for a line."""

    def __init__(self, wire: socket.socket, answer: http.client.HTTPResponse) -> None:
        self._wire, self._answer, self._closed = wire, answer, False

    def __iter__(self) -> Iterator[Any]:
        """Ends when the server ends the stream, or close() does; ServerUnreachable when the server goes away."""
        while not self._closed:
            try:
                line = self._answer.readline()
            except (OSError, ValueError, http.client.HTTPException) as lost:
                if self._closed:
                    return
                raise ServerUnreachable(f"the server went away: {lost}") from lost
            if not line:
                return
            if line.strip():
                yield json.loads(line)

    def close(self) -> None:
        self._closed = True
        try:
            self._wire.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # the server was first

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]) -> None:
        self.close()
        self._answer.close()
        self._wire.close()


def part(text: str) -> str:
    """A part of a path."""
    return quote(text, safe="")


def _text(value: Union[str, int, bool]) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _bearer(token: str) -> str:
    return token if token.startswith(("Bearer ", "Basic ")) else f"Bearer {token}"


def _has_ended(connection: http.client.HTTPConnection) -> bool:
    """Whether the server has closed a connection on which nothing is asked."""
    if connection.sock is None:
        return True
    poll = select.poll()
    poll.register(connection.sock, select.POLLIN)
    return bool(poll.poll(0))


def _tls_context(end: Endpoint) -> Any:
    import ssl

    if not end.verify:
        return ssl._create_unverified_context()
    return ssl.create_default_context(cafile=end.authority or None)


def _refusal(status: int, content: bytes) -> Exception:
    """What the server says: an error of Argo's API, a Status of Kubernetes', or else the body as it is."""
    try:
        said = json.loads(content)
    except ValueError:
        said = {}
    if not isinstance(said, dict):
        said = {}
    message = said.get("message") or content.decode(errors="replace").strip() or http.client.responses.get(status, str(status))
    code = said.get("code", 0) if "kind" not in said else 0
    if code == _NOT_FOUND or status == 404:
        return NotFound(message, code, status)
    if code == _INVALID_ARGUMENT or status == 422:
        return ManifestError(message)
    return ApiError(message, code, status)
