"""The Logs query API over the workspaces of an account, and over what is deployed in them; the wire is tested in tests/serve."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.azure_server import AzureServer, Behaviour, Site
from tests.azure_server.wire import Answer, Wire
from toolkit import Workspace

TABLES = {"T": {"TimeGenerated": "datetime", "User": "string"}}


@pytest.fixture(scope="module")
def engine() -> Workspace:
    workspace = Workspace(TABLES)
    workspace.ingest("T", [{"TimeGenerated": f"2026-03-02T0{hour}:30:00Z", "User": f"u{hour}"} for hour in range(10)])
    return workspace


@pytest.fixture(scope="module")
def wire(engine: Workspace) -> Iterator[Wire]:
    with AzureServer(Site("soc", engine), Site("other", engine), behaviour=Behaviour(row_limit=8)) as server, Wire(server) as wire:
        yield wire


def _query(wire: Wire, query: str, prefer: str = "", **body: Any) -> Answer:
    headers = {"Prefer": prefer} if prefer else {}
    return wire.send("POST", "/v1/workspaces/@customer/query", {"query": query, **body}, headers)


def test_a_query_sees_its_timespan_and_the_clock_of_the_server(wire: Wire) -> None:
    assert _query(wire, "T | summarize count() | extend now()", timespan="PT2H").body["tables"][0]["rows"] == [[2, "2026-03-02T10:00:00Z"]]
    assert _query(wire, "T | count", timespan=None, workspaces=None).body["tables"][0]["rows"] == [[10]]
    answer = wire.send("GET", "/v1/workspaces/@customer/query?query=T%20%7C%20count&timespan=PT1H")
    assert answer.body["tables"][0]["rows"] == [[1]]


def test_a_cut_result_comes_with_an_error(wire: Wire) -> None:
    answer = _query(wire, "T")
    assert (answer.status, len(answer.body["tables"][0]["rows"]), answer.body["error"]["code"]) == (200, 8, "PartialError")
    assert "E_QUERY_RESULT_SET_TOO_LARGE" in answer.body["error"]["details"][0]["innererror"]["message"]


ERRORS = [
    ("Gone | where a == 1", "SemanticError", "SEM0100", "'where' operator: Failed to resolve table or column expression named 'Gone'"),
    ("T | where Nope == 1", "SemanticError", "SEM0100", "'where' operator: Failed to resolve scalar expression named 'Nope'"),
    ("T | extend x = nope(1)", "SemanticError", "SEM0100", "Unknown function: 'nope'."),
    ("T | where (", "SyntaxError", "SYN0002", "Query could not be parsed at '' on line [1,11]"),
    ("T\n| foo", "SyntaxError", "SYN0002", "Query could not be parsed at 'foo' on line [2,2]"),
]


@pytest.mark.parametrize(("query", "kind", "code", "message"), ERRORS)
def test_errors(wire: Wire, query: str, kind: str, code: str, message: str) -> None:
    answer = _query(wire, query)
    error = answer.body["error"]
    assert (answer.status, error["code"], error["message"]) == (400, "BadArgumentError", "The request had some invalid properties")
    assert error["correlationId"]
    assert error["innererror"]["code"] == kind
    assert (error["innererror"]["innererror"]["code"], error["innererror"]["innererror"]["message"]) == (code, message)


def test_requests_that_are_no_queries(wire: Wire) -> None:
    assert wire.send("POST", "/v1/workspaces/@customer/query", {"query": ""}).body["error"]["innererror"]["code"] == "QueryEmptyError"
    assert wire.send("POST", "/v1/workspaces/@customer/query", "{").status == 400
    assert wire.send("POST", "/v1/workspaces/nobody/query", {"query": "print 1"}).body["error"]["code"] == "WorkspaceNotFoundError"
    assert wire.send("POST", "/v1/nothing", {}).body["error"]["code"] == "PathNotFoundError"
    refused = wire.send("POST", "/v1/workspaces/@customer/query", {"query": "print 1"}, {"Authorization": "Bearer"})
    assert (refused.status, refused.body["error"]["code"]) == (401, "AuthorizationRequiredError")


def test_what_our_engine_does_not_run_is_not_taken_for_an_answer(wire: Wire) -> None:
    answer = _query(wire, "search *")
    assert (answer.status, answer.body["error"]["code"]) == (501, "UnsupportedByLocalServer")


def test_a_query_that_takes_too_long(wire: Wire) -> None:
    slow = "range x from 1 to 300000000 step 1 | summarize count() by x % 1000003"
    answer = _query(wire, slow, "wait=0.05")
    assert (answer.status, answer.body["error"]["code"]) == (504, "GatewayTimeout")


def test_the_rows_of_several_workspaces(wire: Wire) -> None:
    for workspaces in (["other"], "other", ["rg-soc/other", "soc"]):
        assert _query(wire, "T | count", workspaces=workspaces).body["tables"][0]["rows"] == [[20]]
    assert _query(wire, "T | count", workspaces=["nobody"]).status == 404
    path = wire.server.site().id
    assert wire.send("POST", f"/v1{path}/query", {"query": "T | count"}).body["tables"][0]["rows"] == [[10]]


def test_a_batch(wire: Wire) -> None:
    site = wire.server.site().customer_id
    texts: list[Any] = [{"query": "print 1"}, json.dumps({"query": "print 2"}), {"query": "Gone"}, {"query": "T"}]
    requests = [
        {"id": str(number), "workspace": site, "path": "/query", "method": "POST", "body": body} for number, body in enumerate(texts)
    ]
    requests[0]["headers"] = {"Prefer": "include-statistics=true"}
    answer = wire.send("POST", "/v1/$batch", {"requests": [*requests, {"id": "9", "workspace": "nobody", "body": {"query": "print 1"}}]})
    found = {response["id"]: response for response in answer.body["responses"]}
    assert list(found) == ["9", "3", "2", "1", "0"]  # clients go by the id
    assert {name: response["status"] for name, response in found.items()} == {"0": 200, "1": 200, "2": 400, "3": 200, "9": 404}
    assert set(found["0"]["body"]) == {"tables", "statistics"}
    assert found["1"]["body"]["tables"][0]["rows"] == [[2]]
    assert found["2"]["body"]["error"]["code"] == "BadArgumentError"
    assert found["3"]["body"]["error"]["code"] == "PartialError"


def test_metadata(wire: Wire) -> None:
    body = {"properties": {"category": "F", "displayName": "f", "query": "T", "functionAlias": "Users", "functionParameters": "a:long = 1"}}
    assert wire.send("PUT", "@workspace/savedSearches/f1", body).status == 200
    found = wire.send("GET", "/v1/workspaces/@customer/metadata").body
    (table,) = found["tables"]
    assert (table["name"], table["timespanColumn"]) == ("T", "TimeGenerated")
    assert table["columns"] == [{"name": "TimeGenerated", "type": "datetime"}, {"name": "User", "type": "string"}]
    assert [(each["name"], each["parameters"]) for each in found["functions"]] == [("Users", "a:long = 1")]
    assert wire.send("DELETE", "@workspace/savedSearches/f1").status == 200


def test_queries_see_what_is_deployed(wire: Wire) -> None:
    """Functions and watchlists are there as soon as they were put, and gone when they were deleted."""
    wire.server.behaviour.operation_polls = 0
    wire.send(
        "PUT", "@workspace/savedSearches/f1", {"properties": {"category": "F", "displayName": "f", "query": "T", "functionAlias": "F1"}}
    )
    assert _query(wire, "F1 | count").body["tables"][0]["rows"] == [[10]]
    watchlist = {"displayName": "w", "provider": "p", "itemsSearchKey": "User", "rawContent": "User,Team\nu1,red\nu2,blue\n"}
    assert wire.send("PUT", "@sentinel/watchlists/w", {"properties": watchlist}).status == 201
    joined = "T | lookup kind=inner (_GetWatchlist('w')) on User | project User, Team"
    assert sorted(_query(wire, joined).body["tables"][0]["rows"]) == [["u1", "red"], ["u2", "blue"]]
    item = {"properties": {"itemsKeyValue": {"User": "u3", "Team": "red"}}}
    wire.send("PUT", "@sentinel/watchlists/w/watchlistItems/i1", item)
    assert len(_query(wire, joined).body["tables"][0]["rows"]) == 3
    wire.send("DELETE", "@sentinel/watchlists/w/watchlistItems/i1")
    assert len(_query(wire, joined).body["tables"][0]["rows"]) == 2
    wire.send(
        "PUT",
        "@workspace/savedSearches/f1",
        {"etag": "*", "properties": {"category": "F", "displayName": "f", "query": "T", "functionAlias": "F2"}},
    )
    assert (_query(wire, "F1").status, _query(wire, "F2 | count").status) == (400, 200)
    wire.send("DELETE", "@workspace/savedSearches/f1")
    assert _query(wire, "F2").status == 400
    wire.send("DELETE", "@sentinel/watchlists/w")
    assert _query(wire, joined).status != 200
