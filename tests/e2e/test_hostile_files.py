"""What steps and stores leave in the place of files: links that lead to this host, archives that climb. Nothing of the host is read or written.

The shapes of CVE-2025-62156 and CVE-2025-66626 (archives), CVE-2022-25856 (git) and Kubernetes' CVE-2017-1002101 and -1002102 (volumes).
"""

import io
import json
import subprocess
import tarfile

import pytest

from api_client import Api
from cli_support import cli
from stores import http_store, shell, steps, workflow
from test_git_artifacts import git
from test_s3_artifacts import run

CANARY = "canary-5d0e"


@pytest.fixture
def host(tmp_path):
    """A folder of the host that is nobody's business."""
    folder = tmp_path / "host"
    folder.mkdir()
    (folder / "secret").write_text(CANARY)
    return folder


def expect_untouched(host, *texts):
    assert [path.name for path in host.iterdir()] == ["secret"] and (host / "secret").read_text() == CANARY
    assert not any(CANARY in text for text in texts)


CLAIM = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "work"},
         "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}}
VOLUMES = [{"name": "work", "persistentVolumeClaim": {"claimName": "work"}}]


def mounting(template, **mount):
    kind = "container" if "container" in template else "script"
    return {**template, kind: {**template[kind], "volumeMounts": [{"name": "work", "mountPath": "/work", **mount}]}}


def test_links_of_a_volume_lead_no_mount_to_the_host(cli, host):
    plant = mounting(shell("plant", f"ln -sfn {host} /work/link; ln -sfn ../../../../../../../../../..{host} /work/climb"))
    for turn, path in enumerate(("link", "climb", "link/new", "climb/new")):
        use = mounting(shell("use", "cat /work/secret; touch /work/mine"), subPath=path)
        nodes = run(cli, CLAIM, workflow(f"mount-{turn}", [steps("plant", "use"), plant, use], volumes=VOLUMES), code=1)
        assert "leads out of" in nodes["[1].use"]["message"]
        expect_untouched(host, cli("logs", f"mount-{turn}").stdout)


def test_links_of_a_step_lead_no_file_of_its_objects_to_the_host(cli, host):
    """What the agent has written into a volume it writes again when it finds the step after a crash, or as a token ends."""
    objects = [{"apiVersion": "v1", "kind": kind, "metadata": {"name": "planted"}, field: {"key": "planted"}} for kind, field in (("ConfigMap", "data"), ("Secret", "stringData"))]
    items = [{"key": "key", "path": "sub/planted"}]
    fields = {"items": [{"path": "sub/planted", "fieldRef": {"fieldPath": "metadata.name"}}]}
    sources = {"configMap": {"name": "planted", "items": items}, "secret": {"secretName": "planted", "items": items}, "downwardAPI": fields,
               "projected": {"sources": [{"configMap": {"name": "planted", "items": items}}]}}
    plant = "set +e; for v in /v/*; do cat $v/sub/planted; echo; rm -rf $v/sub; mv $v/sub $v/gone; ln -s FOLDER $v/sub; done; echo links are laid; sleep 1000"
    main = shell("main", plant.replace("FOLDER", str(host)))
    main["container"]["volumeMounts"] = [{"name": kind.lower(), "mountPath": f"/v/{kind}"} for kind in sources]
    document = workflow("planter", [main], volumes=[{"name": kind.lower(), kind: source} for kind, source in sources.items()])
    up = cli.up()
    for made in objects:
        assert Api(cli.data_dir).ask("POST", f"/api/v1/namespaces/default/{made['kind'].lower()}s", made)[0] == 201
    cli("submit", cli.file(json.dumps(document)))
    cli.start("logs", "planter", "--follow").read_until("links are laid")
    up.kill()
    cli.up()
    # Whoever is asked now has adopted the step.
    cli("stop", "planter")
    cli("wait", "planter", code=None)
    expect_untouched(host)
    said = cli("logs", "planter").stdout
    assert said.count("Read-only file system") >= 2 * len(sources), said


def test_links_of_a_volume_lead_no_input_to_the_host(cli, host):
    plant = mounting(shell("plant", f"ln -s {host} /work/link; echo 1 >/tmp/out", outputs=[{"name": "out", "path": "/tmp/out"}]))
    use = mounting(shell("use", "cat /work/link/new/in", inputs=[{"name": "in", "path": "/work/link/new/in"}]))
    main = {"name": "main", "steps": [[{"name": "plant", "template": "plant"}],
                                      [{"name": "use", "template": "use", "arguments": {"artifacts": [{"name": "in", "from": "{{steps.plant.outputs.artifacts.out}}"}]}}]]}
    nodes = run(cli, CLAIM, workflow("input", [main, plant, use], volumes=VOLUMES), code=1)
    assert "leads out of" in nodes["[1].use"]["message"]
    expect_untouched(host)


def test_links_of_outputs_lead_to_what_the_step_sees(cli, host):
    """As files, within folders, as parameters; the step's own root has no such file."""
    make = shell("make", f"mkdir /out; ln -s {host}/secret /out/file; ln -s {host} /out/folder; ln -s {host}/secret /leaf",
                 outputs=[{"name": "tree", "path": "/out"}, {"name": "leaf", "path": "/leaf", "optional": True},
                          {"name": "below", "path": "/out/folder/secret", "optional": True}])
    make["outputs"]["parameters"] = [{"name": "leaf", "valueFrom": {"path": "/leaf", "default": "none"}}]
    nodes = run(cli, workflow("outputs", [{**make, "name": "main"}]))
    assert [(each["name"], each["value"]) for each in nodes[""]["outputs"]["parameters"]] == [("leaf", "none")]
    assert [each["name"] for each in nodes[""]["outputs"]["artifacts"]] == ["tree"]
    kept = [path for path in cli.data_dir.rglob("*") if path.is_file() and not path.is_symlink() and CANARY.encode() in path.read_bytes()]
    assert kept == []


def archive(*entries):
    """A gzipped tar of (name, type, target or content)."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, kind, content in entries:
            entry = tarfile.TarInfo(name)
            entry.type = kind
            if kind == tarfile.REGTYPE:
                entry.size = len(content)
                tar.addfile(entry, io.BytesIO(content.encode()))
            else:
                entry.linkname = content
                tar.addfile(entry)
    return packed.getvalue()


def test_archives_of_stores_lead_nowhere(cli, host):
    hostile = {
        "climbs": [("../../../../../../../../../..{0}/new", tarfile.REGTYPE, "x")],
        "link": [("d/link", tarfile.SYMTYPE, "{0}"), ("d/link/new", tarfile.REGTYPE, "x")],
        "leaf": [("d/secret", tarfile.SYMTYPE, "{0}/secret")],
        "alone": [("secret", tarfile.SYMTYPE, "{0}/secret")],
        "hard": [("d/secret", tarfile.LNKTYPE, "{0}/secret")],
        "device": [("d/zero", tarfile.CHRTYPE, "")],
    }
    with http_store() as store:
        for name, entries in hostile.items():
            store.files[f"/{name}"] = archive(*[(each.format(host), kind, to.format(host)) for each, kind, to in entries])
            use = shell("main", "cat /in /in/secret || touch /in/mine", inputs=[{"name": "in", "path": "/in", "http": {"url": f"{store.url}/{name}"}}])
            nodes = run(cli, workflow(name, [use]), code=1)
            assert "artifact in failed to load" in nodes[""]["message"], name
            expect_untouched(host, json.dumps(nodes))


def test_links_of_a_repository_lead_no_part_of_it_to_the_host(cli, host, tmp_path):
    repo = tmp_path / "repo"
    repo.mkdir()
    git(repo, "init", "--quiet", "--initial-branch=main")
    (repo / "link").symlink_to(host)
    (repo / "leaf").symlink_to(host / "secret")
    (repo / "docs").mkdir()
    (repo / "docs/file").write_text("good")
    (repo / "inside").symlink_to("docs")
    git(repo, "add", ".")
    git(repo, "commit", "--quiet", "-m", "all")
    read = shell("read", "cat /in /in/file /in/secret 2>/dev/null || touch /in/new", inputs=[{"name": "in", "path": "/in"}])

    def takes(name, part, code):
        main = {"name": "main", "inputs": {"artifacts": [{"name": "src", "git": {"repo": str(repo)}}]},
                "steps": [[{"name": "read", "template": "read", "arguments": {"artifacts": [{"name": "in", "from": "{{inputs.artifacts.src}}", "subPath": part}]}}]]}
        return run(cli, workflow(name, [main, read]), code=code)

    for turn, part in enumerate(("link", "link/secret", "leaf", "../host", "docs/../../host")):
        nodes = takes(f"part-{turn}", part, 1)
        assert "leads out of" in nodes["[0].read"]["message"], part
        expect_untouched(host, subprocess.run([cli.binary, "logs", f"part-{turn}"], env=cli.env, capture_output=True, text=True, check=False).stdout)
    takes("good", "inside", 0)
    assert cli("logs", "good").stdout.strip().endswith("good")
