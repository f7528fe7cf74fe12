"""Secrets are on disk in no other form than sealed."""

import base64

PASSWORD = "correct-horse-battery"
MANIFEST = f"""
apiVersion: v1
kind: Secret
metadata: {{name: login}}
stringData: {{password: {PASSWORD}}}
---
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {{name: NAME}}
spec:
  entrypoint: main
  templates:
  - name: main
    volumes: [{{name: login, secret: {{secretName: login}}}}]
    container:
      image: busybox
      command: [sh, -c, 'test "$PASSWORD" = "$(cat /login/password)" && printf %s "$PASSWORD" | wc -c']
      env: [{{name: PASSWORD, valueFrom: {{secretKeyRef: {{name: login, key: password}}}}}}]
      volumeMounts: [{{name: login, mountPath: /login}}]
"""


def forms():
    """What the password looks like, also within base64."""
    encoded = [base64.b64encode(b"x" * shift + PASSWORD.encode()).decode()[4:-4] for shift in range(3)]
    return [PASSWORD.encode(), *(text.encode() for text in encoded)]


def files_that_show_it(folder):
    return [path for path in folder.rglob("*") if path.is_file() and any(form in path.read_bytes() for form in forms())]


def test_secrets_are_sealed(tiphys):
    tiphys("run", "-", *tiphys.runtime, stdin=MANIFEST.replace("NAME", "first"))
    assert str(len(PASSWORD)) in tiphys("logs", "first").stdout
    assert files_that_show_it(tiphys.data_dir) == []
    assert (tiphys.data_dir / "secrets.key").stat().st_mode & 0o077 == 0
    # The next process reads it again.
    tiphys("run", "-", *tiphys.runtime, stdin=MANIFEST.split("---")[1].replace("NAME", "second"))


def test_without_their_key_nothing_is_lost(tiphys):
    tiphys("run", "-", *tiphys.runtime, stdin=MANIFEST.replace("NAME", "first"))
    key = tiphys.data_dir / "secrets.key"
    away = key.rename(key.with_suffix(".away"))
    workflow = MANIFEST.split("---")[1]
    done = tiphys("run", "-", *tiphys.runtime, stdin=workflow.replace("NAME", "second"), code=1)
    assert f"their key, {key}, is gone: put it back" in done.stdout + done.stderr
    away.rename(key)
    tiphys("run", "-", *tiphys.runtime, stdin=workflow.replace("NAME", "third"))
