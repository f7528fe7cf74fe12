"""Kubeflow Pipelines 1.8, whose compiler makes Argo's workflows: functions as components, values and files between them, loops, conditions, a
recursion, an exit handler."""

from kfp import compiler, dsl
from kfp.components import InputPath, OutputPath, create_component_from_func

import tiphys


def numbers(count: int, table: OutputPath("CSV")) -> list:
    with open(table, "w") as file:
        file.write("number\n" + "\n".join(map(str, range(count))))
    return list(range(count))


def square(number: int, note: str) -> int:
    print("the square of", number, note)
    return number * number


def total(table: InputPath("CSV")) -> int:
    return sum(int(line) for line in open(table).read().split()[1:])


def down(number: int) -> int:
    return number - 1


def say(text: str):
    print("it is", text)


numbers_op, square_op, total_op, down_op, say_op = [create_component_from_func(each, base_image="python:3.11") for each in (numbers, square, total, down, say)]


@dsl.graph_component
def count_down(number):
    left = down_op(number)
    with dsl.Condition(left.output > 0):
        count_down(left.output)


@dsl.pipeline(name="Counting things", description="what it's for")
def counting(count: int = 4, note: str = 'a "b" c: {d}\nsecond'):
    with dsl.ExitHandler(say_op("over")):
        made = numbers_op(count).set_retry(2, policy="Always", backoff_duration="1s", backoff_factor=2).set_memory_limit("200M").set_timeout(100)
        with dsl.ParallelFor(made.outputs["output"], parallelism=2) as number:
            square_op(number, note)
        with dsl.ParallelFor([{"of": 10, "note": "x"}, {"of": 11, "note": "y"}]) as item:
            square_op(item.of, item.note).after(made)
        sum_of = total_op(made.outputs["table"])
        with dsl.Condition(sum_of.output > 5, "large"):
            say_op("large")
            count_down(sum_of.output)
        with dsl.Condition(sum_of.output <= 5, "small"):
            say_op("small")
        dsl.ContainerOp(name="shell", image="busybox", command=["sh", "-c"], arguments=[f"echo '{made.outputs['output']}' > /tmp/out"], file_outputs={"out": "/tmp/out"})


def logs(run, template):
    return sorted(node.logs().strip() for node in run.nodes if node.type == "Pod" and node.template == template)


if __name__ == "__main__":
    compiler.Compiler().compile(counting, "counting.yaml")
    run = tiphys.run("counting.yaml", {"count": 4}, runtime="process", wait=True)
    assert logs(run, "square") == [f'the square of {number} a "b" c: {{d}}\nsecond' for number in range(4)]
    assert logs(run, "square-2") == ["the square of 10 x", "the square of 11 y"]
    assert (logs(run, "say"), logs(run, "say-2"), logs(run, "say-3")) == (["it is over"], ["it is large"], [])
    assert run.nodes["total"].outputs == {"total-Output": "6"}
    assert sorted(node.outputs["down-Output"] for node in run.nodes.of_template("down") if node.type == "Pod") == list("012345")
    assert run.nodes["condition-small-8"].phase == "Skipped"
    assert run.nodes["numbers(0)"].artifacts["numbers-table"].text() == "number\n0\n1\n2\n3"
    assert run.nodes["shell"].artifacts["shell-out"].json() == [0, 1, 2, 3]
    print("done")
