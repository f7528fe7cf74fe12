"""Steps, templates and workflows are named by where a program calls what."""

import pytest

from couler_programs import steps
from tiphys.couler.core import states, utils
from tiphys.couler.core.source import body

RUN = 'couler.run_container(image="i", command="c")'

# Name, program from its second line on, groups of steps.
TABLE = [
    ("at the top by file and line, as the template is", RUN, [["flow-2-2"]]),
    ("in a function by it and the line of its call", f"def a_step():\n    return {RUN}\n\na_step()", [["a-step-5"]]),
    ("in a function of a function by the inner one", f"def a():\n    {RUN}\ndef b():\n    a()\nb()", [["a-5"]]),
    ("in a lambda by its line", f"f = lambda: {RUN}\nf()", [["lambda-2-3"]]),
    ("in two lambdas of a line", f"f, g = lambda: {RUN}, lambda: {RUN}\nf()\ng()", [["lambda-2-3"], ["lambda-2-2-4"]]),
    ("by step_name and line", RUN[:-1] + ', step_name="a_b.c")', [["a-b-c-2"]]),
    ("in a loop by numbers", f"def a(): {RUN}\nfor _ in range(3):\n    a()", [["a-4"], ["a-4-2"], ["a-4-3"]]),
    ("in a comprehension by its line", f"[{RUN} for _ in range(2)]", [["flow-2-2"], ["flow-2-2-2"]]),
    ("in a method", f"class A:\n    def m(self): {RUN}\nA().m()", [["m-4"]]),
    ("handed over as a function, by the line that hands it over", f"def a(): return {RUN}\ncouler.concurrent([a, a])", [["a-3-1", "a-3-2"]]),
]


@pytest.mark.parametrize("program, groups", [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_steps(made, program, groups):
    assert steps(made(program)) == groups


@pytest.mark.parametrize(
    "file, name",
    [("flow.py", "flow"), ("my_flow.v2.py", "my-flow-v2"), ("My Flow.py", "my-flow"), ("01.py", "01"), ("__main__.py", "couler-program"), ("ü.py", "workflow")],
)
def test_workflows(tmp_path, file, name):
    from tiphys.couler import program

    folder = tmp_path / "couler_program"
    folder.mkdir()
    (folder / file).write_text("import couler\n" + "couler." + RUN.split(".", 1)[1] + "\n")
    (workflow,) = program.documents(str(folder / file))
    assert workflow["metadata"] == {"generateName": f"{name}-"}
    assert workflow["spec"]["entrypoint"] == name


@pytest.mark.parametrize("name, beginning", [("Test_Name", "test--name-"), ("aB", "a-b-"), ("x" * 60, "x" * 36 + "-")])
def test_names_are_salted(name, beginning):
    salted = states.default_workflow_name_salter(name)
    assert salted.startswith(beginning) and len(salted) == len(beginning) + 8
    assert salted != states.default_workflow_name_salter(name)


def annotated(number: int, other: "dict[str, int]" = {"a": 1}) -> int:  # noqa: B006
    # A remark.
    return number


def plain():
    """What it does."""
    return 1


def one_line(): return 1  # noqa: E704


SOURCES = [
    ("without its signature", plain, '\n"""What it does."""\nreturn 1\n'),
    ("colons of a signature do not end it", annotated, "\n# A remark.\nreturn number\n"),
    ("behind the colon", one_line, "return 1  # noqa: E704\n"),
]


@pytest.mark.parametrize("function, text", [row[1:] for row in SOURCES], ids=[row[0] for row in SOURCES])
def test_bodies(function, text):
    assert body(function) == text


def test_a_body_that_nobody_has_written_down():
    with pytest.raises(ValueError, match="give the source as a string"):
        body(eval("lambda: 1"))


def test_who_calls_a_function_that_makes_steps():
    def train():
        return utils.invocation_location()

    def mine():
        return train()

    assert mine()[0] == "mine"
