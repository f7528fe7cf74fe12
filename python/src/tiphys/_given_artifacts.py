"""Artifacts as arguments: files, folders and values of this process, put where a run takes them from."""

from __future__ import annotations

import difflib
import os
import pathlib
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterator, Mapping, Optional, Sequence, Tuple

from tiphys._artifacts import LOCATIONS, Artifact
from tiphys._errors import ManifestError, NotFound, TiphysError

if TYPE_CHECKING:
    from tiphys._client import Client

Document = Dict[str, Any]

_LONGEST_RAW = 128 * 1024  # bytes that go into the workflow itself
_KEPT_AS_IT_IS: Document = {"archive": {"none": {}}}

# How a data frame and an array are written, by the suffix of the path at which the step finds it.
_FRAMES: Dict[str, Tuple[str, Dict[str, Any]]] = {
    ".csv": ("to_csv", {}),
    ".tsv": ("to_csv", {"sep": "\t"}),
    ".parquet": ("to_parquet", {}),
    ".feather": ("to_feather", {}),
    ".json": ("to_json", {}),
    ".jsonl": ("to_json", {"orient": "records", "lines": True}),
    ".pkl": ("to_pickle", {}),
    ".xlsx": ("to_excel", {}),
}
_WITH_INDEX = (".csv", ".tsv", ".xlsx")  # whose writers put it into a column of its own, also where it only counts
_ARRAYS = (".npy", ".npz", ".csv", ".tsv", ".txt")


def with_artifacts(client: Client, workflow: Mapping[str, Any], values: Mapping[str, Any], beside: Sequence[Mapping[str, Any]] = ()) -> Document:
    """The workflow with these arguments. `beside`: the template that it refers to, if that is known.

    Values are paths, bytes, data frames, arrays, artifacts of runs, or places as manifests name them. ManifestError for a
    name that nothing takes."""
    spec = dict(workflow.get("spec") or {})
    documents = [workflow, *beside]
    _check_names(values, documents)
    paths = dict(_inputs(documents))
    declared = {each.get("name"): each for document in reversed(documents) for each in _arguments(document)}
    store = _Store(client, (workflow.get("metadata") or {}).get("namespace") or client.namespace, documents)
    given = {name: _argument(declared.get(name) or {"name": name}, store.place(name, value, paths.get(name, ""))) for name, value in values.items()}
    arguments = dict(spec.get("arguments") or {})
    own = [given.pop(each.get("name"), each) for each in arguments.get("artifacts") or []]
    spec["arguments"] = {**arguments, "artifacts": own + list(given.values())}
    return {**workflow, "spec": spec}


class _Store:
    """Where a workflow's artifacts lie, as far as files of this host can be put there."""

    def __init__(self, client: Client, namespace: str, documents: Sequence[Mapping[str, Any]]) -> None:
        self._client, self._namespace, self._documents = client, namespace, documents
        self._own: Optional[bool] = None

    def place(self, name: str, value: Any, path_in_step: str) -> Document:
        if isinstance(value, Artifact) and self._has(value):
            return {key: value.document[key] for key in (*LOCATIONS, "archive") if key in value.document}
        if isinstance(value, Mapping):
            return _named_place(name, value)
        if isinstance(value, str) or hasattr(value, "__fspath__"):
            return self._file(name, pathlib.Path(value))
        if isinstance(value, (bytes, bytearray, memoryview)):
            return self._content(name, name, lambda to: _write(to, value), bytes(value))
        suffix, write = _writer(name, value, pathlib.PurePath(path_in_step).suffix.lower())
        return self._content(name, name + suffix, write, None)

    def _has(self, artifact: Artifact) -> bool:
        run = artifact._run
        same = run.client is self._client or (run.client.data_dir or run.client.url) == (self._client.data_dir or self._client.url)
        return same and any(key in artifact.document for key in LOCATIONS)

    def _file(self, name: str, path: pathlib.Path) -> Document:
        if not path.exists():
            raise FileNotFoundError(f"artifact {name!r}: there is no file {str(path)!r}; what is in it can be given as bytes")
        if self._is_own():
            return self._stored(path.resolve().name or name, lambda to: _copy(path, to))
        if path.is_dir():
            raise TiphysError(self._refusal(name, "a folder"))
        if path.stat().st_size > _LONGEST_RAW:
            raise TiphysError(self._refusal(name, f"a file of more than {_LONGEST_RAW >> 10} KiB"))
        return self._raw(name, path.read_bytes())

    def _content(self, name: str, file_name: str, write: Callable[[pathlib.Path], None], content: Optional[bytes]) -> Document:
        if self._is_own():
            return self._stored(file_name, write)
        if content is None:
            import tempfile

            with tempfile.TemporaryDirectory(prefix="tiphys-") as folder:
                path = pathlib.Path(folder, file_name)
                write(path)
                content = path.read_bytes()
        return self._raw(name, content)

    def _stored(self, file_name: str, write: Callable[[pathlib.Path], None]) -> Document:
        """In the plane's own repository, where uploads lie: nothing refers to it before the workflow does."""
        import uuid

        key = f"uploads/{self._namespace}/{uuid.uuid4()}/{file_name}"
        path = pathlib.Path(self._client.data_dir or "", "artifacts", key)
        path.parent.mkdir(parents=True)
        write(path)
        return {"s3": {"key": key}, **_KEPT_AS_IT_IS}

    def _raw(self, name: str, content: bytes) -> Document:
        """In the workflow itself, as text, in which nothing is meant to be filled in."""
        if len(content) > _LONGEST_RAW:
            raise TiphysError(self._refusal(name, f"more than {_LONGEST_RAW >> 10} KiB"))
        try:
            text = content.decode()
        except UnicodeDecodeError:
            raise TiphysError(self._refusal(name, "no text")) from None
        if "{{" in text or "\0" in text:
            raise TiphysError(self._refusal(name, "text with {{ in it"))
        return {"raw": {"data": text}}

    def _refusal(self, name: str, what: str) -> str:
        return (
            f"artifact {name!r} is {what}, and the runs' artifacts do not lie on this host, where it could be put: "
            "put it into their store and name its place, such as {'s3': {'key': 'data/rows.csv'}}"
        )

    def _is_own(self) -> bool:
        """Whether it is the plane's own repository, on this host."""
        if self._own is None:
            named = any((each.get("spec") or {}).get("artifactRepositoryRef") for each in self._documents)
            self._own = bool(self._client.data_dir) and not named and not self._is_configured()
        return self._own

    def _is_configured(self) -> bool:
        http = self._client.http
        controller = http.ask("GET", "/configz").get("workflowController") or {}
        if set(controller.get("artifactRepository") or {}) - {"archiveLogs"}:
            return True
        try:
            http.ask("GET", f"/api/v1/namespaces/{self._namespace}/configmaps/artifact-repositories")
        except NotFound:
            return False
        return True


def _argument(declared: Mapping[str, Any], place: Document) -> Document:
    kept = {key: value for key, value in declared.items() if key not in (*LOCATIONS, "from", "fromExpression", "archive")}
    return {**kept, **place}


def _named_place(name: str, value: Mapping[str, Any]) -> Document:
    if not any(key in value for key in LOCATIONS):
        raise ValueError(f"artifact {name!r} is a dict, which names none of {', '.join(LOCATIONS)}; give a file, or bytes")
    return dict(value)


def _check_names(values: Mapping[str, Any], documents: Sequence[Mapping[str, Any]]) -> None:
    """Only where all is known that could take them."""
    names = {each.get("name", "") for document in documents for each in _arguments(document)} | {name for name, _ in _inputs(documents)}
    known = any(_has_entrypoint(document.get("spec") or {}) for document in documents)
    for name in values:
        if known and name not in names:
            near = difflib.get_close_matches(name, names, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(sorted(names)) or 'none'}"
            raise ManifestError(f"the workflow takes no artifact {name!r}; {hint}")


def _has_entrypoint(spec: Mapping[str, Any]) -> bool:
    return spec.get("entrypoint") in [each.get("name") for each in spec.get("templates") or []]


def _arguments(document: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return ((document.get("spec") or {}).get("arguments") or {}).get("artifacts") or []


def _inputs(documents: Sequence[Mapping[str, Any]]) -> Iterator[Tuple[str, str]]:
    """Name and path of all that templates take; those of the entrypoint last."""
    for document in documents:
        spec = document.get("spec") or {}
        templates = spec.get("templates") or []
        for template in sorted(templates, key=lambda each: each.get("name") == spec.get("entrypoint")):
            for each in (template.get("inputs") or {}).get("artifacts") or []:
                yield each.get("name", ""), each.get("path", "")


def _write(to: pathlib.Path, content: "bytes | bytearray | memoryview") -> None:
    with open(to, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _copy(path: pathlib.Path, to: pathlib.Path) -> None:
    import shutil

    def copy(source: str, target: str) -> str:
        shutil.copy2(source, target)
        _sync(target)
        return target

    if path.is_dir():
        shutil.copytree(path, to, symlinks=True, copy_function=copy)
    else:
        copy(str(path), str(to))


def _sync(path: str) -> None:
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _writer(name: str, value: Any, suffix: str) -> Tuple[str, Callable[[pathlib.Path], None]]:
    library = type(value).__module__.partition(".")[0]
    if library == "pandas" and hasattr(value, "to_frame"):
        value = value.to_frame()  # a Series
    if library == "pandas" and hasattr(value, "to_csv"):
        suffix = suffix if suffix in _FRAMES else ".csv"
        return suffix, lambda to: _write_frame(value, to)
    if hasattr(value, "__array__"):
        suffix = suffix if suffix in _ARRAYS else ".npy"
        return suffix, lambda to: _write_array(value, to)
    raise TypeError(f"artifact {name!r} is a {type(value).__name__}: give a path, bytes, a data frame of pandas, an array, or an artifact of a run")


def _write_frame(frame: Any, to: pathlib.Path) -> None:
    method, options = _FRAMES[to.suffix]
    if to.suffix in _WITH_INDEX:
        options = {**options, "index": type(frame.index).__name__ != "RangeIndex"}
    getattr(frame, method)(to, **options)
    _sync(str(to))


def _write_array(value: Any, to: pathlib.Path) -> None:
    import numpy

    array = numpy.asarray(value)
    if to.suffix == ".npy":
        numpy.save(to, array, allow_pickle=False)
    elif to.suffix == ".npz":
        numpy.savez(to, array)
    else:
        numpy.savetxt(to, array, delimiter={".csv": ",", ".tsv": "\t"}.get(to.suffix, " "))
    _sync(str(to))
