"""python -m tiphys.couler PROGRAM.py [ARGUMENTS...]: runs a program of Couler as it is.

Its `import couler` finds tiphys.couler.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from typing import Any, Optional, Sequence

from tiphys.couler import argo, capture, local_connection, program
from tiphys.couler.core.manifest import dump


def main(arguments: Optional[Sequence[str]] = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tiphys.couler", description="Runs a program of Couler as it is, imports included.")
    parser.add_argument("--print", action="store_true", dest="only_print", help="print what would be submitted, as YAML, instead of submitting it")
    parser.add_argument("--runtime", choices=("process", "container"), help="what runs steps on this machine: its commands, or container images")
    parser.add_argument("program", help="the Python file")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="what the program is called with")
    asked = parser.parse_args(arguments)
    if not os.path.isfile(asked.program):
        parser.error(f"there is no file {asked.program}")
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    printed: list[dict[str, Any]] = []
    if asked.only_print:
        with capture.captured(printed.extend):
            program.run(asked.program, asked.arguments)
    else:
        local_connection.runtime = asked.runtime
        program.run(asked.program, asked.arguments)
    if not argo.workflow.empty:
        # Couler prints what a program leaves behind at its end.
        print("the program submits no workflow by couler.run(); this is the one that it makes:", file=sys.stderr)
        printed.extend(argo.manifests())
    sys.stdout.write("---\n".join(dump(document) for document in printed))
    sys.stdout.flush()
    if not local_connection.wait():
        sys.exit(1)


if __name__ == "__main__":
    main()
