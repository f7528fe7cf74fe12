"""What a workflow reads from the plane as it begins, and what becomes of it once it is over."""

import http.client
import json

from cli_support import PATIENCE, cli

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

FLEETING = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: NAME}
spec:
  entrypoint: main
  ttlStrategy: {secondsAfterSuccess: 0}
  templates: [{name: main, container: {image: busybox, command: [echo, hello]}}]
"""

SWEPT = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: swept}
spec:
  entrypoint: main
  podGC: {strategy: OnPodSuccess, deleteDelayDuration: 0s}
  templates:
    - name: main
      steps: [[{name: good, template: good}], [{name: bad, template: bad}]]
    - {name: good, container: {image: busybox, command: [echo, well]}}
    - {name: bad, container: {image: busybox, command: [sh, -c, "echo ill; exit 3"]}}
"""


class Objects:
    """The objects of a resource, as the server tells of them."""

    def __init__(self, server, path):
        self.server, self.path = server, path
        self.watch = self.get("?watch=true")

    def get(self, query=""):
        connection = http.client.HTTPConnection(self.server["address"], timeout=PATIENCE)
        connection.request("GET", self.path + query, headers={"Authorization": "Bearer " + self.server["token"]})
        return connection.getresponse()

    def names(self):
        return {item["metadata"]["name"] for item in json.load(self.get())["items"]}

    def wait_until_gone(self, name):
        if name not in self.names():
            return
        for line in self.watch:
            event = json.loads(line)
            if event["type"] == "DELETED" and event["object"]["metadata"]["name"] == name:
                return
        raise AssertionError(f"{name} never went")


def test_expired_workflows_go(cli):
    cli.run(FLEETING.replace("NAME", "before"))
    cli.run(FLEETING.replace("NAME", "kept").replace("Success", "Failure"))
    server = cli.up().server
    workflows = Objects(server, "/apis/argoproj.io/v1alpha1/namespaces/default/workflows")
    cli("submit", cli.file(FLEETING.replace("NAME", "fleeting")))
    workflows.wait_until_gone("before")
    workflows.wait_until_gone("fleeting")
    assert workflows.names() == {"kept"}


def test_pods_go_with_their_logs(cli):
    server = cli.up().server
    pods = Objects(server, "/api/v1/namespaces/default/pods")
    cli("submit", cli.file(SWEPT), "--wait", code=1)
    ids = {node.get("templateName"): node["id"] for node in cli.workflow("swept")["status"]["nodes"].values()}
    good, bad = (f"swept-{template}-{ids[template].rsplit('-', 1)[1]}" for template in ("good", "bad"))
    pods.wait_until_gone(good)
    assert pods.names() == {bad}
    assert [line.split(": ", 1)[-1] for line in cli("logs", "swept", "--no-color").stdout.splitlines()] == ["ill"]
