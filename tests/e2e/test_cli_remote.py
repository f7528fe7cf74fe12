"""The commands as clients of planes elsewhere: by Argo's API, by gRPC and by REST, in plain text and by TLS, and by a kubeconfig."""

import http.server
import json
import threading

import pytest
from cli_support import HELLO, cli

CONFIG = "persistence: {archive: true}\n"

WAITS = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: NAME, labels: {app: waits}}
spec:
  entrypoint: main
  templates:
    - name: main
      steps: [[{name: approve, template: approve}], [{name: say, template: say, arguments: {parameters: [{name: answer, value: "{{steps.approve.outputs.parameters.answer}}"}]}}]]
    - name: approve
      suspend: {}
      outputs: {parameters: [{name: answer, valueFrom: {supplied: {}, default: none}}]}
    - name: say
      inputs: {parameters: [{name: answer}]}
      container: {image: none, command: [echo, "{{inputs.parameters.answer}}"]}
"""

FAILS = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: NAME, labels: {app: fails}}
spec:
  entrypoint: main
  arguments: {parameters: [{name: code, value: "1"}]}
  templates: [{name: main, container: {image: none, command: [sh, -c, "echo code {{workflow.parameters.code}}; exit {{workflow.parameters.code}}"]}}]
"""

TEMPLATE = """
apiVersion: argoproj.io/v1alpha1
kind: KIND
metadata: {name: NAME}
spec:
  entrypoint: main
  arguments: {parameters: [{name: what, value: world}]}
  templates: [{name: main, container: {image: none, command: [echo, "hello {{workflow.parameters.what}}"]}}]
"""

CRON = """
apiVersion: argoproj.io/v1alpha1
kind: CronWorkflow
metadata: {name: yearly}
spec:
  schedules: ["0 0 1 1 *"]
  workflowSpec:
    entrypoint: main
    templates: [{name: main, container: {image: none, command: [echo, happy]}}]
"""

ARTIFACT = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: made}
spec:
  entrypoint: main
  templates:
    - name: main
      container: {image: none, command: [sh, -c, "echo plain > /tmp/plain.txt"]}
      outputs: {artifacts: [{name: plain, path: /tmp/plain.txt, archive: {none: {}}}]}
"""

ARGO = ["grpc", "grpc-tls", "rest", "rest-tls"]


class Remote:
    """The program as somebody calls it who has no data directory."""

    def __init__(self, cli, where, *arguments):
        self.cli, self.where, self.up = cli, where, cli.up(*arguments)
        self.token = self.up.server["token"]
        self.env = {name: value for name, value in cli.env.items() if name != "TIPHYS_DATA_DIR"}
        self.env["HOME"] = str(cli.folder / "nobody")
        if where == "kubeconfig":
            self.env["KUBECONFIG"] = str(cli.data_dir / "kubeconfig")
        else:
            self.env |= {"ARGO_SERVER": self.up.server["address"], "ARGO_TOKEN": "Bearer " + self.token, "ARGO_SECURE": str(where.endswith("tls")).lower()}
            self.env |= {"ARGO_HTTP1": "true"} if where.startswith("rest") else {}
        if where.endswith("tls"):
            self.env["ARGO_INSECURE_SKIP_VERIFY"] = "true"

    def __call__(self, *arguments, env=None, **how):
        whole, self.cli.tiphys.env = self.cli.tiphys.env, self.env | (env or {})
        try:
            return self.cli.tiphys(*arguments, **how)
        finally:
            self.cli.tiphys.env = whole

    def file(self, text, name="wf.yaml"):
        return self.cli.file(text, name)

    def object(self, name):
        return json.loads(self("get", name, "-o", "json").stdout)


@pytest.fixture(params=[*ARGO, "kubeconfig"])
def remote(cli, request):
    return Remote(cli, request.param)


@pytest.fixture(params=ARGO)
def argo(cli, request):
    """Of Argo's API alone, with an archive."""
    return Remote(cli, request.param, "--config", cli.file(CONFIG, "config.yaml"))


def names(text):
    return sorted(text.split())


def test_workflows_run_and_are_read(remote):
    hello = remote.file(HELLO)
    done = remote("submit", hello, "--name", "a", "-p", "message=there", "--watch")
    assert "Succeeded" in done.stdout
    assert remote("submit", hello, "--name", "b", "--wait", "-o", "name").stdout == "b\n"
    assert "hello world" in remote("submit", hello, "--name", "c", "--log").stdout
    assert names(remote("list", "-o", "name").stdout) == ["a", "b", "c"]
    assert remote("list", "-o", "name", "--prefix", "b").stdout == "b\n"
    assert remote("list", "-o", "name", "--chunk-size", "1", "-l", "workflows.argoproj.io/phase=Succeeded").stdout.count("\n") == 3
    assert [row["metadata"]["name"] for row in json.loads(remote("list", "-o", "json", "--field-selector", "metadata.name=a").stdout)] == ["a"]
    assert remote("list", "-n", "nowhere").stdout == "No workflows found\n"
    assert "✔ a" in remote("get", "a").stdout
    assert remote.object("a")["status"]["nodes"]["a"]["phase"] == "Succeeded"
    assert remote("get", "@latest", "-o", "name").stdout == "c\n"
    assert "not found" in remote("get", "none", code=1).stderr
    assert remote("logs", "a", "--no-color").stdout == "a: there\n"
    assert remote("logs", "a", "a", "-c", "main", "--tail", "1", "--grep", "th", "--since", "1h").stdout.strip().endswith("there")
    assert remote("logs", "a", "--grep", "nothing").stdout == ""
    assert "not found" in remote("logs", "none", code=1).stderr
    assert remote("wait", "a", "@latest").stdout.count("Succeeded") == 2
    assert "not found" in remote("wait", "none", code=1).stderr
    assert remote("wait", "none", "--ignore-not-found").stdout == ""
    assert "Succeeded" in remote("watch", "a").stdout
    assert remote("delete", "a").stdout == "Workflow 'a' deleted\n"
    assert remote("delete", "none").stdout == "Workflow 'none' not found\n"
    assert remote("delete", "--all", "--dry-run").stdout.count("(dry-run)") == 2
    remote("delete", "--completed", "--force")
    assert remote("list").stdout == "No workflows found\n"


def test_workflows_are_steered(remote):
    for name in ("w", "stopped", "ended", "set"):
        remote("submit", remote.file(WAITS.replace("NAME", name)), "-o", "name")
    assert remote("suspend", "w").stdout == "workflow w suspended\n"
    assert remote.object("w")["spec"]["suspend"] is True
    until_it_waits(remote, "set")
    assert remote("node", "set", "set", "-p", "answer=fine", "--node-field-selector", "displayName=approve").stdout == "workflow values set\n"
    assert remote("resume", "set").stdout == "workflow set resumed\n"
    remote("wait", "set")
    assert remote("logs", "set", "--no-color").stdout.endswith(": fine\n")
    assert "no suspend nodes" in remote("resume", "set", "--node-field-selector", "displayName=none", code=1).stderr
    assert remote("resume", "w").stdout == "workflow w resumed\n"
    until_it_waits(remote, "stopped")
    assert remote("stop", "stopped", "--dry-run").stdout == "workflow stopped stopped (dry-run)\n"
    assert remote("stop", "stopped", "--message", "enough", "--node-field-selector", "displayName=approve").stdout == "workflow stopped stopped\n"
    remote("wait", "stopped", code=1)
    assert "enough" in remote("get", "stopped").stdout
    remote("wait", "w")
    assert remote("terminate", "-l", "app=waits").stdout == "workflow ended terminated\n", "what has ended is left alone"
    remote("wait", "ended", code=1)
    assert "cannot shutdown a completed workflow" in remote("terminate", "ended", code=1).stderr
    assert "cannot suspend completed workflows" in remote("suspend", "ended", code=1).stderr


def until_it_waits(remote, name):
    """A command's own wait: nothing is told of a suspended node but by the workflow itself."""
    process = remote.cli.tiphys.start("watch", name, env={"COLUMNS": "200"})
    for line in process.stdout:
        if "approve" in line:
            break
    process.kill()
    process.communicate()


def test_workflows_run_again(remote):
    remote("submit", remote.file(FAILS.replace("NAME", "f")), "--wait", "-o", "name", code=1)
    assert "code 1" in remote("logs", "f").stdout
    assert remote("resubmit", "-l", "app=fails", "--memoized", "-o", "name", "--wait", code=1).stdout.startswith("f-")
    remote("retry", "f", "-p", "code=0", "--wait", "-o", "name")
    assert remote.object("f")["status"]["phase"] == "Succeeded"
    again = remote("resubmit", "f", "-p", "code=0", "--wait", "-o", "name").stdout.split()[0]
    assert again != "f" and remote.object(again)["status"]["phase"] == "Succeeded"
    urgent = remote("resubmit", "f", "--priority", "7", "-p", "code=0", "-o", "name").stdout.split()[0]
    assert remote.object(urgent)["spec"]["priority"] == 7
    remote("wait", urgent)


@pytest.mark.parametrize("command, kind", [("template", "WorkflowTemplate"), ("cluster-template", "ClusterWorkflowTemplate")])
def test_templates(remote, command, kind):
    file = remote.file(TEMPLATE.replace("KIND", kind).replace("NAME", "t"))
    assert "Name:" in remote(command, "create", file).stdout
    assert "already exists" in remote(command, "create", file, code=1).stderr
    assert remote(command, "list", "-o", "name").stdout == "t\n"
    assert json.loads(remote(command, "get", "t", "-o", "json").stdout)["kind"] == kind
    remote(command, "update", remote.file(TEMPLATE.replace("KIND", kind).replace("NAME", "t").replace("world", "there")))
    assert "no linting errors" in remote(command, "lint", file).stdout
    name = remote("submit", "--from", f"{kind.lower()}/t", "--wait", "-o", "name").stdout.split()[0]
    assert remote("logs", name, "--no-color").stdout == f"{name}: hello there\n"
    name = remote("submit", "--from", f"{kind.lower()}/t", "-p", "what=you", "--name", "mine", "--wait", "-o", "name").stdout.split()[0]
    assert remote("logs", name, "--no-color").stdout == "mine: hello you\n"
    assert "not found" in remote("submit", "--from", f"{kind.lower()}/none", code=None).stderr
    assert remote(command, "delete", "t").stdout == f"{kind} 't' deleted\n"
    assert "not found" in remote(command, "get", "t", code=1).stderr


def test_cron_workflows(remote):
    file = remote.file(CRON)
    assert "yearly" in remote("cron", "create", file).stdout
    assert remote("cron", "list", "-o", "name").stdout == "yearly\n"
    assert remote("cron", "suspend", "yearly").stdout == "CronWorkflow 'yearly' suspended\n"
    assert json.loads(remote("cron", "get", "yearly", "-o", "json").stdout)["spec"]["suspend"] is True
    assert remote("cron", "resume", "yearly").stdout == "CronWorkflow 'yearly' resumed\n"
    remote("cron", "update", remote.file(CRON.replace("happy", "new")))
    assert "no linting errors" in remote("cron", "lint", file).stdout
    name = remote("submit", "--from", "cronwf/yearly", "--wait", "-o", "name").stdout.split()[0]
    assert remote("logs", name, "--no-color").stdout.endswith(": new\n")
    filled = remote("cron", "backfill", "yearly", "--start", "2024-06-01", "--end", "2026-06-01", "--format", "2006-01-02", "--name", "b").stdout
    assert "Total Backfill Schedule: 2" in filled
    remote("wait", filled.split()[-1])
    remote("cron", "delete", "yearly")
    assert "not found" in remote("cron", "get", "yearly", code=1).stderr


def test_lint_asks_the_server(remote):
    good = remote.file(HELLO)
    assert "no linting errors" in remote("lint", good).stdout
    refers = remote.file(HELLO.replace("container: {image: busybox, command: [echo, \"{{inputs.parameters.message}}\"]}",
                                       "steps: [[{name: a, templateRef: {name: none, template: b}}]]"))
    told = remote("lint", refers, code=1)
    assert "none" in told.stdout and "not found" in told.stdout
    assert "no linting errors" not in remote("lint", remote.file(HELLO.replace("entrypoint: main", "entrypoint: other")), code=1).stdout


def test_what_would_be_made(remote):
    hello = remote.file(HELLO)
    assert json.loads(remote("submit", hello, "--dry-run", "-o", "json").stdout)["metadata"].get("uid") is None
    if remote.where != "kubeconfig":
        assert json.loads(remote("submit", hello, "--name", "a", "--server-dry-run", "-o", "json").stdout)["metadata"]["name"] == "a"
    assert remote("list").stdout == "No workflows found\n"
    bad = remote("submit", remote.file(HELLO.replace("entrypoint: main", "entrypont: main")), code=2)
    assert "wf.yaml:6:" in bad.stderr and "entrypont" in bad.stderr
    told = remote("submit", remote.file(HELLO.replace("entrypoint: main", "entrypoint: other")), code=2)
    assert "other" in told.stderr


def test_labels_for_a_controller(remote):
    remote("submit", remote.file(HELLO), "--name", "a", "--instanceid", "mine", "--wait", "-o", "name")
    remote("submit", remote.file(HELLO), "--name", "b", "--wait", "-o", "name")
    assert remote("list", "-o", "name", env={"ARGO_INSTANCEID": "mine"}).stdout == "a\n"


def test_the_archive(argo):
    argo("submit", argo.file(FAILS.replace("NAME", "f")), "--wait", "-o", "name", code=1)
    uid = argo.object("f")["metadata"]["uid"]
    argo("delete", "f")
    assert argo("archive", "list", "-o", "name").stdout == "f\n"
    assert "Failed" in argo("archive", "get", "f").stdout
    assert argo("archive", "list-label-values", "-l", "app").stdout == "fails\n"
    assert "app\n" in argo("archive", "list-label-keys").stdout
    argo("archive", "retry", uid, "-p", "code=0", "--wait", "-o", "name")
    assert argo.object("f")["status"]["phase"] == "Succeeded"
    argo("archive", "resubmit", "f", "--uid", code=1)
    argo("archive", "resubmit", uid, "--priority", "3", "--wait", "-o", "name", code=1)
    assert argo.object("@latest")["spec"]["priority"] == 3
    argo("archive", "resubmit", uid, "-p", "code=0", "--wait", "-o", "name")
    argo("archive", "delete", uid)
    assert "not found" in argo("archive", "get", uid, code=1).stderr


def test_a_cluster_alone_has_no_archive(cli):
    remote = Remote(cli, "kubeconfig")
    for arguments in (["archive", "list"], ["sync", "get", "k", "--type", "database"]):
        assert "needs a server of Argo's API" in remote(*arguments, code=2).stderr
    remote("submit", remote.file(ARTIFACT), "--wait", "-o", "name")
    assert "--argo-server" in remote("cp", "made", cli.folder / "out", code=2).stderr


def test_artifacts_limits_tokens_and_versions(argo):
    argo("submit", argo.file(ARTIFACT), "--wait", "-o", "name")
    out = argo.cli.folder / "out"
    argo("cp", "made", out, "--path", "{artifactName}")
    assert (out / "plain/plain.txt").read_text() == "plain\n"
    for where in (["--type", "database"], ["--type", "configmap", "--cm-name", "limits"]):
        argo("sync", "create", "k", "--limit", "3", *where)
        argo("sync", "update", "k", "--limit", "4", *where)
        assert "Limit: 4\n" in argo("sync", "get", "k", *where).stdout
        assert argo("sync", "delete", "k", *where).stdout == "Sync limit deleted\n"
    assert argo("auth", "token").stdout == f"Bearer {argo.token}\n"
    version = argo("version").stdout
    assert "tiphys: v" in version and "argo-server: v4." in version
    assert argo("version", "--short").stdout.count("\n") == 2


def test_a_kubeconfigs_token(cli):
    remote = Remote(cli, "kubeconfig")
    assert remote("auth", "token").stdout == f"Bearer {remote.token}\n"
    elsewhere = cli.folder / "moved"
    elsewhere.write_text((cli.data_dir / "kubeconfig").read_text())
    by_flag = {"KUBECONFIG": ""}
    assert remote("list", "--kubeconfig", elsewhere, env=by_flag).stdout == "No workflows found\n"
    assert remote("--context", "tiphys", "list", "--kubeconfig", elsewhere, env=by_flag).stdout == "No workflows found\n"
    assert "no context" in remote("list", "--kubeconfig", elsewhere, "--context", "other", code=2, env=by_flag).stderr
    told = remote("list", "--kubeconfig", elsewhere, "--token", "wrong", code=1, env=by_flag)
    assert "token" in told.stderr
    assert remote("list", env={"TIPHYS_DATA_DIR": str(cli.folder / "own")}).stdout == "No workflows found\n", "a directory that is named goes before"
    by_server = {"ARGO_SERVER": remote.up.server["address"], "ARGO_INSECURE_SKIP_VERIFY": "true"}
    assert remote("archive", "list", env=by_server).stdout == "No workflows found\n", "with the kubeconfig's token"


@pytest.mark.parametrize("where", ["grpc-tls", "rest-tls"])
def test_wrong_places_say_what_to_do(cli, free_port, where):
    remote = Remote(cli, where)
    refused = remote("list", code=1, env={"ARGO_SERVER": f"127.0.0.1:{free_port}"}).stderr
    assert "cannot connect" in refused and str(free_port) in refused
    for arguments, variables, words in [
        (["list"], {"ARGO_TOKEN": "Bearer wrong"}, ["ARGO_TOKEN"]),
        (["list"], {"ARGO_TOKEN": ""}, ["ARGO_TOKEN"]),
        (["submit", remote.file(HELLO)], {"ARGO_TOKEN": "wrong"}, ["ARGO_TOKEN"]),
        (["logs", "a", "-f"], {"ARGO_TOKEN": "wrong"}, ["ARGO_TOKEN"]),
        (["list"], {"ARGO_INSECURE_SKIP_VERIFY": "false"}, ["certificate", "-k", "--certificate-authority"]),
        (["watch", "a"], {"ARGO_INSECURE_SKIP_VERIFY": "false"}, ["certificate", "-k"]),
    ]:
        told = remote(*arguments, code=1, env=variables).stderr
        assert all(word in told for word in words), (arguments, variables, told)
    for address in ("h:port", "ftp://h:1"):
        assert "HOST:PORT" in remote("list", code=2, env={"ARGO_SERVER": address}).stderr
    assert "NAME: VALUE" in remote("list", "-H", "none", code=2).stderr
    trusted = remote("list", "--certificate-authority", cli.data_dir / "tls/ca.crt", env={"ARGO_INSECURE_SKIP_VERIFY": "false"})
    assert trusted.stdout == "No workflows found\n"
    assert "planes of tiphys alone" in remote("run", remote.file(HELLO), "-s", "h:1", code=2).stderr


@pytest.mark.parametrize("http1", ["false", "true"])
def test_plain_text_and_tls_are_told_apart(cli, http1):
    server = cli.up("--secure=false").server
    env = {"TIPHYS_DATA_DIR": str(cli.folder / "other"), "ARGO_SERVER": server["address"], "ARGO_TOKEN": server["token"], "ARGO_HTTP1": http1}
    told = cli("list", code=1, env=env).stderr
    assert "ARGO_SECURE=false" in told
    assert cli("list", env=env | {"ARGO_SECURE": "false"}).stdout == "No workflows found\n"
    assert cli("list", "--secure=false", env=env).stdout == "No workflows found\n"


def test_another_kind_of_server(cli, free_port):
    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<!doctype html>")

        def log_message(self, *_):
            pass

    server = http.server.HTTPServer(("127.0.0.1", free_port), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    env = {"ARGO_SERVER": f"127.0.0.1:{free_port}", "ARGO_SECURE": "false"}
    assert "not of Argo's API" in cli("list", "--argo-http1", env=env, code=2).stderr
    told = cli("list", env=env, code=2).stderr
    assert f"127.0.0.1:{free_port} speaks no HTTP/2" in told and "--argo-http1" in told
    assert "--argo-http1" in cli("logs", "a", "-f", env=env, code=2).stderr
    server.shutdown()


def test_what_is_spoken(cli):
    """gRPC, unless REST is asked for, or there is a path to keep to, which gRPC has not."""
    log = cli.folder / "audit"
    server = cli.up("--audit-log", log).server
    env = {"TIPHYS_DATA_DIR": str(cli.folder / "other"), "ARGO_SERVER": server["address"], "ARGO_SECURE": "false", "ARGO_TOKEN": server["token"]}
    for variables, flags in [({}, []), ({"ARGO_HTTP1": "true"}, []), ({}, ["--argo-http1"]), ({"ARGO_BASE_HREF": "/argo/"}, ["-H", "X-Team: ml"])]:
        assert cli("list", *flags, env=env | variables).stdout == "No workflows found\n"
    asked = [event["requestURI"].split("?")[0] for event in map(json.loads, log.read_text().splitlines()) if event["stage"] == "ResponseComplete"]
    grpc, rest = "/workflow.WorkflowService/ListWorkflows", "/api/v1/workflows/default"
    assert asked == [grpc, rest, rest, grpc]
    assert "HTTP 404" in cli("list", code=2, env=env | {"ARGO_SERVER": f"http://{server['address']}/argo"}).stderr


def test_below_a_path_and_with_headers(cli, free_port):
    """As behind a proxy that wants to know who comes."""
    up = cli.up()
    seen = []

    class Proxy(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            seen.append((self.path, self.headers["X-Team"]))
            body = b'{"metadata":{},"items":null}' if self.path.startswith("/argo/") else b"no"
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.HTTPServer(("127.0.0.1", free_port), Proxy)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    env = {"ARGO_SERVER": f"127.0.0.1:{free_port}", "ARGO_SECURE": "false", "ARGO_HTTP1": "true"}
    assert cli("list", "--argo-base-href", "/argo/", "-H", "X-Team: ml", env=env).stdout == "No workflows found\n"
    assert cli("list", "-A", env=env | {"ARGO_BASE_HREF": "/argo"}).stdout == "No workflows found\n"
    assert [path.split("?")[0] for path, _ in seen] == ["/argo/api/v1/workflows/default", "/argo/api/v1/workflows/"]
    assert [team for _, team in seen] == ["ml", None]
    server.shutdown()
    assert up.popen.poll() is None


def test_server_is_another_word_for_up(cli):
    process = cli.start("server", "--port", "0", *cli.tiphys.runtime)
    assert "is up" in process.read_until("is up")
