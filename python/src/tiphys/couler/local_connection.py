"""This machine: the plane of tiphys.run(), or the server within which the program runs (tiphys.Server, tiphys.connect)."""

from __future__ import annotations

import atexit
import logging
import sys
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Optional

if TYPE_CHECKING:
    from tiphys._client import Client
    from tiphys._run import Run
    from tiphys.couler.core.templates.secret import Secret

Document = dict[str, Any]
_LOG = logging.getLogger("tiphys.couler")
_EXISTS = 409
_RUNTIME_ANNOTATION = "tiphys.io/runtime"

runtime: Optional[str] = None  # "process" or "container", for workflows that do not say it
_unfinished: "list[Run]" = []  # on a plane that goes with this process


class LocalConnection:
    def __init__(self) -> None:
        from tiphys._shared import shared_client

        _wait_at_exit_once()  # what is registered last is called first: the plane ends after it
        self._client: "Client" = shared_client()

    def submit(self, namespace: str, workflow: Document, secrets: "list[Secret]") -> Document:
        if hasattr(self._client, "plane"):
            self._make_namespace(namespace)
        for secret in secrets:
            self._make_secret(namespace, secret)
        if workflow["kind"] == "CronWorkflow":
            return self._make_cron(namespace, workflow)
        from tiphys._api import WorkflowApi
        from tiphys._client import current
        from tiphys._run import Run

        made = WorkflowApi(self._client.http, namespace).create(_with_runtime({**workflow, "metadata": {"namespace": namespace, **workflow["metadata"]}}))
        # A server within which the program runs is its own to wait for.
        if current() is None and getattr(getattr(self._client, "plane", None), "ours", False):
            _unfinished.append(Run(self._client, made))
        return made

    def delete(self, namespace: str, name: str, grace_period_seconds: int, propagation_policy: str) -> Any:
        from tiphys._api import WorkflowApi

        return WorkflowApi(self._client.http, namespace).delete(name)

    def _make_namespace(self, namespace: str) -> None:
        """Who else should, on a machine?"""
        from tiphys import ApiError

        if namespace == "default":
            return
        try:
            self._client.http.ask("POST", "/api/v1/namespaces", body={"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
        except ApiError as error:
            if error.status != _EXISTS:
                raise

    def _make_secret(self, namespace: str, secret: "Secret") -> None:
        """What is there already is taken: on a machine programs run again and again."""
        from tiphys import ApiError

        try:
            self._client.http.ask("POST", f"/api/v1/namespaces/{namespace}/secrets", body=secret.to_yaml())
        except ApiError as error:
            if error.status != _EXISTS:
                raise
            self._client.http.ask("PUT", f"/api/v1/namespaces/{namespace}/secrets/{secret.name}", body=secret.to_yaml())

    def _make_cron(self, namespace: str, workflow: Document) -> Document:
        made: Document = self._client.http.ask("POST", f"/api/v1/cron-workflows/{namespace}", body={"cronWorkflow": workflow})
        _LOG.info("its schedule is followed while a server is up: tiphys up")
        return made


def wait() -> bool:
    """Waits for what was submitted to a plane that goes with this process; whether all of it succeeded."""
    succeeded = True
    while _unfinished:
        run = _unfinished.pop(0)
        succeeded = run.wait(check=False).succeeded and succeeded
        _LOG.info("%s %s", run.name, run.status)
    return succeeded


@lru_cache(maxsize=1)
def _wait_at_exit_once() -> None:
    atexit.register(_wait_at_exit)


def _wait_at_exit() -> None:
    try:
        wait()
    except KeyboardInterrupt:
        print("interrupted; what runs goes on, and the rest with the next `tiphys`", file=sys.stderr)


def _with_runtime(workflow: Document) -> Document:
    if runtime is None:
        return workflow
    spec = dict(workflow["spec"])
    pods = dict(spec.get("podMetadata") or {})
    spec["podMetadata"] = {**pods, "annotations": {_RUNTIME_ANNOTATION: runtime, **(pods.get("annotations") or {})}}
    return {**workflow, "spec": spec}
