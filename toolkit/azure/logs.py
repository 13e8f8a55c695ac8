"""The Logs query API: queries, batches of them, and what tables and functions a workspace has.

Queries and batches are sent through azure-monitor-query (`toolkit.azure.monitor`). Answers are the engine's `Result`s. An answer
that is only a part of the rows is a value that says so, never a silent success.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from azure.core.rest import HttpRequest

from toolkit.azure import answers, errors
from toolkit.azure.cloud import Cloud
from toolkit.azure.errors import AzureApiError, Facts
from toolkit.azure.limits import QUERIES, READS, Stopped
from toolkit.azure.monitor import MonitorQuery
from toolkit.azure.pipeline import Answer, Call, Options, Wire, retry_after
from toolkit.azure.tables import kql_type, results_of
from toolkit.engine.result import Result
from toolkit.kql.diagnostics import ToolkitError
from toolkit.kql.types import ScalarType, TableSchema

MOST_AT_ONE_TIME = 5
"""Queries that the service runs for one user at one time."""
MOST_IN_A_BATCH = 100
_LONGEST_WAIT = 600
_MARGIN = 30.0
_ROLES = ("Log Analytics Reader",)
# 504 is a query that took too long: running it again takes as long.
_RETRIED = frozenset({408, 429, 500, 502, 503})

Timespan = str | timedelta | tuple[datetime, datetime | timedelta] | None
"""ISO 8601 text, a duration up to now, start and end, start and duration; a naive time is UTC. None: what the query says."""


class LogsArgumentError(ToolkitError):
    """A query's options that cannot be sent."""


class PartialResultError(AzureApiError):
    """The query ended early: the rows are a part of the answer. A value of `LogsAnswer.error`, not raised by the client."""

    expected = "all rows of the answer"
    advice = "Narrow the time span or the columns, or aggregate in the query."


@dataclass(frozen=True)
class LogsQuery:
    """A query and how it is run.

    `workspace` is a workspace id (a GUID) or the resource id of any resource; `workspaces` are further ones to search.
    `wait`: seconds that the service may take, 1 to 600.
    """

    workspace: str
    query: str
    timespan: Timespan = None
    workspaces: tuple[str, ...] = ()
    wait: int = 180
    statistics: bool = False
    render: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.wait <= _LONGEST_WAIT:
            raise LogsArgumentError(f"wait: expected 1 to {_LONGEST_WAIT} seconds, found {self.wait}")
        if not self.query.strip():
            raise LogsArgumentError("query: expected KQL, found nothing")
        _place(self.workspace)
        timespan_text(self.timespan)

    def options(self) -> dict[str, Any]:
        """What azure-monitor-query's methods take besides the query and its time span."""
        return {
            "additional_workspaces": list(self.workspaces) or None,
            "server_timeout": self.wait,
            "include_statistics": self.statistics,
            "include_visualization": self.render,
        }


@dataclass(frozen=True)
class LogsAnswer:
    """The tables of a query as a Result (further tables are its `others`). `error` says that they are only a part."""

    result: Result
    error: PartialResultError | None = None
    statistics: Mapping[str, Any] = field(default_factory=dict)
    correlation_id: str = ""

    @property
    def is_partial(self) -> bool:
        return self.error is not None


@dataclass(frozen=True)
class LogsFunction:
    """A saved function of a workspace: its parameters as declared (`name:type = default`) and its body where it is told."""

    name: str
    parameters: str = ""
    body: str | None = None


@dataclass(frozen=True)
class LogsSchema:
    """What queries of a workspace can use."""

    tables: Mapping[str, TableSchema]
    functions: Mapping[str, LogsFunction]


class LogsClient:
    """Queries of one principal in one cloud; threads may share it."""

    def __init__(self, cloud: Cloud, credential: Any, options: Options | None = None) -> None:
        options = options or Options()
        self.options = replace(options, parallelism=min(options.parallelism, MOST_AT_ONE_TIME))
        self._wire = Wire(cloud.logs, cloud.logs_scope, credential, self.options)
        self._monitor = MonitorQuery(self._wire)

    def __enter__(self) -> LogsClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<LogsClient {self._wire.endpoint}>"

    def close(self) -> None:
        self._wire.close()

    def run(self, query: LogsQuery) -> LogsAnswer:
        """One query. QueryRejectedError with the service's own words when it is refused; see `LogsAnswer.error`.

        MissingQueryClientError where azure-monitor-query is not installed, here and of `batch`.
        """
        place = _place(query.workspace)
        call = _call(place, query.wait)
        answer = self._send(query, place, call)
        return _read(answer.body, Facts("", "POST", call.resource, answer.status, correlation_id=answer.correlation_id))

    def _send(self, query: LogsQuery, place: str, call: Call) -> Answer:
        span = _moments(query.timespan)
        if _is_writable(span):
            at = {"resource_id": quote(place[1:])} if _is_resource(query.workspace) else {"workspace_id": query.workspace}
            return self._monitor.query(at, query.query, call, timespan=span, **query.options())
        # azure-monitor-query takes no text, leaves a span of zero out (all times!) and writes the shortest ones as PT1e-06S.
        body = {"query": query.query, "timespan": timespan_text(query.timespan), "workspaces": list(query.workspaces) or None}
        wanted = {"include-statistics=true": query.statistics, "include-render=true": query.render}
        prefer = ",".join([f"wait={query.wait}", *(name for name, asked in wanted.items() if asked)])
        url = self._wire.url(f"/v1{quote(place)}/query")
        return self._wire.send(HttpRequest("POST", url, json=body, headers={"Prefer": prefer}), call)

    def batch(self, queries: Sequence[LogsQuery]) -> list[LogsAnswer | AzureApiError]:
        """Many queries in few requests: an answer or an error for each, in their order.

        Queries that the service throttles inside a batch are sent again, only they. An error of a whole request is raised.
        """
        found: list[LogsAnswer | AzureApiError] = []
        for start in range(0, len(queries), MOST_IN_A_BATCH):
            found += self._chunk(queries[start : start + MOST_IN_A_BATCH])
        return found

    def schema(self, workspace: str) -> LogsSchema:
        """The tables with their columns and the functions of a workspace."""
        place = _place(workspace)
        call = Call(place, operation=READS, roles=_ROLES)
        answer = self._wire.send(HttpRequest("GET", self._wire.url(f"/v1{quote(place)}/metadata")), call)
        try:
            tables = {each["name"]: _schema(each) for each in answer.body["tables"]}
            functions = {each["name"]: _function(each) for each in answer.body.get("functions") or ()}
        except (KeyError, TypeError, AttributeError):
            wrong = Facts("expected tables with columns", "GET", place, answer.status, correlation_id=answer.correlation_id)
        else:
            return LogsSchema(tables, functions)
        raise errors.ProtocolError(wrong)

    def _chunk(self, queries: Sequence[LogsQuery]) -> list[LogsAnswer | AzureApiError]:
        found: dict[int, LogsAnswer | AzureApiError] = {}
        for retry in range(1, self.options.retries.status + 2):
            left = [number for number in range(len(queries)) if number not in found or isinstance(found[number], errors.ThrottledError)]
            if not left:
                break
            if retry > 1:
                self._pause(self._patience(retry, [found[number] for number in left]))
            found.update(self._send_batch({number: queries[number] for number in left}))
        return [found[number] for number in range(len(queries))]

    def _patience(self, retry: int, throttled: Sequence[object]) -> float:
        asked = [each.facts.retry_after for each in throttled if isinstance(each, AzureApiError) and each.facts.retry_after is not None]
        return max(asked) if asked else self.options.retries.delay(retry)

    def _pause(self, seconds: float) -> None:
        stopped = False
        try:
            self._wire.gate.pause(min(seconds, self.options.retries.longest))
        except Stopped:
            stopped = True
        if stopped:
            raise errors.CancelledError(Facts("stopped before an answer", "POST", "/v1/$batch"))

    def _send_batch(self, queries: Mapping[int, LogsQuery]) -> dict[int, LogsAnswer | AzureApiError]:
        items = {number: self._item(query) for number, query in queries.items()}
        call = _call("/v1/$batch", max(query.wait for query in queries.values()))
        answer = self._monitor.batch(list(items.values()), call)
        numbers = {str(item.id): number for number, item in items.items()}
        responses = answer.body.get("responses") if isinstance(answer.body, dict) else None
        given = {str(each.get("id")): each for each in responses or () if isinstance(each, dict)}
        return {number: _item_answer(given.get(name), queries[number], answer) for name, number in numbers.items()}

    def _item(self, query: LogsQuery) -> Any:
        return self._monitor.item(query.workspace, query.query, timespan_text(query.timespan), **query.options())


def _call(resource: str, wait: int) -> Call:
    return Call(resource, operation=QUERIES, roles=_ROLES, read_timeout=wait + _MARGIN, retry_statuses=_RETRIED)


def _is_resource(workspace: str) -> bool:
    return workspace.lower().startswith("/subscriptions/")


def _place(workspace: str) -> str:
    """The part of the path that names where a query runs."""
    place = workspace.strip("/") if _is_resource(workspace) else f"workspaces/{workspace}"
    parts = place.split("/")
    if (
        not workspace
        or any(part in ("", ".", "..") or not part.isprintable() for part in parts)
        or (place != workspace.strip("/") and len(parts) > 2)
    ):
        raise LogsArgumentError(f"workspace: expected a workspace id (a GUID) or a resource id, found {workspace!r}")
    return f"/{place}"


def timespan_text(span: Timespan) -> str | None:
    """A time span as the service takes it: `PT3600S`, `start/end`, `start/PT3600S`."""
    if span is None or isinstance(span, str):
        return span or None
    if isinstance(span, timedelta):
        return _duration(span)
    start, end = span
    if isinstance(end, timedelta):
        return f"{_instant(start)}/{_duration(end)}"
    if _aware(end) < _aware(start):
        raise LogsArgumentError(f"timespan: expected a start before the end, found {_instant(start)} and {_instant(end)}")
    return f"{_instant(start)}/{_instant(end)}"


def _moments(span: Timespan) -> Timespan:
    """The same with a zone: azure-monitor-query warns of a time without one."""
    if not isinstance(span, tuple):
        return span
    return _aware(span[0]), span[1] if isinstance(span[1], timedelta) else _aware(span[1])


def _is_writable(span: Timespan) -> bool:
    """Whether azure-monitor-query sends exactly this time span."""
    duration = span[1] if isinstance(span, tuple) else span
    if isinstance(duration, timedelta):
        return bool(duration) and "e" not in str(duration.total_seconds())
    return not isinstance(span, str)


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _instant(moment: datetime) -> str:
    return _aware(moment).astimezone(UTC).isoformat().replace("+00:00", "Z")


def _duration(span: timedelta) -> str:
    if span < timedelta(0):
        raise LogsArgumentError(f"timespan: expected a duration of zero or more, found {span}")
    seconds = span.days * 86_400 + span.seconds
    fraction = f".{span.microseconds:06}".rstrip("0") if span.microseconds else ""
    return f"PT{seconds}{fraction}S"


def _item_answer(item: Mapping[str, Any] | None, query: LogsQuery, answer: Answer) -> LogsAnswer | AzureApiError:
    facts = Facts("", "POST", _place(query.workspace), correlation_id=answer.correlation_id, roles=_ROLES)
    if item is None:
        return errors.ProtocolError(replace(facts, message="the batch's answer lacks this query"))
    status, body = int(item.get("status") or 0), item.get("body")
    if isinstance(body, str):
        try:
            body = json.loads(body)
        except (ValueError, RecursionError):
            body = None
    headers = {str(key).lower(): str(value) for key, value in (item.get("headers") or {}).items()}
    facts = replace(facts, status=status, retry_after=retry_after(headers), message=f"the service answered {status}")
    if 200 <= status < 300:
        try:
            return _read(body, facts)
        except AzureApiError as error:
            return error
    facts = answers.facts_of(body, facts)
    return answers.kind_of(facts)(facts)


def _read(body: Any, facts: Facts) -> LogsAnswer:
    """The answer of one query. ProtocolError for a body that is none; the typed error when it has no tables but an error."""
    tables = body.get("tables") if isinstance(body, dict) else None
    error = body.get("error") if isinstance(body, dict) else None
    if error and not tables:
        facts = answers.facts_of(body, replace(facts, status=400, message="the query failed"))
        raise answers.kind_of(facts)(facts)
    try:
        if not isinstance(tables, list) or not tables:
            raise ValueError("expected one table or more")
        result = results_of(tables, body.get("render"))
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as problem:
        wrong = str(problem) or type(problem).__name__
    else:
        partial = PartialResultError(answers.facts_of(body, replace(facts, message="the query ended early"))) if error else None
        return LogsAnswer(result, partial, body.get("statistics") or {}, facts.correlation_id)
    raise errors.ProtocolError(replace(facts, message=f"the answer is no table: {wrong}"))


def _schema(table: Mapping[str, Any]) -> TableSchema:
    # A type of a later day must not fail a preflight: unknown fits everything.
    columns = {str(each["name"]): kql_type(str(each["type"])) or ScalarType.UNKNOWN for each in table["columns"]}
    return TableSchema(str(table["name"]), columns)


def _function(function: Mapping[str, Any]) -> LogsFunction:
    body = function.get("body")
    return LogsFunction(str(function["name"]), str(function.get("parameters") or ""), body if isinstance(body, str) else None)
