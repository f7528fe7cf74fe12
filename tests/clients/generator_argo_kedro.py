"""argo-kedro: the project of Kedro in the folder in which this is called, as a workflow of its nodes. The image would hold the project and its packages, and be
started in its folder; here that is a volume, and the packages are this environment's."""

import json
import os
import subprocess
import sys
from pathlib import Path

import yaml

import tiphys


def with_project(workflow, folder):
    spec = workflow["spec"]
    spec["volumes"] = [{"name": "project", "hostPath": {"path": folder}}]
    for template in spec["templates"]:
        if "container" in template:
            template["container"] |= {"workingDir": folder, "volumeMounts": [{"name": "project", "mountPath": folder}]}
    return workflow


if __name__ == "__main__":
    subprocess.run([sys.executable, "-m", "kedro", "argo", "submit", "--dry_run", "--workflow-name", "counting"], check=True, stdout=subprocess.DEVNULL)
    made = yaml.safe_load(Path("templates/argo-workflow-template.yml").read_text())
    run = tiphys.run(with_project(made, os.getcwd()), runtime="process", wait=True)
    assert {node.name: node.phase for node in run.nodes if node.type == "Pod"} == {"make": "Succeeded", "sums": "Succeeded"}
    assert json.loads(Path("data/total.json").read_text()) == 12
    assert not Path("data/doubled.json").exists()
    print("done")
