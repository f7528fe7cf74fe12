"""Conditions: what a step gave, compared. A function stands for what it returns."""

from __future__ import annotations

from typing import Any

Condition = dict[str, Any]


def equal(pre: Any, post: Any = None) -> Condition:
    return _predicate(pre, post, "==")


def not_equal(pre: Any, post: Any = None) -> Condition:
    return _predicate(pre, post, "!=")


def bigger(pre: Any, post: Any = None) -> Condition:
    return _predicate(pre, post, ">")


def smaller(pre: Any, post: Any = None) -> Condition:
    return _predicate(pre, post, "<")


def bigger_equal(pre: Any, post: Any = None) -> Condition:
    return _predicate(pre, post, ">=")


def smaller_equal(pre: Any, post: Any = None) -> Condition:
    return _predicate(pre, post, "<=")


def _predicate(pre: Any, post: Any, condition: str) -> Condition:
    return {"pre": pre() if callable(pre) else pre, "post": post() if callable(post) else post, "condition": condition}
