"""What tests look at in a workflow."""


def template(workflow, name):
    spec = workflow["spec"].get("workflowSpec", workflow["spec"])
    return next(each for each in spec["templates"] if each["name"] == name)


def steps(workflow):
    """The groups of the entrypoint: names, each with its condition."""
    return [[step["name"] + (f" if {step['when']}" if "when" in step else "") for step in group] for group in workflow["spec"]["templates"][0]["steps"]]


def tasks(workflow):
    """The entrypoint's tasks and what each waits for."""
    return {task["name"]: task.get("depends", task.get("dependencies")) for task in workflow["spec"]["templates"][0]["dag"]["tasks"]}
