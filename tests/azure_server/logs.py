"""The Logs query API over our own engine: /v1/workspaces/{id}/query, /v1/$batch, /v1/workspaces/{id}/metadata."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.azure_server import query_errors
from tests.azure_server.messages import Request, Response, ServiceError
from tests.azure_server.state import Account, Site
from tests.azure_server.values import kusto_v1, result_name, rows
from toolkit import KqlError, QueryTimeout, Result, ToolkitError, UnsupportedKqlError, Workspace

_PATHS = re.compile(r"/v1(?P<resource>/workspaces/[^/]+|/subscriptions/.+?/workspaces/[^/]+)/(?P<verb>query|metadata)/?", re.IGNORECASE)
_BATCH = re.compile(r"/v1/\$batch/?", re.IGNORECASE)
_DURATION = re.compile(r"P(?:([\d.]+)W)?(?:([\d.]+)D)?(?:T(?:([\d.]+)H)?(?:([\d.]+)M)?(?:([\d.]+)S)?)?")
_INVALID = "The request had some invalid properties"


def is_logs_path(path: str) -> bool:
    return path.casefold().startswith("/v1/")


def serve(account: Account, request: Request) -> Response:
    """The answer to an authenticated request; errors come out as ServiceError."""
    if _BATCH.fullmatch(request.path) and request.method == "POST":
        return _batch(account, request)
    match = _PATHS.fullmatch(request.path)
    if match is None or request.method not in ("GET", "POST"):
        raise ServiceError(404, "PathNotFoundError", "The requested path does not exist")
    site = _site(account, match["resource"])
    if match["verb"].casefold() == "metadata":
        return _metadata(account, site)
    body = request.body if request.method == "POST" else {key: request.option(key) or None for key in ("query", "timespan", "workspaces")}
    return Response(200, _answer(account, site, body, request.headers.get("prefer", "")))


def _site(account: Account, named: str) -> Site:
    """The workspace of a path or of the list `workspaces`: by id, by name or by resource id."""
    wanted = re.sub(r"^/workspaces/", "", named, flags=re.IGNORECASE).casefold()
    for site in account.sites:
        if wanted in (site.customer_id, site.name.casefold(), site.id.casefold(), f"{site.group}/{site.name}".casefold()):
            return site
    raise ServiceError(404, "WorkspaceNotFoundError", "The workspace could not be found")


def _batch(account: Account, request: Request) -> Response:
    """Every query of a batch by itself; one that fails leaves the others alone."""
    responses = []
    for item in (request.body or {}).get("requests") or ():
        body = json.loads(item["body"]) if isinstance(item.get("body"), str) else item.get("body")
        prefer = {key.casefold(): value for key, value in (item.get("headers") or {}).items()}.get("prefer", "")
        try:
            status, answer = 200, _answer(account, _site(account, str(item.get("workspace"))), body, prefer)
        except ServiceError as error:
            status, answer = error.response.status, error.response.body
        responses.append({"id": item.get("id"), "status": status, "headers": {"Content-Type": "application/json"}, "body": answer})
    return Response(200, {"responses": list(reversed(responses))})  # in no order that a client may rely on


# --- one query ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Prefer:
    wait: float
    statistics: bool
    render: bool
    as_kusto: bool

    @classmethod
    def of(cls, header: str) -> _Prefer:
        """The header `Prefer: wait=60,include-statistics=true`; parts are separated by commas or semicolons.

        Kqlmagic says `ai.response-thinning=false` and reads the answer in the shape of Kusto's version 1.
        """
        parts = dict(part.strip().casefold().split("=", 1) for part in re.split("[,;]", header) if "=" in part)
        wait = min(float(parts.get("wait", 180)), 600.0)
        statistics, render = (parts.get(f"include-{part}") == "true" for part in ("statistics", "render"))
        return cls(wait, statistics, render, parts.get("ai.response-thinning") == "false")


def _answer(account: Account, site: Site, body: Any, prefer_header: str) -> dict[str, Any]:
    if not isinstance(body, dict) or not body.get("query"):
        raise ServiceError(400, "BadArgumentError", _INVALID, innererror={"code": "QueryEmptyError", "message": "The query is empty."})
    prefer = _Prefer.of(prefer_header)
    start, end = timespan(body.get("timespan"), account.clock.now())
    others = body.get("workspaces") or []
    sites = [site, *(_site(account, name) for name in (others.split(",") if isinstance(others, str) else others))]
    with account.lock:
        engine = _engine(sites)
        correlation = account.guid()
    began = account.clock.now()
    try:
        result = engine.query(body["query"], now=account.clock.now(), start=start, end=end, timeout=prefer.wait)
    except UnsupportedKqlError as error:  # the service would run it: not an answer of Azure, and not to be taken for one
        raise ServiceError(501, "UnsupportedByLocalServer", str(error)) from None
    except KqlError as error:
        raise _query_error(error, body["query"], correlation) from None
    except QueryTimeout:
        message = f"The query did not finish within {prefer.wait:g} seconds."
        raise ServiceError(504, "GatewayTimeout", message, correlationId=correlation) from None
    except ToolkitError as error:
        raise ServiceError(400, "BadArgumentError", _INVALID, innererror={"code": "EngineError", "message": str(error)}) from None
    if prefer.as_kusto:
        return kusto_v1(result)
    answer = _tables(result, account.behaviour.row_limit)
    if prefer.statistics:
        answer["statistics"] = {"query": {"executionTime": (account.clock.now() - began).total_seconds(), **_statistics(result)}}
    if prefer.render:
        answer["render"] = _render(result)
    return answer


def _engine(sites: list[Site]) -> Workspace:
    """The engine of one workspace, or of several: then every table has the rows of all."""
    views = [view for site in {site.id: site for site in sites}.values() if (view := site.view()) is not None]
    if not views:
        return Workspace({})
    if len(views) == 1:
        return views[0]
    merged = views[0].fork()
    for view in views[1:]:
        for table in view.tables():
            merged.ingest(table, view.query(f"['{table}']").to_arrow())
    return merged


def _query_error(error: KqlError, query: str, correlation: str) -> ServiceError:
    found = next((each for each in error.diagnostics if each.severity == "error"), error.diagnostics[0])
    details = query_errors.bad_argument(found, query)
    return ServiceError(400, details.pop("code"), details.pop("message"), correlationId=correlation, **details)


def timespan(text: str | None, now: datetime) -> tuple[datetime | None, datetime | None]:
    """The instants of `PT86400.0S`, `start/end`, `start/PT1H` or `PT1H/end`; a duration alone ends now."""
    if not text:
        return None, None
    first, slash, second = text.partition("/")
    if not slash:
        return now - _duration(first), now
    if second.upper().startswith("P"):
        start = _instant(first)
        return start, start + _duration(second)
    end = _instant(second)
    return (end - _duration(first) if first.upper().startswith("P") else _instant(first)), end


def _bad_timespan(text: str) -> ServiceError:
    inner = {"code": "InvalidTimespan", "message": f"The timespan '{text}' is not valid ISO 8601."}
    return ServiceError(400, "BadArgumentError", _INVALID, innererror=inner)


def _duration(text: str) -> timedelta:
    match = _DURATION.fullmatch(text.upper())
    if match is None or not any(match.groups()):
        raise _bad_timespan(text)
    try:
        weeks, days, hours, minutes, seconds = (float(part or 0) for part in match.groups())
        return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    except (ValueError, OverflowError):
        raise _bad_timespan(text) from None


def _instant(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise _bad_timespan(text) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


# --- the shape of an answer ---------------------------------------------------------------------------------------------


def _tables(result: Result, limit: int) -> dict[str, Any]:
    tables, cut = [], False
    for number, each in enumerate((result, *result.others)):
        cells = rows(each)
        cut = cut or len(cells) > limit
        columns = [{"name": name, "type": kind} for name, kind in each.columns]
        tables.append({"name": result_name(each, number), "columns": columns, "rows": cells[:limit]})
    return {"tables": tables, **({"error": _partial(limit)} if cut else {})}


def _partial(limit: int) -> dict[str, Any]:
    text = f"The results of this query exceed the set limit of {limit} records, so not all records were returned "
    text += "(E_QUERY_RESULT_SET_TOO_LARGE, 0x80DA0003)."
    engine: dict[str, Any] = {
        "code": "-2133196797",
        "message": text,
        "severity": 2,
        "severityName": "Error",
    }
    detail = {"code": "EngineError", "message": "Something went wrong processing your query on the server.", "innererror": engine}
    return {"code": "PartialError", "message": "There were some errors when processing your query.", "details": [detail]}


def _statistics(result: Result) -> dict[str, Any]:
    usage = {"cache": {"memory": {"hits": 0, "misses": 0, "total": 0}}, "cpu": {"user": "00:00:00", "kernel": "00:00:00"}}
    return {"resourceUsage": usage, "datasetStatistics": [{"tableRowCount": len(result), "tableSize": 0}]}


def _render(result: Result) -> dict[str, Any]:
    chart = result.visualization
    names = "title accumulate isQuerySorted kind legend series yMin yMax xAxis xColumn xTitle yAxis yColumns ySplit yTitle anomalyColumns"
    empty: dict[str, Any] = dict.fromkeys(names.split())
    if chart is None:
        return {"visualization": None, **empty}
    known = {name.casefold(): name for name in empty}
    return {"visualization": chart.kind, **empty, **{known.get(key.casefold(), key): value for key, value in chart.properties}}


def _metadata(account: Account, site: Site) -> Response:
    """Tables with their columns and the functions of a workspace."""
    with account.lock:
        engine = site.view() or Workspace({})
        functions = [
            {
                "id": saved["name"],
                "name": saved["properties"]["functionAlias"],
                "displayName": saved["properties"]["displayName"],
                "parameters": saved["properties"].get("functionParameters") or "",
                "body": saved["properties"]["query"],
            }
            for saved in site.saved_searches
            if saved["properties"].get("functionAlias")
        ]
    names = sorted({*engine.catalog.names(), *engine.tables()})
    schemas = [schema for name in names if (schema := engine.schema(name)) is not None]
    tables = [
        {
            "id": f"t/{schema.name}",
            "name": schema.name,
            "timespanColumn": "TimeGenerated" if "TimeGenerated" in schema.columns else None,
            "columns": [{"name": column, "type": str(getattr(kind, "value", kind))} for column, kind in schema.columns.items()],
        }
        for schema in schemas
    ]
    return Response(200, {"tables": tables, "functions": functions, "workspaces": [{"id": site.customer_id, "name": site.name}]})
