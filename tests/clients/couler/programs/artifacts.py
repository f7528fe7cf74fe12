"""Files that go from step to step by a store."""

import couler.argo as couler
from couler.argo_submitter import ArgoSubmitter

def produce():
    place = couler.create_oss_artifact(path="/mnt/out.txt", bucket="b", accesskey_id="id", accesskey_secret="key", key="a/out", endpoint="oss.example.com")
    return couler.run_container(image="busybox:1", command=["sh", "-c"], args=["echo 1 > /mnt/out.txt"], output=place)


def consume(inputs):
    return couler.run_container(image="busybox:1", command=["cat", "/mnt/out.txt"], args=inputs)


def fetch():
    place = couler.create_s3_artifact(path="/mnt/in.txt", bucket="b", accesskey_id="id", accesskey_secret="key", key="a/in", endpoint="s3.example.com")
    return couler.run_container(image="busybox:1", command=["cat"], args=["/mnt/in.txt"], input=place)


def local():
    return couler.run_container(image="busybox:1", command=["touch", "/mnt/local"], output=couler.create_local_artifact(path="/mnt/local"))


consume(produce())
fetch()
local()

couler.run(submitter=ArgoSubmitter())
