"""Commands beside those of workflows: cp, convert, auth token, executor-plugin build."""

import json

import pytest
import yaml

from cli_support import cli

SCRIPT = "mkdir -p '/out/a b'; printf 1 > '/out/a b/1'; printf 2 > /out/2; printf plain > /plain.txt"
WORKFLOW = {
    "apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"name": "made"},
    "spec": {"entrypoint": "main", "templates": [
        {"name": "main", "steps": [[{"name": "first", "template": "write"}], [{"name": "second", "template": "write"}]]},
        {"name": "write", "container": {"image": "x", "command": ["sh", "-ec", SCRIPT]},
         "outputs": {"artifacts": [{"name": "tree", "path": "/out", "archive": {"none": {}}}, {"name": "plain", "path": "/plain.txt", "archive": {"none": {}}}]}}]}}


def contents(folder):
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("where", ["here", "socket", "server"])
def test_cp(cli, tmp_path, where):
    cli.run(json.dumps(WORKFLOW))
    arguments = []
    if where != "here":
        cli.tiphys.up()
    if where == "server":
        server = json.loads((cli.tiphys.data_dir / "server.json").read_text())
        arguments = ["--server", server["address"], "--token", server["token"]]
    out = tmp_path / "out"
    done = cli.tiphys("cp", "made", out, "--path", "{templateName}/{artifactName}", "--artifact-name", "plain", *arguments)
    assert contents(out) == {"write/plain/plain.txt": "plain"}
    assert done.stdout == f'Created "{out}/write/plain/plain.txt"\n' * 2
    first = next(id for id, node in cli.workflow("made")["status"]["nodes"].items() if node["displayName"] == "first")
    cli.tiphys("cp", "@latest", out / "all", "--node-id", first, *arguments)
    assert contents(out / "all") == {f"default/made/{first}/outputs/tree/out/a b/1": "1", f"default/made/{first}/outputs/tree/out/2": "2",
                                     f"default/made/{first}/outputs/plain/plain.txt": "plain"}
    none = cli.tiphys("cp", "made", out, "--artifact-name", "none", *arguments, code=1)
    assert none.stderr == 'tiphys cp: workflow "made" has no such artifacts among its outputs\n'
    assert "not found" in cli.tiphys("cp", "none", out, *arguments, code=1).stderr
    (out / "file").write_text("")
    assert "Not a directory" in cli.tiphys("cp", "made", out / "file", *arguments, code=1).stderr


def test_convert(cli):
    old = {"apiVersion": "argoproj.io/v1alpha1", "kind": "CronWorkflow", "metadata": {"name": "c"},
           "spec": {"schedule": "@daily", "workflowSpec": {"entrypoint": "main", "synchronization": {"mutex": {"name": "m"}},
                                                           "templates": [{"name": "main", "container": {"image": "x", "command": ["true"]}}]}}}
    other = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}}
    text = yaml.safe_dump_all([old, other])
    new = json.loads(json.dumps(old))
    new["spec"]["schedules"] = [new["spec"].pop("schedule")]
    new["spec"]["workflowSpec"]["synchronization"] = {"mutexes": [{"name": "m"}]}
    assert list(yaml.safe_load_all(cli("convert", cli.file(text)).stdout)) == [new, other]
    lines = cli("convert", "-", "-o", "json", stdin=text).stdout.splitlines()
    assert [json.loads(line) for line in lines] == [new, other]
    # What is printed is what today's linter takes.
    assert cli("lint", cli.file(text, "old.yaml"), code=1) and cli("lint", cli.file(cli("convert", cli.file(text)).stdout, "new.yaml"))
    assert "bad.yaml:1:" in cli("convert", cli.file("a: [", "bad.yaml"), code=None).stderr


def test_auth_token(cli):
    missing = cli.tiphys("auth", "token", code=1)
    assert "tiphys up" in missing.stderr
    assert cli.tiphys("auth", "token", env={"ARGO_TOKEN": "Bearer abc"}).stdout == "Bearer abc\n"
    assert cli.tiphys("auth", "token", "--token", "abc").stdout == "Bearer abc\n"
    cli.tiphys.up()
    token = (cli.tiphys.data_dir / "token").read_text().strip()
    assert cli.tiphys("auth", "token").stdout == f"Bearer {token}\n"


def test_executor_plugin_build(cli, tmp_path):
    folder = tmp_path / "plugin"
    folder.mkdir()
    container = {"name": "hello", "image": "python", "command": ["python", "-c"], "ports": [{"containerPort": 4355}],
                 "resources": {"requests": {"cpu": "1"}, "limits": {"cpu": "1"}}, "securityContext": {"runAsNonRoot": True}}
    plugin = {"apiVersion": "argoproj.io/v1alpha1", "kind": "ExecutorPlugin", "metadata": {"name": "hello", "labels": {"a": "b"}},
              "spec": {"sidecar": {"automountServiceAccountToken": True, "container": container}}}
    (folder / "plugin.yaml").write_text(yaml.safe_dump(plugin))
    (folder / "server.py").write_text("print('a')\n")
    built = cli.tiphys("executor-plugin", "build", f"{folder}/")
    assert built.stdout == f"{folder}/hello-executor-plugin-configmap.yaml created\n{folder}/README.md created\n"
    made = yaml.safe_load((folder / "hello-executor-plugin-configmap.yaml").read_text())
    assert made["metadata"] == {"name": "hello-executor-plugin", "labels": {"workflows.argoproj.io/configmap-type": "ExecutorPlugin", "a": "b"}}
    assert made["data"]["sidecar.automountServiceAccountToken"] == "true"
    assert yaml.safe_load(made["data"]["sidecar.container"]) == {**container, "args": ["print('a')\n"]}
    (folder / "server.sh").write_text("")
    assert 'more than one file "server.*"' in cli.tiphys("executor-plugin", "build", folder, code=2).stderr
    (folder / "server.sh").unlink()
    for part in ("ports", "resources", "securityContext"):
        (folder / "plugin.yaml").write_text(yaml.safe_dump({**plugin, "spec": {"sidecar": {"container": {k: v for k, v in container.items() if k != part}}}}))
        assert part in cli.tiphys("executor-plugin", "build", folder, code=2).stderr
