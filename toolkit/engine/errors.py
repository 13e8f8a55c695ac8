"""The errors of running a query. What is wrong with a query's text is a `KqlError` with diagnostics."""

from __future__ import annotations

import re

from toolkit.kql.diagnostics import Diagnostic, KqlError, ToolkitError
from toolkit.kql.source import Source, Span


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


ANSWER_TOO_LARGE = "the answer is too large"
_LESS = "summarize or filter earlier, name fewer columns (project), or allow more (memory_limit)"

_MESSAGES = (
    ("Unknown TimeZone", "time-zone", "a text is not the name of a time zone, for example 'Europe/Paris'"),
    ("Overflow in", "overflow", "integer overflow: a result does not fit into 64 bits (R-030)"),
    (ANSWER_TOO_LARGE, "out-of-memory", f"the rows of the answer take more than half of the memory that the query may use: {_LESS}"),
    ("Out of Memory", "out-of-memory", f"the query needs more memory than it is allowed to use: {_LESS}"),
    ("out of range", "overflow", "a value is outside the range of its type"),
    ("Could not cast", "conversion", "a value could not be converted"),
    ("Could not convert", "conversion", "a value could not be converted"),
)
# What the SQL or a Python function says in terms of KQL: "kql:" or "kql@start-end:", then the message.
_OURS = re.compile(r"kql(?:@(?P<start>\d+)-(?P<end>\d+))?:\s*(?P<text>[^\n]*)")


def failing(message: str, span: Span) -> str:
    """The text for SQL's error(): it comes back as a diagnostic at `span`."""
    return f"kql@{span.start}-{span.end}: {message}"


def failure(message: str, source: Source) -> QueryFailed:
    """An engine's error message as a diagnostic over the whole query, in terms of KQL rather than of SQL."""
    first = message.strip().splitlines()[0] if message.strip() else "unknown failure"
    code, text = "execution", f"the query failed while running: {first}"
    start, end = 0, len(source.text)
    ours = _OURS.search(message)
    if ours is not None:
        text = ours["text"]
        if ours["start"]:
            start, end = int(ours["start"]), int(ours["end"])
    else:
        for mark, known, reason in _MESSAGES:
            if mark.lower() in message.lower():
                code, text = known, reason
                break
    return QueryFailed([Diagnostic(code, "error", "semantic", text, start, end)], source)
