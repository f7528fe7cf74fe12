"""Pointing other libraries of this process at a server, and giving them back what they had."""

from __future__ import annotations

import os
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Optional, Sequence

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec

    from tiphys._client import Client

_KFP_ENDPOINT = "KF_PIPELINES_ENDPOINT"
# Modules that have read KUBECONFIG as they were imported, and the name under which they keep it.
_KUBE_CONFIGS = ("kubernetes.config.kube_config", "kubernetes_asyncio.config.kube_config")
_KUBE_CONFIG_NAME = "KUBE_CONFIG_DEFAULT_LOCATION"
_HERA = "hera.shared._global_config"
_KFP = "kfp_server_api.rest"


class Pointing:
    """What was changed, and how it was before."""

    def __init__(self) -> None:
        self._undo: List[Callable[[], None]] = []

    @classmethod
    def at(cls, client: Client) -> Pointing:
        pointing = cls()
        variables = client.environment()
        variables[_KFP_ENDPOINT] = client.url
        for name, value in variables.items():
            pointing._set_variable(name, value)
        kubeconfig = client.kubeconfig
        if kubeconfig:
            for module in _KUBE_CONFIGS:
                pointing._when_imported(module, lambda found: pointing._set(found, {_KUBE_CONFIG_NAME: kubeconfig}))
        pointing._when_imported(_HERA, lambda found: pointing._set(found.global_config, hera_settings(client)))
        pointing._when_imported(_KFP, lambda found: pointing._set(found.RESTClientObject, {"request": _request_of(found, client)}))
        return pointing

    def undo(self) -> None:
        while self._undo:
            self._undo.pop()()

    def _set_variable(self, name: str, value: str) -> None:
        before = os.environ.get(name)
        os.environ[name] = value
        self._undo.append(lambda: _restore_variable(name, before))

    def _set(self, of: Any, values: Dict[str, Any]) -> None:
        for name, value in values.items():
            before = vars(of).get(name, getattr(of, name, None))
            setattr(of, name, value)
            self._undo.append(lambda name=name, before=before: setattr(of, name, before))  # type: ignore[misc]

    def _when_imported(self, name: str, then: Callable[[ModuleType], None]) -> None:
        """Now, or as soon as it is imported: nothing is imported for its sake."""
        if name in sys.modules:
            return then(sys.modules[name])
        finder = _AfterImport(name, then)
        sys.meta_path.insert(0, finder)
        self._undo.append(finder.remove)


def hera_settings(client: Client) -> Dict[str, Any]:
    """Of hera.shared.global_config."""
    end = client.endpoint
    return {"host": client.url, "token": client.token, "namespace": client.namespace, "verify_ssl": end.verify and (end.authority or True)}


def _request_of(rest: ModuleType, client: Client) -> Callable[..., Any]:
    from tiphys._kfp import request_of

    return request_of(rest, client)


class _AfterImport:
    """Has the module loaded as ever, and then calls `then` with it, once."""

    def __init__(self, name: str, then: Callable[[ModuleType], None]) -> None:
        self._name, self._then = name, then

    def remove(self) -> None:
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    def find_spec(self, fullname: str, path: Optional[Sequence[str]], target: Optional[ModuleType] = None) -> Optional[ModuleSpec]:
        if fullname != self._name:
            return None
        self.remove()
        import importlib.util

        spec = importlib.util.find_spec(fullname)
        if spec is None or spec.loader is None:
            return spec
        run = spec.loader.exec_module

        def run_and_tell(module: ModuleType) -> None:
            run(module)
            self._then(module)

        spec.loader.exec_module = run_and_tell  # type: ignore[method-assign]
        return spec


def _restore_variable(name: str, before: Optional[str]) -> None:
    if before is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = before
