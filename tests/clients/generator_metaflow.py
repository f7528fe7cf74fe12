"""Metaflow: the flow in flows/, as `argo-workflows create` makes a template of it, and its artifacts by Metaflow's client.

Its data lies in the S3 store that METAFLOW_S3_ENDPOINT_URL names.
"""

import json
import subprocess
import sys
from pathlib import Path

from metaflow import Flow, namespace
from metaflow.datastore import FlowDataStore
from metaflow.metadata_provider.util import sync_local_metadata_from_datastore
from metaflow.metaflow_config import DATASTORE_LOCAL_DIR, DATASTORE_SYSROOT_S3
from metaflow.plugins.datastores.s3_storage import S3Storage

import tiphys

FLOW = Path(__file__).parent / "flows/counting_flow.py"
STEPS = ("start", "again", "broken", "number", "letter", "of_a_number", "of_all", "meet", "end")
PODS = {"start": 1, "again(0)": 1, "again(1)": 1, "broken(0)": 1, "number": 2, "letter": 4, "of-a-number": 2, "of-all": 1, "meet": 1, "end": 1}


def made():
    create = [sys.executable, FLOW, "--quiet", "--datastore=s3", "argo-workflows", "create", "--only-json"]
    return subprocess.run(create, check=True, stdout=subprocess.PIPE, text=True).stdout


def pods(run):
    names = [node.name for node in run.nodes if node.type == "Pod"]
    return {name: names.count(name) for name in names}


def seen_by_metaflow(run_id):
    """Its own service is missing: what that would be told, tasks leave beside their data."""
    store = FlowDataStore("CountingFlow", storage_impl=S3Storage, ds_root=DATASTORE_SYSROOT_S3)
    for task in store.get_task_datastores(run_id=run_id, steps=STEPS):
        sync_local_metadata_from_datastore(DATASTORE_LOCAL_DIR, task)
    namespace(None)
    return Flow("CountingFlow")[run_id]


if __name__ == "__main__":
    manifest = made()
    assert json.loads(manifest)["kind"] == "WorkflowTemplate"
    run = tiphys.run(manifest, {"count": 2}, runtime="process", wait=True)
    assert pods(run) == PODS, pods(run)
    assert "the words are ['a', 'aa', 'b', 'bb'] it's \"so\"" in run.nodes["end"].logs()
    seen = seen_by_metaflow(f"argo-{run.name}")
    assert seen.finished and seen.successful
    data = seen["end"].task.data
    assert (data.words, data.count, data.options) == (["a", "aa", "b", "bb"], 2, {"letters": ["a", "b"]})
    assert "as it should be" in str(data.failure)
    assert sorted(task.data.word for task in seen["letter"]) == data.words
    assert "the words are" in seen["end"].task.stdout
    print("done")
