"""Tests of workflows: played in virtual time with mocks, by the engine that runs them.

    from tiphys.testing import Mock, play

    def test_tails():
        played = play("coinflip.yaml", mocks={"flip-coin": Mock(result="tails", duration=5)})
        assert played.phase == "Succeeded"
        assert not played.ran("heads")
        played.assert_order("flip-coin", "tails")

docs/testing.md tells what mocks may say.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from dataclasses import dataclass, field
from typing import Any, Dict, List, Mapping, Optional, Sequence, Union

from tiphys._binary import find_program
from tiphys._errors import ManifestError, TiphysError
from tiphys._played import Played, PlayedNode
from tiphys._submit import file_of, value_text

__all__ = ["Mock", "Played", "PlayedNode", "play"]

Duration = Union[int, float, str]


@dataclass(frozen=True)
class Mock:
    """What becomes of the nodes that it fits: of a template, or of a name (train(0:svm), where * and ? stand for anything)."""

    template: str = ""
    node: str = ""
    template_ref: str = ""  # OBJECT/TEMPLATE
    duration: Optional[Duration] = None  # seconds, or text such as 5m
    phase: str = ""  # Succeeded, Failed or Error; without it the exit code decides
    exit_code: Optional[int] = None
    message: str = ""
    result: Optional[Any] = None
    parameters: Mapping[str, Any] = field(default_factory=dict)  # outputs
    artifacts: Mapping[str, str] = field(default_factory=dict)  # their text
    hangs: str = ""  # Pending or Running: it does not end by itself
    outcomes: Sequence[Mock] = ()  # one for each attempt, or for each node, instead of all that

    def document(self) -> Dict[str, Any]:
        """As test files have it."""
        outputs: Dict[str, Any] = {}
        if self.result is not None:
            outputs["result"] = value_text(self.result)
        if self.parameters:
            outputs["parameters"] = {name: value_text(value) for name, value in self.parameters.items()}
        if self.artifacts:
            outputs["artifacts"] = dict(self.artifacts)
        fields = {
            "template": self.template,
            "node": self.node,
            "templateRef": self.template_ref,
            "duration": _duration_text(self.duration),
            "phase": self.phase,
            "exitCode": self.exit_code,
            "message": self.message,
            "outputs": outputs,
            "hangs": self.hangs,
            "outcomes": [each.document() for each in self.outcomes],
        }
        return {name: value for name, value in fields.items() if value not in ("", None, {}, [])}


Mocks = Union[Mapping[str, Union[Mock, str, Sequence[Mock]]], Sequence[Mock]]


def play(
    x: Any,
    parameters: Optional[Mapping[str, Any]] = None,
    mocks: Mocks = (),
    *,
    beside: Sequence[Any] = (),
    workflow: str = "",
    entrypoint: str = "",
    start: str = "",
    cache: Sequence[Mapping[str, Any]] = (),
    actions: Sequence[Mapping[str, Any]] = (),
) -> Played:
    """Plays x, whatever tiphys.run() takes: nothing is run, and no time passes.

    mocks: by template, each a Mock, the text of its result, or a list of Mocks for its attempts or nodes; or a list of Mocks
    that say themselves what they fit. What has no mock succeeds after a second with its template's defaults.
    beside: more manifests that it refers to, such as templates. workflow: which one, where there are several.
    start, cache, actions: as in test files.

    Raises ManifestError for a workflow that cannot run, a mock that fits nothing, or one that is missing."""
    test = {
        "name": "play",
        "workflow": workflow,
        "entrypoint": entrypoint,
        "start": start,
        "parameters": {name: value_text(value) for name, value in (parameters or {}).items()},
        "mocks": mock_documents(mocks),
        "cache": list(cache),
        "actions": list(actions),
        "expect": {"phase": "Succeeded"},  # a file needs one; what is true is for the caller to say
    }
    with tempfile.TemporaryDirectory(prefix="tiphys-play-") as folder:
        files = [file_of(each, folder, f"workflow-{number}.yaml") for number, each in enumerate([x, *beside])]
        document = {"workflows": files, "tests": [{name: value for name, value in test.items() if value not in ("", {}, [])}]}
        path = os.path.join(folder, "play.test.yaml")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(document, file)
        return Played(_outcome(path, folder))


def mock_documents(mocks: Mocks) -> List[Dict[str, Any]]:
    if not isinstance(mocks, Mapping):
        return [each.document() for each in mocks]
    documents = []
    for template, mock in mocks.items():
        if isinstance(mock, str):
            mock = Mock(result=mock)
        elif not isinstance(mock, Mock):
            mock = Mock(outcomes=tuple(mock))
        documents.append({"template": template, **mock.document()})
    return documents


def run_test_file(path: "str | os.PathLike[str]", name: str = "") -> List[Dict[str, Any]]:
    """What `tiphys test` says of the tests of a file, or of one of them."""
    command = [find_program(), "test", os.fspath(path), "-o", "json", *(["--filter", name] if name else [])]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        said = json.loads(done.stdout)
    except ValueError:
        raise ManifestError(done.stderr.strip() or done.stdout.strip()) from None
    tests = [test for file in said["files"] for test in file["tests"]]
    problems = [file["error"] for file in said["files"] if file.get("error")]
    if problems:
        raise ManifestError("\n".join(problems).strip())
    return tests


def _outcome(path: str, folder: str) -> Dict[str, Any]:
    try:
        tests = run_test_file(path)
    except ManifestError as wrong:
        raise ManifestError(_without_places(str(wrong), folder)) from None
    if len(tests) != 1:
        raise TiphysError(f"{find_program()} test gave {len(tests)} tests for one")
    if tests[0].get("error"):
        raise ManifestError(_without_places(tests[0]["error"], folder))
    return tests[0]


def _without_places(text: str, folder: str) -> str:
    """Files that nobody has written are of no help: where the manifest came as an object, its paths are."""
    return text.replace(folder + "/", "").replace("play.test.yaml", "mocks").strip()


def _duration_text(duration: Optional[Duration]) -> str:
    if duration is None or isinstance(duration, str):
        return duration or ""
    return f"{duration:g}s"
