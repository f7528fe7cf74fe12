"""The official Argo SDK for Python: every class of its API."""

import os
import time

import argo_workflows
from argo_workflows.api import (
    archived_workflow_service_api,
    artifact_service_api,
    cluster_workflow_template_service_api,
    cron_workflow_service_api,
    event_service_api,
    event_source_service_api,
    info_service_api,
    sensor_service_api,
    workflow_service_api,
    workflow_template_service_api,
)
from argo_workflows.exceptions import NotFoundException, UnauthorizedException
from argo_workflows.model.container import Container
from argo_workflows.model.eventsource_create_event_source_request import EventsourceCreateEventSourceRequest
from argo_workflows.model.github_com_argoproj_argo_events_pkg_apis_events_v1alpha1_event_source import GithubComArgoprojArgoEventsPkgApisEventsV1alpha1EventSource
from argo_workflows.model.github_com_argoproj_argo_events_pkg_apis_events_v1alpha1_event_source_spec import GithubComArgoprojArgoEventsPkgApisEventsV1alpha1EventSourceSpec
from argo_workflows.model.github_com_argoproj_argo_events_pkg_apis_events_v1alpha1_sensor import GithubComArgoprojArgoEventsPkgApisEventsV1alpha1Sensor
from argo_workflows.model.github_com_argoproj_argo_events_pkg_apis_events_v1alpha1_sensor_spec import GithubComArgoprojArgoEventsPkgApisEventsV1alpha1SensorSpec
from argo_workflows.model.io_argoproj_workflow_v1alpha1_cluster_workflow_template import IoArgoprojWorkflowV1alpha1ClusterWorkflowTemplate
from argo_workflows.model.io_argoproj_workflow_v1alpha1_cluster_workflow_template_create_request import IoArgoprojWorkflowV1alpha1ClusterWorkflowTemplateCreateRequest
from argo_workflows.model.io_argoproj_workflow_v1alpha1_create_cron_workflow_request import IoArgoprojWorkflowV1alpha1CreateCronWorkflowRequest
from argo_workflows.model.io_argoproj_workflow_v1alpha1_cron_workflow import IoArgoprojWorkflowV1alpha1CronWorkflow
from argo_workflows.model.io_argoproj_workflow_v1alpha1_cron_workflow_spec import IoArgoprojWorkflowV1alpha1CronWorkflowSpec
from argo_workflows.model.io_argoproj_workflow_v1alpha1_template import IoArgoprojWorkflowV1alpha1Template
from argo_workflows.model.io_argoproj_workflow_v1alpha1_workflow import IoArgoprojWorkflowV1alpha1Workflow
from argo_workflows.model.io_argoproj_workflow_v1alpha1_workflow_create_request import IoArgoprojWorkflowV1alpha1WorkflowCreateRequest
from argo_workflows.model.io_argoproj_workflow_v1alpha1_workflow_resubmit_request import IoArgoprojWorkflowV1alpha1WorkflowResubmitRequest
from argo_workflows.model.io_argoproj_workflow_v1alpha1_workflow_spec import IoArgoprojWorkflowV1alpha1WorkflowSpec
from argo_workflows.model.io_argoproj_workflow_v1alpha1_workflow_submit_request import IoArgoprojWorkflowV1alpha1WorkflowSubmitRequest
from argo_workflows.model.io_argoproj_workflow_v1alpha1_workflow_template import IoArgoprojWorkflowV1alpha1WorkflowTemplate
from argo_workflows.model.io_argoproj_workflow_v1alpha1_workflow_template_create_request import IoArgoprojWorkflowV1alpha1WorkflowTemplateCreateRequest
from argo_workflows.model.object_meta import ObjectMeta
from argo_workflows.model.sensor_create_sensor_request import SensorCreateSensorRequest

NS = "default"
configuration = argo_workflows.Configuration(host=os.environ["ARGO_HOST"])
configuration.api_key["BearerToken"] = "Bearer " + os.environ["ARGO_TOKEN"]
client = argo_workflows.ApiClient(configuration)
workflows = workflow_service_api.WorkflowServiceApi(client)
templates = workflow_template_service_api.WorkflowTemplateServiceApi(client)
wide_templates = cluster_workflow_template_service_api.ClusterWorkflowTemplateServiceApi(client)
crons = cron_workflow_service_api.CronWorkflowServiceApi(client)
archive = archived_workflow_service_api.ArchivedWorkflowServiceApi(client)
info = info_service_api.InfoServiceApi(client)
artifacts = artifact_service_api.ArtifactServiceApi(client)
events = event_service_api.EventServiceApi(client)
sources = event_source_service_api.EventSourceServiceApi(client)
sensors = sensor_service_api.SensorServiceApi(client)


def spec():
    container = Container(image="a", command=["echo", "hello"])
    return IoArgoprojWorkflowV1alpha1WorkflowSpec(entrypoint="main", templates=[IoArgoprojWorkflowV1alpha1Template(name="main", container=container)])


def wait_for(name, phase):
    for _ in range(600):
        found = workflows.get_workflow(NS, name, _check_return_type=False)
        if found["status"].get("phase") == phase:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{name} is not {phase}: {found['status']}")


def gone(call, *arguments):
    try:
        call(*arguments)
    except NotFoundException as error:
        assert error.status == 404
        return
    raise AssertionError("it is still there")


made = workflows.create_workflow(
    NS, IoArgoprojWorkflowV1alpha1WorkflowCreateRequest(workflow=IoArgoprojWorkflowV1alpha1Workflow(metadata=ObjectMeta(generate_name="sdk-"), spec=spec()))
)
name = made.metadata.name
assert name.startswith("sdk-")
ended = wait_for(name, "Succeeded")
# Only without checks does the SDK read nodes whose fields it does not know.
listed = workflows.list_workflows(NS, list_options_label_selector="workflows.argoproj.io/completed=true", _check_return_type=False)
assert [each["metadata"]["name"] for each in listed["items"]] == [name]
log = workflows.workflow_logs(NS, name, log_options_container="main", _preload_content=False)
assert b'{"result":{"content":"hello","podName":"' in log.data, log.data
again = workflows.resubmit_workflow(NS, name, IoArgoprojWorkflowV1alpha1WorkflowResubmitRequest(name=name, namespace=NS), _check_return_type=False)
assert again["metadata"]["name"] != name
wait_for(again["metadata"]["name"], "Succeeded")

templates.create_workflow_template(
    NS, IoArgoprojWorkflowV1alpha1WorkflowTemplateCreateRequest(template=IoArgoprojWorkflowV1alpha1WorkflowTemplate(metadata=ObjectMeta(name="t"), spec=spec()))
)
assert templates.get_workflow_template(NS, "t").metadata.name == "t"
assert len(templates.list_workflow_templates(NS).items) == 1
submitted = workflows.submit_workflow(NS, IoArgoprojWorkflowV1alpha1WorkflowSubmitRequest(resource_kind="WorkflowTemplate", resource_name="t"))
wait_for(submitted.metadata.name, "Succeeded")
templates.delete_workflow_template(NS, "t")
gone(templates.get_workflow_template, NS, "t")

wide_templates.create_cluster_workflow_template(
    IoArgoprojWorkflowV1alpha1ClusterWorkflowTemplateCreateRequest(template=IoArgoprojWorkflowV1alpha1ClusterWorkflowTemplate(metadata=ObjectMeta(name="c"), spec=spec()))
)
assert wide_templates.list_cluster_workflow_templates().items[0].metadata.name == "c"
wide_templates.delete_cluster_workflow_template("c")

crons.create_cron_workflow(
    NS,
    IoArgoprojWorkflowV1alpha1CreateCronWorkflowRequest(
        cron_workflow=IoArgoprojWorkflowV1alpha1CronWorkflow(
            metadata=ObjectMeta(name="cron"), spec=IoArgoprojWorkflowV1alpha1CronWorkflowSpec(schedules=["0 0 1 1 *"], schedule="", workflow_spec=spec())
        )
    ),
)
assert crons.get_cron_workflow(NS, "cron", _check_return_type=False)["metadata"]["name"] == "cron"
crons.delete_cron_workflow(NS, "cron")
gone(crons.get_cron_workflow, NS, "cron")

sources.create_event_source(
    NS, EventsourceCreateEventSourceRequest(event_source=GithubComArgoprojArgoEventsPkgApisEventsV1alpha1EventSource(metadata=ObjectMeta(name="es"), spec=GithubComArgoprojArgoEventsPkgApisEventsV1alpha1EventSourceSpec()))
)
assert sources.get_event_source(NS, "es").metadata.name == "es"
assert [each.metadata.name for each in sources.list_event_sources(NS).items] == ["es"]
sources.delete_event_source(NS, "es")
gone(sources.get_event_source, NS, "es")

sensors.create_sensor(NS, SensorCreateSensorRequest(sensor=GithubComArgoprojArgoEventsPkgApisEventsV1alpha1Sensor(metadata=ObjectMeta(name="sn"), spec=GithubComArgoprojArgoEventsPkgApisEventsV1alpha1SensorSpec())))
assert sensors.get_sensor(NS, "sn").metadata.name == "sn"
sensors.delete_sensor(NS, "sn")
gone(sensors.get_sensor, NS, "sn")

assert not events.list_workflow_event_bindings(NS, _check_return_type=False).get("items")
gone(artifacts.get_output_artifact, NS, name, name, "none")

archived = archive.list_archived_workflows(_check_return_type=False)
assert {each["metadata"]["name"] for each in archived["items"]} >= {name}
uid = ended["metadata"]["uid"]
assert archive.get_archived_workflow(uid, _check_return_type=False)["metadata"]["name"] == name

assert info.get_version().version.startswith("v")
assert info.get_user_info(_check_return_type=False)["subject"]
# The archive has it still.
workflows.delete_workflow(NS, name)
assert workflows.get_workflow(NS, name, _check_return_type=False)["metadata"]["uid"] == uid
archive.delete_archived_workflow(uid)
gone(workflows.get_workflow, NS, name)

configuration.api_key["BearerToken"] = "Bearer none"
try:
    workflows.list_workflows(NS)
except UnauthorizedException as error:
    assert error.status == 401
else:
    raise AssertionError("a token that is none was let in")
print("done")
