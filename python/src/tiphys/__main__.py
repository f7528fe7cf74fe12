"""`python -m tiphys ...` is the program `tiphys ...`."""

import os
import sys

from tiphys._binary import find_program
from tiphys._errors import ProgramNotFound


def main() -> None:
    try:
        program = find_program()
    except ProgramNotFound as missing:
        sys.exit(f"error: {missing}")
    os.execv(program, [program, *sys.argv[1:]])


if __name__ == "__main__":
    main()
