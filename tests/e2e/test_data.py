"""data templates: artifacts of the plane's own repository, listed and transformed."""

import json

from cli_support import cli
from conftest import nodes_by_name

LISTS = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: lists}
spec:
  entrypoint: main
  templates:
    - name: main
      steps:
        - - {name: make, template: make}
        - - {name: list, template: list}
        - - name: show
            template: show
            withParam: "{{steps.list.outputs.result}}"
            arguments: {artifacts: [{name: file, s3: {key: "{{item}}"}}]}
    - name: make
      container: {image: busybox, command: [sh, -c, "mkdir -p /out/deep; echo one >/out/a.log; echo two >/out/deep/b.log; echo no >/out/c.txt"]}
      outputs: {artifacts: [{name: out, path: /out, archive: {none: {}}, s3: {key: "{{workflow.name}}/made"}}]}
    - name: list
      data:
        source: {artifactPaths: {name: made, s3: {key: "{{workflow.name}}/made"}}}
        transformation: [{expression: "filter(data, {# endsWith '.log'})"}]
    - name: show
      inputs: {artifacts: [{name: file, path: /file}]}
      container: {image: busybox, command: [cat, /file]}
"""


def test_data_of_artifacts(cli):
    cli.run(LISTS)
    nodes = nodes_by_name(cli.workflow())
    listed = nodes["[1].list"]
    assert (listed["type"], listed["phase"], listed["outputs"]["exitCode"]) == ("Pod", "Succeeded", "0")
    assert json.loads(listed["outputs"]["result"]) == ["lists/made/a.log", "lists/made/deep/b.log"]
    assert sorted(line.split(": ")[1] for line in cli("logs", "lists").stdout.splitlines()) == ["one", "two"]


def test_a_key_that_is_not_there_fails(cli):
    cli.run(LISTS.replace("name: made, s3: {key: \"{{workflow.name}}/made\"}", "name: made, s3: {key: nowhere}"), code=1)
    assert nodes_by_name(cli.workflow())["[1].list"]["message"] == (
        "main: Error (exit code 64): unable to process data template: unable to process data source: "
        "unable to source artifact paths: no key found of name nowhere")
