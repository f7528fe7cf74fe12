"""Creates, updates and reads of a few objects by several clients at once, over kill -9 and restart, are linearizable.

Each write leaves a value of its own, and the resourceVersion of a state is its place in the order of all. So a history is linearizable when it is so for these
places: what an answered request has seen or made comes after all that was answered before it was asked, and a value stands at one place alone, no sooner than its
write was asked for. A write whose answer got lost may have happened or not.

TIPHYS_LINEARIZABLE_KILLS (3) says how often the server is killed.
"""

import http.client
import os
import random
import signal
import threading
import time

from api_client import Api

KILLS = int(os.environ.get("TIPHYS_LINEARIZABLE_KILLS", "3"))
CLIENTS, KEYS, BETWEEN_KILLS = 6, 3, 800
MAPS = "/api/v1/namespaces/default/configmaps"


class History:
    """What was asked and answered, from all clients."""

    def __init__(self):
        self.lock, self.writes, self.seen = threading.Condition(), {}, []

    def ask_to_write(self, value):
        with self.lock:
            self.writes[value] = time.monotonic()

    def answered(self, key, asked, place, value):
        with self.lock:
            self.seen.append((key, asked, time.monotonic(), place, value))
            self.lock.notify()

    def wait_for(self, size):
        with self.lock:
            assert self.lock.wait_for(lambda: len(self.seen) >= size, timeout=120), "the clients have stopped"


class Client(threading.Thread):
    def __init__(self, data_dir, number, history, stop):
        super().__init__()
        self.api, self.number, self.history, self.stop = Api(data_dir, timeout=20), number, history, stop
        self.chance, self.turn, self.last, self.error = random.Random(number), 0, {}, None

    def run(self):
        try:
            while not self.stop.is_set():
                try:
                    self.act(f"key-{self.chance.randrange(KEYS)}")
                except (OSError, http.client.HTTPException):
                    self.api.close()
                    # It is being started again: the connection is refused until it listens.
                    self.stop.wait(0.02)
        except Exception as error:
            self.error = error

    def act(self, key):
        asked = time.monotonic()
        if self.chance.random() < 0.4 or key not in self.last:
            code, found = self.api.ask("GET", f"{MAPS}/{key}")
            if code == 200:
                return self.take(key, asked, found)
            assert code == 404, found
            assert key not in self.last, "nobody deletes"
        self.turn += 1
        value = f"{self.number}-{self.turn}"
        self.history.ask_to_write(value)
        body = {"metadata": {"name": key}, "data": {"value": value}}
        if key in self.last:
            body["metadata"]["resourceVersion"] = self.last[key]
            code, made = self.api.ask("PUT", f"{MAPS}/{key}", body)
        else:
            code, made = self.api.ask("POST", MAPS, body)
        if code in (200, 201):
            assert made["data"]["value"] == value
            return self.take(key, asked, made)
        assert code == 409, made
        self.last.pop(key, None)

    def take(self, key, asked, state):
        self.last[key] = state["metadata"]["resourceVersion"]
        self.history.answered(key, asked, int(state["metadata"]["resourceVersion"]), state["data"]["value"])


def check(history):
    for key in {row[0] for row in history.seen}:
        rows = [row for row in history.seen if row[0] == key]
        value_at = {}
        for _, _, answered, place, value in rows:
            assert value_at.setdefault(place, value) == value, f"{key} has two values at {place}"
            assert history.writes[value] < answered, f"{key}: {value} was seen before it was written"
        assert len(set(value_at.values())) == len(value_at), f"{key}: one write stands at two places"
        # The latest place that was answered before each request began.
        by_answer, latest, index = sorted(rows, key=lambda row: row[2]), 0, 0
        for _, asked, _, place, value in sorted(rows, key=lambda row: row[1]):
            while index < len(by_answer) and by_answer[index][2] < asked:
                latest = max(latest, by_answer[index][3])
                index += 1
            assert place >= latest, f"{key}: {value} at {place} was answered after {latest} had been"


def test_histories_are_linearizable(tiphys, free_port):
    server = tiphys.start("up", *tiphys.runtime, "--port", free_port)
    tiphys.servers.append(server)
    assert server.stdout.readline()
    history, stop = History(), threading.Event()
    clients = [Client(tiphys.data_dir, number, history, stop) for number in range(CLIENTS)]
    for client in clients:
        client.start()
    try:
        for turn in range(1, KILLS + 2):
            history.wait_for(turn * BETWEEN_KILLS)
            if turn > KILLS:
                break
            server.send_signal(signal.SIGKILL)
            server.wait()
            server = tiphys.start("up", *tiphys.runtime, "--port", free_port)
            tiphys.servers.append(server)
            assert server.stdout.readline(), server.stderr.read()
    finally:
        stop.set()
        for client in clients:
            client.join()
    for client in clients:
        assert client.error is None, client.error
    check(history)
    assert len({row[4] for row in history.seen}) > 100
