"""Conditions, loops, dags, handlers: which steps come of them, and what they wait for."""

import pytest

from couler_programs import steps, tasks, template

DEFINITIONS = """
def number(name=None): return couler.run_script(image="i", source="print(1)", command="sh", step_name=name)
def step(name=None, text=None): return couler.run_container(image="i", command="c", args=text, step_name=name)
def none(): pass
"""
RESULT = "{{steps.number-6.outputs.result}}"

# What it is about, program from its sixth line on, groups of steps.
OF_STEPS = [
    ("a condition", "n = number()\ncouler.when(couler.equal(n, 1), lambda: step())", [["number-6"], [f"step-7 if {RESULT} == 1"]]),
    ("a function as a side", "couler.when(couler.equal(number, 1), lambda: step())", [["number-6"], [f"step-6 if {RESULT} == 1"]]),
    ("an output on both sides", "n = number(); m = number()\ncouler.when(couler.equal(n, m), lambda: step())",
     [["number-6"], ["number-6-2"], [f"step-7 if {RESULT} == {{{{steps.number-6-2.outputs.result}}}}"]]),
    ("conditions of one output stand beside each other", "n = number()\ncouler.when(couler.equal(n, 1), lambda: step('a'))\nnumber()\ncouler.when(couler.not_equal(n, 1), lambda: step('b'))",
     [["number-6"], [f"a-7 if {RESULT} == 1", f"b-9 if {RESULT} != 1"], ["number-8"]]),
    ("a condition in a condition", "n = number()\ncouler.when(couler.bigger(n, 1), lambda: couler.when(couler.smaller(n, 9), lambda: step()))",
     [["number-6"], [f"step-7 if {RESULT} > 1 && {RESULT} < 9"]]),
    ("steps after a condition have none", "n = number()\ncouler.when(couler.equal(n, 1), lambda: step())\nstep()", [["number-6"], [f"step-7 if {RESULT} == 1"], ["step-8"]]),
    ("a condition in a loop of Python", "n = number()\nfor x in 'ab':\n    couler.when(couler.equal(n, x), lambda: step())", [["number-6"], [f"step-8 if {RESULT} == a", f"step-8-2 if {RESULT} == b"]]),
    ("a condition on what ran beside others", "a, b = couler.concurrent([lambda: number(), lambda: step()])\ncouler.when(couler.equal(a, 1), lambda: step('s'))",
     [["number-6-1", "step-6-2"], ["s-7 if {{steps.number-6-1.outputs.result}} == 1"]]),
    ("beside each other", "couler.concurrent([lambda: step('a'), lambda: step('b')])\nstep()", [["a-6-1", "b-6-2"], ["step-7"]]),
    ("twice the same beside each other", "couler.concurrent([lambda: step(), lambda: step()])", [["step-6-1", "step-6-2"]]),
    ("sequences beside each other, twice", "f = lambda: step()\ncouler.concurrent([f, f], subtasks=True)\ncouler.concurrent([f], subtasks=True)",
     [["concurrent-task-1-7-1", "concurrent-task-2-7-2"], ["concurrent-task-3-8-3"]]),
    ("for each item", "couler.map(lambda x: step(text=x), ['a', 'b'])\nstep(text='c')", [["step-6"], ["step-7"]]),
    ("for each item on a condition", "n = number()\ncouler.when(couler.equal(n, 1), lambda: couler.map(lambda x: step(text=x), [1]))", [["number-6"], [f"step-7 if {RESULT} == 1"]]),
    ("until it is", "couler.exec_while(couler.equal(0), lambda: number())\nstep()", [["exec-while-number-6"], ["step-7"]]),
]


@pytest.mark.parametrize("program, groups", [row[1:] for row in OF_STEPS], ids=[row[0] for row in OF_STEPS])
def test_steps(made, program, groups):
    assert steps(made(DEFINITIONS + program)) == groups


WHILE = "{{steps.number-6.outputs.result}} %s 0"


@pytest.mark.parametrize("name, sign", [("equal", "=="), ("not_equal", "!="), ("bigger", ">"), ("smaller", "<"), ("bigger_equal", ">="), ("smaller_equal", "<=")])
def test_loops(made, name, sign):
    workflow = made(f"{DEFINITIONS}couler.exec_while(couler.{name}('0'), lambda: number())")
    again = {"name": "exec-while-number-exit", "template": "exec-while-number", "when": WHILE % sign}
    assert template(workflow, "exec-while-number")["steps"] == [[{"name": "number-6", "template": "number"}], [again]]


def test_loops_of_more_steps(made):
    workflow = made(f"{DEFINITIONS}def both():\n    step()\n    return number()\ncouler.exec_while(couler.equal('0'), both)")
    assert [group[0]["name"] for group in template(workflow, "exec-while-number")["steps"]] == ["step-7", "number-8", "exec-while-number-exit"]


# What it is about, program from its sixth line on, what each task waits for.
OF_DAGS = [
    ("a line", "a, b = lambda: step('A'), lambda: step('B')\ncouler.dag([[a, b]])", {"A": None, "B": ["A"]}),
    ("a step that another edge makes first", "a, b = lambda: step('A'), lambda: step('B')\ncouler.dag([[b], [a, b]])", {"B": ["A"], "A": None}),
    ("an edge twice", "a, b = lambda: step('A'), lambda: step('B')\ncouler.dag([[a, b], [a, b]])", {"A": None, "B": ["A"]}),
    ("steps without names", "couler.dag([[lambda: step(), lambda: number()]])", {"step-6": None, "number-6": ["step-6"]}),
    ("names that Argo does not take", "couler.set_dependencies(lambda: step('a_b'))\ncouler.set_dependencies(lambda: step('c.d'), ['a_b'])", {"a-b": None, "c-d": ["a-b"]}),
    ("more steps of a function", "def two():\n    step('A')\n    step('B')\ncouler.set_dependencies(lambda: step('first'))\ncouler.set_dependencies(two, ['first'])",
     {"first": None, "A": ["first"], "B": ["A"]}),
    ("an expression", "couler.set_dependencies(lambda: step('a_b'))\ncouler.set_dependencies(lambda: step('B'), 'a_b.Failed')", {"a-b": None, "B": "a-b.Failed"}),
    ("lists and expressions, which Argo does not take in one dag",
     "couler.set_dependencies(lambda: step('A'))\ncouler.set_dependencies(lambda: step('B'), ['A'])\ncouler.set_dependencies(lambda: step('C'), 'A || B')\n"
     "couler.set_dependencies(lambda: step('D'), ['A', 'B'])", {"A": None, "B": "A", "C": "A || B", "D": "A && B"}),
    ("without a word, for the last one", "couler.set_dependencies(lambda: step('A'))\nstep('B')", {"A": None, "B": ["A"]}),
    ("beside each other", "couler.set_dependencies(lambda: step('A'))\ncouler.set_dependencies(lambda: couler.concurrent([lambda: step('B'), lambda: step('C')]) and step('D'), ['A'])",
     {"A": None, "B": ["A"], "C": ["A"], "D": ["B", "C"]}),
    ("for each item", "couler.set_dependencies(lambda: step('A'))\ncouler.set_dependencies(lambda: couler.map(lambda x: step('B', x), ['x', 'y']), ['A'])", {"A": None, "B": ["A"]}),
    ("a condition on what came before, and a list", "n = couler.set_dependencies(lambda: number('N'))\ncouler.set_dependencies(lambda: step('A'))\n"
     "couler.set_dependencies(lambda: couler.when(couler.equal(n, 1), lambda: step('B')), ['A'])", {"N": None, "A": None, "B": ["N", "A"]}),
]


@pytest.mark.parametrize("program, waits", [row[1:] for row in OF_DAGS], ids=[row[0] for row in OF_DAGS])
def test_dags(made, program, waits):
    assert tasks(made(DEFINITIONS + program)) == waits


def test_conditional_tasks_keep_their_arguments(made):
    workflow = made(f"{DEFINITIONS}couler.set_dependencies(lambda: couler.when(couler.equal(number('N'), 1), lambda: step('B', ['x'])))")
    task = workflow["spec"]["templates"][0]["dag"]["tasks"][1]
    assert task["arguments"] == {"parameters": [{"name": "para-B-0", "value": "x"}]}
    assert task["when"] == "{{tasks.N.outputs.result}} == 1"


def test_what_dependencies_make_comes_as_further_arguments(made):
    workflow = made("""
        def make(name): return couler.run_container(image="i", command="c", output=[couler.create_parameter_artifact("/m/a")], step_name=name)
        def use(name): return couler.run_container(image="i", command="c", args=["mine"], step_name=name)
        couler.set_dependencies(lambda: make("A"))
        couler.set_dependencies(lambda: use("B"), ["A"])
    """)
    values = [each["value"] for each in workflow["spec"]["templates"][0]["dag"]["tasks"][1]["arguments"]["parameters"]]
    assert values == ["mine", "{{tasks.A.outputs.parameters.output-id-3}}"]


MAPS = [
    ("one list", "couler.map(lambda x: step(text=[x]), [1, 2])", [{"para-step-0": 1}, {"para-step-0": 2}]),
    ("two lists", "couler.map(lambda x, y: step(text=[x, y]), 'ab', range(2))" .replace("'ab'", "['a', 'b']"), [{"para-step-0": "a", "para-step-1": 0}, {"para-step-0": "b", "para-step-1": 1}]),
    ("by its other name", "couler.map_(lambda x: step(text=[x]), (1,))", [{"para-step-0": 1}]),
]


@pytest.mark.parametrize("program, items", [row[1:] for row in MAPS], ids=[row[0] for row in MAPS])
def test_maps(made, program, items):
    step = made(DEFINITIONS + program)["spec"]["templates"][0]["steps"][0][0]
    assert step["withItems"] == items
    assert step["arguments"]["parameters"] == [{"name": name, "value": f"{{{{item.{name}}}}}"} for name in items[0]]


def test_maps_of_jobs_name_each_object(made):
    workflow = made("""
        def job(x): return couler.run_job('{"kind": "Job", "metadata": {"generateName": "j-"}}', None, None, step_name="job")
        couler.map(lambda x: job(x), ["one", "two"])
    """)
    assert "{{inputs.parameters.job-para-name}}" in template(workflow, "job")["resource"]["manifest"]
    assert template(workflow, "job")["inputs"]["parameters"] == [{"name": "job-para-name"}]
    assert workflow["spec"]["templates"][0]["steps"][0][0]["withItems"] == [{"job-para-name": "one"}, {"job-para-name": "two"}]


EXITS = [
    ("of steps", "step()\n", [["a-7 if {{workflow.status}} == Failed"]]),
    ("of a dag", "couler.set_dependencies(lambda: step('x'))\n", [["a if {{workflow.status}} == Failed"]]),
]


@pytest.mark.parametrize("program, groups", [row[1:] for row in EXITS], ids=[row[0] for row in EXITS])
def test_exit_handlers(made, program, groups):
    workflow = made(f"{DEFINITIONS}{program}couler.set_exit_handler(couler.WFStatus.Failed, lambda: step('a', 'text'))")
    assert workflow["spec"]["onExit"] == "exit-handler"
    handler = template(workflow, "exit-handler")["steps"]
    assert [[f"{step['name']} if {step['when']}" for step in group] for group in handler] == groups
    assert handler[0][0]["arguments"] == {"parameters": [{"name": "para-a-0", "value": "text"}]}


def test_an_exit_handler_with_a_condition_of_its_own(made):
    workflow = made(f"{DEFINITIONS}step()\ncouler.set_exit_handler(couler.WFStatus.Error, lambda: couler.when(couler.equal(number(), 1), lambda: step('a')) or 1)")
    condition = template(workflow, "exit-handler")["steps"][1][0]["when"]
    assert condition == "{{workflow.status}} == Error && {{steps.number-7.outputs.result}} == 1"
