"""Steps beside each other, and sequences beside each other."""

import couler.argo as couler
from couler.argo_submitter import ArgoSubmitter

def say(text):
    return couler.run_container(image="busybox:1", command=["echo"], args=text)


def left():
    place = couler.create_parameter_artifact(path="/mnt/left.txt")
    return couler.run_container(image="busybox:1", command=["sh", "-c"], args="echo l > /mnt/left.txt", output=place)


def right():
    place = couler.create_parameter_artifact(path="/mnt/right.txt")
    return couler.run_container(image="busybox:1", command=["sh", "-c"], args="echo r > /mnt/right.txt", output=place)


def both(texts):
    return couler.run_container(image="busybox:1", command=["echo"], args=texts)


def one():
    say("one")
    say("more")


def two():
    say("two")


returned = couler.concurrent([lambda: left(), lambda: right()])
both([returned[0][0], returned[1][0]])
couler.concurrent([lambda: one(), lambda: two()], subtasks=True)
couler.concurrent([lambda: say("a"), lambda: say("b")])

couler.run(submitter=ArgoSubmitter())
