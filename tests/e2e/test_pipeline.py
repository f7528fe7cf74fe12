"""The main example: the digits pipeline, end to end."""

import json
import re

from conftest import EXAMPLES, nodes_by_name


def test_digits_pipeline_then_again_from_its_cache(tiphys):
    first = tiphys("run", EXAMPLES / "digits-pipeline.yaml", timeout=300)
    accuracy = float(re.search(r"accuracy\W+(0\.\d+|1\.0+)", first.stdout).group(1))
    assert accuracy > 0.95

    workflow = tiphys.object("@latest")
    nodes = nodes_by_name(workflow)
    candidates = [name for name, node in nodes.items() if name.startswith(".candidate(") and node["type"] == "Steps"]
    assert len(candidates) == 6
    outputs = workflow["status"]["outputs"] if "outputs" in workflow["status"] else nodes[""]["outputs"]
    assert {artifact["name"] for artifact in outputs["artifacts"]} == {"model", "metrics", "confusion-matrix"}
    repository = tiphys.data_dir / "artifacts"
    keys = {artifact["name"]: artifact["s3"]["key"] for artifact in outputs["artifacts"]}
    metrics = json.loads((repository / keys["metrics"]).read_text())
    assert round(metrics["accuracy"], 4) == accuracy
    assert (repository / keys["confusion-matrix"]).read_bytes().startswith(b"\x89PNG")
    assert str(repository / keys["model"]) in first.stdout

    tiphys("run", EXAMPLES / "digits-pipeline.yaml", timeout=300)
    again = nodes_by_name(tiphys.object("@latest"))
    assert again[".ingest"]["memoizationStatus"] == {"hit": True, "key": "digits-v1", "cacheName": "digits-cache"}
    assert again[".ingest"]["phase"] == "Succeeded"
    assert again[""]["phase"] == "Succeeded"
