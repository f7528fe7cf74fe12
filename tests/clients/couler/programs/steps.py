"""Steps one after the other, each with what the one before gave."""

import couler.argo as couler
from couler.argo_submitter import ArgoSubmitter

def draw():
    import random

    print(random.randint(0, 9))


def number():
    return couler.run_script(image="python:3.9", source=draw)


def show(text, twice=False):
    return couler.run_container(image="busybox:1", command=["echo"], args=[text, twice, 1.5, 3])


def written():
    place = couler.create_parameter_artifact(path="/mnt/text.txt")
    return couler.run_container(image="busybox:1", command=["sh", "-c"], args=["echo -n text > /mnt/text.txt"], output=place)


first = number()
show(first[0])
second = written()
show(second[0], twice=True)
couler.run_container(image="busybox:1", command="date")

couler.run(submitter=ArgoSubmitter())
