"""Dynamic ops of Dagster: a process for each by its default executor, and their events on disk."""

import os
import sys
import tempfile

from dagster import DagsterInstance, DynamicOut, DynamicOutput, execute_job, job, multiprocess_executor, op, reconstructable


@op(out=DynamicOut())
def made():
    for n in range(int(os.environ["STEPS"])):
        yield DynamicOutput(n, mapping_key=str(n))


@op
def f(n: int) -> int:
    print(n)
    return n


@job(executor_def=multiprocess_executor.configured({"max_concurrent": os.cpu_count()}))
def steps():
    made().map(f)


if __name__ == "__main__":
    os.environ["STEPS"] = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder, DagsterInstance.local_temp(folder) as instance:
        assert execute_job(reconstructable(steps), instance=instance).success
