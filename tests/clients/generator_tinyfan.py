"""tinyfan: the assets in assets/, as a CronWorkflow that has them made, in pods that its podSpecPatch gives the program."""

import subprocess
import sys
from pathlib import Path

import tiphys

ASSETS = Path(__file__).parent / "assets/longest.py"

if __name__ == "__main__":
    made = subprocess.run([Path(sys.executable).parent / "tinyfan", ASSETS], check=True, stdout=subprocess.PIPE, text=True).stdout
    run = tiphys.run(made, runtime="process", wait=True)
    assert sorted(node.name for node in run.nodes if node.type == "Pod") == ["lengths", "longest", "words"]
    assert run.nodes["longest"].logs().strip() == "the longest is b b"
    print("done")
