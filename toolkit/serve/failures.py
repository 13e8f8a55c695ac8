"""Why a request has no answer: one exception for both families of APIs, which each write it in their own form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from toolkit.engine.errors import QueryCancelled, QueryFailed, QueryTimeout
from toolkit.kql.diagnostics import Diagnostic, KqlError, ToolkitError, UnsupportedKqlError

Kind = Literal[
    "request", "not-found", "syntax", "semantic", "unsupported", "engine", "timeout", "stopped", "busy", "too-large", "late", "encoding"
]

STATUS: dict[Kind, int] = {
    "request": 400,
    "not-found": 404,
    "syntax": 400,
    "semantic": 400,
    "unsupported": 501,  # the service would run it: not an answer of Azure, and not to be taken for one
    "engine": 400,
    "timeout": 504,
    "stopped": 503,
    "busy": 429,
    "too-large": 413,
    "late": 408,
    "encoding": 415,
}


@dataclass(frozen=True)
class Finding:
    """What is wrong with a query, and the query."""

    diagnostic: Diagnostic
    query: str


class RequestFailed(ToolkitError):
    """A request that is answered with an error. `finding` is there when the query's text is to blame."""

    def __init__(self, kind: Kind, message: str, *, code: str = "", finding: Finding | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.code = code
        self.finding = finding

    @property
    def status(self) -> int:
        return STATUS[self.kind]


def failed(error: ToolkitError, query: str) -> RequestFailed:
    """What a query that cannot be run is answered with."""
    if isinstance(error, RequestFailed):
        return error
    if isinstance(error, UnsupportedKqlError):
        return RequestFailed("unsupported", str(error))
    if isinstance(error, QueryFailed):
        return RequestFailed("engine", error.diagnostics[0].message)
    if isinstance(error, KqlError):
        found = next((each for each in error.diagnostics if each.severity == "error"), error.diagnostics[0])
        return RequestFailed("syntax" if found.stage == "syntax" else "semantic", found.message, finding=Finding(found, query))
    if isinstance(error, QueryTimeout):
        return RequestFailed("timeout", str(error)[:1].upper() + str(error)[1:] + ".")
    if isinstance(error, QueryCancelled):
        return RequestFailed("stopped", "The query was stopped.")
    return RequestFailed("engine", str(error))
