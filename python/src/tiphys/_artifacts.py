"""Artifacts of a run: files and folders, read where they lie."""

from __future__ import annotations

import importlib
import json
import os
import pathlib
from functools import lru_cache
from typing import TYPE_CHECKING, Any, BinaryIO, Callable, Dict, Iterator, List, Mapping, Optional, Tuple

from tiphys._errors import TiphysError
from tiphys._http import part

if TYPE_CHECKING:
    import numpy
    import pandas
    from tiphys._run import Run

_PLACES = ("s3", "gcs", "azure", "oss", "http", "artifactory", "hdfs", "git", "plugin")
LOCATIONS = (*_PLACES, "raw")  # of a manifest's artifact


class Artifact:
    """A file or a folder that a node has made. Nothing is read or fetched before it is asked for."""

    def __init__(self, run: Run, node_id: str, document: Mapping[str, Any]) -> None:
        self._run, self._node_id, self.document = run, node_id, document
        self._path: Optional[pathlib.Path] = None

    @property
    def name(self) -> str:
        return self.document["name"]

    @property
    def path(self) -> pathlib.Path:
        """Where it is on this host: in the plane's own folder as it was stored, or, if it was packed or elsewhere, in a
        temporary one that goes with this process. To be read only; save() makes a copy."""
        if self._path is None:
            place = _temporary_folder() / self._run.uid / self._node_id / self.name
            found = list((place / "unpacked").glob("*")) if (place / "complete").exists() else []
            self._path = found[0] if len(found) == 1 else place / "unpacked" if found else self._fetched(place)
        return self._path

    def __fspath__(self) -> str:
        return str(self.path)

    def save(self, to: "os.PathLike[str] | str") -> pathlib.Path:
        """Copies it; into `to` where that is a folder."""
        import shutil

        target = pathlib.Path(to)
        if target.is_dir():
            target = target / self.path.name
        if self.path.is_dir():
            return pathlib.Path(shutil.copytree(self.path, target, symlinks=True))
        return pathlib.Path(shutil.copy2(self.path, target))

    def bytes(self) -> bytes:
        return self._file().read_bytes()

    def text(self, encoding: str = "utf-8") -> str:
        return self._file().read_text(encoding)

    def json(self) -> Any:
        return json.loads(self._file().read_bytes())

    def array(self, **options: Any) -> numpy.ndarray:
        """As a NumPy array: .npy (mapped, not copied), one of .npz, or text as loadtxt reads it. Options are the reader's."""
        numpy = _imported("numpy")
        file = self._file()
        if file.suffix == ".npy":
            return numpy.load(file, **{"mmap_mode": "r", **options})
        if file.suffix == ".npz":
            with numpy.load(file, **options) as arrays:
                if len(arrays.files) != 1:
                    raise TiphysError(f"{self.name} holds {len(arrays.files)} arrays ({', '.join(arrays.files)}): take numpy.load(artifact)")
                return arrays[arrays.files[0]]
        delimiter = {".csv": ",", ".tsv": "\t"}.get(file.suffix)
        return numpy.loadtxt(file, **{"delimiter": delimiter, **options})

    def frame(self, **options: Any) -> pandas.DataFrame:
        """As a pandas data frame: .csv, .tsv, .parquet, .feather, .json, .jsonl, .pkl or .xlsx. Options are the reader's."""
        pandas = _imported("pandas")
        readers: Dict[str, Tuple[str, Dict[str, Any]]] = {
            ".csv": ("read_csv", {}),
            ".tsv": ("read_csv", {"sep": "\t"}),
            ".parquet": ("read_parquet", {}),
            ".feather": ("read_feather", {}),
            ".json": ("read_json", {}),
            ".jsonl": ("read_json", {"lines": True}),
            ".pkl": ("read_pickle", {}),
            ".xlsx": ("read_excel", {}),
        }
        file = self.path if self.path.is_dir() and list(self.path.glob("*.parquet")) else self._file()
        suffix = ".parquet" if file.is_dir() else file.suffix
        if suffix not in readers:
            raise TiphysError(f"{self.name} is {file.name}, which is read as a data frame by none of {', '.join(readers)}: read artifact.path yourself")
        reader, defaults = readers[suffix]
        read: Callable[..., Any] = getattr(pandas, reader)
        return read(file, **{**defaults, **options})

    def __repr__(self) -> str:
        return f"<Artifact {self.name} {self._key() or 'raw'}>"

    def _file(self) -> pathlib.Path:
        if self.path.is_dir():
            raise IsADirectoryError(f"{self.name} is a folder: {self.path}")
        return self.path

    def _key(self) -> str:
        for place in _PLACES:
            where = self.document.get(place)
            if isinstance(where, Mapping):
                return str(where.get("key") or where.get("blob") or where.get("url") or where.get("path") or where.get("repo") or "")
        return ""

    def _fetched(self, place: pathlib.Path) -> pathlib.Path:
        stored = self._stored_here()
        if stored is None:
            place.mkdir(parents=True, exist_ok=True)
            stored = place / (self._key().rstrip("/").rsplit("/", 1)[-1] or self.name)
            with open(stored, "wb") as file:
                self._download(file)
        return self._unpacked(stored, place)

    def _stored_here(self) -> Optional[pathlib.Path]:
        """The file in the plane's own repository, if it is there and on this host."""
        where = self.document.get("s3")
        own = isinstance(where, Mapping) and not where.get("bucket") and not where.get("endpoint")
        if not own or not self._run.client.data_dir:
            return None
        repository = ((self._run.workflow.get("status") or {}).get("artifactRepositoryRef") or {}).get("artifactRepository") or {}
        if set(repository) - {"archiveLogs"}:
            return None  # the key is of the repository that was configured
        lies = pathlib.Path(self._run.client.data_dir, "artifacts", self._key())
        return lies if lies.exists() else None

    def _download(self, file: BinaryIO) -> None:
        raw = self.document.get("raw")
        if isinstance(raw, Mapping):
            file.write(str(raw.get("data", "")).encode())
            return
        run = self._run
        run.client.http.download("/artifacts/" + "/".join(map(part, (run.namespace, run.name, self._node_id, self.name))), file)

    def _unpacked(self, stored: pathlib.Path, place: pathlib.Path) -> pathlib.Path:
        archive = self.document.get("archive") or {}
        if "none" in archive or stored.is_dir():
            return stored
        import shutil
        import subprocess

        target = place / "unpacked"
        if stored.name.endswith((".tgz", ".tar.gz", ".tar")):
            target.mkdir(parents=True, exist_ok=True)
            done = subprocess.run(["tar", "-xf", str(stored), "-C", str(target), "--no-same-owner"], capture_output=True, text=True, check=False)
            if done.returncode:
                raise TiphysError(f"{stored} cannot be unpacked: {done.stderr.strip()}")
        elif stored.suffix == ".zip" and "zip" in archive:
            shutil.unpack_archive(str(stored), str(target))
        else:
            return stored
        (place / "complete").touch()
        inside = list(target.iterdir())
        return inside[0] if len(inside) == 1 else target


@lru_cache(maxsize=1)
def _temporary_folder() -> pathlib.Path:
    """It goes when this process ends."""
    import tempfile

    folder = tempfile.TemporaryDirectory(prefix="tiphys-artifacts-")
    _folders.append(folder)
    return pathlib.Path(folder.name)


_folders: List[Any] = []  # kept until then


class Artifacts(Mapping[str, Artifact]):
    """Artifacts by name."""

    def __init__(self, artifacts: Mapping[str, Artifact]) -> None:
        self._artifacts = dict(artifacts)

    def __getitem__(self, name: str) -> Artifact:
        try:
            return self._artifacts[name]
        except KeyError:
            raise KeyError(f"there is no artifact {name!r}; there are {', '.join(sorted(self._artifacts)) or 'none'}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._artifacts)

    def __len__(self) -> int:
        return len(self._artifacts)

    def __contains__(self, name: object) -> bool:
        return name in self._artifacts

    def __repr__(self) -> str:
        return "{" + ", ".join(map(repr, self._artifacts.values())) + "}"


def _imported(library: str) -> Any:
    try:
        return importlib.import_module(library)
    except ModuleNotFoundError as missing:
        if missing.name != library:
            raise
        raise ModuleNotFoundError(f"{library} is not installed, and this is read by it: pip install {library}", name=library) from None


def artifacts_of(run: Run, node_id: str, outputs: Optional[Mapping[str, Any]]) -> Artifacts:
    return Artifacts({each["name"]: Artifact(run, node_id, each) for each in (outputs or {}).get("artifacts") or []})
