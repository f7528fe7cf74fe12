"""The five workflows of the talk that the project comes from, unmodified, in every runtime: phases, outputs and node trees."""

from conftest import EXAMPLES, every_runtime, nodes_by_name, tree


@every_runtime
def test_hello_world(tiphys):
    workflow = tiphys.run_object(EXAMPLES / "hello-world.yaml")
    assert workflow["status"]["phase"] == "Succeeded"
    assert workflow["status"]["progress"] == "1/1"
    assert tree(workflow) == ["/ Pod Succeeded"]
    name = workflow["metadata"]["name"]
    root = workflow["status"]["nodes"][name]
    assert (root["id"], root["displayName"], root["templateName"]) == (name, name, "whalesay")
    assert root["outputs"] == {"exitCode": "0"}
    assert "hello world" in tiphys("logs", name).stdout


@every_runtime
def test_owner_reference(tiphys):
    workflow = tiphys.run_object(EXAMPLES / "k8s-owner-reference.yaml")
    assert workflow["status"]["phase"] == "Succeeded"
    assert tree(workflow) == ["/ Pod Succeeded"]


@every_runtime
def test_script(tiphys):
    workflow = tiphys.run_object(EXAMPLES / "script.yaml")
    assert tree(workflow) == [
        "/ Steps Succeeded -> [0]",
        "[0] StepGroup Succeeded -> [0].generate",
        "[0].generate Pod Succeeded -> [1]",
        "[1] StepGroup Succeeded -> [1].print",
        "[1].print Pod Succeeded",
    ]
    result = nodes_by_name(workflow)["[0].generate"]["outputs"]["result"]
    assert 1 <= int(result) <= 100
    assert f"the result was: {result}" in tiphys("logs", workflow["metadata"]["name"]).stdout


@every_runtime
def test_dag_diamond(tiphys):
    workflow = tiphys.run_object(EXAMPLES / "dag-diamond.yaml")
    assert tree(workflow) == [
        ".A Pod Succeeded -> .B, .C",
        ".B Pod Succeeded -> .D",
        ".C Pod Succeeded -> .D",
        ".D Pod Succeeded",
        "/ DAG Succeeded -> .A",
    ]
    nodes = nodes_by_name(workflow)
    assert nodes[""]["outboundNodes"] == [nodes[".D"]["id"]]
    assert nodes[".B"]["boundaryID"] == workflow["metadata"]["name"]


@every_runtime
def test_coinflip(tiphys):
    workflow = tiphys.run_object(EXAMPLES / "coinflip.yaml")
    nodes = nodes_by_name(workflow)
    result = nodes["[0].flip-coin"]["outputs"]["result"]
    other = {"heads": "tails", "tails": "heads"}[result]
    groups = {name[:3]: name for name in nodes if name.endswith((".heads", ".tails"))}
    chosen = next(name for name in groups.values() if name.endswith(result))
    skipped = next(name for name in groups.values() if name.endswith(other))
    assert nodes[chosen]["phase"] == "Succeeded"
    assert (nodes[skipped]["phase"], nodes[skipped]["type"]) == ("Skipped", "Skipped")
    assert nodes[skipped]["message"] == f"when '{result} == {other}' evaluated false"
    assert f'"it was {result}"' in tiphys("logs", workflow["metadata"]["name"]).stdout


def test_lint_says_that_a_bare_step_is_a_group_of_one(tiphys):
    done = tiphys("lint", EXAMPLES / "coinflip.yaml")
    assert "coinflip.yaml:10:" in done.stdout + done.stderr
    assert "group of one" in done.stdout + done.stderr
