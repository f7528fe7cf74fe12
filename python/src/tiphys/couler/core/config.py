"""What concerns the workflow as a whole, and all workflows of a program."""

from __future__ import annotations

import os
from typing import Any, Callable, Optional

from tiphys.couler.core import states, utils
from tiphys.couler.core.unknown_arguments import told

Document = dict[str, Any]

# Key of cron_config -> field, default.
_CRON = {
    "schedule": ("schedule", None),
    "concurrency_policy": ("concurrencyPolicy", "Allow"),
    "successful_jobs_history_limit": ("successfulJobsHistoryLimit", 3),
    "failed_jobs_history_limit": ("failedJobsHistoryLimit", 1),
    "starting_deadline_seconds": ("startingDeadlineSeconds", 10),
    "suspend": ("suspend", "false"),
    "timezone": ("timezone", "Asia/Shanghai"),
}


@told
def config_defaults(name_salter: Optional[Callable[[str], str]] = None, service_account: Optional[str] = None) -> None:
    """For all workflows of the program: how a name is made unique, and the ServiceAccount."""
    if name_salter is not None:
        states._workflow_name_salter = name_salter
    if service_account is not None:
        states.default_service_account = service_account


@told
def config_workflow(
    name: Optional[str] = None,
    user_id: Optional[str] = None,
    timeout: Optional[float] = None,
    time_to_clean: Optional[float] = None,
    cluster_config_file: Optional[str] = None,
    cron_config: Optional[Document] = None,
    service_account: Optional[str] = None,
) -> None:
    """For this workflow. timeout: seconds that it may run; time_to_clean: seconds after its end until it is deleted.

    cron_config makes a CronWorkflow of it: {"schedule": "1 0 * * *", "timezone": ..., ...}.
    """
    if name is not None:
        states.workflow.name = states._workflow_name_salter(name)
    if user_id is not None:
        states.workflow.user_id = user_id
    if timeout is not None:
        states.workflow.timeout = timeout
    if time_to_clean is not None:
        states.workflow.clean_ttl = time_to_clean
    if cluster_config_file is not None:
        os.environ["couler_cluster_config"] = cluster_config_file
        states.workflow.cluster_config = utils.load_cluster_config()
    if cron_config is not None:
        states.workflow.config_cron_workflow(_cron(cron_config))
    states.workflow.service_account = service_account if service_account is not None else states.default_service_account


def _cron(config: Document) -> Document:
    if not isinstance(config, dict):
        raise SyntaxError(f'cron_config has to be a dict, such as {{"schedule": "1 0 * * *"}}, not {type(config).__name__}')
    for key in config:
        if key not in _CRON:
            raise SyntaxError(f"cron_config has no key {key!r}{utils.did_you_mean(key, _CRON)}")
    if "schedule" not in config:
        raise SyntaxError('cron_config needs a schedule, such as {"schedule": "1 0 * * *"}')
    return {field: config.get(key, default) for key, (field, default) in _CRON.items()}
