"""The plane of this machine that all calls of this process share: begun by the first that needs it."""

from __future__ import annotations

import atexit
import os
import sys
import threading
from typing import Dict

from tiphys._client import Client, current
from tiphys._errors import TiphysError
from tiphys._launch import FOR_THIS_PROCESS, default_data_dir
from tiphys._server import Plane, SocketClient

_lock = threading.Lock()
_clients: Dict[str, SocketClient] = {}  # by data directory, as TIPHYS_DATA_DIR may change


def _in_child() -> None:
    global _lock
    _lock = threading.Lock()


os.register_at_fork(after_in_child=_in_child)


def shared_client() -> Client:
    """What tiphys.run() works on here and now."""
    entered = current()
    if entered is not None:
        return entered
    data_dir = os.path.abspath(default_data_dir())
    with _lock:
        client = _clients.get(data_dir)
        if client is None:
            client = _clients[data_dir] = SocketClient(Plane(data_dir, FOR_THIS_PROCESS))
        return client


@atexit.register
def shutdown() -> None:
    """Ends the planes that this process has started for tiphys.run(), as its exit does. Steps that run go on, and so do
    runs with the next call, or with any `tiphys` on the same data directory."""
    with _lock:
        clients = list(_clients.values())
        _clients.clear()
    for client in clients:
        if client.plane.ours:
            left = _unfinished(client)
            client.plane.stop()
            if left:
                print(f"tiphys: {left} unfinished; what runs goes on, the rest with the next `tiphys` on {client.plane.data_dir}", file=sys.stderr)


def _unfinished(client: SocketClient) -> str:
    try:
        names = [each["metadata"]["name"] for each in client.api.list("workflows.argoproj.io/completed!=true")]
    except TiphysError:
        return ""
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(names[:5]) + more + (" is" if len(names) == 1 else " are") if names else ""
