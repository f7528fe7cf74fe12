"""Every comparison, with strings and numbers, and one of a step that came earlier."""

import couler.argo as couler
from couler.argo_submitter import ArgoSubmitter

def draw():
    import random

    print(random.randint(0, 9))


def number():
    return couler.run_script(image="python:3.9", source=draw)


def tell(step, text):
    return couler.run_container(image="busybox:1", command=["echo"], args=[text], step_name=step)


first = number()
second = number()
couler.when(couler.equal(first, "1"), lambda: tell("one", "1"))
couler.when(couler.not_equal(first, "1"), lambda: tell("other", "2"))
couler.when(couler.bigger(second, 5), lambda: tell("big", "3"))
couler.when(couler.smaller(second, 5), lambda: tell("small", "4"))
couler.when(couler.bigger_equal(first, "0.2"), lambda: tell("least", "5"))
couler.when(couler.smaller_equal(first, "0.2"), lambda: tell("most", second[0]))

couler.run(submitter=ArgoSubmitter())
