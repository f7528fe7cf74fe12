"""tiphys debug bundle: what a report holds, and what it does not."""

import json
import os
import tarfile

from cli_support import HELLO, cli

CANARY = "canary-8c1f"
FAILS = HELLO.replace("generateName: hello-", "name: fails").replace('[echo, "{{inputs.parameters.message}}"]', '[sh, -c, "echo last words; exit 1"]')
KEPT = f"""
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {{name: keeps}}
spec:
  entrypoint: main
  templates:
    - name: main
      steps: [[{{name: secret, template: secret}}, {{name: config, template: config}}]]
    - name: secret
      resource:
        action: create
        manifest: |
          {{apiVersion: v1, kind: Secret, metadata: {{name: s}}, stringData: {{password: {CANARY}}}}}
    - name: config
      resource:
        action: create
        manifest: |
          {{apiVersion: v1, kind: ConfigMap, metadata: {{name: c}}, data: {{text: some words}}}}
"""


def test_a_bundle_tells_what_is_there(cli, tmp_path):
    cli.run(FAILS, code=1)
    made = cli("debug", "bundle", "-o", str(tmp_path / "b.tgz"), env=cli.env | {"ARGO_TOKEN": CANARY})
    assert "look before you hand it on" in made.stdout
    assert os.stat(tmp_path / "b.tgz").st_mode & 0o777 == 0o600
    with tarfile.open(tmp_path / "b.tgz") as archive:
        files = {member.name.split("/", 1)[-1]: archive.extractfile(member).read().decode() for member in archive if member.isfile()}
    assert CANARY not in "".join(files.values()) and "ARGO_TOKEN" in files["variables.txt"]
    workflows = [json.loads(line) for line in files["objects/workflows.jsonl"].splitlines()]
    assert [(each["metadata"]["name"], len(each["status"]["nodes"])) for each in workflows] == [("fails", 1)]
    log = next(text for name, text in files.items() if name.startswith("logs/default/") and name.endswith("/main.log"))
    assert log.endswith(" last words\n")
    assert json.loads(files["version.json"])["gitTag"].startswith("v") and json.loads(files["host.json"])["cpus"] > 0


def test_a_bundle_has_no_values_of_secrets(cli, tmp_path):
    cli.run(KEPT)
    cli("debug", "bundle", "-o", str(tmp_path / "b.tgz"))
    with tarfile.open(tmp_path / "b.tgz") as archive:
        files = {member.name.split("/", 1)[-1]: archive.extractfile(member).read().decode() for member in archive if member.isfile()}
    assert json.loads(files["objects/configmaps.jsonl"].splitlines()[0])["data"] == {"text": "(10 characters)"}
    secrets = [json.loads(line) for line in files["objects/secrets.jsonl"].splitlines()]
    assert list(secrets[0]["data"]) == ["password"] and secrets[0]["data"]["password"].endswith(" characters)")


def test_actions_are_named(cli):
    assert "none of its actions: bundle" in cli("debug", "bungle", code=2).stderr
