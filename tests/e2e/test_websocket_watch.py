"""Watches by WebSocket, frame by frame: what clients on the JVM ask for. Fabric8's own is tried in test_java_clients.py."""

import base64
import hashlib
import json
import os
import socket

import pytest

from api_client import Api

MAPS = "/api/v1/namespaces/default/configmaps"
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10


class WebSocket:
    def __init__(self, owner, path, **headers):
        host, port = owner.host.rsplit(":", 1)
        key = base64.b64encode(os.urandom(16)).decode()
        asked = {"Host": "localhost", "Authorization": f"Bearer {owner.token}", "Connection": "Upgrade", "Upgrade": "WebSocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": key, **headers}
        self.socket = socket.create_connection((host, int(port)), timeout=60)
        self.socket.sendall(f"GET {path} HTTP/1.1\r\n{''.join(f'{name}: {value}{chr(13)}{chr(10)}' for name, value in asked.items())}\r\n".encode())
        self.file = self.socket.makefile("rb")
        self.status = int(self.file.readline().split()[1])
        self.headers = {}
        while (line := self.file.readline().decode().strip()):
            name, value = line.split(": ", 1)
            self.headers[name.lower()] = value
        if self.status == 101:
            expected = base64.b64encode(hashlib.sha1(f"{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()).digest()).decode()
            assert self.headers["sec-websocket-accept"] == expected

    def receive(self):
        """A frame of the server: its kind and payload."""
        first, length = self.file.read(2)
        assert first & 0x80 and not length & 0x80
        if length >= 126:
            length = int.from_bytes(self.file.read(2 if length == 126 else 8), "big")
        return first & 0x0F, self.file.read(length)

    def event(self):
        kind, payload = self.receive()
        assert kind == TEXT, (kind, payload)
        event = json.loads(payload)
        return event["type"], event["object"]["metadata"].get("name")

    def send(self, kind, payload=b""):
        mask = os.urandom(4)
        self.socket.sendall(bytes([0x80 | kind, 0x80 | len(payload)]) + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload)))

    def close(self):
        self.file.close()
        self.socket.close()


@pytest.mark.parametrize("audit", [False, True])
def test_a_watch_by_websocket(tiphys, tmp_path, audit):
    tiphys.up(*(["--audit-log", tmp_path / "audit"] if audit else []))
    owner = Api(tiphys.data_dir)
    watch = WebSocket(owner, f"{MAPS}?watch=true&labelSelector=app%3Da")
    assert watch.status == 101
    metadata = {"name": "one", "labels": {"app": "a"}}
    assert owner.ask("POST", MAPS, {"metadata": metadata})[0] == 201
    assert watch.event() == ("ADDED", "one")
    watch.send(PING, b"there?")
    assert watch.receive() == (PONG, b"there?")
    assert owner.ask("PATCH", f"{MAPS}/one", {"data": {"large": "x" * 300_000}}, "application/merge-patch+json")[0] == 200
    assert watch.event() == ("MODIFIED", "one")
    assert owner.ask("DELETE", f"{MAPS}/one")[0] == 200
    assert watch.event() == ("DELETED", "one")
    watch.send(CLOSE, (1000).to_bytes(2, "big"))
    assert watch.receive()[0] == CLOSE and watch.file.read() == b""
    watch.close()


def test_it_ends_in_time_and_what_is_wrong_is_told_before(tiphys):
    tiphys.up()
    owner = Api(tiphys.data_dir)
    watch = WebSocket(owner, f"{MAPS}?watch=true&timeoutSeconds=1&resourceVersion=0")
    assert watch.status == 101
    kind, payload = watch.receive()
    while kind == TEXT:
        kind, payload = watch.receive()
    assert (kind, payload[:2]) == (CLOSE, (1000).to_bytes(2, "big"))
    watch.close()
    for path, headers, status in ((f"{MAPS}?watch=true&labelSelector=%3D", {}, 400), (f"{MAPS}?watch=true", {"Sec-WebSocket-Version": "8"}, 400),
                                  (f"{MAPS}?watch=true", {"Authorization": "Bearer nothing"}, 401), (f"{MAPS}?watch=true", {"Origin": "https://evil.example"}, 403),
                                  (f"{MAPS}?watch=true&timeoutSeconds=1", {"Upgrade": "h2c"}, 200), (MAPS, {}, 200)):
        refused = WebSocket(owner, path, **headers)
        assert refused.status == status, path
        refused.close()
    assert owner.ask("GET", MAPS)[0] == 200
