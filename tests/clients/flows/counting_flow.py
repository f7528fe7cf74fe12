"""Metaflow: parameters, branches, a loop within a loop, a step that is tried again, one whose failure is caught, joins, artifacts."""

import os

from metaflow import FlowSpec, JSONType, Parameter, catch, current, environment, resources, retry, step

# What a cluster's nodes and images would have: who asks the store, and packages.
NODE = {name: os.environ.get(name, "") for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION", "METAFLOW_SKIP_INSTALL_DEPENDENCIES")}


class CountingFlow(FlowSpec):
    count = Parameter("count", type=int, default=3)
    options = Parameter("options", type=JSONType, default='{"letters": ["a", "b"]}')
    note = Parameter("note", default="it's \"so\"")

    @environment(vars=NODE)
    @step
    def start(self):
        self.numbers = list(range(self.count))
        self.next(self.again, self.broken)

    @retry(times=1, minutes_between_retries=0)
    @environment(vars=NODE)
    @step
    def again(self):
        if current.retry_count == 0:
            raise ValueError("the first time")
        self.next(self.number, foreach="numbers")

    @resources(cpu=1, memory=100)
    @environment(vars=NODE)
    @step
    def number(self):
        self.times = self.input + 1
        self.letters = self.options["letters"]
        self.next(self.letter, foreach="letters")

    @environment(vars=NODE)
    @step
    def letter(self):
        self.word = self.input * self.times
        self.next(self.of_a_number)

    @environment(vars=NODE)
    @step
    def of_a_number(self, inputs):
        self.words = [each.word for each in inputs]
        self.next(self.of_all)

    @environment(vars=NODE)
    @step
    def of_all(self, inputs):
        self.words = sorted(word for each in inputs for word in each.words)
        self.next(self.meet)

    @catch(var="failure")
    @environment(vars=NODE)
    @step
    def broken(self):
        if self.count:
            raise ValueError("as it should be")
        self.next(self.meet)

    @environment(vars=NODE)
    @step
    def meet(self, inputs):
        self.merge_artifacts(inputs, include=["words", "failure"])
        self.next(self.end)

    @environment(vars=NODE)
    @step
    def end(self):
        print("the words are", self.words, self.note)


if __name__ == "__main__":
    CountingFlow()
