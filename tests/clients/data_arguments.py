"""Data frames and arrays as arguments: written as the path says under which the step reads them, and back again."""

import numpy
import pandas

import tiphys

FRAME = pandas.DataFrame({"a": [1, 2], "b": ["x", "y"]})
NAMED = pandas.DataFrame({"a": [1, 2]}, index=pandas.Index(["r", "s"], name="row"))
ARRAY = numpy.arange(6).reshape(2, 3)


def copied(path):
    """Gives back what it is given."""
    return {"spec": {"entrypoint": "main", "templates": [
        {"name": "main", "container": {"image": "none", "command": ["cp", path, "/tmp/out-" + path.rsplit("/", 1)[-1]]},
         "inputs": {"artifacts": [{"name": "data", "path": path}]},
         "outputs": {"artifacts": [{"name": "data", "path": "/tmp/out-" + path.rsplit("/", 1)[-1], "archive": {"none": {}}}]}}]}}


def back(value, path):
    return tiphys.run(copied(path), artifacts={"data": value}, runtime="process", wait=True).artifacts["data"]


if __name__ == "__main__":
    for suffix in ("csv", "tsv", "json", "jsonl", "pkl"):
        pandas.testing.assert_frame_equal(back(FRAME, f"/tmp/in.{suffix}").frame(), FRAME)
    assert back(FRAME, "/tmp/in").text() == "a,b\n1,x\n2,y\n"
    assert back(NAMED, "/tmp/in").text() == "row,a\nr,1\ns,2\n"
    assert back(FRAME["a"], "/tmp/in").text() == "a\n1\n2\n"
    for suffix in ("npy", "npz", "csv"):
        assert (back(ARRAY, f"/tmp/in.{suffix}").array() == ARRAY).all()
    assert (numpy.load(back(ARRAY, "/tmp/in")) == ARRAY).all()
    print("done")
