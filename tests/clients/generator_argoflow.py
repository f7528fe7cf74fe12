"""argoflow: tasks of shell scripts in a DAG, a file from one to the next."""

import tiphys
from argoflow import InputArtifact, OutputArtifact, Workflow, WorkflowTask

if __name__ == "__main__":
    make = WorkflowTask(name="make", template="make", script="echo '1 2 3' >/tmp/numbers", outputs=[OutputArtifact("numbers", "/tmp/numbers")])
    count = WorkflowTask(name="count", template="count", script="wc -w </tmp/given", inputs=[InputArtifact("given", "/tmp/given", make, "numbers")], depends_on=[make])
    workflow = Workflow(name="counted", workflow_server_url="http://127.0.0.1:1")
    workflow.add_tasks(make, count)
    run = tiphys.run(workflow.build()["workflow"], runtime="process").wait(check=False)
    # Its pods and artifacts go as they end, with their logs: what is left says how they have ended.
    assert run.succeeded, run.message
    assert {node.name: node.phase for node in run.nodes if node.type == "Pod"} == {"make": "Succeeded", "count": "Succeeded"}
    print("done")
