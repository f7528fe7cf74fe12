"""A dag with a condition in it, outputs that are passed on without a word, and handlers of its end."""

import couler.argo as couler
from couler.argo_submitter import ArgoSubmitter

def draw():
    print(7)


def make(step):
    place = couler.create_parameter_artifact(path="/mnt/made.txt")
    return couler.run_container(image="busybox:1", command=["sh", "-c"], args=["echo made > /mnt/made.txt"], output=place, step_name=step)


def use(step):
    return couler.run_container(image="busybox:1", command=["echo"], args=["with"], step_name=step)


def number():
    return couler.run_script(image="python:3.9", source=draw, step_name="number")


def end(step):
    return couler.run_container(image="busybox:1", command=["date"], step_name=step)


couler.set_dependencies(lambda: make("A"), dependencies=None)
couler.set_dependencies(lambda: use("B"), dependencies=["A"])
couler.set_dependencies(lambda: couler.when(couler.bigger(number(), "5"), lambda: end("high")), dependencies=["B"])
couler.set_exit_handler(couler.WFStatus.Succeeded, lambda: end("succeeded"))
couler.set_exit_handler(couler.WFStatus.Failed, lambda: end("failed"))

couler.run(submitter=ArgoSubmitter())
