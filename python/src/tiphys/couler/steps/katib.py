"""Experiments of Katib."""

from __future__ import annotations

from typing import Any, Optional

from tiphys.couler.core.manifest import dump
from tiphys.couler.core.run_templates import run_job
from tiphys.couler.core.unknown_arguments import told

Document = dict[str, Any]


@told
def run(
    raw_template: str,
    tuning_params: list[Document],
    objective: Document,
    success_condition: Optional[str] = None,
    failure_condition: Optional[str] = None,
    algorithm: str = "random",
    parallel_trial_count: int = 3,
    max_trial_count: int = 12,
    max_failed_trial_count: int = 3,
) -> Any:
    """A step that tunes. raw_template: a trial's manifest, as Katib's v1alpha3 templates it.

    tuning_params: [{"name": ..., "type": ..., "range": [least, most]}]; objective: {"type": ..., "goal": ..., "metric_name": ...}.
    """
    _require("objective", objective, ("type", "goal", "metric_name"))
    if not isinstance(tuning_params, list):
        raise TypeError(f"tuning_params has to be a list, not {type(tuning_params).__name__}")
    manifest = {
        "apiVersion": "kubeflow.org/v1alpha3",
        "kind": "Experiment",
        "metadata": {"generateName": "katib-", "labels": {"controller-tools.k8s.io": "1.0"}},
        "spec": {
            "parallelTrialCount": parallel_trial_count,
            "maxTrialCount": max_trial_count,
            "maxFailedTrialCount": max_failed_trial_count,
            "objective": {"type": objective["type"], "goal": objective["goal"], "objectiveMetricName": objective["metric_name"]},
            "algorithm": {"algorithmName": algorithm},
            "trialTemplate": {"goTemplate": {"rawTemplate": raw_template}},
            "parameters": [_parameter(each) for each in tuning_params],
        },
    }
    return run_job(
        manifest=dump(manifest), success_condition=success_condition, failure_condition=failure_condition, step_name="run"
    )


def _parameter(given: Document) -> Document:
    if not isinstance(given, dict):
        raise TypeError(f"each of tuning_params has to be a dict, not {type(given).__name__}")
    _require("each of tuning_params", given, ("name", "type", "range"))
    if not isinstance(given["range"], list) or len(given["range"]) != 2:
        raise ValueError(f"the range of {given['name']!r} has to be [least, most], not {given['range']!r}")
    least, most = (str(int(bound)) for bound in given["range"])
    return {"name": f"--{given['name']}", "parameterType": given["type"], "feasibleSpace": {"min": least, "max": most}}


def _require(what: str, given: Document, keys: tuple[str, ...]) -> None:
    missing = [key for key in keys if key not in given]
    if missing:
        raise ValueError(f"{what} needs {', '.join(keys)}; {', '.join(missing)} is missing")
