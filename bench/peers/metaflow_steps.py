"""A foreach by Metaflow's local runtime: an interpreter for each task, as many at a time as the machine has cores."""

import os
import sys

from metaflow import FlowSpec, step


class Steps(FlowSpec):
    @step
    def start(self):
        self.items = list(range(int(os.environ["STEPS"])))
        self.next(self.each, foreach="items")

    @step
    def each(self):
        print(self.input)
        self.next(self.join)

    @step
    def join(self, inputs):
        self.next(self.end)

    @step
    def end(self):
        pass


if __name__ == "__main__":
    if sys.argv[1].isdigit():
        os.environ["STEPS"] = sys.argv.pop(1)
        sys.argv += ["--quiet", "run", "--max-workers", str(os.cpu_count()), "--max-num-splits", "1000"]
    Steps()
