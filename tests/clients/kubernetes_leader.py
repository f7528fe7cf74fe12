"""A candidate of an election: it says that it leads, and dies at once, without giving the lead back."""

import os
import sys

from kubernetes import config
from kubernetes.leaderelection import electionconfig, leaderelection
from kubernetes.leaderelection.resourcelock import configmaplock

config.load_kube_config()


def lead():
    print("leads", flush=True)
    os._exit(0)


lock = configmaplock.ConfigMapLock("lead", "default", sys.argv[1])
leaderelection.LeaderElection(electionconfig.Config(lock, lease_duration=4, renew_deadline=3, retry_period=1, onstarted_leading=lead, onstopped_leading=None)).run()
