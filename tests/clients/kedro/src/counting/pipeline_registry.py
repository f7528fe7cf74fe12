from argo_kedro.pipeline import FusedPipeline, Node
from kedro.pipeline import Pipeline


def numbers(count):
    return list(range(count))


def doubled(values):
    return [2 * value for value in values]


def total(values):
    return sum(values)


def register_pipelines():
    made = Node(func=numbers, inputs="params:count", outputs="numbers", name="make", machine_type="small")
    # Those of a fused pipeline go into one pod, and what is between them stays in memory.
    fused = FusedPipeline(
        [Node(func=doubled, inputs="numbers", outputs="doubled", name="double"), Node(func=total, inputs="doubled", outputs="total", name="add")], name="sums", machine_type="small"
    )
    return {"__default__": Pipeline([made, fused])}
