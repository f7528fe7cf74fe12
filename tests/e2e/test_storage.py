"""Storage that workflows claim."""

import os

from cli_support import HELLO, cli
from conftest import every_runtime

CLAIMING = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: NAME}
spec:
  entrypoint: main
  arguments: {parameters: [{name: size, value: 1Gi}]}
  volumeClaimTemplates:
    - metadata: {name: data}
      spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: "{{workflow.parameters.size}}"}}}
  templates:
    - name: main
      steps:
        - - {name: write, template: sh, arguments: {parameters: [{name: script, value: "echo from the first >/data/f; echo more >>/data/f"}]}}
        - - {name: read, template: sh, arguments: {parameters: [{name: script, value: "cat /data/f; exit CODE"}]}}
    - name: sh
      inputs: {parameters: [{name: script}]}
      container:
        image: busybox
        command: [sh, -c, "{{inputs.parameters.script}}"]
        volumeMounts: [{name: data, mountPath: /data}]
"""


def folders(cli):
    folder = cli.data_dir / "claims"
    return os.listdir(folder) if folder.exists() else []


def see_folders_go(cli):
    """A plane that ends may leave the removal to the next one."""
    for _ in range(20):
        if not folders(cli):
            return
        cli.run(HELLO)
    raise AssertionError(f"{folders(cli)} stay")


@every_runtime
def test_storage_is_shared_by_steps_and_given_back(cli):
    cli.run(CLAIMING.replace("NAME", "good").replace("CODE", "0"))
    logs = cli("logs", "good", "--no-color").stdout
    assert "from the first\n" in logs and "more\n" in logs
    assert "persistentVolumeClaims" not in cli.workflow("good")["status"]
    see_folders_go(cli)


def test_storage_of_a_failed_workflow_goes_with_it(cli):
    up = cli.up()
    cli("submit", "--wait", cli.file(CLAIMING.replace("NAME", "bad").replace("CODE", "3")), code=1)
    volumes = cli.workflow("bad")["status"]["persistentVolumeClaims"]
    assert volumes == [{"name": "data", "persistentVolumeClaim": {"claimName": "bad-data"}}]
    assert len(folders(cli)) == 1
    cli("delete", "bad")
    up.interrupt()
    up.end()
    see_folders_go(cli)


OBJECTS = """
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, labels: {workflows.argoproj.io/configmap-type: Parameter}}
data: {greeting: TEXT}
---
apiVersion: v1
kind: Secret
metadata: {name: key}
stringData: {token: hidden}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: objects-}
spec:
  entrypoint: main
  arguments: {parameters: [{name: greeting, valueFrom: {configMapKeyRef: {name: settings, key: greeting}}}]}
  volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]
  templates:
    - name: main
      container:
        image: busybox
        command: [sh, -c, 'echo {{workflow.parameters.greeting}} $TOKEN >>/data/f; cat /data/f']
        env: [{name: TOKEN, valueFrom: {secretKeyRef: {name: key, key: token}}}]
        volumeMounts: [{name: data, mountPath: /data}]
"""


def test_run_creates_what_its_workflows_use(cli):
    cli.run(OBJECTS.replace("TEXT", "hello"))
    cli.run(OBJECTS.replace("TEXT", "again"))
    assert [line.split(": ")[1] for line in cli("logs", "@latest").stdout.splitlines()] == ["hello hidden", "again hidden"]
    assert len(folders(cli)) == 1


def test_an_object_that_the_plane_refuses_is_named(cli):
    bad = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: Not A Name}\n---\n" + CLAIMING.replace("NAME", "w").replace("CODE", "0")
    done = cli.run(bad, code=2)
    assert 'wf.yaml:2: ConfigMap "Not A Name": ' in done.stderr
