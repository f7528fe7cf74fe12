"""Metrics of workflows and templates, from the manifest to what Prometheus would read."""

import json
import urllib.request

from cli_support import cli
from prometheus_client.parser import text_string_to_metric_families

PIPELINE = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "Workflow",
    "metadata": {"name": "measured"},
    "spec": {
        "entrypoint": "main",
        "metrics": {"prometheus": [
            {"name": "pipelines", "help": "Pipelines by status", "labels": [{"key": "status", "value": "{{workflow.status}}"}], "counter": {"value": "1"}},
            {"name": "pipeline_time", "help": "How long it has run", "labels": [{"key": "of", "value": "{{workflow.name}}"}],
             "gauge": {"realtime": True, "value": "{{workflow.duration}}"}},
        ]},
        "templates": [
            {"name": "main", "steps": [
                [{"name": "train", "template": "train", "arguments": {"parameters": [{"name": "size", "value": "{{item}}"}]}, "withItems": [2, 4, 9]}],
                [{"name": "wait", "template": "wait"}],
                [{"name": "again", "template": "again"}],
            ]},
            {"name": "train",
             "inputs": {"parameters": [{"name": "size"}]},
             "outputs": {"parameters": [{"name": "score", "valueFrom": {"path": "/tmp/score"}}]},
             "metrics": {"prometheus": [
                 {"name": "scores", "help": "Scores of models", "when": "{{status}} == Succeeded",
                  "histogram": {"buckets": [2.01, 4.01, 8.01], "value": "{{outputs.parameters.score}}"}},
                 {"name": "score", "help": "The score of a size \"as is\"", "labels": [{"key": "size", "value": "{{inputs.parameters.size}}"}],
                  "gauge": {"value": "{{outputs.parameters.score}}"}},
             ]},
             "container": {"image": "busybox", "command": ["sh", "-c", "echo {{inputs.parameters.size}} > /tmp/score"]}},
            {"name": "wait", "suspend": {}, "metrics": {"prometheus": [
                {"name": "wait_time", "help": "How long it waits", "gauge": {"realtime": True, "value": "{{duration}}"}}]}},
            {"name": "again", "retryStrategy": {"limit": "2"},
             "metrics": {"prometheus": [
                 {"name": "attempts", "help": "Attempts by status and exit code",
                  "labels": [{"key": "status", "value": "{{status}}"}, {"key": "code", "value": "{{exitCode}}"}], "counter": {"value": "1"}},
                 {"name": "missing", "help": "Of nothing", "counter": {"value": "{{outputs.parameters.nothing}}"}},
                 {"name": "scores", "help": "Scores of models", "counter": {"value": "1"}},
             ]},
             "container": {"image": "busybox", "command": ["sh", "-c", "test {{retries}} = 2 || exit 3"]}},
        ],
    },
}


def scrape(address):
    """Every sample by name and labels, as Prometheus' own client reads them; without a token, as Prometheus comes."""
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=30) as page:
        assert page.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        families = list(text_string_to_metric_families(page.read().decode()))
    samples = {}
    for family in families:
        assert family.name.startswith("argo_workflows_"), family.name
        for sample in family.samples:
            # The client adds the suffix of OpenMetrics to counters; the page, as the original's, has none.
            name = sample.name.removeprefix("argo_workflows_").removesuffix("_total")
            samples[name, tuple(sorted(sample.labels.items()))] = sample.value
    return samples, {family.name.removeprefix("argo_workflows_"): (family.type, family.documentation) for family in families}


def test_metrics_are_scraped(cli):
    address = cli.up().server["address"]
    begun = {name: dict(labels) for (name, labels), value in scrape(address)[0].items() if value}
    assert begun.keys() - {"log_messages"} == {"is_leader", "version"}
    assert begun["version"]["version"].startswith("v4.1.2") and begun["version"]["git_tag"].startswith("v")
    watch = cli.start("submit", cli.file(json.dumps(PIPELINE)), "--watch")
    watch.read_until("wait  Running")

    first, families = scrape(address)
    assert families["scores"] == ("histogram", "Scores of models")
    assert families["score"] == ("gauge", 'The score of a size "as is"')
    assert [first["scores_bucket", (("le", le),)] for le in ("2.01", "4.01", "8.01", "+Inf")] == [1, 2, 2, 3]
    assert (first["scores_sum", ()], first["scores_count", ()]) == (15, 3)
    assert [first["score", (("size", size),)] for size in "249"] == [2, 4, 9]
    assert not any(name == "pipelines" for name, _ in first)
    assert first["gauge", (("phase", "Running"),)] == 1

    second, _ = scrape(address)
    for running in (("pipeline_time", (("of", "measured"),)), ("wait_time", ())):
        assert 0 <= first[running] < second[running], running

    cli("resume", "measured")
    assert watch.end().returncode == 0
    last, families = scrape(address)
    assert families["attempts"] == ("counter", "Attempts by status and exit code")
    assert last["attempts", (("code", "3"), ("status", "Failed"))] == 2
    assert last["attempts", (("code", "0"), ("status", "Succeeded"))] == 1
    assert last["pipelines", (("status", "Succeeded"),)] == 1
    assert scrape(address)[0] == last, "nothing runs on"
    assert last["gauge", (("phase", "Running"),)] == 0
    assert all(last["total_count", (("namespace", "default"), ("phase", phase))] == 1 for phase in ("New", "Running", "Succeeded"))
    assert last["pods_total_count", (("namespace", "default"), ("phase", "Failed"))] == 2

    workflow = cli.workflow("measured")
    said = [each["message"] for each in workflow["status"]["conditions"] if each["type"] == "MetricsError"]
    assert said == ["unable to substitute parameters for metric 'missing': failed to resolve {{outputs.parameters.nothing}} at column 1, "
                    "could not construct metric 'scores': found existing histogram for custom metric scores of type Counter"]
    assert "MetricsError" in cli("get", "measured").stdout

    cli("delete", "measured")
    left, _ = scrape(address)
    assert set(last) - set(left) == {running for running in last if running[0] in ("pipeline_time", "wait_time")}
