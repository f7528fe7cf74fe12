"""A source file includes only its own layer and those before it: the order of tiphys_layer() in CMakeLists.txt, and what each one USES."""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
KEYWORDS = re.compile(r"\b(USES|LIBS|TEST_USES)\b")
DECLARATION = re.compile(r"^tiphys_layer\((\w+)([^)]*)\)", re.MULTILINE)
INCLUDE = re.compile(r'^\s*#include "(\w+)/[^"]+"', re.MULTILINE)


def keyword_lists(text):
    """The words after each keyword of a tiphys_layer() call."""
    parts = KEYWORDS.split(text)
    return {keyword: words.split() for keyword, words in zip(parts[1::2], parts[2::2])}


def declared_layers(for_tests=False):
    """Layer -> the layers that it may include, transitively; its tests may include some more."""
    reach, test_reach = {}, {}
    for name, rest in DECLARATION.findall((ROOT / "CMakeLists.txt").read_text()):
        lists = keyword_lists(rest)
        uses, test_uses = lists.get("USES", []), lists.get("TEST_USES", [])
        unknown = [use for use in uses + test_uses if use not in reach]
        assert not unknown, f"layer {name} uses {unknown}, which is not declared before it"
        reach[name] = {name}.union(*(reach[use] for use in uses))
        test_reach[name] = reach[name].union(*(reach[use] for use in test_uses))
    return test_reach if for_tests else reach


def violations(reach, layer, text):
    return [used for used in INCLUDE.findall(text) if used not in reach[layer]]


def test_every_folder_is_a_layer():
    folders = {path.name for path in (ROOT / "src").iterdir() if path.is_dir()}
    assert folders == set(declared_layers())


def test_no_layer_includes_one_that_it_may_not():
    reach, test_reach = declared_layers(), declared_layers(for_tests=True)
    found = []
    for layer in reach:
        for path in sorted((ROOT / "src" / layer).rglob("*.[hc]*")):
            of_tests = path.name.endswith("_test.cc") or path.name == "testing.h"
            allowed = test_reach if of_tests else reach
            found += [f"{path.relative_to(ROOT)} includes {used}/" for used in violations(allowed, layer, path.read_text())]
    assert not found, "\n".join(found)


def test_a_forbidden_include_is_seen():
    assert violations(declared_layers(), "engine", '#include "store/store.h"\n') == ["store"]


def test_every_layer_says_what_it_is_for():
    missing = [layer for layer in declared_layers() if not (ROOT / "src" / layer / "README.md").exists()]
    assert not missing
