"""resource templates whose manifest is an input artifact."""

import pytest

from cli_support import cli
from conftest import nodes_by_name

WORKFLOW = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: wf}
spec:
  entrypoint: main
  templates:
    - name: main
      steps:
        - - {name: write, template: write}
        - - name: create
            template: create
            arguments: {artifacts: [{name: manifest, from: "{{steps.write.outputs.artifacts.manifest}}"}]}
        - - {name: read, template: read}
    - name: write
      outputs: {artifacts: [{name: manifest, path: /tmp/manifest.yaml}]}
      container:
        image: busybox
        command: [sh, -c]
        args: ['echo "{apiVersion: v1, kind: ConfigMap, metadata: {name: made}, data: {word: hello}}" >/tmp/manifest.yaml']
    - name: create
      inputs: {artifacts: [{name: manifest, path: /tmp/manifest.yaml}]}
      resource: {action: create, manifestFrom: {artifact: {name: manifest}}}
    - name: read
      outputs: {parameters: [{name: word, valueFrom: {jsonPath: "{.data.word}"}}]}
      resource: {action: get, flags: [configmap, made]}
"""


def test_a_manifest_from_an_artifact(cli):
    cli.run(WORKFLOW)
    nodes = nodes_by_name(cli.workflow())
    assert (nodes["[1].create"]["type"], nodes["[1].create"]["phase"]) == ("Pod", "Succeeded")
    assert nodes["[2].read"]["outputs"]["parameters"][0]["value"] == "hello"


@pytest.mark.parametrize("artifact, phase, message", [
    ("{name: manifest, path: /m, s3: {key: nowhere}}", "Error", "artifact manifest failed to load: "),
    ('{name: manifest, path: /m, raw: {data: "a: ["}}', "Failed", "main: Error (exit code 64): no more retries error: error parsing"),
])
def test_manifests_that_are_none(cli, artifact, phase, message):
    cli.run(f"""
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {{name: wf}}
spec:
  entrypoint: main
  templates:
    - name: main
      inputs: {{artifacts: [{artifact}]}}
      resource: {{action: create, manifestFrom: {{artifact: {{name: manifest}}}}}}
""", code=1)
    node = nodes_by_name(cli.workflow())[""]
    assert node["phase"] == phase and node["message"].startswith(message), node
