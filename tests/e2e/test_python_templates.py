"""tiphys.run() of templates and CronWorkflows: one workflow from each, as `submit --from` makes it."""

import copy
import json

import pytest
from python_support import plane, shell, tiphys  # noqa: F401

VERSION = {"apiVersion": "argoproj.io/v1alpha1"}
SPEC = {"entrypoint": "main", "arguments": {"parameters": [{"name": "who", "value": "Ann"}]}, "templates": [shell("main", "echo hello {{workflow.parameters.who}}")]}


def template(name="greeting", kind="WorkflowTemplate", **metadata):
    return {**VERSION, "kind": kind, "metadata": {"name": name, **metadata}, "spec": copy.deepcopy(SPEC)}


def cron(name="nightly", **spec):
    return {**VERSION, "kind": "CronWorkflow", "metadata": {"name": name}, "spec": {"schedules": ["0 0 1 1 *"], "workflowSpec": copy.deepcopy(SPEC), **spec}}


KINDS = [
    ("WorkflowTemplate", template(), "workflows.argoproj.io/workflow-template"),
    ("ClusterWorkflowTemplate", template(kind="ClusterWorkflowTemplate"), "workflows.argoproj.io/cluster-workflow-template"),
    ("CronWorkflow", cron(), "workflows.argoproj.io/cron-workflow"),
]


def as_file(document, folder):
    path = folder / "manifest.yaml"
    path.write_text(f"# as JSON is YAML\n{json.dumps(document, indent=1)}\n")
    return path


GIVEN = [("a dict", lambda document, folder: document), ("text", lambda document, folder: json.dumps(document, indent=1)), ("a file", as_file),
         ("a list", lambda document, folder: [document])]


@pytest.mark.parametrize("give", [row[1] for row in GIVEN], ids=[row[0] for row in GIVEN])
@pytest.mark.parametrize("document, label", [row[1:] for row in KINDS], ids=[row[0] for row in KINDS])
def test_one_workflow_is_made_of_it(plane, tmp_path, document, label, give, recwarn):
    name = document["metadata"]["name"]
    run = plane.run(give(document, tmp_path), {"who": "Eve"}, runtime="process", labels={"team": "ml"}, wait=True)
    assert run.logs() == "hello Eve" and run.parameters == {"who": "Eve"}
    assert run.name.startswith(f"{name}-")
    labels = run.workflow["metadata"]["labels"]
    assert labels[label] == name and labels["team"] == "ml"
    assert not [str(each.message) for each in recwarn if issubclass(each.category, tiphys.ManifestWarning)]


def test_a_template_stays_and_follows_what_is_run(plane):
    plane.run(template(), runtime="process", wait=True)
    changed = template()
    changed["spec"]["templates"] = [shell("main", "echo changed")]
    assert plane.run(changed, runtime="process", wait=True).logs() == "changed"
    referring = {"metadata": {"generateName": "later-"}, "spec": {"workflowTemplateRef": {"name": "greeting"}}}
    assert plane.run(referring, runtime="process", wait=True).logs() == "changed"


def test_a_template_by_a_generated_name(plane):
    document = template()
    document["metadata"] = {"generateName": "made-"}
    assert plane.run(document, runtime="process", wait=True).name.startswith("made-")
    assert document["metadata"] == {"generateName": "made-"}


def test_a_cron_workflow_is_not_made_itself(plane):
    document = cron(workflowMetadata={"labels": {"a": "b"}, "annotations": {"c": "d"}})
    metadata = plane.run(document, runtime="process", wait=True).workflow["metadata"]
    assert metadata["labels"]["a"] == "b" and metadata["annotations"]["c"] == "d"
    assert "workflows.argoproj.io/scheduled-time" in metadata["annotations"] and "ownerReferences" not in metadata
    client = plane.runs()[0].client
    assert not client.http.ask("GET", "/api/v1/cron-workflows/default").get("items")
    made = client.http.ask("POST", "/api/v1/cron-workflows/default", body={"cronWorkflow": cron()})
    owned = plane.run(made, runtime="process", wait=True).workflow["metadata"]["ownerReferences"]
    assert [(each["kind"], each["uid"]) for each in owned] == [("CronWorkflow", made["metadata"]["uid"])]


def test_what_stands_beside_a_template_is_made(plane):
    inner = {**VERSION, "kind": "WorkflowTemplate", "metadata": {"name": "inner"}, "spec": {"templates": [shell("say", "echo $WHO")]}}
    inner["spec"]["templates"][0]["container"]["env"] = [{"name": "WHO", "valueFrom": {"configMapKeyRef": {"name": "who", "key": "name"}}}]
    who = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "who"}, "data": {"name": "Ann"}}
    outer = template("outer")
    outer["spec"]["templates"] = [{"name": "main", "steps": [[{"name": "say", "templateRef": {"name": "inner", "template": "say"}}]]}]
    assert plane.run([who, inner, outer], runtime="process", wait=True).logs() == "Ann"


def test_options(plane):
    document = template()
    document["spec"]["templates"].append(shell("other", "echo other"))
    run = plane.run(document, runtime="process", name="mine", entrypoint="other", wait=True)
    assert run.name == "mine" and run.logs() == "other"


def without_entrypoint():
    document = template()
    del document["spec"]["entrypoint"]
    return document


WRONG = [
    ("no name", {**VERSION, "kind": "WorkflowTemplate", "metadata": {}, "spec": SPEC}, "the WorkflowTemplate has no name"),
    ("two crons", [cron("one"), cron("two")], "2 of these could be run, and a run is of one: CronWorkflow one, CronWorkflow two"),
    ("two templates", [template("one"), template("two")], "2 of these could be run"),
    ("no entrypoint", without_entrypoint(), "entrypoint"),
    ("no entrypoints", [without_entrypoint(), without_entrypoint()], "none of these templates has an entrypoint"),
    ("another kind", {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}}, "a Pod is not run: give a Workflow, a CronWorkflow, or a template"),
    ("an unknown field", {**template(), "spec": {**SPEC, "entrypont": "main"}}, "entrypont"),
    ("a cron of nothing", cron(workflowSpec={"entrypoint": "none", "templates": SPEC["templates"]}), "'none'"),
]


@pytest.mark.parametrize("given, message", [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_what_cannot_run_is_told(plane, given, message):
    with pytest.raises(tiphys.ManifestError, match=message):
        plane.run(given, runtime="process")


def test_findings_of_files_have_their_places(plane, tmp_path):
    path = tmp_path / "bad.yaml"
    path.write_text("apiVersion: argoproj.io/v1alpha1\nkind: WorkflowTemplate\nmetadata: {name: bad}\nspec:\n  entrypoint: main\n  templatez: []\n")
    with pytest.raises(tiphys.ManifestError, match=r"bad\.yaml:6:3: .*templatez"):
        plane.run(path)
