"""Components by kfp.local's SubprocessRunner: an interpreter each, one after the other."""

import sys

from kfp import dsl, local

local.init(runner=local.SubprocessRunner(use_venv=False), raise_on_error=True)


@dsl.component(install_kfp_package=False)
def f(n: int) -> int:
    print(n)
    return n


@dsl.pipeline
def steps():
    for n in range(int(sys.argv[1])):
        f(n=n)


steps()
