"""Artifacts from git repositories of this host."""

import http.server
import os
import pathlib
import subprocess
import threading

import pytest

from cli_support import cli
from stores import SECRET, basic, secret, shell, workflow
from test_s3_artifacts import run


def git(folder, *arguments):
    return subprocess.run(["git", "-c", "user.name=me", "-c", "user.email=me@here", "-c", "protocol.file.allow=always", *arguments], cwd=folder, check=True,
                          capture_output=True, text=True, env={"PATH": os.environ["PATH"], "HOME": str(folder)}).stdout.strip()


@pytest.fixture
def repo(tmp_path):
    """Branch main with two commits, tag v1 on the first; branch side."""
    folder = tmp_path / "repo"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    (folder / "file").write_text("one")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "one")
    git(folder, "tag", "v1")
    (folder / "file").write_text("two")
    git(folder, "commit", "--quiet", "-am", "two")
    git(folder, "switch", "--quiet", "-c", "side")
    (folder / "file").write_text("side")
    git(folder, "commit", "--quiet", "-am", "side")
    git(folder, "update-ref", "refs/changes/1", "HEAD")
    git(folder, "switch", "--quiet", "main")
    return folder


def clones(cli, name, code=0, **git_fields):
    nodes = run(cli, workflow(name, [shell("main", "cat /src/file", inputs=[{"name": "src", "path": "/src", "git": git_fields}])]), code=code)
    return nodes[""]["message"] if code else cli("logs", name).stdout.strip().split(": ")[-1]


def test_git_artifacts(cli, repo, tmp_path):
    here = str(repo)
    first = git(repo, "rev-parse", "v1")
    assert clones(cli, "head", repo=here) == "two"
    assert clones(cli, "tag", repo=here, revision="v1") == "one"
    assert clones(cli, "commit", repo=here, revision=first) == "one"
    assert clones(cli, "branch", repo=here, revision="side") == "side"
    assert clones(cli, "single", repo=here, singleBranch=True, branch="side") == "side"
    assert clones(cli, "shallow", repo=here, depth=1, revision="side") == "side"
    assert clones(cli, "fetched", repo=here, fetch=["refs/changes/1:refs/changes/1"], revision="refs/changes/1") == "side"
    assert f'failed to get resolve revision: "none" is neither' in clones(cli, "no-revision", repo=here, revision="none", code=1)
    assert "failed to get resolve revision" in clones(cli, "option", repo=here, revision="--all", code=1)
    assert f'failed to clone "{here}-none"' in clones(cli, "no-repo", repo=here + "-none", code=1)
    assert "single branch mode without a branch specified" in clones(cli, "no-branch", repo=here, singleBranch=True, code=1)
    empty = tmp_path / "empty"
    git(tmp_path, "init", "--quiet", str(empty))
    run(cli, workflow("empty", [shell("main", "test -d /src/.git", inputs=[{"name": "src", "path": "/src", "git": {"repo": str(empty), "revision": "main"}}])]))

    outer = tmp_path / "outer"
    git(tmp_path, "init", "--quiet", str(outer))
    git(outer, "submodule", "--quiet", "add", here, "inner")
    git(outer, "commit", "--quiet", "-am", "outer")
    def outer_has(name, test, **fields):
        run(cli, workflow(name, [shell("main", test, inputs=[{"name": "src", "path": "/src", "git": {"repo": str(outer), **fields}}])]))
    (pathlib.Path(cli.tiphys.env["HOME"]) / ".gitconfig").write_text("[protocol \"file\"]\nallow = always\n")
    outer_has("with", "test -f /src/inner/file")
    outer_has("without", "test ! -f /src/inner/file", disableSubmodules=True)


def test_git_outputs_fail(cli, repo):
    out = {"name": "out", "path": "/out", "git": {"repo": str(repo)}}
    nodes = run(cli, workflow("out", [shell("main", "echo 1 >/out", outputs=[{**out, "archive": {"none": {}}}])]), code=1)
    assert "git output artifacts unsupported" in nodes[""]["message"]


class Dumb(http.server.SimpleHTTPRequestHandler):
    """git's plain protocol over files, for those who know the password."""

    def do_GET(self):
        if self.headers["Authorization"] == basic("me", "pass word"):
            return super().do_GET()
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="git"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def test_git_over_http(cli, repo):
    git(repo, "update-server-info")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), lambda *args: Dumb(*args, directory=str(repo))) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}/.git"
        assert clones(cli, "known", repo=url, usernameSecret=secret("user"), passwordSecret=secret("password")) == "two"
        assert "failed to clone" in clones(cli, "stranger", repo=url, code=1)
        server.shutdown()


def test_git_over_ssh(cli, repo, tmp_path):
    """A program in ssh's place says what it was called with, and runs the command here."""
    programs = tmp_path / "programs"
    programs.mkdir()
    ssh = programs / "ssh"
    ssh.write_text(f'#!/bin/sh\necho "$*" >>{tmp_path}/calls\nwhile [ "$1" != -i ]; do shift; done\ncat "$2" >{tmp_path}/key\nstat -c %a "$2" >{tmp_path}/mode\n'
                   'for last; do :; done\nexec sh -c "$last"\n')
    ssh.chmod(0o755)
    key = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "ssh"}, "stringData": {"key": "the key"}}
    fields = {"repo": f"git@host:{repo}", "sshPrivateKeySecret": {"name": "ssh", "key": "key"}, "insecureIgnoreHostKey": True}
    run(cli, key, workflow("ssh", [shell("main", "test $(cat /src/file) = two", inputs=[{"name": "src", "path": "/src", "git": fields}])]),
        env={"PATH": f"{programs}:{cli.tiphys.env['PATH']}"})
    called = (tmp_path / "calls").read_text()
    assert "StrictHostKeyChecking=no" in called and "git@host git-upload-pack" in called
    assert ((tmp_path / "key").read_text(), (tmp_path / "mode").read_text()) == ("the key\n", "600\n")
    assert not [left for left in pathlib.Path("/tmp").glob("tiphys-git-*") if left.owner() == pathlib.Path(tmp_path).owner() and (left / "key").exists()]
