"""What the arguments of run_container, run_script and run_job become."""

import inspect
import json

import pytest

import tiphys.couler.argo as couler
from couler_programs import template
from tiphys.couler.core import states
from tiphys.couler.core.manifest import parse
from tiphys.couler.core.templates import OutputScript
from tiphys.couler.core.templates.volume import Volume, VolumeMount

MANIFEST = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}}
CONTAINER = {"image": "i", "command": ["c"]}


def container(**arguments):
    couler.run_container(image="i", command="c", step_name="s", **arguments)
    return template(couler.workflow_yaml(), "s")


def script(**arguments):
    couler.run_script(image="i", step_name="s", **arguments)
    return template(couler.workflow_yaml(), "s")


# What it is about, arguments, what the template has beside its name and the container.
OF_TEMPLATES = [
    ("timeout", {"timeout": 5}, {"activeDeadlineSeconds": 5}),
    ("retry", {"retry": 2}, {"retryStrategy": {"limit": 2, "retryPolicy": "Always"}}),
    ("daemon", {"daemon": True}, {"daemon": True}),
    ("parallelism", {"parallelism": 3}, {"parallelism": 3}),
    ("node_selector", {"node_selector": {"a": "b"}}, {"nodeSelector": {"a": "b"}}),
    ("cache", {"cache": couler.Cache("n", "k", "1h")}, {"memoize": {"key": "k", "maxAge": "1h", "cache": {"configMap": {"name": "n"}}}}),
]


@pytest.mark.parametrize("arguments, fields", [row[1:] for row in OF_TEMPLATES], ids=[row[0] for row in OF_TEMPLATES])
def test_templates(arguments, fields):
    assert container(**arguments) == {"name": "s", "container": CONTAINER, **fields}


# What it is about, arguments, what the container has beside image and command.
OF_CONTAINERS = [
    ("env", {"env": {"a": "b", "n": 1, "f": False}}, {"env": [{"name": "a", "value": "b"}, {"name": "n", "value": "1"}, {"name": "f", "value": "'False'"}]}),
    ("an empty env", {"env": {}}, {}),
    ("entries of env as they are", {"env": {"secrets": [{"name": "x", "value": "y"}]}}, {"env": [{"name": "x", "value": "y"}]}),
    ("env_from", {"env_from": [{"configMapRef": {"name": "m"}}]}, {"envFrom": [{"configMapRef": {"name": "m"}}]}),
    ("resources", {"resources": {"cpu": 1}}, {"resources": {"requests": {"cpu": 1}, "limits": {"cpu": 1}}}),
    ("image_pull_policy", {"image_pull_policy": couler.ImagePullPolicy.Always}, {"imagePullPolicy": "Always"}),
    ("image_pull_policy as text", {"image_pull_policy": "Never"}, {"imagePullPolicy": "Never"}),
    ("working_dir", {"working_dir": "/w"}, {"workingDir": "/w"}),
    ("volume_mounts", {"volume_mounts": [VolumeMount("v", "/v")]}, {"volumeMounts": [{"name": "v", "mountPath": "/v"}]}),
]


@pytest.mark.parametrize("arguments, fields", [row[1:] for row in OF_CONTAINERS], ids=[row[0] for row in OF_CONTAINERS])
def test_containers(arguments, fields):
    assert container(**arguments)["container"] == {**CONTAINER, **fields}


@pytest.mark.parametrize("arguments, fields", [row[1:] for row in OF_CONTAINERS if row[0] != "env_from"], ids=[row[0] for row in OF_CONTAINERS if row[0] != "env_from"])
def test_scripts(arguments, fields):
    assert script(source="text", command=["sh"], **arguments)["script"] == {"image": "i", "command": ["sh"], "source": "text", **fields}


@pytest.mark.parametrize("command, written", [(None, ["python"]), ("python3", ["python3"]), (["python", "-u"], ["python", "-u"])])
def test_functions_are_scripts_whatever_the_command(command, written):
    def source():
        print(1)

    assert script(source=source, command=command)["script"] == {"image": "i", "command": written, "source": "\nprint(1)\n"}


def test_variables_of_a_secret_come_behind_others():
    name = couler.create_secret({"k": "v"}, name="sec")
    from_secret = {"name": "k", "valueFrom": {"secretKeyRef": {"name": "sec", "key": "k"}}}
    assert container(secret=name, env={"a": "b"})["container"]["env"] == [{"name": "a", "value": "b"}, from_secret]
    couler._cleanup()
    name = couler.obtain_secret(["k"], name="sec", namespace="n")
    assert container(secret=name)["container"]["env"] == [from_secret]
    assert states.get_secret("sec").to_yaml()["metadata"] == {"name": "sec", "namespace": "n"}
    assert [each["kind"] for each in couler.manifests()] == ["Workflow"], "it exists already"


def test_gpus_are_hidden_on_request(monkeypatch):
    monkeypatch.setattr(states, "_overwrite_nvidia_gpu_envs", True)
    hidden = [{"name": "NVIDIA_VISIBLE_DEVICES", "value": ""}, {"name": "NVIDIA_DRIVER_CAPABILITIES", "value": ""}]
    assert container()["container"]["env"] == hidden
    couler._cleanup()
    assert "env" not in container(resources={"nvidia.com/gpu": 1})["container"]


def test_outputs_have_a_folder_of_their_own():
    outputs = [couler.create_parameter_artifact(path) for path in ("/mnt/a", "/mnt/b", "/data/c", "/d")]
    found = container(output=outputs, volume_mounts=[VolumeMount("mine", "/data")])
    assert found["container"]["volumeMounts"] == [{"name": "mine", "mountPath": "/data"}, {"name": "couler-out-dir-0", "mountPath": "/mnt"}]
    names = [each["name"] for each in found["outputs"]["parameters"]]
    assert names == [outputs[0].id, f"{outputs[0].id}-2", f"{outputs[0].id}-3", f"{outputs[0].id}-4"], "they are made in one line"


def test_what_others_take_of_a_parameter():
    def make():
        return couler.run_container(image="i", command="c", output=couler.create_parameter_artifact("/m/a", is_global=True))

    made = make()
    couler.run_container(image="i", command="c", args=made, step_name="s")
    workflow = couler.workflow_yaml()
    declared = template(workflow, "make")["outputs"]["parameters"][0]
    assert declared == {"name": declared["name"], "globalName": f"global-{declared['name']}", "valueFrom": {"path": "/m/a"}}
    step = workflow["spec"]["templates"][0]["steps"][1][0]
    assert step["arguments"]["parameters"] == [{"name": "para-s-0", "value": f'"{{{{workflow.outputs.parameters.{declared["globalName"]}}}}}"'}]


# Arguments, the template's inputs, the container's args, the step's values.
ARGUMENTS = [
    ("one", "x", ["para-s-0"], ["para-s-0"], ["x"]),
    ("texts and others", ["x", 1, True, 1.5], [f"para-s-{n}" for n in range(4)], [f"para-s-{n}" for n in range(4)], ["x", "'1'", "'True'", "'1.5'"]),
    ("a tuple", ("x", "y"), ["para-s-0", "para-s-1"], ["para-s-0", "para-s-1"], ["x", "y"]),
    ("a list within", [["x"]], ["para-s-0"], ["para-s-0"], [["x"]]),
    ("none", [], None, None, None),
]


@pytest.mark.parametrize("args, inputs, passed, values", [row[1:] for row in ARGUMENTS], ids=[row[0] for row in ARGUMENTS])
def test_arguments(args, inputs, passed, values):
    found = container(args=args)
    assert found.get("inputs") == (inputs and {"parameters": [{"name": name} for name in inputs]})
    assert found["container"].get("args") == (passed and [f'"{{{{inputs.parameters.{name}}}}}"' for name in passed])
    step = couler.workflow_yaml()["spec"]["templates"][0]["steps"][0][0]
    assert [each["value"] for each in step.get("arguments", {"parameters": []})["parameters"]] == (values or [])


def test_arguments_after_a_job_and_a_file():
    def job():
        return couler.run_job(json.dumps(MANIFEST), None, None)

    def file():
        return couler.run_container(image="i", command="c", output=couler.create_local_artifact("/m/f"))

    couler.run_container(image="i", command="c", args=[job(), file(), "last"], step_name="s")
    workflow = couler.workflow_yaml()
    found = template(workflow, "s")
    assert [each["name"] for each in found["inputs"]["parameters"]] == ["para-s-0", "para-s-1", "para-s-2", "para-s-4"]
    assert found["inputs"]["artifacts"] == template(workflow, "file")["outputs"]["artifacts"]
    assert found["container"]["args"] == ['"{{inputs.parameters.para-s-0}}"', '"{{inputs.parameters.para-s-4}}"']
    arguments = workflow["spec"]["templates"][0]["steps"][2][0]["arguments"]
    assert [each["value"].split(".")[-1] for each in arguments["parameters"]] == ['job-id}}"', 'job-name}}"', 'job-obj}}"', "last"]
    assert arguments["artifacts"][0]["from"].startswith('"{{steps.file-')


def test_calls_of_one_function_share_a_template():
    def say(text):
        return couler.run_container(image="i", command="echo", args=[text])

    say("a")
    say("b")
    workflow = couler.workflow_yaml()
    assert len(workflow["spec"]["templates"]) == 2
    assert [group[0]["arguments"]["parameters"][0]["value"] for group in workflow["spec"]["templates"][0]["steps"]] == ["a", "b"]


def test_what_a_second_call_says_beside_arguments_is_lost_aloud():
    def use(image):
        return couler.run_container(image=image, command="c")

    use("one")
    with pytest.warns(UserWarning, match="template 'use' exists with another image, which stays: .* step_name="):
        use("other")


# env of run_job, variables in the manifest, what the step is called with.
OF_JOBS = [
    ("texts", {"a": "b"}, [{"name": "a", "value": "b"}], []),
    ("entries as they are", {"secrets": [{"name": "x", "valueFrom": {}}]}, [{"name": "x", "valueFrom": {}}], []),
    ("an output", {"a": "OUTPUT"}, [{"name": "a", "value": "{{inputs.parameters.para-s-0}}"}], ['"{{steps.number-1.outputs.result}}"']),
]


@pytest.mark.parametrize("env, entries, values", [row[1:] for row in OF_JOBS], ids=[row[0] for row in OF_JOBS])
def test_variables_of_jobs(env, entries, values):
    returned = [OutputScript("couler.number-1.number.outputs.result")]
    couler.run_job(json.dumps(MANIFEST), "a", "b", step_name="s", env={name: returned if value == "OUTPUT" else value for name, value in env.items()})
    workflow = couler.workflow_yaml()
    resource = template(workflow, "s")["resource"]
    assert parse(resource.pop("manifest")) == {**MANIFEST, "spec": {"env": entries}}
    assert resource == {"action": "create", "setOwnerReference": "true", "successCondition": "a", "failureCondition": "b"}
    step = workflow["spec"]["templates"][0]["steps"][0][0]
    assert [each["value"] for each in step.get("arguments", {"parameters": []})["parameters"]] == values


def test_volumes_that_nobody_declares_are_empty():
    couler.add_volume(Volume("data", "claim"))
    container(volume_mounts=[VolumeMount("data", "/a"), VolumeMount("other", "/b")])
    expected = [{"name": "data", "persistentVolumeClaim": {"claimName": "claim"}}, {"name": "other", "emptyDir": {}}]
    assert couler.workflow_yaml()["spec"]["volumes"] == expected
    assert couler.workflow_yaml()["spec"]["volumes"] == expected, "to look at it changes nothing"


def test_what_a_program_gives_is_left_as_it_is():
    args, mounts, env = ["x"], [], {"a": "b"}
    output = couler.create_parameter_artifact("/m/a")
    container(args=args, volume_mounts=mounts, env=env, output=output)
    assert (args, mounts, env) == (["x"], [], {"a": "b"})


SHARED = "secret resources timeout retry step_name image_pull_policy pool enable_ulogfs daemon volume_mounts working_dir node_selector cache"
ORDERS = [
    (couler.run_container, f"image command args output input env env_from {SHARED} parallelism"),
    (couler.run_script, f"image command source args output input env {SHARED}"),
]


@pytest.mark.parametrize("function, names", ORDERS, ids=["run_container", "run_script"])
def test_arguments_have_the_places_of_the_original(function, names):
    assert list(inspect.signature(function).parameters) == names.split()


def test_options_may_stand_in_their_places():
    couler.run_container("i", "c", None, None, None, {"a": "b"}, None, None, {"cpu": "1"}, 5, 2, "s")
    made = template(couler.workflow_yaml(), "s")
    assert made["activeDeadlineSeconds"] == 5 and made["retryStrategy"]["limit"] == 2
    assert made["container"] == {**CONTAINER, "env": [{"name": "a", "value": "b"}], "resources": {"limits": {"cpu": "1"}, "requests": {"cpu": "1"}}}


@pytest.mark.parametrize("call, message", [(lambda: couler.run_container(), "missing a required argument: 'image'"), (lambda: couler.run_script("i", image="j"), "multiple values for argument 'image'")])
def test_arguments_that_do_not_fit_are_told(call, message):
    with pytest.raises(TypeError, match=message):
        call()
