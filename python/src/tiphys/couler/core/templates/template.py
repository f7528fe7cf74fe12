"""What all templates have."""

from __future__ import annotations

from typing import Any, Optional

from tiphys.couler.core import utils
from tiphys.couler.core.templates.cache import Cache

Document = dict[str, Any]


class Template:
    """A template of the workflow. `pool` and `enable_ulogfs` are for cluster configurations of the old form."""

    def __init__(
        self,
        name: str,
        output: Any = None,
        input: Any = None,
        timeout: Optional[float] = None,
        retry: Optional[int] = None,
        pool: Any = None,
        enable_ulogfs: bool = True,
        daemon: bool = False,
        cache: Optional[Cache] = None,
        parallelism: Optional[int] = None,
    ) -> None:
        self.name, self.output, self.input = name, output, input
        self.timeout, self.retry = timeout, retry
        self.pool, self.enable_ulogfs = pool, enable_ulogfs
        self.daemon, self.cache, self.parallelism = daemon, cache, parallelism

    def to_dict(self) -> Document:
        template: Document = {"name": self.name}
        if self.daemon:
            template["daemon"] = True
        if self.timeout is not None:
            template["activeDeadlineSeconds"] = self.timeout
        if self.retry is not None:
            template["retryStrategy"] = utils.config_retry_strategy(self.retry)
        if self.cache is not None:
            template["memoize"] = self.cache.to_dict()
        if self.parallelism is not None:
            template["parallelism"] = self.parallelism
        return template
