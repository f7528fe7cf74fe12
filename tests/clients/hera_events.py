"""Events of Hera: an event that starts a workflow by a WorkflowEventBinding, EventSources and Sensors that are kept, and a CronWorkflow that fires."""

import json

import tiphys
from hera.events.models import CreateEventSourceRequest, CreateSensorRequest, EventSource, Item, Sensor
from hera.events.service import EventsService
from hera.exceptions import NotFound
from hera.shared import global_config
from hera.workflows import Container, CronWorkflow, Parameter, Resource, Workflow, WorkflowTemplate
from hera.workflows.models import StopStrategy, WorkflowEventBinding

global_config.image = "none"
VERSION = "argoproj.io/v1alpha1"
BINDING = {
    "apiVersion": VERSION,
    "kind": "WorkflowEventBinding",
    "metadata": {"name": "greets"},
    "spec": {
        "event": {"selector": 'payload.who != "" && discriminator == "greeting"'},
        "submit": {
            "workflowTemplateRef": {"name": "greeting"},
            "arguments": {"parameters": [{"name": "who", "valueFrom": {"event": "payload.who"}}]},
        },
    },
}


def wait_until(server, kind, name, condition):
    """By a workflow that waits for it."""
    manifest = json.dumps({"apiVersion": VERSION, "kind": kind, "metadata": {"name": name}})
    waiter = Workflow(generate_name="wait-", entrypoint="main", templates=[Resource(name="main", action="get", manifest=manifest, success_condition=condition)])
    server.run(waiter, wait=True, timeout=120)


def event_starts_a_workflow(server, events):
    with WorkflowTemplate(name="greeting", entrypoint="main", arguments=Parameter(name="who")) as template:
        Container(name="main", command=["echo", "hello {{workflow.parameters.who}}"])
    template.create()
    server.http.ask("POST", f"/apis/{VERSION}/namespaces/default/workfloweventbindings", body=BINDING)
    (listed,) = server.http.ask("GET", "/api/v1/workflow-event-bindings/default")["items"]
    assert WorkflowEventBinding.model_validate(listed).spec.event.selector == BINDING["spec"]["event"]["selector"]

    label = "workflows.argoproj.io/workflow-template=greeting"
    with server.http.stream("/api/v1/workflow-events/default", {"listOptions.labelSelector": label}) as changes:
        events.receive_event("other", Item({"who": "nobody"}))
        events.receive_event("greeting", Item({"who": "Ann"}))
        name = next(iter(changes))["result"]["object"]["metadata"]["name"]
    assert server.get(name).wait(60).logs() == "hello Ann"
    assert [each.name for each in server.runs(label)] == [name]


def sources_and_sensors_are_kept(events):
    source = EventSource.model_validate({"metadata": {"name": "hook"}, "spec": {"webhook": {"greeting": {"port": "12000", "endpoint": "/greeting", "method": "POST"}}}})
    assert events.create_event_source(CreateEventSourceRequest(event_source=source, namespace="default")).metadata.name == "hook"
    sensor = Sensor.model_validate({"metadata": {"name": "greets"}, "spec": {
        "dependencies": [{"name": "greeting", "eventSourceName": "hook", "eventName": "greeting"}],
        "triggers": [{"template": {"name": "log", "log": {"intervalSeconds": "1"}}}]}})
    assert events.create_sensor(CreateSensorRequest(sensor=sensor, namespace="default")).metadata.name == "greets"
    assert [each.metadata.name for each in events.list_event_sources().items] == ["hook"]
    assert [each.metadata.name for each in events.list_sensors().items] == ["greets"]
    assert events.get_sensor("greets").spec.dependencies[0].event_source_name == "hook"
    events.delete_sensor("greets")
    events.delete_event_source("hook")
    try:
        events.get_sensor("greets")
    except NotFound:
        return
    raise AssertionError("the sensor is still there")


def cron_fires(server):
    with CronWorkflow(name="tick", entrypoint="main", schedules=["@every 1s"], stop_strategy=StopStrategy(expression="cronworkflow.succeeded >= 2")) as cron:
        Container(name="main", command=["echo", "{{workflow.scheduledTime}}"])
    cron.create()
    wait_until(server, "CronWorkflow", "tick", "status.phase == Stopped")
    runs = server.runs("workflows.argoproj.io/cron-workflow=tick")
    times = {run.wait().logs() for run in runs}
    assert len(times) == len(runs) >= 2, times


if __name__ == "__main__":
    with tiphys.Server(runtime="process") as plane:
        service = EventsService(host=plane.url, token=plane.token, namespace="default")
        event_starts_a_workflow(plane, service)
        sources_and_sensors_are_kept(service)
        cron_fires(plane)
    print("done")
