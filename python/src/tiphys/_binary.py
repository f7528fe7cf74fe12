"""Where the program `tiphys` is."""

from __future__ import annotations

import os
import sys
from functools import lru_cache
from typing import Iterator

from tiphys._errors import ProgramNotFound

_NAME = "tiphys"


def find_program() -> str:
    """The path of the program: $TIPHYS_BIN, else what was installed with this package, else the first one of the PATH."""
    named = os.environ.get("TIPHYS_BIN")
    if named:
        if not os.access(named, os.X_OK):
            raise ProgramNotFound(f"TIPHYS_BIN names {named}, which is no program that can be run")
        return os.path.abspath(named)
    return _installed_program()


@lru_cache(maxsize=1)
def _installed_program() -> str:
    import shutil

    for folder in _script_folders():
        program = os.path.join(folder, _NAME)
        if os.access(program, os.X_OK) and _is_native(program):
            return program
    for folder in os.get_exec_path():
        found = shutil.which(_NAME, path=folder)
        if found and _is_native(found):
            return os.path.abspath(found)
    raise ProgramNotFound("there is no program tiphys: install the wheel (pip install tiphys), put it on the PATH, or name it with TIPHYS_BIN")


def _script_folders() -> Iterator[str]:
    """Where pip puts a wheel's scripts: of this environment, of the user, of a folder that was given with --target or --prefix."""
    import sysconfig

    yield sysconfig.get_path("scripts")
    scheme = sysconfig.get_preferred_scheme("user") if sys.version_info >= (3, 10) else "posix_user"
    yield sysconfig.get_path("scripts", scheme)
    packages = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    yield os.path.join(packages, "bin")
    yield os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(packages))), "bin")


def _is_native(program: str) -> bool:
    with open(program, "rb") as file:
        return file.read(4) == b"\x7fELF"
