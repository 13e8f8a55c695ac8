"""Comparisons that workbooks make: of thresholds, of criteria, of the columns that a merge adds."""

from __future__ import annotations

import re
from typing import Any

from toolkit.workbooks.numbers import cell_text, number_of

_LONGEST = 200
_QUANTIFIED_GROUP = re.compile(r"\)[*+{]")


def holds(operator: str, value: Any, bound: Any) -> bool | None:
    """Whether a value meets a threshold or a criterion; None for an operator or a pattern that is not supported."""
    text, other = cell_text(value), cell_text(bound)
    left, right = number_of(value), number_of(bound)
    numeric = left is not None and right is not None
    if operator in ("Default", "None"):
        return True
    if operator in ("is Empty", "isNotNull"):
        return (text == "") == (operator == "is Empty")
    if operator in ("==", "!="):
        return ((left == right) if numeric else (text == other)) == (operator == "==")
    if operator in (">", ">=", "<", "<="):
        if left is None or right is None:
            return False
        return {">": left > right, ">=": left >= right, "<": left < right, "<=": left <= right}[operator]
    if operator in ("contains", "notContains"):
        return (other.lower() in text.lower()) == (operator == "contains")
    if operator in ("startsWith", "endsWith"):
        return text.startswith(other) if operator == "startsWith" else text.endswith(other)
    return _matches(other, text) if operator == "regex" else None


def _matches(pattern: str, text: str) -> bool | None:
    """None for a pattern that could run for very long: one with a repeated group or with many repetitions."""
    if len(pattern) > _LONGEST or len(text) > _LONGEST or _QUANTIFIED_GROUP.search(pattern) or sum(map(pattern.count, "*+{")) > 3:
        return None
    try:
        return re.search(pattern, text) is not None
    except (re.error, RecursionError):
        return None
