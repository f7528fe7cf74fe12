"""Where the program `tiphys` is."""

from __future__ import annotations

import os
import sys

from tiphys._errors import ProgramNotFound

TYPE_CHECKING = False  # typing is imported while the program comes up
if TYPE_CHECKING:
    from typing import Dict, Iterator

_NAME = "tiphys"
_found: Dict[str, str] = {}


def find_program() -> str:
    """The path of the program: $TIPHYS_BIN, else what was installed with this package, else the first one of the PATH."""
    named = os.environ.get("TIPHYS_BIN")
    if named:
        if not os.access(named, os.X_OK):
            raise ProgramNotFound(f"TIPHYS_BIN names {named}, which is no program that can be run")
        return os.path.abspath(named)
    if _NAME not in _found:
        _found[_NAME] = _installed_program()
    return _found[_NAME]


def _installed_program() -> str:
    for folder in _script_folders():
        program = os.path.join(folder, _NAME)
        if os.access(program, os.X_OK) and _is_native(program):
            return os.path.abspath(program)
    raise ProgramNotFound("there is no program tiphys: install the wheel (pip install tiphys), put it on the PATH, or name it with TIPHYS_BIN")


def _script_folders() -> Iterator[str]:
    """Where pip puts a wheel's scripts: beside the packages, of this environment, of the user; then the PATH's."""
    packages = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    if os.path.basename(packages) in ("site-packages", "dist-packages"):
        yield os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(packages))), "bin")
    yield os.path.join(packages, "bin")  # with --target
    import sysconfig

    yield sysconfig.get_path("scripts")
    scheme = sysconfig.get_preferred_scheme("user") if sys.version_info >= (3, 10) else "posix_user"
    yield sysconfig.get_path("scripts", scheme)
    yield from os.get_exec_path()


def _is_native(program: str) -> bool:
    if not os.path.isfile(program):
        return False
    with open(program, "rb") as file:
        return file.read(4) == b"\x7fELF"
