"""A source file includes only its own layer and those before it: the order of tiphys_layer() in CMakeLists.txt, and what each one USES."""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
DECLARATION = re.compile(r"^tiphys_layer\((\w+)([^)]*)\)", re.MULTILINE)
INCLUDE = re.compile(r'^\s*#include "(\w+)/[^"]+"', re.MULTILINE)


def declared_layers():
    """Layer -> the layers that it may include, transitively."""
    reach = {}
    for name, rest in DECLARATION.findall((ROOT / "CMakeLists.txt").read_text()):
        uses = rest.split("USES", 1)[1].split("LIBS", 1)[0].split() if "USES" in rest else []
        unknown = [use for use in uses if use not in reach]
        assert not unknown, f"layer {name} uses {unknown}, which is not declared before it"
        reach[name] = {name}.union(*(reach[use] for use in uses))
    return reach


def violations(reach, layer, text):
    return [used for used in INCLUDE.findall(text) if used not in reach[layer]]


def test_every_folder_is_a_layer():
    folders = {path.name for path in (ROOT / "src").iterdir() if path.is_dir()}
    assert folders == set(declared_layers())


def test_no_layer_includes_one_that_it_may_not():
    reach = declared_layers()
    found = []
    for layer in reach:
        for path in sorted((ROOT / "src" / layer).rglob("*.[hc]*")):
            found += [f"{path.relative_to(ROOT)} includes {used}/" for used in violations(reach, layer, path.read_text())]
    assert not found, "\n".join(found)


def test_a_forbidden_include_is_seen():
    assert violations(declared_layers(), "engine", '#include "store/store.h"\n') == ["store"]


def test_every_layer_says_what_it_is_for():
    missing = [layer for layer in declared_layers() if not (ROOT / "src" / layer / "README.md").exists()]
    assert not missing
