"""The Logs query API: /v1/workspaces/{id}/query, /v1/{resource}/query, /v1/$batch, /v1/workspaces/{id}/metadata."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from toolkit.engine.budget import Budget
from toolkit.serve import answers, queries
from toolkit.serve.answers import Part, Stamp
from toolkit.serve.databases import Database, Databases
from toolkit.serve.failures import RequestFailed
from toolkit.serve.findings import inner_error
from toolkit.serve.queries import Cuts, Query
from toolkit.serve.timespans import interval

DEFAULT_SECONDS, MOST_SECONDS = 180.0, 600.0
ROWS = 500_000
_INVALID = "The request had some invalid properties"
_CODES = {
    "not-found": "WorkspaceNotFoundError",
    "unsupported": "UnsupportedByLocalServer",
    "timeout": "GatewayTimeout",
    "busy": "ThrottledError",
    "stopped": "ServiceUnavailable",
}


@dataclass(frozen=True)
class Prefer:
    """The header `Prefer: wait=60,include-statistics=true`; parts are separated by commas or semicolons.

    Kqlmagic says `ai.response-thinning=false` and reads the answer in the form of Kusto's version 1.
    """

    wait: float = DEFAULT_SECONDS
    statistics: bool = False
    render: bool = False
    as_kusto: bool = False

    @classmethod
    def of(cls, header: str) -> Prefer:
        parts = {name.strip(): value.strip() for name, _, value in (part.partition("=") for part in re.split("[,;]", header.casefold()))}
        try:
            wait = min(float(parts.get("wait") or DEFAULT_SECONDS), MOST_SECONDS)
        except ValueError:
            wait = 0.0
        if not wait > 0:
            raise RequestFailed("request", f"Prefer: wait: expected a number of seconds, found {parts['wait']!r}.", code="InvalidPrefer")
        statistics, render = (parts.get(f"include-{part}") == "true" for part in ("statistics", "render"))
        return cls(wait, statistics, render, parts.get("ai.response-thinning") == "false")


@dataclass(frozen=True)
class Ask:
    """One query as it was understood."""

    workspace: str
    text: str
    timespan: str | None
    others: tuple[str, ...]
    prefer: Prefer
    request_id: str = ""


@dataclass(frozen=True)
class BatchItem:
    """One query of a batch, or why it is none."""

    id: str
    ask: Ask | RequestFailed


def parse(workspace: str, body: Any, headers: Mapping[str, str]) -> Ask:
    """A request's body, JSON or the parameters of a GET. Raises RequestFailed."""
    if not isinstance(body, Mapping) or not isinstance(body.get("query"), str) or not body["query"].strip():
        raise RequestFailed("request", "The query is empty.", code="QueryEmptyError")
    timespan, others = body.get("timespan"), body.get("workspaces") or ()
    others = others.split(",") if isinstance(others, str) else others
    if not isinstance(timespan, str | None) or not isinstance(others, list | tuple) or not all(isinstance(name, str) for name in others):
        raise RequestFailed("request", "Expected a text as timespan and a list of texts as workspaces.", code="InvalidBody")
    prefer = Prefer.of(headers.get("prefer", ""))
    return Ask(
        workspace, body["query"], timespan, tuple(name.strip() for name in others), prefer, headers.get("x-ms-client-request-id", "")
    )


def parse_batch(body: Any) -> list[BatchItem]:
    """The queries of a batch. One that is wrong leaves the others alone. Raises RequestFailed for no batch at all."""
    requests = body.get("requests") if isinstance(body, Mapping) else None
    if not isinstance(requests, list) or not all(isinstance(item, Mapping) for item in requests):
        raise RequestFailed("request", 'Expected {"requests": [...]} with one object for each query.', code="InvalidBatch")
    return [BatchItem(str(item.get("id")), _batched(item)) for item in requests]


def _batched(item: Mapping[str, Any]) -> Ask | RequestFailed:
    headers = item.get("headers")
    lowered = {str(key).casefold(): str(value) for key, value in headers.items()} if isinstance(headers, Mapping) else {}
    try:
        body = json.loads(item["body"]) if isinstance(item.get("body"), str) else item.get("body")
        return parse(str(item.get("workspace") or ""), body, lowered)
    except ValueError:
        return RequestFailed("request", "The body is not JSON.", code="InvalidBody")
    except RequestFailed as error:
        return error


class Logs:
    """Answers over the workspaces that are served. `rows`: how many a result may have."""

    def __init__(self, databases: Databases, rows: int = ROWS) -> None:
        self.databases = databases
        self._rows = rows

    def find(self, name: str) -> Database:
        found = self.databases.find(name)
        if found is None:
            raise RequestFailed("not-found", "The workspace could not be found")
        return found

    def answer(self, ask: Ask, now: datetime, budget: Budget) -> tuple[int, Iterator[Part]]:
        """The number of rows, and the answer. Runs in a thread of its own. Raises RequestFailed."""
        start, end = interval(ask.timespan, now)
        asked = [self.find(ask.workspace), *map(self.find, ask.others)]
        found = queries.run(self.databases, asked, Query(ask.text, now, start, end, cuts=Cuts(self._rows)), budget)
        if ask.prefer.as_kusto:
            return found.rows, answers.kusto_v1(found, Stamp(now, ask.request_id))
        return found.rows, answers.logs(found, statistics=ask.prefer.statistics, render=ask.prefer.render)

    def metadata(self, name: str) -> dict[str, Any]:
        """Tables with their columns and the functions of a workspace. Raises RequestFailed."""
        found = self.find(name)
        return metadata(found)


def metadata(found: Database) -> dict[str, Any]:
    """What a workspace holds, for clients that complete names."""
    tables = [
        {
            "id": f"t/{schema.name}",
            "name": schema.name,
            "timespanColumn": "TimeGenerated" if "TimeGenerated" in schema.columns else None,
            "columns": [{"name": column, "type": kind.value} for column, kind in schema.columns.items()],
        }
        for schema in found.tables
    ]
    functions = [
        {"id": f"f/{one.name}", "name": one.name, "displayName": one.name, "parameters": one.parameters, "body": one.body}
        for one in found.functions
    ]
    return {"tables": tables, "functions": functions, "workspaces": [{"id": found.id, "name": found.name}]}


def error_body(error: RequestFailed, stamp: Stamp) -> dict[str, Any]:
    """The envelope of an error, with the service's code and the place of what is wrong with the query."""
    found: dict[str, Any] = {"code": "BadArgumentError", "message": _INVALID, "correlationId": stamp.activity}
    if error.finding is not None:
        found["innererror"] = inner_error(error.finding.diagnostic, error.finding.query)
    elif error.kind in _CODES:
        found.update(code=error.code or _CODES[error.kind], message=error.message)
    else:
        code = error.code or ("EngineError" if error.kind == "engine" else "InvalidRequest")
        found["innererror"] = {"code": code, "message": error.message}
    return {"error": found}
