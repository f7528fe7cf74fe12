"""kfp.Client of Kubeflow Pipelines 1.8 within tiphys.Server(): kfp_client.py before|after, as kfp is imported."""

import importlib
import sys

import tiphys


def add(a: int, b: int) -> int:
    return a + b


def broken():
    raise SystemExit(3)


def refused(call, status, said):
    from kfp_server_api import ApiException

    try:
        call()
    except ApiException as wrong:
        assert wrong.status == status and said in str(wrong), wrong
    else:
        raise AssertionError(f"{said}: it is not refused")


def work(server):
    import kfp
    from kfp import dsl
    from kfp.components import create_component_from_func

    add_op, broken_op = create_component_from_func(add, base_image="python"), create_component_from_func(broken, base_image="python")

    @dsl.pipeline(name="adds")
    def adds(x: int = 3):
        add_op(add_op(x, 4).output, 5)

    @dsl.pipeline(name="breaks")
    def breaks():
        broken_op()

    client = kfp.Client()
    begun = client.create_run_from_pipeline_func(adds, arguments={"x": 10}, run_name="ten", experiment_name="sums")
    tiphys.get(begun.run_id).wait()
    ended = begun.wait_for_run_completion(timeout=60)
    assert (ended.run.status, ended.run.name) == ("Succeeded", "ten")
    assert tiphys.get(begun.run_id).nodes["add-2"].artifacts["add-2-Output"].text() == "19"
    experiment = client.get_experiment(experiment_name="sums")
    assert client.get_experiment(experiment.id).name == "sums"
    assert [each.id for each in client.list_runs(experiment_id=experiment.id).runs] == [begun.run_id]
    assert client.create_experiment("sums").id == experiment.id
    failing = client.create_run_from_pipeline_func(breaks, arguments={})
    assert tiphys.get(failing.run_id).wait(check=False).status == "Failed"
    assert client.get_run(failing.run_id).run.status == "Failed"
    client._run_api.delete_run(failing.run_id)
    refused(lambda: client.get_run(failing.run_id), 404, failing.run_id)
    refused(lambda: client.list_pipelines(), 501, "there are experiments and runs here")
    refused(lambda: client.run_pipeline(experiment.id, "kept", pipeline_id="1"), 400, "pipelines are not kept here")


if __name__ == "__main__":
    if sys.argv[1] == "before":
        importlib.import_module("kfp")
    with tiphys.Server(runtime="process") as server:
        work(server)
    from kfp_server_api.rest import RESTClientObject

    assert RESTClientObject.request.__module__ == "kfp_server_api.rest", "it is given back what it had"
    print("done")
