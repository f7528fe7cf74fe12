"""Puts the program `tiphys` into the wheel, as a script, and names the machines on which it runs.

The program is $TIPHYS_BIN, else the one that the sources beside this folder were built to.
"""

import os
import pathlib
import re
import struct

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

MACHINES = {62: "x86_64", 183: "aarch64", 243: "riscv64"}  # e_machine of ELF


class ProgramHook(BuildHookInterface):
    PLUGIN_NAME = "custom"

    def initialize(self, version, build_data):
        program = find_program(pathlib.Path(self.root))
        build_data["shared_scripts"][str(program)] = "tiphys"
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{platform_of(program.read_bytes())}"


def find_program(root):
    named = os.environ.get("TIPHYS_BIN")
    program = pathlib.Path(named) if named else root.parent / "build" / "release" / "bin" / "tiphys"
    if not program.is_file():
        raise FileNotFoundError(
            f"there is no program {program}" + (", which TIPHYS_BIN names" if named else ": build it with `make build`, or name one with TIPHYS_BIN")
        )
    return program.resolve()


def platform_of(program):
    """The wheel's platform: the machine, and the oldest glibc that has all that the program needs of it (PEP 600)."""
    if program[:4] != b"\x7fELF":
        raise ValueError("the program is no Linux program (ELF)")
    (code,) = struct.unpack_from("<H", program, 18)
    if code not in MACHINES:
        raise ValueError(f"the program is of a machine that is not known here: {code}")
    versions = [int(minor) for minor in re.findall(rb"\0GLIBC_2\.(\d+)", program)]
    if not versions:
        raise ValueError("the program does not say which glibc it needs")
    return f"manylinux_2_{max(versions)}_{MACHINES[code]}"
