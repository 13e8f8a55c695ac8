"""The errors of running a query. What is wrong with a query's text is a `KqlError` with diagnostics."""

from __future__ import annotations

from toolkit.kql.diagnostics import Diagnostic, KqlError, ToolkitError
from toolkit.kql.source import Source


class EngineError(ToolkitError):
    """The root of what can go wrong while a query runs."""


class QueryTimeout(EngineError):
    """The query ran longer than it was allowed to."""


class QueryCancelled(EngineError):
    """The query was stopped by Ctrl-C or `Workspace.interrupt`."""


class QueryFailed(KqlError, EngineError):
    """Valid KQL that failed on this data: an overflow, a value outside its type's range, not enough memory."""


class ParameterError(EngineError):
    """An argument of `Workspace.query` that is not one: a clock that is no instant, a parameter of no KQL type."""


_MESSAGES = (
    ("Overflow in", "overflow", "integer overflow: a result does not fit into 64 bits (R-030)"),
    ("Out of Memory", "out-of-memory", "the query needs more memory than it is allowed to use"),
    ("out of range", "overflow", "a value is outside the range of its type"),
    ("Could not convert", "conversion", "a value could not be converted"),
)
_USER_MARK = "kql:"


def failure(message: str, source: Source) -> QueryFailed:
    """An engine's error message as a diagnostic over the whole query, in terms of KQL rather than of SQL."""
    first = message.strip().splitlines()[0] if message.strip() else "unknown failure"
    code, text = "execution", f"the query failed while running: {first}"
    if _USER_MARK in message:
        text = message.split(_USER_MARK, 1)[1].strip().splitlines()[0]
    else:
        for mark, known, reason in _MESSAGES:
            if mark.lower() in message.lower():
                code, text = known, reason
                break
    return QueryFailed([Diagnostic(code, "error", "semantic", text, 0, len(source.text))], source)
