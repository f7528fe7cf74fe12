"""Hera's templates and CronWorkflows, of each of which tiphys.run() makes a workflow; what they import comes from this program."""

import tiphys
from hera.shared import global_config
from hera.workflows import ClusterWorkflowTemplate, CronWorkflow, Parameter, Steps, WorkflowTemplate, script

global_config.image = "none"


@script(constructor="runner")
def double(number: int) -> int:
    return number * 2


def filled(workflow):
    with workflow:
        with Steps(name="main"):
            double(arguments={"number": "{{workflow.parameters.number}}"})
    return workflow


ARGUMENTS = {"entrypoint": "main", "arguments": [Parameter(name="number", value=4)]}

if __name__ == "__main__":
    for made in (
        WorkflowTemplate(name="template", **ARGUMENTS),
        WorkflowTemplate(generate_name="template-", **ARGUMENTS),
        ClusterWorkflowTemplate(name="everywhere", **ARGUMENTS),
        CronWorkflow(name="nightly", schedules=["0 0 * * *"], **ARGUMENTS),
    ):
        filled(made)
        for parameters, expected in (({}, "8"), ({"number": 5}, "10")):
            run = tiphys.run(made, parameters, runtime="process", wait=True)
            assert run.nodes["double"].logs() == expected, run.logs()
    print("done")
