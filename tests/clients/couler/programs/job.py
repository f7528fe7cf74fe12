"""An object of Kubernetes, and a step that its name is passed to."""

import couler.argo as couler
from couler.argo_submitter import ArgoSubmitter

MANIFEST = """
apiVersion: batch/v1
kind: Job
metadata:
  generateName: count-
spec:
  template:
    spec:
      restartPolicy: Never
      containers:
      - name: count
        image: busybox:1
        command: ["true"]
"""


def job():
    return couler.run_job(manifest=MANIFEST, success_condition="status.succeeded > 0", failure_condition="status.failed > 3", timeout=60)


def tell(outputs):
    return couler.run_container(image="busybox:1", command=["echo"], args=outputs)


tell(job())

couler.run(submitter=ArgoSubmitter())
