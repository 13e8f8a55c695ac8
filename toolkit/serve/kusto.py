"""Kusto's REST API: /v1/rest/query, /v2/rest/query, /v1/rest/mgmt."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from toolkit.engine.budget import Budget
from toolkit.kql.times import datetime_from_ticks, parse_datetime, parse_timespan
from toolkit.serve import queries
from toolkit.serve.answers import Found, Frames, Part, Stamp, context, kusto_v1, kusto_v2
from toolkit.serve.commands import Commands
from toolkit.serve.databases import Database, Databases
from toolkit.serve.failures import RequestFailed
from toolkit.serve.findings import innermost
from toolkit.serve.queries import Cuts, Query

DEFAULT_SECONDS = 240.0
PATHS = ("/v1/rest/query", "/v2/rest/query", "/v1/rest/mgmt", "/v2/rest/mgmt")
_PLACEMENT = {"in_data": "InData", "end_of_table": "EndOfTable", "end_of_dataset": "EndOfDataset"}
_DAYS = re.compile(r"(?:(?P<days>-?\d+) days?, )?(?P<clock>\d+:\d{2}:\d{2}(?:\.\d+)?)")
_NOT_APPLIED = ("query_datetimescope", "query_bin_auto", "query_force_row_level_security")
"""Properties that change which rows or values come out, and that are not honoured: refused, never ignored."""
_EXCEPTIONS = {
    "syntax": "SyntaxException",
    "semantic": "SemanticException",
    "not-found": "EntityNotFoundException",
    "busy": "KustoRequestThrottledException",
    "timeout": "KustoServiceTimeoutException",
}
_CODES = {
    "not-found": "BadRequest_EntityNotFound",
    "unsupported": "UnsupportedByLocalServer",
    "timeout": "Request_ExecutionTimeout",
    "busy": "General_Throttled",
    "stopped": "General_ServiceUnavailable",
}


@dataclass(frozen=True)
class Ask:
    """A request as it was understood."""

    path: str
    database: str
    text: str
    options: Mapping[str, Any] = field(default_factory=dict)
    parameters: Mapping[str, object] = field(default_factory=dict)
    request_id: str = ""

    @property
    def is_command(self) -> bool:
        return self.path.endswith("/mgmt") or self.text.startswith(".")

    def option(self, name: str) -> Any:
        return self.options.get(name)

    def seconds(self) -> float:
        """How long the query may take: `servertimeout`, as Kusto or Python writes a time span."""
        if self.option("norequesttimeout"):
            return 3600.0
        given = self.option("servertimeout")
        if given is None:
            return DEFAULT_SECONDS
        python = _DAYS.fullmatch(str(given))
        text = f"{python['days']}.{python['clock']}" if python and python["days"] else str(given)
        ticks = parse_timespan(text if not re.match(r"\d:", text) else f"0{text}")
        if ticks is None or ticks <= 0:
            raise RequestFailed("request", f"servertimeout: expected a time span such as 00:04:00, found {given!r}.")
        return ticks / 1e7

    def cuts(self) -> Cuts:
        """Where results are cut, as the request says."""
        cuts = Cuts()
        if self.option("notruncation"):
            cuts = Cuts(None, None)
        if (rows := self._number("truncationmaxrecords")) is not None:
            cuts = replace(cuts, rows=rows)
        if (size := self._number("truncationmaxsize")) is not None:
            cuts = replace(cuts, size=size)
        return replace(cuts, take=self._number("query_take_max_records"))

    def _number(self, name: str) -> int | None:
        given = self.option(name)
        if given is None:
            return None
        try:
            number = int(given)
        except (TypeError, ValueError):
            number = 0
        if number < 1 or isinstance(given, bool):
            raise RequestFailed("request", f"{name}: expected a positive number, found {given!r}.")
        return number

    def now(self, clock: datetime) -> datetime:
        """The query's instant: `query_now`, else the server's."""
        given = self.option("query_now")
        if given is None:
            return clock
        text = re.sub(r"^\s*datetime\((.*)\)\s*$", r"\1", str(given))
        ticks = parse_datetime(text)
        if ticks is None:
            raise RequestFailed("request", f"query_now: expected a datetime, found {given!r}.")
        return datetime_from_ticks(ticks)

    def frames(self) -> Frames:
        placement = str(self.option("results_error_reporting_placement") or "in_data")
        if placement not in _PLACEMENT:
            raise RequestFailed("request", f"results_error_reporting_placement: expected {', '.join(_PLACEMENT)}, found {placement!r}.")
        return Frames(
            progressive=_flag(self.option("results_progressive_enabled")),
            fragmented=_flag(self.option("results_v2_fragment_primary_tables")),
            errors=_PLACEMENT[placement],
            deferred=_flag(self.option("deferpartialqueryfailures")),
        )


def _flag(value: object) -> bool:
    return value is True or str(value).casefold() == "true"


def parse(path: str, body: Any, headers: Mapping[str, str]) -> Ask:
    """A request's body, JSON or the parameters of a GET. Raises RequestFailed."""
    if not isinstance(body, Mapping) or not isinstance(body.get("csl"), str) or not body["csl"].strip():
        raise RequestFailed("request", 'Expected a JSON object {"db": ..., "csl": ...} with a query or a command in "csl".')
    properties = body.get("properties") or {}
    if isinstance(properties, str):
        try:
            properties = json.loads(properties)
        except ValueError:
            properties = None
    options, parameters = (
        (properties.get(key) or {} for key in ("Options", "Parameters")) if isinstance(properties, Mapping) else (None, None)
    )
    if not isinstance(options, Mapping) or not isinstance(parameters, Mapping):
        raise RequestFailed("request", '"properties": expected an object with "Options" and "Parameters", or such an object as text.')
    options = {str(name).casefold(): value for name, value in options.items()}
    _refuse_options(options)
    database = body.get("db") or ""
    return Ask(path, str(database), body["csl"].strip(), options, parameters, headers.get("x-ms-client-request-id", "unspecified"))


def _refuse_options(options: Mapping[str, Any]) -> None:
    for name, value in options.items():
        if name.startswith(_NOT_APPLIED):
            raise RequestFailed("unsupported", f"The request property '{name}' is not supported here.")
        if name == "query_language" and str(value).casefold() not in ("kql", "csl"):
            raise RequestFailed("unsupported", f"query_language: this server speaks KQL, not {value!r}.")


class Kusto:
    """Answers over the databases that are served."""

    def __init__(self, databases: Databases) -> None:
        self.databases = databases
        self._commands = Commands(databases)

    def find(self, name: str) -> Database:
        found = self.databases.find(name)
        if found is None:
            raise RequestFailed("not-found", f"Entity ID '{name}' of kind 'Database' was not found.")
        return found

    def answer(self, ask: Ask, now: datetime, budget: Budget) -> tuple[int, Iterator[Part]]:
        """The number of rows, and the answer. Runs in a thread of its own. Raises RequestFailed."""
        database = self.find(ask.database)
        stamp = Stamp(now, ask.request_id)
        if ask.is_command:
            found: Found | None = None
            table = self._commands.answer(database, ask.text, now, budget)
            if not ask.path.startswith("/v2/"):
                return table.count, iter([table.v1()])
            found = Found([table.result()])
        else:
            query = Query(ask.text, ask.now(now), parameters=ask.parameters, cuts=ask.cuts())
            found = queries.run(self.databases, [database], query, budget)
        if ask.path.startswith("/v1/"):
            return found.rows, kusto_v1(found, stamp)
        return found.rows, kusto_v2(found, stamp, ask.frames())


def error_status(error: RequestFailed) -> int:
    """Clients take 404 for an endpoint that does not exist: an entity that does not is a bad request."""
    return 400 if error.kind == "not-found" else error.status


def error_body(error: RequestFailed, stamp: Stamp) -> dict[str, Any]:
    """Kusto's envelope of an error, with the service's code and the place of what is wrong with the query."""
    text = error.message
    inner: dict[str, Any] = {}
    if error.finding is not None:
        inner = innermost(error.finding.diagnostic, error.finding.query)
        text = f"{'Syntax' if error.kind == 'syntax' else 'Semantic'} error: {inner['message']}"
        inner = {"innererror": inner}
    exception = _EXCEPTIONS.get(error.kind, "KustoBadRequestException")
    return {
        "error": {
            "code": error.code or _CODES.get(error.kind, "General_BadRequest"),
            "message": "Request is invalid and cannot be executed.",
            "@type": f"Kusto.Data.Exceptions.{exception}",
            "@message": text,
            "@context": context(stamp),
            "@permanent": error.kind not in ("busy", "stopped", "timeout"),
            **inner,
        }
    }
