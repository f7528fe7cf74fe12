"""How artifacts are packed, which part of them is taken, and the permissions that they get."""

from cli_support import cli  # noqa: F401

FORMS = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: forms}
spec:
  entrypoint: main
  templates:
    - name: main
      dag:
        tasks:
          - {name: make, template: make}
          - name: take
            template: take
            depends: make
            arguments:
              artifacts:
                - {name: plain, from: "{{tasks.make.outputs.artifacts.plain}}"}
                - {name: tar, from: "{{tasks.make.outputs.artifacts.tar}}"}
                - {name: zip, from: "{{tasks.make.outputs.artifacts.zip}}"}
                - {name: part, from: "{{tasks.make.outputs.artifacts.plain}}", subPath: in/b}
                - {name: file, from: "{{tasks.make.outputs.artifacts.file}}"}
                - {name: nowhere, from: "{{tasks.make.outputs.artifacts.nowhere}}", optional: true}
    - name: make
      script:
        image: busybox
        command: [sh]
        source: mkdir -p /tmp/d/in; echo a > /tmp/d/a; echo b > /tmp/d/in/b; chmod 644 /tmp/d/a /tmp/d/in/b; echo f > /tmp/f
      outputs:
        artifacts:
          - {name: plain, path: /tmp/d, archive: {none: {}}}
          - {name: tar, path: /tmp/d, archive: {tar: {compressionLevel: 9}}}
          - {name: zip, path: /tmp/d, archive: {zip: {}}}
          - {name: file, path: /tmp/f}
          - {name: nowhere, path: /tmp/nowhere, optional: true}
    - name: take
      inputs:
        artifacts:
          - {name: plain, path: /tmp/in/plain, mode: 493, recurseMode: true}
          - {name: tar, path: /tmp/in/tar}
          - {name: zip, path: /tmp/in/zip}
          - {name: part, path: /tmp/in/part}
          - {name: file, path: /tmp/in/file, mode: 256}
          - {name: nowhere, path: /tmp/in/nowhere, optional: true}
      script:
        image: busybox
        command: [sh]
        source: |
          cd /tmp/in
          for f in $(find . -type f | sort); do echo "$f $(stat -c %a $f) $(cat $f)"; done
"""


def test_artifacts_keep_their_form(cli):  # noqa: F811
    cli.run(FORMS)
    node = next(node for node in cli.workflow()["status"]["nodes"].values() if node["displayName"] == "take")
    lines = [line.split(": ", 1)[1] for line in cli("logs", "forms").stdout.splitlines() if f"-{node['id'].rsplit('-', 1)[1]}:" in line]
    assert lines == [
        "./file 400 f",
        "./part 644 b",
        "./plain/a 755 a",
        "./plain/in/b 755 b",
        "./tar/a 644 a",
        "./tar/in/b 644 b",
        "./zip/a 644 a",
        "./zip/in/b 644 b",
    ]
