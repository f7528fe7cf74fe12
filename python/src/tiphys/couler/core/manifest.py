"""Texts of objects: read and written, as YAML where PyYAML is installed. JSON is YAML too."""

from __future__ import annotations

import json
from typing import Any

Document = dict[str, Any]


def parse(text: str) -> Document:
    try:
        document = json.loads(text)
    except ValueError:
        document = _yaml("a manifest that has to be changed").safe_load(text)
    if not isinstance(document, dict):
        raise ValueError(f"the manifest is no object: {text[:80]!r}")
    return document


def dump(document: Any) -> str:
    """YAML, in the order of the document; JSON where there is no PyYAML."""
    try:
        import yaml
    except ImportError:
        return json.dumps(document, indent=2, ensure_ascii=False) + "\n"

    dumper_class: Any = type("Dumper", (yaml.SafeDumper,), {"ignore_aliases": lambda self, data: True})

    def text(dumper: Any, value: str) -> Any:
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)

    dumper_class.add_representer(str, text)
    return str(yaml.dump(document, Dumper=dumper_class, sort_keys=False, allow_unicode=True, width=120))


def with_environment(manifest: Document, entries: list[Document]) -> str:
    """The manifest's text, with variables; its label argo.step.owner, if it has one, names the pod."""
    manifest.setdefault("spec", {})["env"] = entries
    labels = manifest.get("metadata", {}).get("labels") or {}
    if "argo.step.owner" in labels:
        labels["argo.step.owner"] = "{{pod.name}}"
    return dump(manifest)


def _yaml(what: str) -> Any:
    try:
        import yaml
    except ImportError as error:
        raise ImportError(f"{what} is YAML, and PyYAML is not installed: pip install pyyaml, or write it as JSON") from error
    return yaml
