"""What is wrong with a query, in the words of the service: our engine's findings, the service's codes and places."""

from __future__ import annotations

import re
from typing import Any

from toolkit.kql.diagnostics import Diagnostic

_TABLES = {"unknown-table"}
_NAMES = {"unknown-name"}
_OPERATOR = re.compile(r"\|\s*([a-z][\w-]*)")
_SOURCES = re.compile(r"\b(let|union|join|lookup)\b[^|]*$")


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
    if found.code == "unknown-database":
        line, position = place(found, query)
        return found.message.replace("' does not", f"' on line [{line},{position}] does not").removesuffix(".")
    if found.code == "unknown-function":
        return f"Unknown function: '{name}'."
    return blamed + found.message


def place(found: Diagnostic, query: str) -> tuple[int, int]:
    """Line and position as the service counts them: from 1 and from 0."""
    line = query.count("\n", 0, found.start) + 1
    return line, found.start - (query.rfind("\n", 0, found.start) + 1)


def innermost(found: Diagnostic, query: str) -> dict[str, Any]:
    """The service's code and sentence: SEM0100, or SYN0002 with the place."""
    if found.stage != "syntax":
        return {"code": "SEM0100", "message": semantic_text(found, query)}
    line, position = place(found, query)
    token = query[found.start : found.end]
    message = f"Query could not be parsed at '{token}' on line [{line},{position}]"
    return {"code": "SYN0002", "message": message, "line": line, "pos": position, "token": token}


def inner_error(found: Diagnostic, query: str) -> dict[str, Any]:
    """The innererror of the Logs query API: SemanticError over SEM0100, or SyntaxError over SYN0002 with the place."""
    inner = innermost(found, query)
    if found.stage != "syntax":
        return {"code": "SemanticError", "message": "A semantic error occurred.", "innererror": inner}
    return {"code": "SyntaxError", "message": "A recognition error occurred in the query.", "innererror": inner}
