"""What is wrong with a query, in the words of the service: our engine's findings, the service's codes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from toolkit import Diagnostic

_TABLES = {"unknown-table"}
_NAMES = {"unknown-name"}
_OPERATOR = re.compile(r"\|\s*([a-z][\w-]*)")
_SOURCES = re.compile(r"\b(let|union|join|lookup)\b[^|]*$")


def first_error(diagnostics: Sequence[Diagnostic]) -> Diagnostic | None:
    """The first thing that makes a query impossible to run."""
    return next((found for found in diagnostics if found.severity == "error"), None)


def missing_watchlist(diagnostics: Sequence[Diagnostic]) -> str | None:
    """The alias of a watchlist that the query reads and that does not exist."""
    for found in diagnostics:
        if found.code in ("not-at-hand", "refused") and (match := re.match(r"The watchlist '(.*?)' is not at hand", found.message)):
            return match[1]
    return None


def is_missing_table(found: Diagnostic, query: str) -> bool:
    """Whether a finding is a table that does not exist, also where `let` gives it another name."""
    if found.code in _TABLES:
        return True
    before = query[: found.start]
    return found.code in _NAMES and (not before.strip() or bool(re.search(r"\blet\s+\w+\s*=\s*$", before)))


def _operator(found: Diagnostic, query: str) -> str:
    """The operator that the service blames: for a table the one that reads it, otherwise the one that it stands in."""
    before = _OPERATOR.findall(query[: found.start])
    after = _OPERATOR.search(query, found.end)
    if is_missing_table(found, query) and not _SOURCES.search(query[: found.start]):
        return after[1] if after else ""
    return before[-1] if before else (after[1] if after else "")


def semantic_text(found: Diagnostic, query: str) -> str:
    """The sentence of a semantic error as the service writes it, where it is known; otherwise our own."""
    name = query[found.start : found.end]
    operator = _operator(found, query)
    blamed = f"'{operator}' operator: " if operator else ""
    if is_missing_table(found, query):
        return f"{blamed}Failed to resolve table or column expression named '{name}'"
    if found.code in _NAMES:
        return f"{blamed}Failed to resolve scalar expression named '{name}'"
    if found.code == "unknown-function":
        return f"Unknown function: '{name}'."
    return blamed + found.message


def inner_error(found: Diagnostic, query: str) -> dict[str, Any]:
    """The innererror of the Logs query API: SemanticError over SEM0100, or SyntaxError over SYN0002 with the place."""
    if found.stage != "syntax":
        inner = {"code": "SEM0100", "message": semantic_text(found, query)}
        return {"code": "SemanticError", "message": "A semantic error occurred.", "innererror": inner}
    line = query.count("\n", 0, found.start) + 1
    position = found.start - (query.rfind("\n", 0, found.start) + 1)
    token = query[found.start : found.end]
    place: dict[str, Any] = {
        "code": "SYN0002",
        "message": f"Query could not be parsed at '{token}' on line [{line},{position}]",
        "line": line,
        "pos": position,
        "token": token,
    }
    return {"code": "SyntaxError", "message": "A recognition error occurred in the query.", "innererror": place}


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
