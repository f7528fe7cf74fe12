"""What a step returns to the program: references to what it will have made."""

from __future__ import annotations

from typing import Any, Optional, Union

Document = dict[str, Any]


class Output:
    """A reference to an output of a step: couler.STEP.TEMPLATE.outputs...; of the workflow: couler.workflow.outputs..."""

    def __init__(self, value: str, is_global: bool = False) -> None:
        self.value, self.is_global = value, is_global
        parts = value.split(".")
        if len(parts) < 4:
            raise ValueError(f"{value!r} is no output of a step: pass what run_container, run_script or run_job returned")
        self.step_name, self.template_name = parts[1], parts[2]
        self.reference = ".".join(parts[2:] if is_global else parts[3:])

    def tag(self, prefix: str) -> str:
        """What Argo replaces by the value; prefix: "steps" or "tasks"."""
        owner = "workflow" if self.is_global else f"{prefix}.{self.step_name}"
        return f"{{{{{owner}.{self.reference}}}}}"


class OutputEmpty(Output):
    """Of a container that declares no outputs: it stands for the step, but has no value."""


class OutputParameter(Output):
    pass


class OutputScript(Output):
    """What a script printed."""


class OutputArtifact(Output):
    def __init__(self, value: str, path: str, artifact: Document, is_global: bool = False, type: str = "") -> None:
        super().__init__(value, is_global)
        self.path, self.artifact, self.type = path, artifact, type


class OutputJob(Output):
    """Of an object that a step made: its name, its uid and the whole of it."""

    def __init__(self, value: str, job_name: str, job_id: str, job_obj: Optional[str] = None, is_global: bool = False) -> None:
        super().__init__(value, is_global)
        self.job_name, self.job_id, self.job_obj = job_name, job_id, job_obj

    def parts(self) -> list[Output]:
        return [Output(value, self.is_global) for value in (self.job_id, self.job_name, self.job_obj) if value is not None]


def quoted(text: str) -> str:
    """References carry quotes in Couler's documents; current_form.py takes them off when the document is submitted."""
    return f'"{text}"'


def container_outputs(step: str, template: str, outputs: Optional[Document]) -> list[Output]:
    if outputs is None:
        return [OutputEmpty(f"couler.{step}.{template}.outputs.parameters.1")]
    kind = "parameters" if "parameters" in outputs else "artifacts"
    return [_declared(step, template, kind, declared) for declared in outputs[kind]]


def script_outputs(step: str, template: str, outputs: Optional[Document]) -> list[Output]:
    result = OutputScript(f"couler.{step}.{template}.outputs.result")
    return [result] if outputs is None else [*container_outputs(step, template, outputs), result]


def job_outputs(step: str, template: str) -> list[Output]:
    name, uid, whole = (f"couler.{step}.{template}.outputs.parameters.{each}" for each in ("job-name", "job-id", "job-obj"))
    return [OutputJob(name, job_name=name, job_id=uid, job_obj=whole)]


def _declared(step: str, template: str, kind: str, declared: Document) -> Output:
    is_global = "globalName" in declared
    value = f"couler.workflow.outputs.{kind}.{declared['globalName']}" if is_global else f"couler.{step}.{template}.outputs.{kind}.{declared['name']}"
    if kind == "parameters":
        return OutputParameter(value, is_global)
    return OutputArtifact(value, declared["path"], declared, is_global)


def first_output(returned: Any) -> Union[Output, Any]:
    """The output that stands for what a step returned: its first; any other value is itself."""
    if isinstance(returned, (list, tuple)):
        if not returned:
            raise ValueError("an empty list is no output of a step: pass what run_container, run_script or run_job returned")
        return returned[0]
    return returned
