"""What a workflow reads from the plane as it begins, and what becomes of it once it is over."""

from cli_support import cli

SETTINGS = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: settings}
spec:
  entrypoint: main
  templates:
    - name: main
      resource:
        action: create
        manifest: |
          apiVersion: v1
          kind: ConfigMap
          metadata: {name: settings, labels: {workflows.argoproj.io/configmap-type: Parameter}}
          data: {greeting: hello, "1": one, "2": two}
"""

CONFIGURED = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: configured}
spec:
  entrypoint: main
  arguments: {parameters: [{name: greeting, valueFrom: {configMapKeyRef: {name: settings, key: greeting}}}]}
  templates:
    - name: main
      steps:
        - - name: say
            template: echo
            withItems: [1, 2, 3]
            arguments: {parameters: [{name: what, valueFrom: {configMapKeyRef: {name: settings, key: "{{item}}"}, default: many}}]}
    - name: echo
      inputs: {parameters: [{name: what}]}
      container: {image: busybox, command: [echo, "{{workflow.parameters.greeting}} {{inputs.parameters.what}}"]}
"""


def test_parameters_come_from_config_maps(cli):
    failed = cli.run(CONFIGURED, code=1)
    assert "ConfigMap 'settings' does not exist" in failed.stdout + failed.stderr
    cli("delete", "configured")
    cli.run(SETTINGS)
    cli.run(CONFIGURED)
    said = cli("logs", "configured", "--no-color").stdout.splitlines()
    assert sorted(line.split(": ", 1)[-1] for line in said) == ["hello many", "hello one", "hello two"]
