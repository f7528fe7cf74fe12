"""Pods of more than their main container, in every runtime."""

import socket

from cli_support import cli
from conftest import every_runtime, nodes_by_name

TOGETHER = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: together}
spec:
  entrypoint: main
  podSpecPatch: 'terminationGracePeriodSeconds: 1'
  volumes: [{name: v, emptyDir: {}}]
  templates:
    - name: main
      inputs: {artifacts: [{name: note, path: /in/note, raw: {data: from the artifact}}]}
      container:
        image: busybox
        command: [sh, -c]
        args:
          - cat /v/first /in/note; read up </v/up; wget -q -O - http://127.0.0.1:PORT/
        volumeMounts: [{name: v, mountPath: /v}]
      initContainers:
        - {name: first, image: busybox, command: [sh, -c, "mkfifo /v/up; echo first >/v/first; echo ' changed' >>/in/note; echo prepared"], mirrorVolumeMounts: true}
      sidecars:
        - name: server
          image: python:alpine3.6
          command: [python3, -c]
          args:
            - |
              import http.server
              class Hello(http.server.BaseHTTPRequestHandler):
                  def do_GET(self):
                      self.send_response(200)
                      self.end_headers()
                      self.wfile.write(b"from the sidecar\\n")
              server = http.server.HTTPServer(("127.0.0.1", PORT), Hello)
              print("serving", flush=True)
              print("up", file=open("/v/up", "w"), flush=True)
              server.serve_forever()
          volumeMounts: [{name: v, mountPath: /v}]
"""

ONE = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: one}
spec:
  entrypoint: main
  volumes: [{name: v, emptyDir: {}}]
  templates:
    - name: main
      container: {image: busybox, command: [sh, -c, "MAIN"], volumeMounts: [{name: v, mountPath: /v}]}
      initContainers: [{name: first, image: busybox, command: [sh, -c, "INIT"], mirrorVolumeMounts: true}]
      sidecars: [{name: side, image: busybox, command: [sh, -c, "SIDE"], mirrorVolumeMounts: true}]
"""


@every_runtime
def test_init_containers_and_sidecars(cli, free_port):
    cli.run(TOGETHER.replace("PORT", str(free_port)))
    assert cli("logs", "together").stdout == (
        "together: first\ntogether: from the artifact changed\ntogether: from the sidecar\n"
    )
    assert cli("logs", "together", "-c", "first").stdout == "together: prepared\n"
    assert "together: serving\n" in cli("logs", "together", "-c", "server").stdout


KEEP_RUNNING = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: kept}
spec:
  entrypoint: main
  volumes: [{name: v, emptyDir: {}}]
  templates:
    - name: main
      initContainers:
        - name: outer
          image: busybox
          restartPolicy: Always
          command: [sh, -c]
          args:
            - |
              echo start >>/v/outer
              [ $(wc -l </v/outer) = 1 ] && exit 3
              over() { echo "outer after $(cat /v/ended)"; exit 7; }
              trap over TERM
              touch /v/up
              while :; do sleep 0.02; done
          startupProbe: {exec: {command: [test, -e, /v/up]}, periodSeconds: 1, failureThreshold: 600}
          mirrorVolumeMounts: true
        - name: prepare
          image: busybox
          command: [sh, -c, "test -e /v/up && wc -l </v/outer >/v/starts"]
          mirrorVolumeMounts: true
        - name: inner
          image: busybox
          restartPolicy: Always
          command: [sh, -c]
          args:
            - |
              over() { echo inner >>/v/ended; exit 1; }
              trap over TERM
              touch /v/inner
              while :; do sleep 0.02; done
          mirrorVolumeMounts: true
      container:
        image: busybox
        command: [sh, -c, "until test -e /v/inner; do sleep 0.02; done; cat /v/starts; echo main >/v/ended"]
        volumeMounts: [{name: v, mountPath: /v}]
"""


@every_runtime
def test_init_containers_that_keep_running(cli):
    cli.run(KEEP_RUNNING)
    assert cli("logs", "kept").stdout.split() == ["kept:", "2"]
    # What the shell says of the sleep that ends with it comes by another pipe, sooner or later.
    told = [line for line in cli("logs", "kept", "-c", "outer").stdout.splitlines() if line != "kept: Terminated"]
    assert told[-2:] == ["kept: outer after main", "kept: inner"]


FROM_FILE = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: from-file}
spec:
  entrypoint: main
  volumes: [{name: vars, emptyDir: {}}]
  templates:
    - name: main
      initContainers:
        - name: setup
          image: busybox
          command: [sh, -c]
          args:
            - |
              cat >/data/config.env <<END
              # made here
              ADDRESS='db.example:5432'
              MOTD='two
              lines' # of text
              END
          volumeMounts: [{name: vars, mountPath: /data}]
      container:
        image: busybox
        command: [sh, -c]
        args: ['test ! -e /data/config.env && echo "$ADDRESS $(ADDRESS) $URL $MOTD ${LEVEL-unset}"']
        env:
          - {name: ADDRESS, valueFrom: {fileKeyRef: {volumeName: vars, path: config.env, key: ADDRESS}}}
          - {name: MOTD, valueFrom: {fileKeyRef: {volumeName: vars, path: config.env, key: MOTD}}}
          - {name: LEVEL, valueFrom: {fileKeyRef: {volumeName: vars, path: config.env, key: LEVEL, optional: true}}}
          - {name: URL, value: "tcp://$(ADDRESS)"}
"""


@every_runtime
def test_variables_from_a_file_of_an_init_container(cli):
    cli.run(FROM_FILE)
    assert cli("logs", "from-file").stdout == (
        "from-file: db.example:5432 db.example:5432 tcp://db.example:5432 two\nfrom-file: lines unset\n"
    )


@every_runtime
def test_a_file_without_the_variable_fails_the_step(cli):
    cli.run(FROM_FILE.replace(", optional: true", ""), code=1)
    node = nodes_by_name(cli.workflow())[""]
    assert node["phase"] == "Failed" and "CreateContainerConfigError" in node["message"]
    assert 'environment variable key "LEVEL" not found in file "config.env" of volume "vars"' in node["message"]


@every_runtime
def test_a_failed_init_container_fails_the_step(cli):
    cli.run(ONE.replace("INIT", "exit 3"), code=1)
    node = nodes_by_name(cli.workflow())[""]
    assert (node["phase"], node["message"]) == ("Failed", "first: Error (exit code 3)")


@every_runtime
def test_a_failed_sidecar_fails_the_step(cli):
    cli.run(ONE.replace("INIT", "mkfifo /v/up").replace("SIDE", "trap 'exit 4' TERM; echo up >/v/up; while :; do sleep 0.1; done").replace("MAIN", "read up </v/up"), code=1)
    node = nodes_by_name(cli.workflow())[""]
    assert (node["phase"], node["message"], node["outputs"]["exitCode"]) == ("Failed", "side: Error (exit code 4)", "0")


@every_runtime
def test_a_killed_sidecar_is_no_failure(cli):
    cli.run(ONE.replace("INIT", "true").replace("SIDE", "sleep 1000").replace("MAIN", "true"))


SERVED = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: served}
spec:
  entrypoint: main
  podSpecPatch: 'terminationGracePeriodSeconds: 1'
  templates:
    - name: main
      steps:
        - - {name: server, template: server}
        - - {name: client, template: client, arguments: {parameters: [{name: ip, value: "{{steps.server.ip}}"}]}}
    - name: server
      daemon: true
      container:
        image: python:alpine3.6
        command: [python3, -c]
        args:
          - |
            import http.server
            class Hello(http.server.BaseHTTPRequestHandler):
                def do_GET(self):
                    self.send_response(200)
                    self.end_headers()
                    self.wfile.write(b"from the daemon\\n")
            http.server.HTTPServer(("", PORT), Hello).serve_forever()
        readinessProbe: {httpGet: {path: /, port: PORT}, periodSeconds: 1}
    - name: client
      inputs: {parameters: [{name: ip}]}
      container: {image: busybox, command: [wget, -q, -O, "-", "http://{{inputs.parameters.ip}}:PORT/"]}
"""


@every_runtime
def test_a_daemon_serves_those_after_it(cli, free_port):
    cli.tiphys.join_engine()
    cli.run(SERVED.replace("PORT", str(free_port)))
    assert "from the daemon\n" in cli("logs", "served").stdout
    nodes = nodes_by_name(cli.workflow())
    server = nodes["[0].server"]
    assert (server["phase"], server.get("daemoned")) == ("Succeeded", None)
    assert server["podIP"]
    assert "GET / HTTP/1.1" in cli("logs", "served").stdout, "the log of an ended daemon stays"

PROBED = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: probed}
spec:
  entrypoint: main
  templates:
    - name: main
      steps:
        - - {name: server, template: server}
        - - {name: after, template: after}
    - name: server
      daemon: true
      container:
        image: busybox
        command: [sh, -c, "sleep 1000"]
        env: [{name: WORD, value: one two}]
        # Ready at the second time.
        readinessProbe: {exec: {command: [sh, -c, 'echo "$WORD" >>/tmp/probes; test "$(grep -c "one two" /tmp/probes)" = 2']}, periodSeconds: 1}
    - name: after
      container: {image: busybox, command: [echo, the daemon is ready]}
"""


@every_runtime
def test_a_daemon_is_probed_by_a_command(cli):
    cli.run(PROBED)
    assert "the daemon is ready" in cli("logs", "probed").stdout


TOLD = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: told}
spec:
  entrypoint: main
  volumes:
    - {name: work, emptyDir: {}}
    - {name: info, downwardAPI: {items: [{path: labels, fieldRef: {fieldPath: metadata.labels}}]}}
    - {name: all, projected: {sources: [{downwardAPI: {items: [{path: in/node, fieldRef: {fieldPath: "metadata.annotations['workflows.argoproj.io/node-name']"}}]}}]}}
  templates:
    - name: main
      metadata: {labels: {team: blue}}
      container:
        image: busybox
        command: [sh, -c, "grep team /info/labels; cat /all/in/node; echo; echo $MEMORY >/sub/m; cat /work/runs/told/m"]
        resources: {limits: {memory: 64Mi}}
        env:
          - {name: WORKFLOW, value: "{{workflow.name}}"}
          - {name: MEMORY, valueFrom: {resourceFieldRef: {resource: limits.memory, divisor: 1Mi}}}
        volumeMounts:
          - {name: work, mountPath: /work}
          - {name: work, mountPath: /sub, subPathExpr: runs/$(WORKFLOW)}
          - {name: info, mountPath: /info}
          - {name: all, mountPath: /all}
"""


@every_runtime
def test_a_pod_is_told_of_itself(cli):
    cli.run(TOLD)
    said = [line.split(": ", 1)[-1] for line in cli("logs", "told", "--no-color").stdout.splitlines()]
    assert said == ['team="blue"', "told", "64"]


LIVES = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: lives}
spec:
  entrypoint: main
  templates:
    - name: main
      steps:
        - - {name: greeted, template: greeted}
          - {name: dead, template: dead, continueOn: {failed: true}}
          - {name: hooked, template: hooked, continueOn: {failed: true}}
    - name: greeted
      container:
        image: busybox
        command: [sh, -c, 'until test -e /tmp/hook; do sleep 0.01; done; cat /tmp/hook']
        lifecycle: {postStart: {exec: {command: [sh, -c, 'echo hooked >/tmp/half; mv /tmp/half /tmp/hook']}}}
    - name: dead
      container:
        image: busybox
        command: [sleep, "1000"]
        livenessProbe: {exec: {command: [test, -e, /no]}, failureThreshold: 1}
    - name: hooked
      container:
        image: busybox
        command: [sh, -c, 'until test -e /tmp/bye; do sleep 0.01; done; echo parted; touch /tmp/parted; sleep 1000']
        livenessProbe: {exec: {command: [test, -e, /no]}, failureThreshold: 1}
        lifecycle: {preStop: {exec: {command: [sh, -c, 'touch /tmp/bye; until test -e /tmp/parted; do sleep 0.01; done']}}}
"""


@every_runtime
def test_hooks_and_probes_of_a_container(cli):
    cli.run(LIVES)
    nodes = nodes_by_name(cli.workflow())
    assert nodes["[0].dead"]["message"] == "main: Error (exit code 143): Container main failed liveness probe: command exited with 1"
    assert nodes["[0].hooked"]["phase"] == "Failed"
    said = {line.split(": ", 1)[1] for line in cli("logs", "lives").stdout.splitlines()}
    assert said == {"hooked", "parted"}


HTTPS = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: https}
spec:
  entrypoint: main
  templates:
    - name: main
      steps: [[{name: server, template: server}], [{name: client, template: client}]]
    - name: server
      daemon: true
      script:
        image: python
        command: [python3]
        source: |
          import http.server, ssl, subprocess
          subprocess.run("openssl req -x509 -newkey rsa:2048 -nodes -keyout /tmp/key -out /tmp/cert -subj /CN=nobody".split(), check=True)
          server = http.server.HTTPServer(("127.0.0.1", PORT), http.server.SimpleHTTPRequestHandler)
          tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
          tls.load_cert_chain("/tmp/cert", "/tmp/key")
          server.socket = tls.wrap_socket(server.socket, server_side=True)
          server.serve_forever()
        readinessProbe: {httpGet: {scheme: HTTPS, port: PORT, path: /}, periodSeconds: 1}
    - name: client
      container: {image: busybox, command: [echo, served]}
"""


def test_a_daemon_is_probed_by_https(cli):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    cli.run(HTTPS.replace("PORT", str(port)))
    assert "served" in cli("logs", "https").stdout
