"""Watchers that come and go while objects change: each ends with what is there, whatever it has missed.

TIPHYS_TORTURE_CHANGES (5000) says how many changes there are; the full size is 100000, by `make test-torture`, which also tells time and memory
(docs/benchmarks.md).
"""

import json
import os
import pathlib
import random
import threading
import time

from api_client import Api

CHANGES = int(os.environ.get("TIPHYS_TORTURE_CHANGES", "5000"))
WATCHERS, WRITERS, NAMES = 50, 4, 100
MAPS = "/api/v1/namespaces/default/configmaps"
LAST = "the-last"
MERGE = "application/merge-patch+json"


def write(data_dir, seed, failures):
    """Random changes of names that no other writer has."""
    try:
        chance, api = random.Random(seed), Api(data_dir)
        for turn in range(CHANGES // WRITERS):
            name = f"map-{seed}-{chance.randrange(NAMES // WRITERS)}"
            code, _ = api.ask("PATCH", f"{MAPS}/{name}", {"data": {"turn": str(turn)}}, MERGE)
            if code == 404:
                code, _ = api.ask("POST", MAPS, {"metadata": {"name": name}, "data": {"turn": str(turn)}})
            elif chance.random() < 0.2:
                code, _ = api.ask("DELETE", f"{MAPS}/{name}")
            assert code in (200, 201), code
    except Exception as error:
        failures.append(error)


class Watcher:
    """Follows all maps as an informer does, and loses its connection now and then."""

    def __init__(self, data_dir, seed):
        self.chance, self.data_dir, self.known, self.version, self.error = random.Random(seed), data_dir, {}, None, None
        self.lists = self.watches = 0
        self.thread = threading.Thread(target=self.follow)
        self.thread.start()

    def follow(self):
        try:
            while LAST not in self.known:
                if self.version is None:
                    self.list()
                self.watch(self.chance.choice([1, 3, 20, 100, 10_000]))
        except Exception as error:
            self.error = error

    def list(self):
        api = Api(self.data_dir)
        code, found = api.ask("GET", MAPS)
        assert code == 200
        self.known = {item["metadata"]["name"]: item["metadata"]["resourceVersion"] for item in found["items"]}
        self.version = found["metadata"]["resourceVersion"]
        self.lists += 1
        api.close()

    def watch(self, most):
        """At most so many events of one connection."""
        api = Api(self.data_dir)
        self.watches += 1
        answer = api.open("GET", f"{MAPS}?watch=1&allowWatchBookmarks=true&resourceVersion={self.version}")
        if answer.status == 410:
            self.version = None
            return api.close()
        assert answer.status == 200, answer.read()
        for _ in range(most):
            line = b"" if LAST in self.known else answer.readline()
            if not line:
                break
            event = json.loads(line)
            if event["type"] == "ERROR":
                assert event["object"]["code"] == 410, event
                self.version = None
                break
            self.take(event)
        answer.close()
        api.close()

    def take(self, event):
        metadata = event["object"]["metadata"]
        assert int(metadata["resourceVersion"]) > int(self.version) or event["type"] == "BOOKMARK", "events come in order, none twice"
        self.version = metadata["resourceVersion"]
        if event["type"] in ("ADDED", "MODIFIED"):
            assert (metadata["name"] in self.known) == (event["type"] == "MODIFIED"), event["type"]
            self.known[metadata["name"]] = metadata["resourceVersion"]
        elif event["type"] == "DELETED":
            del self.known[metadata["name"]]


def test_watchers_end_with_what_is_there(tiphys):
    server, begun = tiphys.up(), time.monotonic()
    watchers = [Watcher(tiphys.data_dir, seed) for seed in range(WATCHERS)]
    failures = []
    writers = [threading.Thread(target=write, args=(tiphys.data_dir, seed, failures)) for seed in range(WRITERS)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    api = Api(tiphys.data_dir)
    assert api.ask("POST", MAPS, {"metadata": {"name": LAST}})[0] == 201
    for watcher in watchers:
        watcher.thread.join()
    assert not failures
    there = {item["metadata"]["name"]: item["metadata"]["resourceVersion"] for item in api.ask("GET", MAPS)[1]["items"]}
    for watcher in watchers:
        assert watcher.error is None, watcher.error
        assert watcher.known == there
    watches, lists = (sum(getattr(watcher, kind) for watcher in watchers) for kind in ("watches", "lists"))
    assert watches > WATCHERS
    peak = next(line.split()[1] for line in pathlib.Path(f"/proc/{server.pid}/status").read_text().splitlines() if line.startswith("VmHWM"))
    print(f"{CHANGES} changes, {WATCHERS} watchers: {time.monotonic() - begun:.0f} s, {watches} watches, {lists} lists, {int(peak) >> 10} MiB at the most")
