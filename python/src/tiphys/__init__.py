"""Run, watch and test Argo workflows on this machine. docs/python.md tells of all of it."""

from tiphys._binary import ProgramNotFound, find_program

__version__ = "0.1.0"
__all__ = ["ProgramNotFound", "__version__", "find_program"]
