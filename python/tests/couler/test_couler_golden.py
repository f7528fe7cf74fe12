"""What is made of a program is what the original makes of it: tests/clients/couler/golden.py asks that one."""

import json
import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests/clients/couler"))

import golden  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
SOURCES = ROOT / "python/src"


def expected(program):
    return json.loads((ROOT / "tests/clients/couler/golden" / f"{program.stem}.json").read_text())


@pytest.mark.parametrize("program", golden.programs(), ids=lambda program: program.stem)
def test_document(program):
    made = golden.recorded(sys.executable, program, HERE / "as_document.py", path=SOURCES)
    assert list(differences(made, expected(program)["document"])) == []


@pytest.mark.parametrize("program", golden.programs(), ids=lambda program: program.stem)
def test_submitted(program):
    """With the values as texts: the YAML writer of that time made numbers of texts that look like some, which containers do not take."""
    made = golden.recorded(sys.executable, program, "-m", "tiphys.couler", path=SOURCES)
    assert list(differences(texts(made), texts(expected(program)["submitted"]))) == []


def differences(made, wanted, path=""):
    """What is not the same, and where."""
    if type(made) is not type(wanted) or not isinstance(made, (dict, list)):
        if made != wanted:
            yield f"{path}: {made!r}, not {wanted!r}"
        return
    keys = sorted({*made, *wanted}) if isinstance(made, dict) else range(max(len(made), len(wanted)))
    for key in keys:
        parts = [whole[key] if (key in whole if isinstance(whole, dict) else key < len(whole)) else None for whole in (made, wanted)]
        yield from differences(*parts, f"{path}/{key}")


def texts(part):
    if isinstance(part, dict):
        return {key: texts(value) for key, value in map(today, part.items())}
    if isinstance(part, list):
        return [texts(each) for each in part]
    return str(part)


def today(item):
    key, value = item
    if key == "ttlSecondsAfterFinished":
        return "ttlStrategy", {"secondsAfterCompletion": int(value)}
    return ("schedules", [value]) if key == "schedule" else item
