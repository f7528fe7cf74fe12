"""100 scripts, each an interpreter of its own in a root of its own, and their ends on disk."""

import sys

import tiphys

SCRIPT = {"name": "f", "inputs": {"parameters": [{"name": "n"}]}, "script": {"image": "python", "command": ["python3"], "source": "print({{inputs.parameters.n}})"}}
MAIN = {"name": "m", "steps": [[{"name": "s", "template": "f", "arguments": {"parameters": [{"name": "n", "value": "{{item}}"}]}, "withSequence": {"count": sys.argv[1]}}]]}

tiphys.run({"spec": {"entrypoint": "m", "templates": [MAIN, SCRIPT]}}, runtime="process", wait=True, progress=False)
