"""Mapped tasks of Prefect: threads of one process, and a server that keeps their states."""

import sys

from prefect import flow, task


@task
def f(n: int) -> int:
    print(n)
    return n


@flow
def steps(count: int):
    return f.map(list(range(count))).result()


steps(int(sys.argv[1]))
