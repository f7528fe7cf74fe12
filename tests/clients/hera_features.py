"""What else Hera's workflows say, each run to its end on this host: conditions, loops, recursion, artifacts, retries, the end, volumes, and what the plane does itself.

Features are those of the examples that Hera publishes; the programs are ours. hera_runner.py has its runner, hera_workflows.py its clients.
"""

import http.server
import json
import threading

import tiphys
from hera.shared import global_config
from hera.workflows import (
    DAG,
    HTTP,
    Artifact,
    Container,
    ContainerNode,
    ContainerSet,
    EmptyDirVolume,
    Env,
    NoneArchiveStrategy,
    Parameter,
    RawArtifact,
    Resource,
    RetryStrategy,
    Step,
    Steps,
    Suspend,
    Task,
    UserContainer,
    Volume,
    Workflow,
    WorkflowTemplate,
    script,
)
from hera.workflows.models import Cache, LifecycleHook, LocalObjectReference, Memoize, Sequence, TemplateRef, ValueFrom, VolumeMount

global_config.image = "none"


def run(workflow, check=True, **options):
    done = tiphys.run(workflow, runtime="process", **options).wait(check=check)
    return {node.name: node for node in done.nodes}, done


def shell(name, text, **more):
    return Container(name=name, command=["sh", "-c", text], **more)


@script()
def say(text: str):
    print(text)


@script()
def numbers(count: int):
    import json
    import sys

    json.dump(list(range(count)), sys.stdout)


@script()
def add(values: list):
    print(sum(map(int, values)))


def of_this_host(workflow):
    """What tiphys.run(runtime="process") says of the workflow that it is given, of one that another begins."""
    document = workflow.to_dict()
    document["spec"]["podMetadata"] = {"annotations": {"tiphys.io/runtime": "process"}}
    return document


def conditions():
    """What runs after what: by results, by how others have ended."""
    with Workflow(generate_name="conditions-", entrypoint="main") as workflow:
        good, bad = shell("good", "echo heads"), shell("bad", "exit 1")
        with DAG(name="main"):
            first, second = Task(name="first", template=good), Task(name="second", template=bad)
            third = Task(name="third", template=bad)
            heads = say(name="heads", arguments={"text": "heads"}, when=f"{first.result} == heads")
            tails = say(name="tails", arguments={"text": "tails"}, when=f"{first.result} == tails")
            first >> [heads, tails]
            any_good = say(name="any-good", arguments={"text": "any"})
            any_good.depends = "(first.Succeeded || second.Succeeded) && (second.Failed && third.Failed)"
            never = say(name="never", arguments={"text": "never"})
            second.on_success(never)
            mended = say(name="mended", arguments={"text": "mended"})
            second.on_failure(mended)
    nodes, done = run(workflow, check=False)
    phases = {name: node.phase for name, node in nodes.items() if node.type in ("Pod", "Skipped")}
    assert phases == {"first": "Succeeded", "second": "Failed", "third": "Failed", "heads": "Succeeded", "tails": "Skipped", "any-good": "Succeeded",
                      "never": "Omitted", "mended": "Succeeded"}, phases


def loops():
    """Over what is known, what a step tells, counts; and all of it gathered."""
    with Workflow(generate_name="loops-", entrypoint="main", parallelism=3) as workflow:
        pair = shell("pair", "echo {{inputs.parameters.a}}-{{inputs.parameters.b}}", inputs=[Parameter(name="a"), Parameter(name="b")])
        with Steps(name="main"):
            Step(name="items", template=pair, arguments={"a": "{{item.a}}", "b": "{{item.b}}"}, with_items=[{"a": 1, "b": "x"}, {"a": 2, "b": "y"}])
            say(name="counted", arguments={"text": "{{item}}"}, with_sequence=Sequence(start="3", end="1", format="n%02d"))
            made = numbers(name="made", arguments={"count": 4})
            each = say(name="each", arguments={"text": "{{item}}"}, with_param=made.result)
            add(name="sum", arguments={"values": each.result})
    nodes, done = run(workflow)
    logs = sorted(done.logs(node) for name, node in nodes.items() if node.type == "Pod" and name.startswith(("items", "counted")))
    assert logs == ["1-x", "2-y", "n01", "n02", "n03"], logs
    assert done.logs(nodes["sum"]) == "6"


def recursion():
    """A template that calls itself until its count is used up, and a DAG within that gives out what is within it."""
    with Workflow(generate_name="recursion-", entrypoint="main") as workflow:
        with Steps(name="count", inputs=Parameter(name="left")) as count:
            less = Step(name="less", template=shell("minus", "echo $(({{inputs.parameters.left}} - 1))", inputs=Parameter(name="left")),
                        arguments={"left": "{{inputs.parameters.left}}"})
            Step(name="again", template="count", arguments={"left": less.result}, when=f"{less.result} > 0")
        with DAG(name="inner", inputs=Parameter(name="of"),
                 outputs=Parameter(name="told", value_from=ValueFrom(parameter="{{tasks.tell.outputs.parameters.told}}"))) as inner:
            Task(name="tell", template=shell("tell", "echo {{inputs.parameters.of}} >/tmp/told", inputs=Parameter(name="of"),
                                             outputs=Parameter(name="told", value_from=ValueFrom(path="/tmp/told"))), arguments={"of": "{{inputs.parameters.of}}"})
        with DAG(name="main"):
            Task(name="counted", template=count, arguments={"left": "3"})
            inside = Task(name="inside", template=inner, arguments={"of": "depth"})
            last = say(name="last", arguments={"text": inside.get_parameter("told")})
            inside >> last
    nodes, done = run(workflow)
    assert sum(node.template == "minus" for node in done.nodes) == 3
    assert done.logs(nodes["last"]) == "depth"


def chosen_outputs():
    """The output of whichever branch has run, by an expression."""
    chosen = Parameter(name="chosen", value_from=ValueFrom(expression="tasks.heads.status == 'Succeeded' ? tasks.heads.outputs.result : tasks.tails.outputs.result"))
    with Workflow(generate_name="chosen-", entrypoint="main") as workflow:
        with DAG(name="main", outputs=chosen):
            flip = Task(name="flip", template=shell("flip", "echo tails"))
            flip >> [say(name="heads", arguments={"text": "h"}, when=f"{flip.result} == heads"), say(name="tails", arguments={"text": "t"}, when=f"{flip.result} == tails")]
    _, done = run(workflow)
    assert done.outputs["chosen"] == "t", dict(done.outputs)


def map_and_reduce():
    """Parts that go their own ways, and come together as one folder."""
    with Workflow(generate_name="reduce-", entrypoint="main", arguments=RawArtifact(name="words", data="b a\nc a\n")) as workflow:
        split = shell("split", "mkdir /tmp/parts; i=0; while read line; do echo $line >/tmp/parts/$i; i=$((i+1)); done </tmp/words; echo '[0, 1]'",
                      inputs=Artifact(name="words", path="/tmp/words"), outputs=Artifact(name="parts", path="/tmp/parts", archive=NoneArchiveStrategy()))
        count = shell("count", "wc -w <'/tmp/parts/{{inputs.parameters.part}}' | tr -d ' ' >/tmp/count; cat /tmp/count",
                      inputs=[Parameter(name="part"), Artifact(name="parts", path="/tmp/parts")], outputs=Artifact(name="count", path="/tmp/count"))
        with DAG(name="main", inputs=Artifact(name="words")):
            parts = Task(name="split", template=split, arguments=Artifact(name="words", from_="{{inputs.artifacts.words}}"))
            counted = Task(name="count", template=count, with_param=parts.result,
                           arguments=[Parameter(name="part", value="{{item}}"), parts.get_artifact("parts")])
            parts >> counted >> add(name="sum", arguments={"values": counted.result})
    nodes, done = run(workflow)
    assert done.logs(nodes["sum"]) == "4"


def retries():
    """A step that succeeds at its third attempt, and one that nobody lets try again."""
    with Workflow(generate_name="retries-", entrypoint="main") as workflow:
        third = shell("third", "echo attempt {{retries}}; test {{retries}} = 2", retry_strategy=RetryStrategy(limit=5))
        never = shell("never", "exit 7", retry_strategy=RetryStrategy(limit=5, expression="asInt(lastRetry.exitCode) != 7"))
        with Steps(name="main"):
            Step(name="third", template=third)
            Step(name="never", template=never, continue_on={"failed": True})
    nodes, done = run(workflow)
    attempts = {name: [node.name for node in done.nodes if node.template == name and node.type == "Pod"] for name in ("third", "never")}
    assert len(attempts["third"]) == 3 and len(attempts["never"]) == 1, attempts


def the_end():
    """Handlers of a workflow and of a task, and hooks on the way."""
    with Workflow(generate_name="end-", entrypoint="main", on_exit="goodbye", hooks={"running": LifecycleHook(expression='workflow.status == "Running"', template="noticed")}) as workflow:
        shell("goodbye", "echo goodbye {{workflow.status}}")
        shell("noticed", "echo noticed")
        after = shell("after", "echo after")
        with DAG(name="main"):
            task = Task(name="task", template=shell("work", "echo work; exit 1"))
            task.on_exit = after
    nodes, done = run(workflow, check=False)
    logs = {node.template: done.logs(node) for node in done.nodes if node.type == "Pod"}
    assert logs == {"goodbye": "goodbye Failed", "noticed": "noticed", "after": "after", "work": "work"}, logs


def volumes():
    """A claim that goes with its workflow, a folder that goes with its step, and variables from all places."""
    with Workflow(generate_name="volumes-", entrypoint="main", volumes=Volume(name="shared", size="1Mi", mount_path="/shared"), labels={"team": "ml"}) as workflow:
        shared = VolumeMount(name="shared", mount_path="/shared")
        write = shell("write", "echo kept >/shared/file", volume_mounts=[shared])
        read = shell("read", "cat /shared/file; touch /scratch/file && echo \"$SAID by $TEAM\"",
                     volume_mounts=[shared], volumes=EmptyDirVolume(name="scratch", mount_path="/scratch"),
                     env=[Env(name="SAID", value="said"), Env(name="TEAM", value="{{workflow.labels.team}}")])
        with Steps(name="main"):
            Step(name="write", template=write)
            Step(name="read", template=read)
    nodes, done = run(workflow)
    assert done.logs(nodes["read"]) == "kept\nsaid by ml", done.logs(nodes["read"])


def several_containers():
    """Beside a step, before it, in one pod with others, and on for the whole of a group."""
    with Workflow(generate_name="containers-", entrypoint="main") as workflow:
        prepared = shell("prepared", "cat /work/before", volumes=EmptyDirVolume(name="work", mount_path="/work"),
                         init_containers=[UserContainer(name="before", image="none", command=["sh", "-c", "echo before >/work/before"], volumes=[EmptyDirVolume(name="work", mount_path="/work")])])
        with ContainerSet(name="set") as together:
            a = ContainerNode(name="a", image="none", command=["echo", "a"])
            b = ContainerNode(name="b", image="none", command=["echo", "b"])
            main = ContainerNode(name="main", image="none", command=["echo", "main"])
            [a, b] >> main
        daemon = shell("daemon", "sleep 600", daemon=True)
        with Steps(name="main"):
            Step(name="prepared", template=prepared)
            Step(name="set", template=together)
            Step(name="daemon", template=daemon)
            say(name="beside", arguments={"text": "beside"})
    nodes, done = run(workflow)
    assert done.logs(nodes["prepared"]) == "before"
    assert [done.logs(nodes["set"], container=name) for name in ("a", "b", "main")] == ["a", "b", "main"]
    assert nodes["daemon"].phase == "Succeeded", nodes["daemon"].message


def done_by_the_plane():
    """Requests, data, waits and workflows of workflows: without a pod."""

    class Says(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"answer": 42}')

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Says)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    child = Workflow(generate_name="child-", entrypoint="main", templates=[shell("main", "true")])
    with Workflow(generate_name="plane-", entrypoint="main") as workflow:
        ask = HTTP(name="ask", url=f"http://127.0.0.1:{server.server_port}/", success_condition="response.statusCode == 200")
        pause = Suspend(name="pause", duration="1")
        begin = Resource(name="begin", action="create", manifest=json.dumps(of_this_host(child)), success_condition="status.phase == Succeeded", failure_condition="status.phase == Failed")
        with Steps(name="main"):
            asked = Step(name="ask", template=ask)
            Step(name="pause", template=pause)
            Step(name="begin", template=begin)
            Step(name="told", template=Container(name="told", command=["echo", "{{inputs.parameters.text}}"], inputs=Parameter(name="text")), arguments={"text": asked.result})
    nodes, done = run(workflow)
    assert json.loads(done.logs(nodes["told"])) == {"answer": 42}
    assert len(tiphys.runs()) > 1
    server.shutdown()


def kept():
    """What has been made once is not made again, and templates lie elsewhere."""
    cache = Memoize(key="{{inputs.parameters.of}}", max_age="1h", cache=Cache(config_map=LocalObjectReference(name="made")))
    costly = shell("costly", "echo {{workflow.name}} >/tmp/by", inputs=Parameter(name="of"), outputs=Parameter(name="by", value_from=ValueFrom(path="/tmp/by")), memoize=cache)
    with WorkflowTemplate(name="costly", entrypoint="main") as library:
        library.templates.append(costly)
        with Steps(name="main"):
            Step(name="made", template=costly, arguments={"of": "x"})
    first, _ = run(library)
    with Workflow(generate_name="referring-", entrypoint="main") as workflow:
        with Steps(name="main"):
            Step(name="made", template_ref=TemplateRef(name="costly", template="costly"), arguments={"of": "x"})
    second, _ = run(workflow)
    assert first["made"].outputs["by"] == second["made"].outputs["by"]


def built_through_hooks():
    """What is said once for all that are built."""
    global_config.set_class_defaults(Container, labels={"by": "default"})
    try:
        workflow = Workflow(generate_name="defaults-", entrypoint="main", templates=[shell("main", "true")])
        assert workflow.to_dict()["spec"]["templates"][0]["metadata"]["labels"] == {"by": "default"}
        run(workflow)
    finally:
        global_config._defaults.clear()


if __name__ == "__main__":
    for check in (conditions, loops, recursion, chosen_outputs, map_and_reduce, retries, the_end, volumes, several_containers, done_by_the_plane, kept, built_through_hooks):
        try:
            check()
        except BaseException:
            print(f"in {check.__name__}:")
            raise
    print("done")
