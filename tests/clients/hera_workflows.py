"""What users of Hera do: workflows from Python functions, submitted, awaited, looked at, changed; templates, crons, the archive."""

import os
import time

from hera.exceptions import BadRequest, NotFound
from hera.shared import global_config
from hera.workflows import (
    Artifact,
    ClusterWorkflowTemplate,
    Container,
    CronWorkflow,
    NoneArchiveStrategy,
    Parameter,
    RawArtifact,
    Step,
    Steps,
    Suspend,
    Workflow,
    WorkflowsService,
    WorkflowTemplate,
    script,
)
from hera.workflows.models import (
    CronWorkflowSuspendRequest,
    WorkflowResubmitRequest,
    WorkflowResumeRequest,
    WorkflowRetryRequest,
    WorkflowSetRequest,
    WorkflowStopRequest,
    WorkflowSubmitRequest,
    WorkflowSuspendRequest,
    WorkflowTerminateRequest,
)

global_config.host = os.environ["ARGO_HOST"]
global_config.token = os.environ["ARGO_TOKEN"]
global_config.namespace = "default"

service = WorkflowsService(namespace="default")


def refused(kind, call, *arguments, **named):
    try:
        call(*arguments, **named)
    except kind as error:
        return str(error)
    raise AssertionError(f"{call.__name__} was not refused")


@script(image="python:3.11", command=["python3"])
def double(number: int):
    print(number * 2)


def doubling(**arguments):
    with Workflow(generate_name="double-", entrypoint="main", **arguments) as workflow:
        with Steps(name="main"):
            first = double(name="first", arguments={"number": 4})
            double(name="second", arguments={"number": first.result})
    return workflow


def wait_for(name, *phases):
    for _ in range(600):
        found = service.get_workflow(name)
        if found.status and found.status.phase in phases:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{name} is {found.status and found.status.phase}, not {phases}")


def run_and_look():
    workflow = doubling()
    made = workflow.create(wait=True, poll_interval=1)
    assert made.status.phase == "Succeeded", made.status
    name = made.metadata.name
    pods = {node.display_name: node for node in made.status.nodes.values() if node.type == "Pod"}
    # The result of what nobody refers to is not kept.
    assert pods["first"].outputs.result == "8" and pods["second"].outputs.result is None
    assert pods["second"].inputs.parameters[0].value == "8"
    assert service.get_workflow(name, fields="status.phase").status.phase == "Succeeded"
    listed = service.list_workflows(label_selector="workflows.argoproj.io/phase=Succeeded", limit="1")
    assert [each.metadata.name for each in listed.items] == [name]
    # Hera reads a stream as one document, so that one line is all it can take.
    assert service.workflow_logs(name, container="main", grep="16") is not None
    assert service.get_workflow("@latest").metadata.name == name
    missing = refused(NotFound, service.get_workflow, "none")
    assert 'workflows.argoproj.io "none" not found' in missing, missing


def refuse_bad():
    bad = Workflow(generate_name="bad-", entrypoint="none", templates=[Container(name="main", image="a")])
    said = refused(BadRequest, bad.create)
    assert "spec.entrypoint" in said, said
    said = refused(BadRequest, bad.lint)
    assert "spec.entrypoint" in said, said
    assert doubling().lint().spec.entrypoint == "main"


def waiting():
    with Workflow(generate_name="wait-", entrypoint="main") as workflow:
        approve = Suspend(name="approve", intermediate_parameters=[Parameter(name="who", default="a", enum=["a", "b"])])
        with Steps(name="main"):
            Step(name="approve", template=approve)
    return workflow


def change_under_way():
    name = waiting().create().metadata.name
    wait_for(name, "Running")
    for _ in range(600):
        if any(node.type == "Suspend" for node in (service.get_workflow(name).status.nodes or {}).values()):
            break
        time.sleep(0.05)
    service.set_workflow(name, WorkflowSetRequest(name=name, namespace="default", node_field_selector="displayName=approve", output_parameters='{"who": "b"}'))
    service.suspend_workflow(name, WorkflowSuspendRequest(name=name, namespace="default"))
    assert service.get_workflow(name).spec.suspend is True
    service.resume_workflow(name, WorkflowResumeRequest(name=name, namespace="default"))
    done = wait_for(name, "Succeeded")
    outputs = [node.outputs for node in done.status.nodes.values() if node.type == "Suspend"]
    assert outputs[0].parameters[0].value == "b", outputs

    for change, request, phase in (
        (service.stop_workflow, WorkflowStopRequest, "Failed"),
        (service.terminate_workflow, WorkflowTerminateRequest, "Failed"),
    ):
        name = waiting().create().metadata.name
        change(name, request(name=name, namespace="default"))
        wait_for(name, phase)

    with Workflow(generate_name="fail-", entrypoint="main", templates=[Container(name="main", image="a", command=["false"])]) as failing:
        pass
    name = failing.create().metadata.name
    wait_for(name, "Failed")
    assert not service.retry_workflow(name, WorkflowRetryRequest(name=name, namespace="default")).status.phase
    wait_for(name, "Failed")
    again = service.resubmit_workflow(name, WorkflowResubmitRequest(name=name, namespace="default"))
    assert again.metadata.name != name
    # The archive has it still.
    service.delete_workflow(name)
    service.delete_archived_workflow(service.get_workflow(name).metadata.uid)
    refused(NotFound, service.get_workflow, name)


def keep_templates():
    with WorkflowTemplate(name="tmpl", entrypoint="main", arguments=Parameter(name="text", value="x")) as template:
        Container(name="main", image="a", command=["true"])
    assert template.create().metadata.name == "tmpl"
    assert template.lint().metadata.name == "tmpl"
    template.labels = {"changed": "yes"}
    assert template.update().metadata.labels["changed"] == "yes"
    assert [each.metadata.name for each in service.list_workflow_templates().items] == ["tmpl"]
    made = service.submit_workflow(WorkflowSubmitRequest(resource_kind="WorkflowTemplate", resource_name="tmpl"))
    wait_for(made.metadata.name, "Succeeded")
    service.delete_workflow_template("tmpl")
    refused(NotFound, service.get_workflow_template, "tmpl")

    # Hera refuses it where a namespace is configured.
    global_config.namespace = None
    with ClusterWorkflowTemplate(name="everywhere", entrypoint="main") as wide:
        Container(name="main", image="a", command=["true"])
    wide.create()
    global_config.namespace = "default"
    assert service.get_cluster_workflow_template("everywhere").metadata.name == "everywhere"
    service.delete_cluster_workflow_template("everywhere")

    with CronWorkflow(name="cron", entrypoint="main", schedules=["0 0 1 1 *"]) as cron:
        Container(name="main", image="a", command=["true"])
    cron.create()
    assert service.suspend_cron_workflow("cron", CronWorkflowSuspendRequest(name="cron", namespace="default")).spec.suspend
    assert [each.metadata.name for each in service.list_cron_workflows().items] == ["cron"]
    service.delete_cron_workflow("cron")


def read_artifacts():
    with Workflow(generate_name="artifacts-", entrypoint="main", arguments=RawArtifact(name="in", data="given")) as writing:
        Container(name="main", image="a", command=["sh", "-c", "cp /in /out"], inputs=Artifact(name="in", path="/in"),
                  outputs=Artifact(name="out", path="/out", archive=NoneArchiveStrategy()))
    name = writing.create().metadata.name
    uid = wait_for(name, "Succeeded").metadata.uid
    # It shows bytes as Python writes them.
    given = str(b"given")
    assert service.get_output_artifact(name, name, "out") == given
    assert service.get_input_artifact(name, name, "in") == given
    assert service.get_artifact_file("workflows", name, name, "out", "outputs") == given
    assert service.get_output_artifact_by_uid(uid, name, "out") == given
    assert service.get_input_artifact_by_uid(uid, name, "in") == given


def look_into_archive():
    ended = service.list_archived_workflows(label_selector="workflows.argoproj.io/phase=Succeeded")
    assert ended.items
    assert service.get_archived_workflow(ended.items[0].metadata.uid).metadata.name == ended.items[0].metadata.name
    assert "workflows.argoproj.io/phase" in service.list_archived_workflow_label_keys().items


def ask_about_it():
    assert service.get_version().version.startswith("v")
    assert service.get_info() is not None
    assert service.get_user_info().subject
    stranger = WorkflowsService(token="none", namespace="default")
    try:
        stranger.list_workflows()
    except Exception as error:  # Hera names no class of its own for it
        assert type(error).__name__ == "Unauthorized", repr(error)
    else:
        raise AssertionError("a token that is none was let in")


run_and_look()
refuse_bad()
change_under_way()
keep_templates()
read_artifacts()
look_into_archive()
ask_about_it()
print("done")
