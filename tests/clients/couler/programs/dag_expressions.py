"""Tasks that wait for how others end."""

import couler.argo as couler
from couler.argo_submitter import ArgoSubmitter

def task(name, code):
    return couler.run_container(image="busybox:1", command=["sh", "-c", code], step_name=name)


couler.config_workflow(timeout=600, time_to_clean=90.0)
couler.set_dependencies(lambda: task("first", "exit 0"), dependencies=None)
couler.set_dependencies(lambda: task("second", "exit 1"), dependencies="first")
couler.set_dependencies(lambda: task("third", "exit 0"), dependencies="first && (second.Succeeded || second.Failed)")

couler.run(submitter=ArgoSubmitter())
