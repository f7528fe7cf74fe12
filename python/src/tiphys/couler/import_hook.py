"""Lets `import couler` of programs find this package."""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from types import ModuleType
from typing import Optional, Sequence

ORIGINAL, OURS = "couler", "tiphys.couler"


class _Loader(importlib.abc.Loader):
    """Gives the module of ours, which stays what it is."""

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        module = importlib.import_module(_ours(spec.name))
        self._spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self._spec  # the import system has just put the other name there


class _Finder(importlib.abc.MetaPathFinder):
    def find_spec(
        self, name: str, path: Optional[Sequence[str]] = None, target: Optional[ModuleType] = None
    ) -> Optional[importlib.machinery.ModuleSpec]:
        if name != ORIGINAL and not name.startswith(ORIGINAL + "."):
            return None
        try:
            found = importlib.util.find_spec(_ours(name))
        except ModuleNotFoundError:
            found = None
        if found is None:
            raise ModuleNotFoundError(f"there is no {name} in {OURS}, which stands for {ORIGINAL} here", name=name)
        return importlib.machinery.ModuleSpec(name, _Loader(), is_package=found.submodule_search_locations is not None)


def install() -> None:
    """From now on `couler` and all below it are tiphys.couler; modules of a Couler that is installed are not looked at."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


def _ours(name: str) -> str:
    return OURS + name[len(ORIGINAL) :]
