"""Files and text of YAML, which the program itself reads: it tells places, and makes what stands beside the workflow."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any, Dict, List, Mapping, Sequence, Tuple, Union

from tiphys._binary import find_program
from tiphys._errors import ManifestError, TiphysError
from tiphys._from_template import KINDS, chosen, kind_of, mentioned, none_is_a_workflow, workflow_from
from tiphys._submit import Submission, value_text, warm_text
from tiphys._warnings import warn, warn_of_untaken

if TYPE_CHECKING:
    from tiphys._client import Client

Source = Union[str, "os.PathLike[str]"]  # text, or a path
Document = Dict[str, Any]

_BAD_USAGE = 2  # how the program ends where the manifest or the call is wrong
_LONGEST_ARGUMENT = 64 * 1024
_BETWEEN = "\n---\n"
# What who asked for it knows: the runtime, and that a workflow is made from the CronWorkflow.
_NOTICE = "The process runtime runs commands of this host"
_CRON_NOTICE = "a CronWorkflow is not run; left out"


def run_files(client: Client, source: Source, submission: Submission) -> Mapping[str, Any]:
    """Creates the workflow in it and gives it as the server has it."""
    import tempfile

    content = source if isinstance(source, str) else _text_of(source)
    files, text = _files_and_input(client, source, content, submission)
    where, environment = client.program_options()
    with tempfile.TemporaryDirectory(prefix="tiphys-") as folder:
        command = [find_program(), "run", "--detach", "-o", "name", *where, *_flags(submission, folder), *files]
        done = subprocess.run(command, input=text, capture_output=True, encoding="utf-8", errors="surrogateescape", env={**os.environ, **environment}, check=False)
    if done.returncode == _BAD_USAGE:
        raise ManifestError(done.stderr.strip())
    if done.returncode:
        raise TiphysError(done.stderr.strip() or f"{command[0]} ended with {done.returncode}")
    _warn(done.stderr)
    warn_of_untaken(submission.parameters or {}, content)
    names = done.stdout.split()
    if len(names) != 1:
        raise ManifestError(f"there are {len(names)} workflows in it, and a run is of one: {', '.join(names)}")
    return client.api.get(names[0])


def _files_and_input(client: Client, source: Source, content: str, submission: Submission) -> Tuple[List[str], str]:
    """What the program reads: files ("-" is its input), and its input. Where none of them is a workflow, one that is made of
    the template or CronWorkflow in them comes behind."""
    # A pipe is read once; of a file the program tells places.
    by_path = not isinstance(source, str) and os.path.isfile(source)
    text = "" if by_path else content
    files = [os.fspath(source)] if by_path else ["-"]
    if not submission.artifacts and not mentioned(content):
        return files, text
    documents = _documents_of(files[0], text)
    if none_is_a_workflow(documents):
        one = chosen(documents)
        made = json.dumps(_with_artifacts(client, workflow_from(one), submission, [one]))
        return (["-"], text + _BETWEEN + made) if text else ([*files, "-"], made)
    if not submission.artifacts or not documents:
        return files, text
    given = [_with_artifacts(client, each, submission, documents) if kind_of(each) == "Workflow" else each for each in documents]
    return ["-"], _BETWEEN.join(json.dumps(each, indent=1) for each in given)


def _text_of(path: "os.PathLike[str]") -> str:
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        return file.read()


def _with_artifacts(client: Client, workflow: Mapping[str, Any], submission: Submission, documents: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    if not submission.artifacts:
        return workflow
    from tiphys._given_artifacts import with_artifacts

    name = ((workflow.get("spec") or {}).get("workflowTemplateRef") or {}).get("name")
    referred = [each for each in documents if kind_of(each) in KINDS and (each.get("metadata") or {}).get("name") == name]
    return with_artifacts(client, workflow, submission.artifacts, referred)


def _documents_of(file: str, text: str) -> List[Document]:
    """Of YAML; none where it cannot be read: the program tells of it when it is to run it."""
    done = subprocess.run([find_program(), "convert", "-o", "json", file], input=text, capture_output=True, encoding="utf-8", errors="surrogateescape", check=False)
    if done.returncode:
        return []
    decoder, documents, rest = json.JSONDecoder(), [], done.stdout.lstrip()
    while rest:
        document, end = decoder.raw_decode(rest)
        documents += [document] if isinstance(document, dict) else []
        rest = rest[end:].lstrip()
    return documents


def _flags(submission: Submission, folder: str) -> List[str]:
    flags: List[str] = []
    for flag, value in (("--runtime", submission.runtime), ("--name", submission.name), ("--entrypoint", submission.entrypoint)):
        if value:
            flags += [flag, value]
    if warm_text(submission.warm):
        flags.append(f"--warm-python={warm_text(submission.warm)}")
    if submission.labels:
        flags += ["--labels", ",".join(f"{name}={value}" for name, value in submission.labels.items())]
    texts: List[Tuple[str, str]] = [(name, value_text(value)) for name, value in (submission.parameters or {}).items()]
    if sum(len(value) for _, value in texts) > _LONGEST_ARGUMENT:
        path = os.path.join(folder, "parameters.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(dict(texts), file)
        return [*flags, "-f", path]
    for name, value in texts:
        flags += ["-p", f"{name}={value}"]
    return flags


def _warn(said: str) -> None:
    text = "\n".join(line for line in said.splitlines() if not line.startswith(_NOTICE) and _CRON_NOTICE not in line).strip()
    if text:
        warn(text)
