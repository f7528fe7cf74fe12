"""Values are data: whatever is in a parameter, a result or an item, it changes neither the workflow nor the command that gets it.

The shape of CVE-2021-37914, where a parameter rewrote the workflow that it was put into. Tags in a value are read once more, as in the original: they
give what the workflow's author could have written there, and no more.
"""

import json
import resource
import subprocess

import pytest

from cli_support import PATIENCE, cli
from stores import workflow

VALUES = {
    "quotes": "\"'`$(echo pwned)\\",
    "json": '"}],"serviceAccountName":"admin","x":[{"a":"',
    "yaml": "a\nserviceAccountName: admin\n- b: {c",
    "open": "{{ a {{b",
    "half": "}} {{=1+1",
    "broken": "{{=1+}} {{=(}}",
    "shell": "; touch /tmp/pwned; #\u2028\r\t",
    "number": "1e400",
    "empty": "",
    "null": "null",
}


def echo(name="say", **more):
    return {"name": name, "inputs": {"parameters": [{"name": "value"}]},
            "container": {"image": "x", "command": ["sh", "-c", 'printf %s "$1" | od -An -v -tx1 | tr -d " \\n"', "sh", "{{inputs.parameters.value}}"]}, **more}


def say(name, value, **more):
    return {"name": name, "template": "say", "arguments": {"parameters": [{"name": "value", "value": value}]}, **more}


def said(cli, name):
    """What the pods of `say` have written, which is in hexadecimal digits."""
    pods = {node["id"].rpartition("-")[2]: node["displayName"].split("(")[0] for node in cli.workflow(name)["status"]["nodes"].values() if node.get("templateName") == "say"}
    logs = dict(line.split(": ", 1) if ": " in line else (line.rstrip(":"), "") for line in cli("logs", name).stdout.splitlines())
    return {pods[pod.rpartition("-")[2]]: bytes.fromhex(text).decode() for pod, text in logs.items() if pod.rpartition("-")[2] in pods}


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_values_arrive_as_they_are(cli, value):
    """From the workflow's arguments through a step, an item, a result of a script, and an output of a file."""
    give = {"name": "give", "inputs": {"parameters": [{"name": "value"}]}, "outputs": {"parameters": [{"name": "file", "valueFrom": {"path": "/tmp/out"}}]},
            "script": {"image": "x", "command": ["sh"], "env": [{"name": "VALUE", "value": "{{inputs.parameters.value}}"}],
                       "source": 'printf %s "$VALUE" >/tmp/out; printf %s "$VALUE"'}}
    main = {"name": "main", "steps": [
        [say("argument", "{{workflow.parameters.value}}")],
        [{**say("items", "{{item}}"), "withParam": "{{=toJson([workflow.parameters.value])}}"}],
        [{**say("give", "{{workflow.parameters.value}}"), "template": "give"}],
        [say("result", "{{steps.give.outputs.result}}")],
        [say("file", "{{steps.give.outputs.parameters.file}}")],
        [say("expression", "{{=steps.give.outputs.result}}")],
    ]}
    manifest = workflow("w", [main, echo(), give])
    manifest["spec"]["arguments"] = {"parameters": [{"name": "value", "value": value}]}
    before = json.dumps(manifest["spec"]["templates"])
    cli.run(json.dumps(manifest))
    got = cli.workflow("w")
    nodes = {node["displayName"].split("(")[0]: node for node in got["status"]["nodes"].values()}
    for name in ("argument", "items", "result", "file", "expression"):
        inputs = {each["name"]: each["value"] for each in nodes[name]["inputs"]["parameters"]}
        expected = value if name in ("argument", "items") else value.rstrip("\n")
        assert inputs == {"value": expected}, name
    assert json.dumps(got["spec"]["templates"]) == before and "serviceAccountName" not in got["spec"]
    if value:  # nothing leaves no line
        assert said(cli, "w") == {"argument": value, "items": value, **dict.fromkeys(("result", "file", "expression"), value.rstrip("\n"))}


TAGS = {
    "calls": "{{=sprig.env('HOME')}} {{=env('HOME')}} {{=os.Getenv('HOME')}}",
    "itself": "{{inputs.parameters.value}} {{inputs.parameters.value}}",
    "item": "{{item}} {{item}} {{inputs.parameters.value}} {{retries}}",
    "globals": "{{workflow.parameters.value}} {{workflow.parameters.value}}" * 8,
    "expression": "{{=inputs.parameters.value + inputs.parameters.value}}",
    "status": "{{workflow.status}} {{=workflow.status}} {{pod.name}} {{node.name}}",
    "large": "{{=sprig.repeat(100000000, 'x')}}",
    "deep": "{{" * 10_000 + "}}" * 10_000,
    "loop": "{{=map(1..100000000, {# * 2})}}",
}


@pytest.mark.parametrize("value", TAGS.values(), ids=TAGS)
def test_tags_in_a_value_have_an_end(cli, value):
    """Of values that name themselves, each pass would multiply what the one before gave."""
    main = {"name": "main", "steps": [
        [say("argument", "{{workflow.parameters.value}}")],
        [{**say("items", "{{item}}"), "withParam": "{{=toJson([workflow.parameters.value])}}"}],
    ]}
    manifest = workflow("w", [main, echo()], arguments={"parameters": [{"name": "value", "value": value}]})
    done = bounded(cli, "run", cli.file(json.dumps(manifest)), *cli.tiphys.runtime)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    ended = cli.workflow("w")
    assert ended["status"]["phase"] in ("Succeeded", "Failed", "Error")
    assert cli.env["HOME"] not in json.dumps(ended), "no expression reads the environment"


def bounded(cli, *arguments):
    """With so little memory that what grows without end ends here, and not in this host's."""
    limit = lambda: resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
    return subprocess.run([cli.binary, *arguments], env=cli.env, capture_output=True, text=True, timeout=PATIENCE, preexec_fn=limit, check=False)


@pytest.mark.parametrize("value", ["x", "yes' || '' == '", "a\" == \"a\" || \"", "true", "{{=true}}", "') || ('"])
def test_a_value_decides_no_condition_that_is_an_expression(cli, value):
    """A `when` of plain tags is made into a text and then read, as in the original: a value with quotes can change it. An expression gets values as data."""
    main = {"name": "main", "inputs": {"parameters": [{"name": "value"}]},
            "steps": [[{**say("guarded", "x"), "when": "{{=inputs.parameters.value == 'yes'}}"}]]}
    manifest = workflow("w", [main, echo()], arguments={"parameters": [{"name": "value", "value": value}]})
    cli.run(json.dumps(manifest))
    [guarded] = [node for node in cli.workflow("w")["status"]["nodes"].values() if node["displayName"] == "guarded"]
    assert guarded["type"] == "Skipped"
