"""What is wrong with a query, in the words of the service: our engine's findings, the service's codes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from toolkit import Diagnostic
from toolkit.serve.findings import inner_error, is_missing_table

_NAMES = {"unknown-name"}


def first_error(diagnostics: Sequence[Diagnostic]) -> Diagnostic | None:
    """The first thing that makes a query impossible to run."""
    return next((found for found in diagnostics if found.severity == "error"), None)


def missing_watchlist(diagnostics: Sequence[Diagnostic]) -> str | None:
    """The alias of a watchlist that the query reads and that does not exist."""
    for found in diagnostics:
        if found.code in ("not-at-hand", "refused") and (match := re.match(r"The watchlist '(.*?)' is not at hand", found.message)):
            return match[1]
    return None


def bad_argument(found: Diagnostic, query: str) -> dict[str, Any]:
    """The error object of a query that cannot be run (without the correlation id)."""
    return {
        "code": "BadArgumentError",
        "message": "The request had some invalid properties",
        "innererror": inner_error(found, query),
    }


def rule_error(found: Diagnostic, query: str) -> str:
    """The message with which an analytics rule is refused."""
    if is_missing_table(found, query):
        return "Failed to run the analytics rule query. One of the tables does not exist."
    detail = inner_error(found, query)
    kind = "FailedToResolveScalarExpression: " if found.code in _NAMES else ""
    return f"Failed to run the analytics rule query. {detail['code']}: {kind}{detail['innererror']['message']}"
