"""Templates of other objects: template, cluster-template, submit --from, templateRef, workflowTemplateRef."""

import json

from cli_support import cli
from conftest import nodes_by_name

LIBRARY = """
apiVersion: argoproj.io/v1alpha1
kind: WorkflowTemplate
metadata: {name: library, labels: {of: tests}}
spec:
  entrypoint: twice
  arguments: {parameters: [{name: message, value: theirs}]}
  templates:
    - name: twice
      steps:
        - - {name: first, template: say, arguments: {parameters: [{name: what, value: "{{workflow.parameters.message}}"}]}}
        - - {name: second, templateRef: {name: shared, template: bye, clusterScope: true}}
    - name: say
      inputs: {parameters: [{name: what}]}
      container: {image: busybox, command: [echo, "{{inputs.parameters.what}}"]}
"""

SHARED = """
apiVersion: argoproj.io/v1alpha1
kind: ClusterWorkflowTemplate
metadata: {name: shared}
spec:
  templates:
    - name: bye
      container: {image: busybox, command: [echo, bye]}
"""

CALLER = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: caller}
spec:
  entrypoint: main
  arguments: {parameters: [{name: message, value: mine}]}
  templates:
    - name: main
      dag:
        tasks:
          - name: there
            templateRef: {name: library, template: twice}
            hooks: {exit: {templateRef: {name: shared, template: bye, clusterScope: true}}}
"""


def documents(*texts):
    return "---".join(texts)


def test_a_file_of_templates_and_a_workflow(cli):
    done = cli.run(documents(LIBRARY, SHARED, CALLER))
    assert "library/twice" in done.stdout
    workflow = cli.workflow("caller")
    nodes = nodes_by_name(workflow)
    assert nodes[".there"]["templateRef"] == {"name": "library", "template": "twice"}
    assert nodes[".there"]["templateScope"] == "local/caller" and "templateName" not in nodes[".there"]
    assert nodes[".there[0].first"]["templateScope"] == "namespaced/library"
    assert nodes[".there.onExit"]["templateRef"] == {"name": "shared", "template": "bye", "clusterScope": True}
    assert sorted(workflow["status"]["storedTemplates"]) == ["cluster/shared/bye", "namespaced/library/say", "namespaced/library/twice"]
    assert "mine" in cli("logs", "caller").stdout
    # Again: they are replaced by what the file says.
    cli.run(documents(LIBRARY, SHARED, CALLER.replace("name: caller", "generateName: caller-")))


ASKER = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: asker}
spec:
  entrypoint: main
  arguments: {parameters: [{name: message, value: mine}, {name: where, value: library}]}
  templates:
    - name: main
      steps:
        - - {name: choose, template: pick}
        - - name: there
            withItems: ["{{steps.choose.outputs.result}}"]
            templateRef: {name: "{{workflow.parameters.where}}", template: "{{item}}"}
    - name: pick
      script: {image: busybox, command: [sh], source: echo twice}
"""


def test_tags_name_a_template_as_it_runs(cli):
    assert "no linting errors" in cli("lint", "--offline", cli.file(ASKER)).stdout
    library = cli.file(documents(LIBRARY, SHARED), "library.yaml")
    mocks = cli.file("mocks: [{template: pick, outputs: {result: twice}}]", "mocks.yaml")
    assert "second" in cli("simulate", "--with", mocks, cli.file(ASKER), library).stdout
    cli.run(documents(LIBRARY, SHARED, ASKER))
    workflow = cli.workflow("asker")
    nodes = nodes_by_name(workflow)
    assert nodes["[1].there(0:twice)"]["templateRef"] == {"name": "library", "template": "twice"}
    assert sorted(workflow["status"]["storedTemplates"]) == ["cluster/shared/bye", "namespaced/library/say", "namespaced/library/twice"]
    assert "mine" in cli("logs", "asker").stdout
    done = cli.run(ASKER.replace("value: library", "value: nowhere").replace("name: asker", "name: lost"), code=1)
    assert nodes_by_name(cli.workflow("lost"))["[1].there(0:twice)"]["message"] == "workflow template nowhere not found", done.stderr


def test_a_missing_template_is_told_before_anything_is_made(cli):
    done = cli.run(documents(LIBRARY, CALLER), code=2)
    assert "template reference shared.bye not found" in done.stderr
    assert cli("list").stdout == "No workflows found\n"
    assert cli("template", "list", "-o", "name").stdout == ""


def test_the_commands(cli):
    library, shared = cli.file(LIBRARY, "library.yaml"), cli.file(SHARED, "shared.yaml")
    done = cli("template", "create", library, code=2)
    assert "library.yaml" in done.stderr and "template reference shared.bye not found" in done.stderr
    assert cli("cluster-template", "create", shared).stdout.startswith("Name:                shared\nCreated:")
    assert cli("template", "create", library).stdout.startswith("Name:                library\nNamespace:           default\nCreated:")
    assert "failed to create workflow template" in cli("template", "create", library, code=1).stderr
    assert cli("template", "list").stdout == "NAME\nlibrary   \n"
    assert cli("template", "list", "-A").stdout == "NAMESPACE   NAME\ndefault     library   \n"
    assert cli("template", "list", "-l", "of!=tests", "-o", "name").stdout == ""
    assert cli("cwft", "list", "-o", "name").stdout == "shared\n"
    assert json.loads(cli("template", "get", "library", "-o", "json").stdout)["spec"]["entrypoint"] == "twice"
    cli("template", "update", cli.file(LIBRARY.replace("value: theirs", "value: others"), "library.yaml"), "-o", "name")
    assert "value: others" in cli("template", "get", "library", "-o", "yaml").stdout
    assert "failed to get existing workflow template" in cli("template", "update", cli.file(LIBRARY.replace("name: library", "name: nothing")), code=1).stderr
    assert cli("template", "lint", library, shared).stdout == "✔ no linting errors found!\n"
    assert "found nothing to lint" in cli("template", "lint", shared, code=1).stdout
    assert cli("template", "delete", "library").stdout == "WorkflowTemplate 'library' deleted\n"
    assert "not found" in cli("template", "get", "library", code=1).stderr
    assert cli("cluster-template", "delete", "--all").stdout == "ClusterWorkflowTemplate 'shared' deleted\n"
    assert 'unknown command "gte"; did you mean "get"?' in cli("template", "gte", code=2).stderr


def test_submit_from(cli):
    cli("cluster-template", "create", cli.file(SHARED))
    cli("template", "create", cli.file(LIBRARY))
    name = cli("submit", "--from", "workflowtemplate/library", "-p", "message=given", "--wait", "-o", "name", *cli.tiphys.runtime).stdout.split()[0]
    assert name.startswith("library-")
    workflow = cli.workflow(name)
    assert workflow["metadata"]["labels"]["workflows.argoproj.io/workflow-template"] == "library"
    assert workflow["spec"]["workflowTemplateRef"] == {"name": "library"}
    stored = workflow["status"]["storedWorkflowTemplateSpec"]
    assert stored["entrypoint"] == "twice" and stored["arguments"]["parameters"] == [{"name": "message", "value": "given"}]
    assert nodes_by_name(workflow)["[1].second"]["templateRef"]["clusterScope"]
    facts = cli("get", name).stdout
    assert "ServiceAccount:      unset\n" in facts and "message:           given" in facts
    assert "given" in cli("logs", name).stdout

    done = cli("submit", "--from", "cwft/shared", "--entrypoint", "bye", "--wait", "-o", "name", *cli.tiphys.runtime)
    assert cli.workflow(done.stdout.split()[0])["metadata"]["labels"]["workflows.argoproj.io/cluster-workflow-template"] == "shared"
    assert 'workflowtemplate.argoproj.io "nothing" not found' in cli("submit", "--from", "wftmpl/nothing", code=2).stderr
    assert "Resource kind 'pod' is not supported" in cli("submit", "--from", "pod/x", code=2).stderr
    assert "is malformed" in cli("submit", "--from", "library", code=2).stderr
    assert "cannot combine --from" in cli("submit", "--from", "wftmpl/library", cli.file(CALLER), code=2).stderr


def test_a_run_keeps_the_templates_that_it_began_with(cli):
    cli("cluster-template", "create", cli.file(SHARED))
    waiting = LIBRARY.replace("- - {name: second", "- - {name: gate, template: gate}\n        - - {name: second") + "    - name: gate\n      suspend: {}\n"
    cli("template", "create", cli.file(waiting))
    server = cli.up()
    name = cli("submit", "--from", "workflowtemplate/library", "-o", "name").stdout.strip()
    watch = cli.start("watch", name)
    watch.read_until("gate")
    watch.kill()
    cli("template", "delete", "library")
    cli("cluster-template", "delete", "shared")
    server.kill()
    cli.up()
    cli("resume", name)
    cli("wait", name)
    workflow = cli.workflow(name)
    assert workflow["status"]["phase"] == "Succeeded"
    assert nodes_by_name(workflow)["[2].second"]["phase"] == "Succeeded"


def test_a_file_is_run_again_with_another_template(cli):
    """Also where another process runs the plane: what is replaced is said as the API wants it."""
    for served in (False, True):
        if served:
            cli.up()
        for word in ("former", "latter"):
            library = LIBRARY.replace("name: library", "name: changing").replace("second", word)
            user = "\nkind: Workflow\napiVersion: argoproj.io/v1alpha1\nmetadata: {generateName: user-}\nspec: {workflowTemplateRef: {name: changing}}\n"
            cli.run(documents(library, SHARED, user))
            held = json.loads(cli("template", "get", "changing", "-o", "json").stdout)
            assert word in json.dumps(held["spec"])


def test_lint_knows_the_templates_of_all_files(cli):
    (cli.folder / "a").mkdir()
    cli.file(SHARED, "a/shared.yaml")
    cli.file(LIBRARY, "a/library.yaml")
    cli.file(CALLER, "a/caller.yaml")
    assert cli("lint", str(cli.folder / "a")).stdout == "✔ no linting errors found!\n"
    cli.file(CALLER.replace("template: twice", "template: thrice"), "a/caller.yaml")
    assert "template reference library.thrice not found" in cli("lint", str(cli.folder / "a"), code=1).stdout
    # What is not among the files may be on the plane, unless we are offline.
    alone = cli.file(CALLER)
    cli("lint", alone)
    assert "template reference library.twice not found" in cli("lint", "--offline", alone, code=1).stdout
    twice = cli("lint", cli.file(LIBRARY, "b.yaml"), cli.file(LIBRARY, "c.yaml"), code=1).stdout
    assert 'c.yaml:' in twice and 'duplicate WorkflowTemplate found: "library"; the other is in ' in twice
