"""What cannot be meant is refused, with what to do instead."""

import pytest

DEFINITIONS = """
def number(name=None): return couler.run_script(image="i", source="print(1)", command="sh", step_name=name)
def step(name=None, text=None): return couler.run_container(image="i", command="c", args=text, step_name=name)
def silent(): couler.run_container(image="i", command="c")
"""

# What it is about, program, the error, parts of what it says.
TABLE = [
    ("an unknown argument", "couler.run_container(imge='i')", TypeError, "run_container() has no argument 'imge'; did you mean 'image'?"),
    ("an unknown argument of a condition", "couler.when(couler.equal(number(), 1), lambda: step(), els=1)", TypeError, "there are: condition, function"),
    ("a script without a source", "couler.run_script(image='i')", ValueError, "run_script needs source=: the function whose body is the script"),
    ("a source that is none", "couler.run_script(image='i', source=3)", ValueError, "a function or a text, not int"),
    ("a step's name that is none", "couler.run_container(image='i', step_name=3)", ValueError, "step_name has to be a name, not 3"),
    ("an unknown secret", "couler.create_secret({'a': 'b'}, name='login')\ncouler.run_container(image='i', secret='logn')", ValueError, "there is no secret 'logn'", "did you mean 'login'?"),
    ("a secret without data", "couler.create_secret({})", ValueError, "empty"),
    ("a secret that is no dict", "couler.create_secret(['a'])", TypeError, "dict of names and texts, not list"),
    ("env that is no dict", "couler.run_container(image='i', env=['A=b'])\ncouler.workflow_yaml()", TypeError, "env has to be a dict of names and values, not list"),
    ("retry that is no number", "couler.run_container(image='i', retry='2')\ncouler.workflow_yaml()", ValueError, "how many times a step is retried, not '2'"),
    ("a policy that is none", "couler.run_container(image='i', image_pull_policy='Sometimes')", AssertionError, "IfNotPresent, Always, Never; not 'Sometimes'"),
    ("both kinds of outputs", "couler.run_container(image='i', output=[couler.create_parameter_artifact('/m/a'), couler.create_local_artifact('/m/b')])", ValueError, "make two steps"),
    ("an argument that is None", "couler.run_container(image='i', args=[silent()])", ValueError, "has to return what run_container, run_script or run_job returned"),
    ("an output that there is not", "step('B', step('A'))", ValueError, "step 'A-6' has no output that could be passed on"),
    ("more arguments than before", "step('A', ['x'])\nstep('A', ['x', 'y'])", ValueError, "was made with 1 argument(s), now there are 2", "step_name="),
    ("a manifest that there is not", "couler.run_job(None, None, None)", ValueError, "needs manifest="),
    ("a canned step", "couler.run_canned_step('c', {})", NotImplementedError, "write it with run_container"),
    ("a condition that is none", "couler.when(number() == 1, lambda: step())", TypeError, "such as couler.equal(step, value), not False"),
    ("a condition on None", "couler.when(couler.equal(silent(), 1), lambda: step())", SyntaxError, "has to return what run_script"),
    ("a condition on a value", "couler.when(couler.equal('x', 1), lambda: step())", TypeError, "its left side is 'x'; write couler.equal(step(), value)"),
    ("a condition without another side", "couler.when(couler.equal(number()), lambda: step())", SyntaxError, "a side of the condition is None"),
    ("a condition on a step without output", "couler.when(couler.equal(step('A'), 1), lambda: step())", ValueError, "step 'A-6' has no output to compare: use run_script"),
    ("a condition on a file", "def f(): return couler.run_container(image='i', output=couler.create_local_artifact('/m/b'))\ncouler.when(couler.equal(f(), 1), lambda: step())", ValueError, "is a file, which cannot be compared"),
    ("a condition on a step of a workflow before", "n = number()\ncouler.run()\ncouler.when(couler.equal(n, 1), lambda: step())", ValueError, "'number-6', which is none of this workflow"),
    ("a step instead of a function", "couler.when(couler.equal(number(), 1), step())", TypeError, "write `lambda: step()`, not `step()`"),
    ("a step instead of a function, in a dag", "couler.dag([[step('A')]])", TypeError, "write `lambda: step()`, not `step()`; it got list"),
    ("a step instead of a function, with dependencies", "couler.set_dependencies(step('A'))", SyntaxError, "write `lambda: step()`, not `step()`"),
    ("a step instead of functions", "couler.concurrent([step('A')])", TypeError, "write `lambda: step()`"),
    ("a step instead of a loop's function", "couler.exec_while(couler.equal(1), number())", TypeError, "write `lambda: step()`"),
    ("no list of functions", "couler.concurrent(step)", SyntaxError, "concurrent needs a list of functions"),
    ("a dag that is no list", "couler.dag(step)", SyntaxError, "[[a], [a, b]]"),
    ("an edge that is no list", "couler.dag([step])", TypeError, "write [a] for one that waits for nobody"),
    ("dependencies that are none", "couler.set_dependencies(lambda: step('A'), 3)", SyntaxError, "a list of names of steps, or an expression of them, not int"),
    ("dependencies on an unknown step", "couler.set_dependencies(lambda: step('train'))\ncouler.set_dependencies(lambda: step('B'), ['trian'])", ValueError,
     "dependencies name step 'trian', which is not made yet; did you mean 'train'?"),
    ("an expression of an unknown step", "couler.set_dependencies(lambda: step('A'))\ncouler.set_dependencies(lambda: step('B'), 'A.Succeeded && C.Failed')", ValueError,
     "step 'B' waits for 'C', which is no step; there are: A, B"),
    ("a circle", "a, b, c = [(lambda name=name: step(name)) for name in 'ABC']\ncouler.dag([[a, b], [b, c], [c, a]])", ValueError, "circle: A waits for C waits for B waits for A"),
    ("a circle by expressions", "couler.set_dependencies(lambda: step('A'), 'B')\ncouler.set_dependencies(lambda: step('B'), 'A')", ValueError, "circle: A waits for B waits for A"),
    ("a step that waits for itself", "couler.dag([[lambda: step(), lambda: step()]])", ValueError, "circle: step-6 waits for step-6: steps of a dag are told apart by step_name="),
    ("two steps without a name", "couler.set_dependencies(lambda: step())\ncouler.set_dependencies(lambda: step())", ValueError, "two steps are named 'step-None': tell them apart, by step_name="),
    ("a dag after steps", "step('A')\ncouler.set_dependencies(lambda: step('B'))", SyntaxError, "set_dependencies comes after A-6; make those with set_dependencies or dag, too"),
    ("a loop in a dag", "couler.set_dependencies(lambda: couler.exec_while(couler.equal(1), lambda: number()))", SyntaxError, "cannot stand in a workflow that is a dag"),
    ("a loop without a value", "couler.exec_while(couler.equal(None), lambda: number())", TypeError, "such as couler.equal(value)"),
    ("a loop whose function returns nothing", "couler.exec_while(couler.equal(1), silent)", SyntaxError, "its output decides whether there is another round"),
    ("a loop twice", "for _ in range(2):\n    couler.exec_while(couler.equal(1), lambda: number())", SyntaxError, "'number' is repeated twice"),
    ("a loop on another output", "n = number()\ncouler.exec_while(couler.equal(n, 1), lambda: number('B'))", TypeError, "one side, the value"),
    ("map without items", "couler.map(lambda x: step(text=x), [])", ValueError, "a list that is not empty"),
    ("map with lists of different lengths", "couler.map(lambda x, y: step(text=[x, y]), [1], [1, 2])", ValueError, "of the same length, not 1, 2"),
    ("map of a function that returns nothing", "couler.map(lambda x: silent(), [1])", SyntaxError, "has to return what run_container"),
    ("map of what is no step", "couler.map(lambda x: x, [1])", TypeError, "has to return what run_container, run_script or run_job returned, not 1"),
    ("map that passes nothing on", "couler.map(lambda x: step(), [1])", ValueError, "passes no item on: template 'step' takes no arguments"),
    ("map that passes less on", "couler.map(lambda x, y: step(text=x), [1], [2])", ValueError, "map has 2 lists, and the step takes 1 argument(s)"),
    ("map of no function", "couler.map(3, [1])", TypeError, "not int"),
    ("a status that is none", "couler.set_exit_handler('Failed', lambda: step())", SyntaxError, "Succeeded, Failed, Error; not 'Failed'"),
    ("an exit handler that is none", "couler.set_exit_handler(couler.WFStatus.Failed, 3)", SyntaxError, "not int"),
    ("an exit handler that returns nothing", "couler.set_exit_handler(couler.WFStatus.Failed, silent)", SyntaxError, "the exit handler has to return"),
    ("nothing to run", "couler.run()", ValueError, "there is nothing to run: make a step first"),
    ("nothing to run in a dag", "couler.dag([])\ncouler.run()", ValueError, "there is nothing to run: make a step first, by set_dependencies or dag"),
    ("a submitter that is none", "step()\ncouler.run(submitter='argo')", ValueError, "has to be an ArgoSubmitter, not 'argo'"),
    ("a default submitter that is none", "couler.set_default_submitter('argo')", ValueError, "has to be an ArgoSubmitter"),
    ("a name that is too long", "couler.config_defaults(name_salter=lambda name: name)\ncouler.config_workflow(name='x' * 46)\nstep()\ncouler.run()", ValueError, "has 46 characters", "at most 45"),
    ("a name that is none", "couler.config_defaults(name_salter=lambda name: name)\ncouler.config_workflow(name='a_b')\nstep()\ncouler.run()", ValueError, "'a_b' is no name", "config_workflow(name=)"),
    ("a schedule that there is not", "couler.config_workflow(cron_config={'suspend': 'true'})", SyntaxError, "cron_config needs a schedule"),
    ("an unknown key of a schedule", "couler.config_workflow(cron_config={'shedule': '* * * * *'})", SyntaxError, "no key 'shedule'; did you mean 'schedule'?"),
    ("an unknown argument of the workflow", "couler.config_workflow(nam='x')", TypeError, "did you mean 'name'?"),
    ("a security context that is none", "couler.workflow.set_security_context(3)", TypeError, "a dict, not int"),
    ("a module that there is not", "import couler.proto", ModuleNotFoundError, "there is no couler.proto in tiphys.couler"),
    ("a configuration that there is not", "couler.config_workflow(cluster_config_file='/none.py')", FileNotFoundError, "there is no /none.py, which couler_cluster_config names"),
]


@pytest.fixture(autouse=True)
def defaults(monkeypatch):
    from tiphys.couler.core import states

    monkeypatch.setattr(states, "_workflow_name_salter", states.default_workflow_name_salter)
    monkeypatch.setenv("couler_cluster_config", "x")  # what is set in a test ends with it
    monkeypatch.delenv("couler_cluster_config")


@pytest.mark.parametrize("program, error, said", [(row[1], row[2], row[3:]) for row in TABLE], ids=[row[0] for row in TABLE])
def test_refused(made, program, error, said):
    with pytest.raises(error) as refused:
        made(DEFINITIONS + program)
    for part in said:
        assert part in str(refused.value)


def test_what_went_wrong_leaves_nothing_behind(made):
    """A program may go on after an error, as notebooks do."""
    with pytest.raises(ValueError):
        made(f"{DEFINITIONS}\ndef bad(): raise ValueError\ncouler.set_exit_handler(couler.WFStatus.Failed, bad)")
    assert "onExit" not in made(f"{DEFINITIONS}step()")["spec"]
