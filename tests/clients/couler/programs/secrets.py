"""Variables from a secret that the program makes."""

import couler.argo as couler
from couler.argo_submitter import ArgoSubmitter

def first(secret):
    return couler.run_container(image="busybox:1", command="env", secret=secret)


def second(secret):
    return couler.run_script(image="busybox:1", command="sh", source="env", env={"more": "x"}, secret=secret)


name = couler.create_secret(secret_data={"user": "ann", "word": "secret"}, name="login")
first(name)
second(couler.create_secret(secret_data={"user": "ann"}))

couler.run(submitter=ArgoSubmitter())
