"""A run: one execution of a workflow."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Dict, Iterator, Mapping, Optional, Tuple, Union

from tiphys._api import WorkflowApi
from tiphys._errors import RunFailed
from tiphys._events import Event
from tiphys._follow import COMPLETED, SLICE_SECONDS, Following
from tiphys._nodes import FAILED, Node, Nodes, Outputs, Parameters, parameters_of
from tiphys._submit import parameter_text

if TYPE_CHECKING:
    from tiphys._artifacts import Artifact, Artifacts
    from tiphys._client import Client

_LOG_LINES = 20  # of a failed node, in the message of RunFailed
_LOG_CHARACTERS = 10_000  # of them: bars of progress are one long line


class Run:
    """What tiphys.run() gives. What it tells is as of the moment in which it is asked, from the server until the run has
    finished. Threads may share it; AsyncRun is the same for asyncio."""

    def __init__(self, client: Client, workflow: Mapping[str, Any]) -> None:
        metadata = workflow["metadata"]
        self.client = client
        self.name: str = metadata["name"]
        self.namespace: str = metadata.get("namespace", "default")
        self.uid: str = metadata.get("uid", "")
        self._last: Mapping[str, Any] = workflow
        self._finished: Optional[Mapping[str, Any]] = None
        self._following: Optional[Following] = None
        self._shown_in: Optional[int] = None  # the notebook's execution in which it is shown

    @property
    def api(self) -> WorkflowApi:
        return WorkflowApi(self.client.http, self.namespace)

    # What it is like.

    @property
    def workflow(self) -> Mapping[str, Any]:
        """The Workflow, its status and nodes included."""
        if self._finished is not None:
            return self._finished
        workflow = self.api.get(self.name)
        self._last = workflow
        if (workflow.get("status") or {}).get("phase") in COMPLETED:
            self._finished = workflow
        return workflow

    @property
    def status(self) -> str:
        """Pending, Running, Succeeded, Failed or Error."""
        return self._status().get("phase") or "Pending"

    @property
    def message(self) -> str:
        return self._status().get("message") or ""

    @property
    def finished(self) -> bool:
        return self.status in COMPLETED

    @property
    def succeeded(self) -> bool:
        return self.status == "Succeeded"

    @property
    def nodes(self) -> Nodes:
        return Nodes(self, self._status().get("nodes") or {})

    @property
    def parameters(self) -> Parameters:
        """The arguments with which it runs."""
        workflow = self._last
        spec = (workflow.get("status") or {}).get("storedWorkflowTemplateSpec") or workflow.get("spec") or {}
        arguments = parameters_of(spec.get("arguments") or {})
        return Parameters({**arguments, **parameters_of((workflow.get("spec") or {}).get("arguments") or {})})

    @property
    def outputs(self) -> Outputs:
        """What it gives: global outputs and those of its entrypoint, artifacts included. Waits for its end."""
        self.wait(check=False)
        status = self._status()
        root = self._root(status)
        merged: Dict[str, Any] = {**root, **(status.get("outputs") or {})}
        for part in ("parameters", "artifacts"):
            by_name = {each["name"]: each for of in (root, status.get("outputs") or {}) for each in of.get(part) or []}
            merged[part] = list(by_name.values())
        return Outputs(merged, self.artifacts)

    @property
    def artifacts(self) -> Artifacts:
        """Those of its outputs that are files, as far as they are there."""
        from tiphys._artifacts import Artifacts, artifacts_of

        status = self._status()
        found = artifacts_of(self, self.name, self._root(status))
        globals_ = {each["name"] for each in (status.get("outputs") or {}).get("artifacts") or []}
        made = {name: artifact for name, artifact in _global_artifacts(self, status.get("nodes") or {}) if name in globals_}
        return Artifacts({**found, **made})

    def logs(self, node: Union[Node, str, None] = None, container: str = "main", tail: Optional[int] = None, grep: str = "") -> str:
        """What the run's containers, or those of one node, have written so far. Lines of several pods begin with their node's name."""
        return "\n".join(self._lines(node, container, False, tail, grep))

    def follow_logs(self, node: Union[Node, str, None] = None, container: str = "main", grep: str = "") -> Iterator[str]:
        """The same line by line, as they are written, until the run has finished."""
        return self._lines(node, container, True, None, grep)

    # What is done with it.

    def wait(self, timeout: Optional[float] = None, check: bool = True, progress: Optional[bool] = None) -> Run:
        """Waits for its end: RunFailed if it fails, unless check is False, and TimeoutError after so many seconds.
        Progress is shown on a terminal and in a notebook, unless it is False; True shows it anywhere, as lines."""
        from tiphys._progress import shown

        if self._finished is None:
            with shown(self, progress) as following:
                if not following.wait(timeout):
                    raise TimeoutError(f"{self.name} has not finished within {timeout:g} seconds; it goes on")
            self._take_end(following)
        if check and self.status != "Succeeded":
            raise self._failure()
        return self

    def stop(self) -> Run:
        """Ends it, exit handlers run."""
        return self._act("stop")

    def terminate(self) -> Run:
        """Ends it at once, without exit handlers."""
        return self._act("terminate")

    def suspend(self) -> Run:
        """Begins no further step until resume()."""
        return self._act("suspend")

    def resume(self) -> Run:
        """Goes on, also from suspend steps."""
        return self._act("resume")

    def retry(self, restart_successful: bool = False, nodes: str = "", parameters: Optional[Mapping[str, Any]] = None) -> Run:
        """Goes on where it failed; what has succeeded stays, but with restart_successful the nodes that `nodes` selects
        (displayName=train(0), templateName=train, ...)."""
        if self._following:
            self._following.drop()
        self._following = self._finished = None
        self._last = self.api.act(self.name, "retry", restartSuccessful=restart_successful, nodeFieldSelector=nodes, parameters=parameter_text(parameters))
        return self

    def resubmit(self, memoized: bool = False, parameters: Optional[Mapping[str, Any]] = None) -> Run:
        """The same again as a new run; memoized: what has succeeded is taken over."""
        return Run(self.client, self.api.act(self.name, "resubmit", memoized=memoized, parameters=parameter_text(parameters)))

    def delete(self) -> None:
        """With its logs; what its repository keeps is a matter of its artifactGC."""
        self.api.delete(self.name)

    def __iter__(self) -> Iterator[Event]:
        """Each change of a node's phase and of its own, from those that were until it has finished."""
        import queue

        events: queue.SimpleQueue[Optional[Event]] = queue.SimpleQueue()
        following = self.follow(with_nodes=True)
        following.listen(events.put)
        try:
            while True:
                try:
                    event = events.get(timeout=SLICE_SECONDS)
                except queue.Empty:
                    continue
                if event is None:
                    break
                yield event
        finally:
            following.forget(events.put)
        self._take_end(following)

    def follow(self, with_nodes: bool) -> Following:
        """The watch that all share who wait for this run."""
        following = self._following
        if following is None or following.error or following.process != os.getpid() or (with_nodes and not following.with_nodes):
            following = self._following = Following(self, with_nodes)
        return following

    # How it is shown.

    def __repr__(self) -> str:
        return f"<Run {self.name} {self._known().get('phase') or 'Pending'}>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Dict[str, str]:
        from tiphys._notebook import bundle_of

        return bundle_of(self)

    def _ipython_display_(self) -> None:
        from tiphys._notebook import show

        show(self)

    def _status(self) -> Mapping[str, Any]:
        return self.workflow.get("status") or {}

    def _known(self) -> Mapping[str, Any]:
        """What is known without asking the server."""
        if self._finished is None and self._following:
            return self._following.state()
        return (self._finished or self._last).get("status") or {}

    def _root(self, status: Mapping[str, Any]) -> Mapping[str, Any]:
        return ((status.get("nodes") or {}).get(self.name) or {}).get("outputs") or {}

    def _take_end(self, following: Following) -> None:
        if following.error:
            raise following.error
        self._finished = following.workflow

    def _act(self, action: str) -> Run:
        self._last = self.api.act(self.name, action)
        return self

    def _lines(self, node: Union[Node, str, None], container: str, follow: bool, tail: Optional[int], grep: str) -> Iterator[str]:
        if isinstance(node, str):
            node = self.nodes[node]
        if node is not None and not node.pod:
            raise ValueError(f"{node.name} is a {node.type}, which writes no log")
        several = node is None and sum(each.type == "Pod" for each in self.nodes) > 1
        names = {each.pod: each.name for each in self.nodes} if several and not follow else {}
        with self.api.log(self.name, container, node.pod if node else "", follow, tail, grep) as stream:
            for line in stream:
                said = line.get("result") or {}
                pod = said.get("podName", "")
                if follow and node is None and pod not in names:
                    names = {each.pod: each.name for each in self.nodes}
                lead = f"{names.get(pod, pod)}: " if node is None and (several or (follow and len(names) > 1)) else ""
                yield lead + said.get("content", "")

    def _failure(self) -> RunFailed:
        failed = first_failed(self.nodes)
        text = f"{self.name} {self.status.lower()}"
        log = ""
        if failed is not None:
            text += f": {failed.name}" + (f" (template {failed.template})" if failed.template not in ("", failed.name) else "")
            text += f": {failed.message or failed.phase}"
            if failed.pod:
                log = _log_end(self, failed)
        elif self.message:
            text += f": {self.message}"
        if log:
            text += "\n" + "\n".join("    " + line for line in log.splitlines())
        return RunFailed(text, self, failed, log)


def first_failed(nodes: Nodes) -> Optional[Node]:
    """The node that a failure comes from: the pod or other leaf that failed first."""
    failed = [each for each in nodes.in_phase(*FAILED) if each.type == "Pod" or not each.children]
    return min(failed, key=lambda each: (each.document.get("finishedAt") or "9", each.full_name), default=None)


def _log_end(run: Run, node: Node) -> str:
    from tiphys._errors import TiphysError

    try:
        return run.logs(node, tail=_LOG_LINES)[-_LOG_CHARACTERS:]
    except TiphysError:
        return ""  # its pod has gone, or never ran


def _global_artifacts(run: Run, nodes: Mapping[str, Mapping[str, Any]]) -> Iterator[Tuple[str, Artifact]]:
    """By their global names, each as the node has it that has made it."""
    from tiphys._artifacts import Artifact

    for node_id, node in nodes.items():
        for made in (node.get("outputs") or {}).get("artifacts") or []:
            if made.get("globalName"):
                yield made["globalName"], Artifact(run, node_id, made)
