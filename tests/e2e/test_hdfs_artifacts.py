"""Artifacts in HDFS, with programs that stand in for Hadoop's hdfs and for kinit: they keep files in a folder and write down what they are told."""

import json
import pathlib

import pytest

from cli_support import cli
from conftest import nodes_by_name
from stores import shell, workflow
from test_s3_artifacts import run

# Says what Hadoop's says.
HDFS = """#!/usr/bin/python3
import json, os, pathlib, shutil, sys, urllib.parse
known = ("HADOOP_USER_NAME", "HADOOP_OPTS", "KRB5CCNAME", "KRB5_CONFIG")
said = {name: os.environ[name] for name in known if name in os.environ}
files = {name: open(said[name].removeprefix("FILE:")).read() for name in ("KRB5CCNAME", "KRB5_CONFIG") if name in said}
with open("@/calls", "a") as calls:
    calls.write(json.dumps({"arguments": sys.argv[1:], "environment": said, "files": files}) + "\\n")
assert sys.argv[1] == "dfs"
words = [each for each in sys.argv[2:] if not each.startswith("-D")]
there = lambda path: pathlib.Path("@/root" + path)
here = lambda path: pathlib.Path(urllib.parse.unquote(path))
if words[0] == "-mkdir":
    there(words[2]).mkdir(parents=True, exist_ok=True)
elif words[0] == "-get":
    name = words[1].replace("\\\\", "")
    if not there(name).exists():
        sys.exit(f"get: `{name}': No such file or directory")
    (shutil.copytree if there(name).is_dir() else shutil.copy)(there(name), here(words[2]))
elif words[0] == "-put":
    if there(words[-1]).exists() and words[1] != "-f":
        sys.exit(f"put: `{words[-1]}': File exists")
    shutil.copy(here(words[-2]), there(words[-1]))
"""
KINIT = """#!/bin/sh
echo "$* $(cat "$3")" >>@/kinit
[ "$4" != you@HERE ] || { echo "kinit: Client 'you@HERE' not found in Kerberos database while getting initial credentials" >&2; exit 1; }
echo tickets >"${KRB5CCNAME#FILE:}"
"""


class Hadoop:
    def __init__(self, folder):
        self.folder, self.root = folder, folder / "root"
        self.root.mkdir()

    def install(self, cli):
        for name, text in (("hdfs", HDFS), ("kinit", KINIT)):
            program = self.folder / "bin" / name
            program.parent.mkdir(exist_ok=True)
            program.write_text(text.replace("@", str(self.folder)) if name == "hdfs" else text.replace(">>@", f">>{self.folder}"))
            program.chmod(0o755)
        cli.tiphys.env["PATH"] = f"{self.folder / 'bin'}:{cli.tiphys.env['PATH']}"

    def calls(self):
        """Since it was asked last."""
        path = self.folder / "calls"
        calls = [json.loads(line) for line in path.read_text().splitlines()]
        path.unlink()
        return calls


@pytest.fixture
def hadoop(tmp_path):
    return Hadoop(tmp_path)


def options(call):
    return dict(each.removeprefix("-D").split("=", 1) for each in call["arguments"] if each.startswith("-D"))


def test_hdfs_artifacts(cli, hadoop):
    def place(path, **more):
        return {"addresses": ["one:8020"], "hdfsUser": "me", "path": path, **more}

    def reads(name, code=0, **more):
        read = shell("main", "cat /in", inputs=[{"name": "in", "path": "/in", "hdfs": place(**{"path": "/data/in [1].txt", **more})}])
        return run(cli, workflow(name, [read]), code=code)[""].get("message")

    assert 'there is no program "hdfs" on this host: install hdfs' in reads("absent", code=1)
    hadoop.install(cli)
    (hadoop.root / "data").mkdir()
    (hadoop.root / "data/in [1].txt").write_text("hello")
    reads("file")
    assert cli("logs", "file").stdout.strip().endswith(": hello")
    [call] = hadoop.calls()
    assert call["arguments"][:4] == ["dfs", "-Dfs.defaultFS=hdfs://one:8020", "-get", "/data/in \\[1\\].txt"]
    assert call["environment"] == {"HADOOP_USER_NAME": "me"}

    reads("several", addresses=["one:8020", "two:8020"])
    assert options(hadoop.calls()[0]) == {
        "fs.defaultFS": "hdfs://tiphys", "dfs.nameservices": "tiphys", "dfs.ha.namenodes.tiphys": "nn0,nn1",
        "dfs.namenode.rpc-address.tiphys.nn0": "one:8020", "dfs.namenode.rpc-address.tiphys.nn1": "two:8020",
        "dfs.client.failover.proxy.provider.tiphys": "org.apache.hadoop.hdfs.server.namenode.ha.ConfiguredFailoverProxyProvider"}
    assert "failed to get /no of HDFS: get: `/no': No such file or directory" in reads("missing", code=1, path="/no")
    optional = shell("main", "test ! -e /in", inputs=[{"name": "in", "path": "/in", "optional": True, "hdfs": place("/no")}])
    run(cli, workflow("optional", [optional]))
    tree = shell("main", "test -f '/in/in [1].txt'", inputs=[{"name": "in", "path": "/in", "hdfs": place("/data")}])
    run(cli, workflow("tree", [tree]))
    hadoop.calls()

    def save(name, code=0, **more):
        out = {"name": "out", "path": "/out", "archive": {"none": {}}, "hdfs": place("/results/a b/out", **more)}
        return run(cli, workflow(name, [shell("main", f"echo {name} >/out", outputs=[out])]), code=code)[""].get("message")

    save("first")
    assert [call["arguments"][2] for call in hadoop.calls()] == ["-mkdir", "-put"]
    assert "failed to put /results/a b/out into HDFS: put: `/results/a b/out': File exists" in save("again", code=1)
    save("forced", force=True)
    assert (hadoop.root / "results/a b/out").read_text() == "forced\n"


def test_hdfs_over_kerberos(cli, hadoop):
    hadoop.install(cli)
    (hadoop.root / "in").write_text("hello")
    objects = [{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "krb"}, "stringData": {"cache": "given", "keytab": "key"}},
               {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "krb"}, "data": {"cache": "of another kind", "conf": "[libdefaults]\n  default_realm = THERE\n"}}]

    def reads(name, code=0, secret="krbKeytabSecret", key="keytab", **more):
        place = {"addresses": ["one:8020"], "path": "/in", "dataTransferProtection": "privacy", "krbServicePrincipalName": "hdfs/_HOST",
                 "krbConfigConfigMap": {"name": "krb", "key": "conf"}, secret: {"name": "krb", "key": key}, **more}
        read = shell("main", "cat /in", inputs=[{"name": "in", "path": "/in", "hdfs": place}])
        return run(cli, *objects, workflow(name, [read]), code=code, env={"HADOOP_OPTS": "-Xmx1g", "HADOOP_USER_NAME": "nobody"})[""].get("message")

    reads("keytab", krbUsername="me", krbRealm="HERE")
    [call] = hadoop.calls()
    config = call["environment"]["KRB5_CONFIG"]
    assert options(call) == {"hadoop.security.authentication": "kerberos", "dfs.namenode.kerberos.principal": "hdfs/_HOST@HERE",
                             "dfs.data.transfer.protection": "privacy", "fs.defaultFS": "hdfs://one:8020"}
    assert call["files"] == {"KRB5CCNAME": "tickets\n", "KRB5_CONFIG": objects[1]["data"]["conf"]}
    assert call["environment"]["HADOOP_OPTS"] == f"-Xmx1g -Djava.security.krb5.conf={config}" and not pathlib.Path(config).parent.exists()
    asked = (hadoop.folder / "kinit").read_text().split()
    assert (asked[:2], asked[3:]) == (["-k", "-t"], ["me@HERE", "key"])

    reads("cache", secret="krbCCacheSecret", key="cache")
    [call] = hadoop.calls()
    assert call["files"]["KRB5CCNAME"] == "given" and options(call)["dfs.namenode.kerberos.principal"] == "hdfs/_HOST@THERE"
    assert "failed to log in to Kerberos: kinit: Client 'you@HERE' not found" in reads("stranger", code=1, krbUsername="you", krbRealm="HERE")
    assert 'krbConfigConfigMap: there is no ConfigMap "none" with the key "x"' in reads("no-config", code=1, krbUsername="me", krbRealm="HERE", krbConfigConfigMap={"name": "none", "key": "x"})
