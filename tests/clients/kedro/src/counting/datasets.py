import json
from pathlib import Path

from kedro.io import AbstractDataset


class Json(AbstractDataset):
    """A file of JSON, so that no library of datasets is needed."""

    def __init__(self, filepath):
        self._path = Path(filepath)

    def load(self):
        return json.loads(self._path.read_text())

    def save(self, data):
        self._path.parent.mkdir(exist_ok=True)
        self._path.write_text(json.dumps(data))

    def _describe(self):
        return {"filepath": str(self._path)}
