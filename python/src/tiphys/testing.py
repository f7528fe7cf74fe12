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
import re
import subprocess
import tempfile
from dataclasses import dataclass, field
from typing import Any, Dict, List, Mapping, Optional, Sequence, Union

from tiphys._binary import find_program
from tiphys._errors import ManifestError, TiphysError
from tiphys._played import Played, PlayedNode
from tiphys._submit import file_of, source_of, value_text
from tiphys._warnings import warn_of_untaken

__all__ = ["Mock", "Played", "PlayedNode", "play"]

Duration = Union[int, float, str]

_TEST_FILE = "play.test.yaml"


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


Mocks = Union[Mapping[str, Union[Mock, str, Sequence[Union[Mock, str]]]], Sequence[Mock]]


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
    beside: more manifests that it refers to, such as templates. workflow: which one, where x has several.
    start, cache, actions: as in test files.

    Raises ManifestError for a workflow that cannot run, a mock that fits nothing, or one that is missing."""
    sources = [source_of(each) for each in (x, *beside)]
    if parameters and not beside and isinstance(sources[0], (dict, str)):
        warn_of_untaken(parameters, sources[0] if isinstance(sources[0], str) else json.dumps(sources[0], default=str))
    test = {
        "name": "play",
        "workflow": workflow or (_name_of(sources[0]) if beside else ""),
        "entrypoint": entrypoint,
        "start": start,
        "parameters": {name: value_text(value) for name, value in (parameters or {}).items()},
        "mocks": mock_documents(mocks),
        "cache": list(cache),
        "actions": list(actions),
        "expect": {"phase": "Succeeded"},  # a file needs one; what is true is for the caller to say
    }
    with tempfile.TemporaryDirectory(prefix="tiphys-play-") as folder:
        files = [file_of(each, folder, f"workflow-{number}.yaml") for number, each in enumerate(sources)]
        generated = [_TEST_FILE, *(os.path.basename(file) for file, each in zip(files, sources) if isinstance(each, dict))]
        document = {"workflows": files, "tests": [{name: value for name, value in test.items() if value not in ("", {}, [])}]}
        path = os.path.join(folder, _TEST_FILE)
        with open(path, "w", encoding="utf-8") as file:
            json.dump(document, file)
        return Played(_outcome(path, generated))


def mock_documents(mocks: Mocks) -> List[Dict[str, Any]]:
    if not isinstance(mocks, Mapping):
        return [_mock("a list", each).document() for each in mocks]
    documents = []
    for template, given in mocks.items():
        if isinstance(given, (list, tuple)):
            given = Mock(outcomes=tuple(_mock(repr(template), each) for each in given))
        documents.append({"template": template, **_mock(repr(template), given).document()})
    return documents


def _mock(of: str, given: Any) -> Mock:
    if isinstance(given, str):
        return Mock(result=given)
    if not isinstance(given, Mock):
        raise TypeError(f"the mocks of {of} have a {type(given).__name__}: give a Mock, the text of its result, or a list of them")
    return given


def _name_of(source: Any) -> str:
    """Of one that is there as a document: files and text may hold several."""
    return str((source.get("metadata") or {}).get("name") or "") if isinstance(source, dict) else ""


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


def _outcome(path: str, generated: Sequence[str]) -> Dict[str, Any]:
    folder = os.path.dirname(path)
    try:
        tests = run_test_file(path)
    except ManifestError as wrong:
        raise ManifestError(_without_places(str(wrong), folder, generated)) from None
    if len(tests) != 1:
        raise TiphysError(f"{find_program()} test gave {len(tests)} tests for one")
    if tests[0].get("error"):
        raise ManifestError(_without_places(tests[0]["error"], folder, generated))
    return tests[0]


def _without_places(text: str, folder: str, generated: Sequence[str]) -> str:
    """Files that nobody has written are of no help: neither their places, nor the lines of them that are shown below."""
    kept, in_excerpt = [], False
    for line in text.splitlines():
        if in_excerpt and line.startswith("  "):
            continue
        place = re.match(rf"{re.escape(folder)}/([^:]+):\d+:\d+: ", line)
        in_excerpt = place is not None and place.group(1) in generated
        kept.append(line[place.end() :] if place and in_excerpt else line.replace(folder + "/", ""))
    return "\n".join(kept).strip()


def _duration_text(duration: Optional[Duration]) -> str:
    if duration is None or isinstance(duration, str):
        return duration or ""
    return f"{duration:g}s"
