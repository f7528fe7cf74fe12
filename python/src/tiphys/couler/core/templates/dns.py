"""Whom pods ask for names."""

from __future__ import annotations

from typing import Any, Optional


class DnsConfigOption:
    def __init__(self, name: str, value: str) -> None:
        self.name, self.value = name, value

    def to_dict(self) -> dict[str, str]:
        return {"name": self.name, "value": self.value}


class DnsConfig:
    def __init__(
        self, nameservers: Optional[list[str]] = None, options: Optional[list[DnsConfigOption]] = None, searches: Optional[list[str]] = None
    ) -> None:
        self.nameservers, self.options, self.searches = nameservers, options, searches

    def to_dict(self) -> dict[str, Any]:
        parts = {"nameservers": self.nameservers, "options": self.get_options_to_dict(), "searches": self.searches}
        return {name: part for name, part in parts.items() if part}

    def get_options_to_dict(self) -> list[dict[str, str]]:
        return [option.to_dict() for option in self.options or []]
