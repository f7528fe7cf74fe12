"""A workflow by a schedule."""

import couler.argo as couler
from couler.argo_submitter import ArgoSubmitter

def work():
    return couler.run_container(image="busybox:1", command=["date"])


work()
couler.config_workflow(cron_config={"schedule": "1 0 * * *", "suspend": "false", "timezone": "Europe/Berlin"}, service_account="robot")

couler.run(submitter=ArgoSubmitter())
