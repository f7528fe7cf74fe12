"""A step that is repeated until it gives something else."""

import couler.argo as couler
from couler.argo_submitter import ArgoSubmitter

def flip():
    import random

    print(random.choice(["heads", "tails"]))


def flip_coin():
    return couler.run_script(image="python:3.9", source=flip)


def rest():
    return couler.run_container(image="busybox:1", command=["date"])


rest()
couler.exec_while(couler.equal("tails"), lambda: flip_coin())
rest()

couler.run(submitter=ArgoSubmitter())
