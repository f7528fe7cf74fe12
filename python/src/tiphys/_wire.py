"""HTTP/1.1 on one connection. The standard library's client takes longer to import than a step takes to run."""

from __future__ import annotations

import os
import socket
from typing import Any, Dict, Iterator, List, Mapping

_CONNECT_SECONDS = 10
_LONGEST_HEADER = 1 << 16
_PIECE_BYTES = 1 << 20
_LONGEST_UNIX_PATH = 107


class Broken(ConnectionError):
    """The other side ended in the midst of an answer, or does not speak HTTP."""


class Answer:
    """Status and headers, and a body that is read once."""

    def __init__(self, file: Any) -> None:
        self._file = file
        version, _, rest = self._header_line().partition(" ")
        if not version.startswith("HTTP/1."):
            raise Broken("it does not speak HTTP")
        self.status = int(rest.split(" ", 1)[0])
        self.headers: Dict[str, str] = {}
        while True:
            line = self._header_line()
            if not line:
                break
            name, _, value = line.partition(":")
            self.headers[name.lower()] = value.strip()
        self.complete = False  # the body was read to its end, and the connection may be used again

    def pieces(self) -> Iterator[bytes]:
        if self.headers.get("transfer-encoding", "").lower() == "chunked":
            yield from self._chunks()
        elif "content-length" in self.headers:
            yield from self._counted(int(self.headers["content-length"]))
        elif self.status != 204:
            yield from iter(lambda: self._file.read1(_PIECE_BYTES), b"")
            return  # it ends with the connection
        self.complete = self.headers.get("connection", "").lower() != "close"

    def read(self) -> bytes:
        return b"".join(self.pieces())

    def lines(self) -> Iterator[bytes]:
        """As they come, without their ends."""
        begun: List[bytes] = []
        for piece in self.pieces():
            first, *others = piece.split(b"\n")
            begun.append(first)
            for each in others:
                yield b"".join(begun)
                begun = [each]
        if any(begun):
            yield b"".join(begun)

    def _header_line(self) -> str:
        line: bytes = self._file.readline(_LONGEST_HEADER)
        if not line.endswith(b"\n"):
            raise Broken("it ended the connection" if not line else "its headers are too long")
        return line.strip().decode("latin-1")

    def _counted(self, count: int) -> Iterator[bytes]:
        while count:
            piece = self._file.read1(min(count, _PIECE_BYTES))
            if not piece:
                raise Broken("it ended in the midst of an answer")
            count -= len(piece)
            yield piece

    def _chunks(self) -> Iterator[bytes]:
        while True:
            size = int(self._header_line().split(";")[0], 16)
            if size:
                yield from self._counted(size)
            if self._header_line():
                raise Broken("its answer has parts of another length than it says")
            if not size:
                return


class Wire:
    """A connection. Errors are OSErrors."""

    def __init__(self, sock: Any, host: str) -> None:
        self.sock, self._host = sock, host
        self._file = sock.makefile("rb")

    def ask(self, method: str, target: str, headers: Mapping[str, str], content: bytes = b"") -> Answer:
        lines = [f"{method} {target} HTTP/1.1", f"Host: {self._host}", *(f"{name}: {value}" for name, value in headers.items())]
        if content or method in ("POST", "PUT"):
            lines.append(f"Content-Length: {len(content)}")
        head = "\r\n".join([*lines, "", ""]).encode("latin-1")
        if len(content) > _PIECE_BYTES:
            self.sock.sendall(head)
            self.sock.sendall(content)
        else:
            self.sock.sendall(head + content)
        return Answer(self._file)

    def close(self) -> None:
        self._file.close()
        self.sock.close()


def connect_unix(path: str) -> Wire:
    """Also where the path is longer than an address holds."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if len(os.fsencode(path)) <= _LONGEST_UNIX_PATH:
            sock.connect(path)
        else:
            folder = os.open(os.path.dirname(path), os.O_PATH | os.O_CLOEXEC)
            try:
                sock.connect(f"/proc/self/fd/{folder}/{os.path.basename(path)}")
            finally:
                os.close(folder)
    except OSError:
        sock.close()
        raise
    return Wire(sock, "localhost")


def connect_tcp(host: str, port: int, tls: Any = None) -> Wire:
    """`tls`: an ssl.SSLContext, None for plain text."""
    sock: Any = socket.create_connection((host, port), _CONNECT_SECONDS)
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            sock = tls.wrap_socket(sock, server_hostname=host)
        sock.settimeout(None)  # what is asked for may take its time
    except OSError:
        sock.close()
        raise
    return Wire(sock, f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
