"""What a container may have: variables, resources, retries, memoization, nodes, folders."""

import couler.argo as couler
from couler.argo_submitter import ArgoSubmitter

def everything():
    return couler.run_container(
        image="busybox:1",
        command=["env"],
        env={"text": "abc", "flag": True, "number": 12, "secrets": [{"name": "token", "valueFrom": {"secretKeyRef": {"name": "s", "key": "t"}}}]},
        resources={"cpu": "1", "memory": "64Mi"},
        timeout=30,
        retry=2,
        image_pull_policy=couler.ImagePullPolicy.IfNotPresent,
        working_dir="/tmp",
        node_selector={"disk": "ssd"},
        daemon=True,
        cache=couler.Cache(name="cache", key="key", max_age="60s"),
    )


def script():
    return couler.run_script(image="busybox:1", command="sh", source="echo $text", env={"text": "abc"}, resources={"cpu": 1}, retry=1)


everything()
script()

couler.run(submitter=ArgoSubmitter())
