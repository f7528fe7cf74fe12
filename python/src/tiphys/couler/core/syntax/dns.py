from __future__ import annotations

from tiphys.couler.core import states
from tiphys.couler.core.templates.dns import DnsConfig


def set_dns(dns_policy: str, dns_config: DnsConfig) -> None:
    """Whom the workflow's pods ask for names."""
    states.workflow.set_dns(dns_policy, dns_config)
