"""The endpoints of Azure Data Explorer over our own engine: /v2/rest/query, /v1/rest/query, /v1/rest/mgmt.

A database is a workspace, by its name. Of the management commands there are `.show databases` and `.show database ['db'] schema`.
"""

from __future__ import annotations

import json
import re
from typing import Any

from tests.azure_server import query_errors
from tests.azure_server.clock import timestamp
from tests.azure_server.messages import Request, Response, ServiceError
from tests.azure_server.state import Account, Site
from tests.azure_server.values import kusto_v1, result_name, rows
from toolkit import KqlError, Result, ToolkitError, UnsupportedKqlError, Workspace

_SCHEMA = re.compile(r"\.show\s+database\s+\[?['\"]?([^'\"\]\s]+)['\"]?\]?\s+schema", re.IGNORECASE)
_DATABASES = re.compile(r"\.show\s+databases", re.IGNORECASE)
_EVENT = "Timestamp:datetime ClientRequestId:string ActivityId:guid Level:int LevelName:string StatusCode:int StatusCodeName:string "
_EVENT += "EventType:int EventTypeName:string Payload:string"


def is_kusto_path(path: str) -> bool:
    return path.casefold().rstrip("/") in ("/v2/rest/query", "/v1/rest/query", "/v1/rest/mgmt")


def serve(account: Account, request: Request) -> Response:
    """The answer to a request; errors come out as ServiceError in Kusto's envelope."""
    body = request.body
    if request.method != "POST" or not isinstance(body, dict) or not body.get("csl"):
        raise _error(account, "General_BadRequest", "Syntax", "Request is invalid: it has no query.")
    if request.path.casefold().rstrip("/") == "/v1/rest/mgmt":
        return Response(200, _command(account, str(body["csl"]).strip()))
    site = _site(account, str(body.get("db") or ""))
    properties = body.get("properties") or {}
    properties = json.loads(properties) if isinstance(properties, str) else properties
    result = _run(account, site, str(body["csl"]), properties.get("Parameters") or {})
    if request.path.casefold().startswith("/v1/"):
        return Response(200, kusto_v1(result))
    return Response(200, _frames(account, result, request.headers.get("x-ms-client-request-id", "")))


def _site(account: Account, database: str) -> Site:
    for site in account.sites:
        if database.casefold() in (site.name.casefold(), site.customer_id):
            return site
    message = f"Entity ID '{database}' of kind 'Database' was not found."
    raise _error(account, "BadRequest_EntityNotFound", "EntityNotFound", message)


def _run(account: Account, site: Site, query: str, parameters: dict[str, object]) -> Result:
    with account.lock:
        engine = site.view() or Workspace({})
    try:
        return engine.query(query, now=account.clock.now(), parameters=parameters)
    except UnsupportedKqlError as error:
        raise ServiceError(501, "UnsupportedByLocalServer", str(error)) from None
    except KqlError as error:
        found = next((each for each in error.diagnostics if each.severity == "error"), error.diagnostics[0])
        if found.stage == "syntax":
            text = query_errors.inner_error(found, query)["innererror"]["message"]
            raise _error(account, "General_BadRequest", "Syntax", f"Syntax error: {text}") from None
        raise _error(account, "General_BadRequest", "Semantic", f"Semantic error: {query_errors.semantic_text(found, query)}") from None
    except ToolkitError as error:
        raise _error(account, "General_BadRequest", "Engine", str(error)) from None


def _error(account: Account, code: str, kind: str, message: str) -> ServiceError:
    context = {"timestamp": timestamp(account.clock.now()), "serviceAlias": "LOCAL"}
    details: dict[str, Any] = {
        "@type": f"Kusto.Data.Exceptions.{kind}Exception",
        "@message": message,
        "@context": context,
        "@permanent": True,
    }
    return ServiceError(400, code, "Request is invalid and cannot be executed.", **details)


def _table(kind: str, name: str, number: int, columns: list[tuple[str, str]], cells: list[list[Any]]) -> dict[str, Any]:
    """A frame with a table; streaming readers rely on the order of its keys."""
    described = [{"ColumnName": column, "ColumnType": type_} for column, type_ in columns]
    return {"FrameType": "DataTable", "TableId": number, "TableKind": kind, "TableName": name, "Columns": described, "Rows": cells}


def _frames(account: Account, result: Result, request_id: str) -> list[dict[str, Any]]:
    chart = result.visualization
    shown = json.dumps({"Visualization": chart.kind if chart else None, **(dict(chart.properties) if chart else {})}, default=str)
    frames: list[dict[str, Any]] = [
        {"FrameType": "DataSetHeader", "IsProgressive": False, "Version": "v2.0"},
        _table(
            "QueryProperties", "@ExtendedProperties", 0, _columns("TableId:int Key:string Value:dynamic"), [[1, "Visualization", shown]]
        ),
    ]
    for number, each in enumerate((result, *result.others)):
        frames.append(_table("PrimaryResult", result_name(each, number), len(frames) - 1, each.columns, rows(each, native_dynamic=True)))
    now = timestamp(account.clock.now())
    done = [now, request_id, account.guid(), 4, "Info", 0, "S_OK (0)", 4, "QueryInfo", '{"Count":1,"Text":"Query completed successfully"}']
    frames.append(_table("QueryCompletionInformation", "QueryCompletionInformation", len(frames) - 1, _columns(_EVENT), [done]))
    return [*frames, {"FrameType": "DataSetCompletion", "HasErrors": False, "Cancelled": False}]


def _columns(text: str) -> list[tuple[str, str]]:
    return [(name, kind) for name, _, kind in (column.partition(":") for column in text.split())]


def _command(account: Account, text: str) -> dict[str, Any]:
    if _DATABASES.fullmatch(text):
        return _listing("DatabaseName PrettyName", [[site.name, site.name] for site in account.sites])
    match = _SCHEMA.fullmatch(text)
    if match is None:
        raise _error(account, "General_BadRequest", "Syntax", f"Syntax error: the command {text!r} is not known here.")
    site = _site(account, match[1])
    engine = site.engine or Workspace({})
    found: list[list[Any]] = []
    for name in sorted({*engine.catalog.names(), *engine.tables()}):
        if schema := engine.schema(name):
            found += [[site.name, name, column, kind.value] for column, kind in schema.columns.items()]
    return _listing("DatabaseName TableName ColumnName ColumnType", found)


def _listing(names: str, cells: list[list[Any]]) -> dict[str, Any]:
    columns = [{"ColumnName": name, "DataType": "String", "ColumnType": "string"} for name in names.split()]
    return {"Tables": [{"TableName": "Table_0", "Columns": columns, "Rows": cells}]}
