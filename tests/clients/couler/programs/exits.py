"""Handlers of an end of steps."""

import couler.argo as couler
from couler.argo_submitter import ArgoSubmitter

def work():
    return couler.run_container(image="busybox:1", command=["date"])


def report(text):
    return couler.run_container(image="busybox:1", command=["echo"], args=[text])


work()
couler.set_exit_handler(couler.WFStatus.Succeeded, lambda: report("good"))
couler.set_exit_handler(couler.WFStatus.Error, lambda: report("bad"))

couler.run(submitter=ArgoSubmitter())
