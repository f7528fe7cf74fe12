"""What becomes of artifacts that are given as arguments, and of templates, before a server is asked."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "src"))

from tiphys import ManifestError, NotFound, TiphysError  # noqa: E402
from tiphys._from_template import chosen, mentioned, none_is_a_workflow, workflow_from  # noqa: E402
from tiphys._given_artifacts import with_artifacts  # noqa: E402


class Plane:
    """A client of a plane with this configuration."""

    namespace, url = "default", "unix:nowhere"

    def __init__(self, data_dir, controller=None, config_map=False):
        self.data_dir = data_dir and str(data_dir)
        self._controller, self._config_map = controller or {}, config_map

    @property
    def http(self):
        return self

    def ask(self, method, path):
        if path == "/configz":
            return {"workflowController": self._controller}
        if self._config_map and path.endswith("/configmaps/artifact-repositories"):
            return {}
        raise NotFound("not found")


def workflow(path="/in", **spec):
    inputs = {"artifacts": [{"name": "data", "path": path}]}
    return {"metadata": {}, "spec": {"entrypoint": "main", "templates": [{"name": "main", "inputs": inputs}], **spec}}


def given(plane, value, of=None):
    (argument,) = with_artifacts(plane, of or workflow(), {"data": value})["spec"]["arguments"]["artifacts"]
    return argument


def test_content_lies_where_its_key_says(tmp_path):
    argument = given(Plane(tmp_path), b"content")
    key = argument.pop("s3")["key"]
    assert argument == {"name": "data", "archive": {"none": {}}}
    assert key.startswith("uploads/default/") and key.endswith("/data")
    assert (tmp_path / "artifacts" / key).read_bytes() == b"content"


def test_what_is_declared_stays_but_for_its_place(tmp_path):
    declared = [{"name": "data", "optional": True, "raw": {"data": "default"}}, {"name": "other", "raw": {"data": "x"}}]
    made = with_artifacts(Plane(tmp_path), workflow(arguments={"artifacts": declared, "parameters": [{"name": "p"}]}), {"data": {"s3": {"key": "k"}}})
    assert made["spec"]["arguments"] == {"artifacts": [{"name": "data", "optional": True, "s3": {"key": "k"}}, declared[1]], "parameters": [{"name": "p"}]}


ELSEWHERE = [
    ("a store of the configuration", {"controller": {"artifactRepository": {"s3": {"bucket": "b"}}}}, {}),
    ("a store of the namespace", {"config_map": True}, {}),
    ("a store that the workflow names", {}, {"artifactRepositoryRef": {"key": "k"}}),
]


@pytest.mark.parametrize("plane, spec", [row[1:] for row in ELSEWHERE], ids=[row[0] for row in ELSEWHERE])
def test_stores_elsewhere_get_text_alone(tmp_path, plane, spec):
    of = workflow(**spec)
    assert given(Plane(tmp_path, **plane), b"text", of) == {"name": "data", "raw": {"data": "text"}}
    with pytest.raises(TiphysError, match="no text.*name its place"):
        given(Plane(tmp_path, **plane), b"\xff", of)
    assert not (tmp_path / "artifacts").exists()


def test_logs_that_are_kept_make_no_store(tmp_path):
    assert "s3" in given(Plane(tmp_path, controller={"artifactRepository": {"archiveLogs": True}}), b"text")


def test_a_template_that_is_not_known_may_take_anything(tmp_path):
    referring = {"metadata": {}, "spec": {"workflowTemplateRef": {"name": "elsewhere"}}}
    assert given(Plane(tmp_path), {"raw": {"data": ""}}, referring) == {"name": "data", "raw": {"data": ""}}
    with pytest.raises(ManifestError, match="takes no artifact 'other'; there are data"):
        with_artifacts(Plane(tmp_path), workflow(), {"other": b""})


def document(kind, name="one", **spec):
    return {"kind": kind, "metadata": {"name": name}, "spec": spec}


CHOSEN = [
    ("the only one", [document("WorkflowTemplate")], 0),
    ("the one that begins", [document("WorkflowTemplate"), document("ClusterWorkflowTemplate", "two", entrypoint="a")], 1),
    ("the cron before templates", [document("WorkflowTemplate", entrypoint="a"), document("CronWorkflow", "two")], 1),
    ("none of what is no workflow", [document("ConfigMap"), document("WorkflowTemplate")], 1),
]


@pytest.mark.parametrize("documents, which", [row[1:] for row in CHOSEN], ids=[row[0] for row in CHOSEN])
def test_which_is_run(documents, which):
    assert none_is_a_workflow(documents) and chosen(documents) is documents[which]


def test_a_workflow_goes_first():
    assert not none_is_a_workflow([document("WorkflowTemplate"), document("Workflow")])
    assert not none_is_a_workflow([document("ConfigMap")]) and not none_is_a_workflow([])
    assert mentioned("kind: ClusterWorkflowTemplate") and mentioned('"CronWorkflow"') and not mentioned("kind: Workflow")


def test_what_a_cron_gives_its_workflow():
    cron = document("CronWorkflow", "tick", workflowSpec={"entrypoint": "main"}, workflowMetadata={"labels": {"a": "b"}, "finalizers": ["f"]})
    cron["metadata"] |= {"namespace": "ml", "uid": "u", "labels": {"own": "stays", "workflows.argoproj.io/controller-instanceid": "i"}}
    made = workflow_from(cron)
    metadata = made["metadata"]
    assert made["spec"] == {"entrypoint": "main"} and metadata["namespace"] == "ml" and metadata["finalizers"] == ["f"]
    assert metadata["labels"] == {"workflows.argoproj.io/controller-instanceid": "i", "workflows.argoproj.io/cron-workflow": "tick", "a": "b"}
    assert metadata["ownerReferences"][0]["uid"] == "u"
