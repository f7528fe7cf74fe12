"""Each test that docs/security.md names is there: what keeps a class of attacks out cannot go unnoticed."""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEFINED = re.compile(r"\b(?:TEST|TEST_F|TEST_P|INSTANTIATE_TEST_SUITE_P)\(\s*(\w+),\s*(\w+)")
CASE_NAMES = re.compile(r'"(\w+)"')


def named_tests():
    """What stands in backquotes in the last column of a table about tests."""
    names, about_tests = [], False
    for line in (ROOT / "docs/security.md").read_text().splitlines():
        if not line.startswith("|"):
            about_tests = False
        elif line.rstrip().endswith("| the test |"):
            about_tests = True
        elif about_tests:
            names += re.findall(r"`([^`]+)`", line.rsplit("|", 2)[1])
    return names


def unit_tests():
    texts = {path: path.read_text() for path in (ROOT / "src").rglob("*_test.cc")}
    return {pair for text in texts.values() for pair in DEFINED.findall(text)}, "".join(texts.values())


def exists(name, pairs, text):
    file, _, function = name.partition("::")
    if name.startswith("make "):
        return re.search(rf"^{name.removeprefix('make ')}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
    if file.endswith(".py"):
        path = ROOT / "tests/e2e" / file
        return path.exists() and (not function or f"def {function}(" in path.read_text())
    if name.startswith("test_"):
        return any(f"def {name}(" in path.read_text() for path in (ROOT / "tests/e2e").glob("*.py"))
    if name.startswith("src/"):
        return any(ROOT.glob(name))
    suite, _, case = re.split(r"/", name, maxsplit=1)[-1].partition(".")
    suite = suite.split("/")[0]
    of_suite = {one for pair in pairs for one in pair if suite in pair}
    return suite in of_suite and (case in ("", "*") or (suite, case) in pairs or case in CASE_NAMES.findall(text))


def test_every_test_of_the_classes_is_there():
    pairs, text = unit_tests()
    names = named_tests()
    assert len(names) > 50
    missing = sorted({name for name in names if not exists(name, pairs, text)})
    assert not missing, missing


def test_a_test_that_is_gone_is_seen():
    pairs, text = unit_tests()
    for name in "test_gone.py", "test_authorization.py::test_gone", "test_gone_too", "Gone.*", "Yaml.Gone", "src/http/gone_test.cc", "make gone":
        assert not exists(name, pairs, text), name
