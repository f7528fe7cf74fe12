"""A step for each item of a list."""

import couler.argo as couler
from couler.argo_submitter import ArgoSubmitter

def consume(item):
    return couler.run_container(image="busybox:1", command=["echo"], args=[item])


couler.map(lambda item: consume(item), ["a", "b", "c"])
consume("d")

couler.run(submitter=ArgoSubmitter())
