"""What the original makes of programs/: golden/NAME.json, with two lists of what it creates.

"document" is Couler's document, as programs see it; "submitted" is what the YAML writer of Couler's time made of it.

  python3 tests/clients/couler/golden.py           writes them
  python3 tests/clients/couler/golden.py --check   compares
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
ENVIRONMENTS = {"document": "couler", "submitted": "couler-2021"}
ARTIFACT = re.compile(r"output-(oss|s3|local)-[0-9a-f]{8}")
TALK = ["coin_flip", "linear", "diamond"]


def programs():
    return [HERE / f"{name}.py" for name in TALK] + sorted((HERE / "programs").glob("*.py"))


def recorded(python, program, *arguments, path=""):
    """Runs the program; gives the objects that it creates, one {"kind", "namespace", "body"} each."""
    with tempfile.TemporaryDirectory() as folder:
        record = pathlib.Path(folder) / "record"
        environment = {**os.environ, "PYTHONPATH": f"{HERE / 'recorder'}:{path}", "COULER_RECORD": str(record), "KUBECONFIG": "recorded"}
        done = subprocess.run([python, *arguments, program], env=environment, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
        if done.returncode:
            raise RuntimeError(f"{program} ended with {done.returncode}\n{done.stdout}\n{done.stderr}")
        return numbered([without_fork(json.loads(line)) for line in record.read_text().splitlines()])


def without_fork(created):
    """What the fork, which is what PyPI has, writes and Couler does not."""
    body = created["body"]
    if body["kind"] == "Secret" and body["metadata"].get("namespace") == "default":
        del body["metadata"]["namespace"]
    spec = body.get("spec", {})
    for each in (spec, spec.get("workflowSpec", {})):
        if each.get("affinity") == {}:
            del each["affinity"]
    return created


def numbered(objects):
    """Names that are drawn by chance, by numbers instead, in the order in which they come."""
    names = {}
    text = ARTIFACT.sub(lambda found: names.setdefault(found.group(), f"output-{found.group(1)}-{len(names) + 1}"), json.dumps(objects))
    return json.loads(text)


def original(program):
    return {part: recorded(ROOT / ".deps/environments" / name / "bin/python", program) for part, name in ENVIRONMENTS.items()}


def main():
    subprocess.run([ROOT / "tools/python-environments", *ENVIRONMENTS.values()], check=True)
    different = []
    for program in programs():
        golden = HERE / "golden" / f"{program.stem}.json"
        text = json.dumps(original(program), indent=1, sort_keys=True) + "\n"
        if "--check" not in sys.argv:
            golden.parent.mkdir(exist_ok=True)
            golden.write_text(text)
        elif golden.read_text() != text:
            different.append(golden.name)
    if different:
        sys.exit(f"the original makes something else of: {', '.join(different)}")


if __name__ == "__main__":
    main()
