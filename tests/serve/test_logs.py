"""The Logs query API as it is on the wire: values, timespans, the header Prefer, errors, batches, metadata."""

from __future__ import annotations

import json
import socket
from datetime import datetime
from typing import Any

import pytest

from tests.serve.conftest import NOW, SLOW, Serving, Wire, until, workspace
from toolkit import Workspace
from toolkit.serve.app import Limits
from toolkit.serve.databases import Database
from toolkit.serve.failures import RequestFailed
from toolkit.serve.timespans import interval

VALUES = [
    ("datetime(2026-01-02T03:04:05.6)", "datetime", "2026-01-02T03:04:05.6Z"),
    ("datetime(2026-01-02)", "datetime", "2026-01-02T00:00:00Z"),
    ("datetime(2026-01-02T03:04:05.1234567)", "datetime", "2026-01-02T03:04:05.1234567Z"),
    ("datetime(2026-01-02T03:04:05.1000001)", "datetime", "2026-01-02T03:04:05.1000001Z"),
    ("datetime(9999-12-31T23:59:59.9999999)", "datetime", "9999-12-31T23:59:59.9999999Z"),
    ("datetime(0001-01-01)", "datetime", "0001-01-01T00:00:00Z"),
    ("datetime(null)", "datetime", None),
    ("timespan(1.02:03:04.5)", "timespan", "1.02:03:04.5000000"),
    ("real(nan)", "real", "NaN"),
    ("real(-inf)", "real", "-Infinity"),
    ("1.5", "real", 1.5),
    ("1e300", "real", 1e300),
    ("12345678901.0", "real", 12345678901.0),
    ("decimal(1.50)", "decimal", "1.5"),
    ("9223372036854775807", "long", 9223372036854775807),
    ("int(3)", "int", 3),
    ("bool(null)", "bool", None),
    ("'a\\tb\"\\\\\\u0001'", "string", 'a\tb"\\\u0001'),
    ("guid(0f8fad5b-d9cb-469f-a165-70867728950e)", "guid", "0f8fad5b-d9cb-469f-a165-70867728950e"),
    ("dynamic({'a': [1, 'b']})", "dynamic", '{"a":[1,"b"]}'),
    ("dynamic('text')", "dynamic", "text"),
    ("dynamic(null)", "dynamic", None),
    ("dynamic(7)", "dynamic", "7"),
]


@pytest.mark.parametrize(("text", "kind", "expected"), [pytest.param(*each, id=each[0]) for each in VALUES])
def test_values(wire: Wire, text: str, kind: str, expected: object) -> None:
    (table,) = wire.logs(f"print x = {text}").body["tables"]
    assert table == {"name": "PrimaryResult", "columns": [{"name": "x", "type": kind}], "rows": [[expected]]}


def _at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+00:00")


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("PT86400.0S", _at("2026-03-01T10:00"), NOW),
        ("P1DT12H", _at("2026-02-28T22:00"), NOW),
        ("PT0.5S", _at("2026-03-02T09:59:59.500"), NOW),
        ("2026-03-01T00:00:00Z/2026-03-01T01:00:00Z", _at("2026-03-01T00:00"), _at("2026-03-01T01:00")),
        ("2026-03-01T00:00:00.000000Z/PT3600.0S", _at("2026-03-01T00:00"), _at("2026-03-01T01:00")),
        ("PT1H/2026-03-01T01:00:00Z", _at("2026-03-01T00:00"), _at("2026-03-01T01:00")),
        ("2026-03-01/2026-03-02", _at("2026-03-01T00:00"), _at("2026-03-02T00:00")),
        (None, None, None),
        ("", None, None),
    ],
)
def test_timespans(text: str | None, start: datetime | None, end: datetime | None) -> None:
    assert interval(text, NOW) == (start, end)


@pytest.mark.parametrize("text", ["1d", "P", "PT", "PT1X", "today/tomorrow", "PT1.2.3S", "P99999999W", "2026-03-01/P9999999D"])
def test_timespans_that_are_none(wire: Wire, text: str) -> None:
    with pytest.raises(RequestFailed, match="not valid ISO 8601"):
        interval(text, NOW)
    answer = wire.logs("T", timespan=text)
    assert (answer.status, answer.body["error"]["innererror"]["code"]) == (400, "InvalidTimespan")


def test_a_query_sees_its_timespan_and_the_clock_of_the_server(wire: Wire) -> None:
    assert wire.logs("T | summarize count() | extend now()", timespan="PT2H").body["tables"][0]["rows"] == [[2, "2026-03-02T10:00:00Z"]]
    assert wire.logs("T | count", timespan=None, workspaces=None).body["tables"][0]["rows"] == [[10]]
    answer = wire.send("GET", "/v1/workspaces/soc/query?query=T%20%7C%20count&timespan=PT1H")
    assert answer.body["tables"][0]["rows"] == [[1]]


def test_only_the_parts_that_were_asked_for(wire: Wire) -> None:
    assert set(wire.logs("print 1 | render piechart").body) == {"tables"}
    assert set(wire.logs("print 1", "wait=60,include-statistics=true").body) == {"tables", "statistics"}
    shown = wire.logs("print x=1 | render timechart with (xcolumn=x)", "include-render=true").body
    assert (shown["render"]["visualization"], shown["render"]["xColumn"]) == ("timechart", "x")
    assert wire.logs("print 1", "include-render=true").body["render"]["visualization"] is None


def test_the_form_that_kqlmagic_reads(wire: Wire) -> None:
    tables = wire.logs("range c from 1 to 10 step 1 | count", "ai.response-thinning=false, wait=30").body["Tables"]
    assert (tables[0]["Columns"][0]["ColumnName"], tables[0]["Rows"]) == ("Count", [[10]])
    assert [row[2] for row in tables[-1]["Rows"]] == ["PrimaryResult", "@ExtendedProperties", "QueryStatus"]


def test_a_cut_result_comes_with_an_error(wire: Wire) -> None:
    answer = wire.logs("set truncationmaxrecords = 8; T")
    assert (answer.status, len(answer.body["tables"][0]["rows"]), answer.body["error"]["code"]) == (200, 8, "PartialError")
    assert "E_QUERY_RESULT_SET_TOO_LARGE" in answer.body["error"]["details"][0]["innererror"]["message"]


@pytest.mark.parametrize(
    ("query", "kind", "code", "message"),
    [
        ("Gone | where a == 1", "SemanticError", "SEM0100", "'where' operator: Failed to resolve table or column expression named 'Gone'"),
        ("T | where Nope == 1", "SemanticError", "SEM0100", "'where' operator: Failed to resolve scalar expression named 'Nope'"),
        ("T | extend x = nope(1)", "SemanticError", "SEM0100", "Unknown function: 'nope'."),
        ("T\n| foo", "SyntaxError", "SYN0002", "Query could not be parsed at 'foo' on line [2,2]"),
    ],
)
def test_errors(wire: Wire, query: str, kind: str, code: str, message: str) -> None:
    answer = wire.logs(query)
    error = answer.body["error"]
    assert (answer.status, error["code"], error["message"]) == (400, "BadArgumentError", "The request had some invalid properties")
    assert error["correlationId"]
    assert error["innererror"]["code"] == kind
    assert (error["innererror"]["innererror"]["code"], error["innererror"]["innererror"]["message"]) == (code, message)


@pytest.mark.parametrize(
    ("body", "prefer", "code"),
    [
        ({"query": ""}, "", "QueryEmptyError"),
        ({}, "", "QueryEmptyError"),
        ([1], "", "QueryEmptyError"),
        (b"{", "", "InvalidBody"),
        ({"query": "T", "workspaces": [1]}, "", "InvalidBody"),
        ({"query": "T", "timespan": 5}, "", "InvalidBody"),
        ({"query": "T"}, "wait=soon", "InvalidPrefer"),
        ({"query": "T"}, "wait=-1", "InvalidPrefer"),
        ({"query": "T"}, "wait=nan", "InvalidPrefer"),
    ],
)
def test_requests_that_are_no_queries(wire: Wire, body: Any, prefer: str, code: str) -> None:
    answer = wire.send("POST", "/v1/workspaces/soc/query", body, {"Prefer": prefer} if prefer else {})
    assert (answer.status, answer.body["error"]["innererror"]["code"]) == (400, code)


def test_paths(wire: Wire) -> None:
    resource = "/v1/subscriptions/0/resourceGroups/g/providers/Microsoft.OperationalInsights/workspaces/soc/query"
    assert wire.send("POST", resource, {"query": "T | count"}).body["tables"][0]["rows"] == [[10]]
    for method, path in (("POST", "/v1/nothing"), ("GET", "/v3"), ("DELETE", "/v2/rest/query"), ("POST", "/v1/apps/x/query")):
        answer = wire.send(method, path, {"query": "T"})
        assert (answer.status in (404, 405), answer.body["error"]["code"]) == (True, "PathNotFoundError")


def test_a_query_that_takes_too_long(wire: Wire) -> None:
    answer = wire.logs(SLOW, "wait=0.05")
    assert (answer.status, answer.body["error"]["code"]) == (504, "GatewayTimeout")


def test_the_rows_of_several_workspaces(serving: Serving) -> None:
    one, two = Database("one", workspace(3, "x")), Database("two", workspace(4, "y"))
    wire = serving(one, two)
    for workspaces in (["two"], "two", ["two", "one"], [two.id]):
        assert wire.logs("T | count", workspace="one", workspaces=workspaces).body["tables"][0]["rows"] == [[7]]
    assert sorted(wire.logs("T | distinct B", workspace="one", workspaces=["two"]).body["tables"][0]["rows"])[2:4] == [["x2"], ["y0"]]
    assert wire.logs("T | count", workspace="one").body["tables"][0]["rows"] == [[3]]
    for answer in (wire.logs("T", workspace="one", workspaces=["nobody"]), wire.logs("T", workspace="nobody")):
        assert (answer.status, answer.body["error"]["code"]) == (404, "WorkspaceNotFoundError")


def test_rows_of_several_workspaces_are_told_apart(serving: Serving) -> None:
    tables = {"Log": {"TimeGenerated": "datetime", "TenantId": "string", "A": "long"}}
    databases = []
    for name, tenant in (("one", ""), ("two", "recorded")):
        found = Workspace(tables)
        found.ingest("Log", [{"A": 1}, {"A": 2, "TenantId": tenant}])
        databases.append(Database(name, found))
    wire = serving(*databases)
    query = "Log | summarize sum(A) by TenantId"
    rows = wire.logs(query, workspace="one", workspaces=["two"]).body["tables"][0]["rows"]
    assert sorted(rows) == sorted([[databases[0].id, 3], [databases[1].id, 1], ["recorded", 2]])
    assert wire.logs("workspace('two').Log | count", workspace="one", workspaces=["two"]).body["tables"][0]["rows"] == [[2]]


def test_a_batch(wire: Wire) -> None:
    texts: list[Any] = [
        {"query": "print 1"},
        json.dumps({"query": "print 2"}),
        {"query": "Gone"},
        {"query": "set truncationmaxrecords=3; T"},
        "{",
    ]
    requests = [
        {"id": str(number), "workspace": "soc", "path": "/query", "method": "POST", "body": body} for number, body in enumerate(texts)
    ]
    requests[0]["headers"] = {"prefer": "include-statistics=true"}
    answer = wire.send("POST", "/v1/$batch", {"requests": requests})
    found = {response["id"]: response for response in answer.body["responses"]}
    assert {name: response["status"] for name, response in found.items()} == {"0": 200, "1": 200, "2": 400, "3": 200, "4": 400}
    assert set(found["0"]["body"]) == {"tables", "statistics"}
    assert found["1"]["body"]["tables"][0]["rows"] == [[2]]
    assert found["2"]["body"]["error"]["code"] == "BadArgumentError"
    assert found["3"]["body"]["error"]["code"] == "PartialError"
    assert wire.send("POST", "/v1/$batch", {"requests": 1}).status == 400


def test_a_batch_of_more_queries_than_run_at_once(serving: Serving) -> None:
    wire = serving(limits=Limits(seconds=1.0))
    queries = [SLOW, "print 1", SLOW, "print 2", "print 3"]
    requests = [{"id": str(number), "workspace": "soc", "body": {"query": query}} for number, query in enumerate(queries)]
    answer = wire.send("POST", "/v1/$batch", {"requests": [*requests, *({**each, "id": f"{each['id']}b"} for each in requests)]})
    statuses = {response["id"]: response["status"] for response in answer.body["responses"]}
    assert statuses == {f"{number}{turn}": 504 if query is SLOW else 200 for number, query in enumerate(queries) for turn in ("", "b")}


def test_a_client_that_leaves_a_batch_stops_all_of_it(serving: Serving) -> None:
    wire = serving()
    requests = [{"id": str(number), "workspace": "soc", "body": {"query": SLOW}} for number in range(6)]
    body = json.dumps({"requests": requests}).encode()
    with socket.create_connection((wire.server.host, wire.server.port)) as connection:
        head = f"POST /v1/$batch HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        connection.sendall(head.encode() + body)
        assert until(lambda: wire.server.app.runner.running == Limits.of_a_batch)
    assert until(lambda: wire.server.app.runner.running == 0)
    assert until(lambda: [access.status for access in wire.accesses] == [499])


def test_metadata(wire: Wire) -> None:
    found = wire.send("GET", "/v1/workspaces/any/metadata").body
    (table,) = found["tables"]
    assert (table["name"], table["timespanColumn"]) == ("T", "TimeGenerated")
    assert table["columns"] == [
        {"name": name, "type": kind} for name, kind in (("TimeGenerated", "datetime"), ("A", "long"), ("B", "string"))
    ]
    assert [(each["name"], each["parameters"]) for each in found["functions"]] == [("Late", "least:long = 7")]
