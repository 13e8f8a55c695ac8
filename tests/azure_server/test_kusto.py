"""The endpoints of Azure Data Explorer over the workspaces of an account; what is on the wire is tested in tests/serve."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.azure_server import AzureServer, Behaviour, Site
from tests.azure_server.wire import Wire
from toolkit import Workspace


@pytest.fixture(scope="module")
def wire() -> Iterator[Wire]:
    engine = Workspace({"T": {"TimeGenerated": "datetime", "A": "long"}})
    with AzureServer(Site("soc", engine), Site("lab", None), behaviour=Behaviour(anonymous_queries=True)) as server, Wire(server) as wire:
        yield wire


def test_a_query_in_frames(wire: Wire) -> None:
    body = {"db": "SOC", "csl": "print a = 1, b = dynamic({'x': 2}), now()"}
    frames = wire.send("POST", "/v2/rest/query", body, {"x-ms-client-request-id": "KPC.execute;1"}).body
    assert [frame.get("TableKind") for frame in frames[1:4]] == ["QueryProperties", "PrimaryResult", "QueryCompletionInformation"]
    assert frames[2]["Rows"] == [[1, {"x": 2}, "2026-03-02T10:00:00Z"]]
    assert "KPC.execute;1" in frames[3]["Rows"][0]


def test_parameters_and_version_1(wire: Wire) -> None:
    query = "declare query_parameters(n:long); print x = n, y = 'a'"
    body = {"db": "soc", "csl": query, "properties": json.dumps({"Options": {}, "Parameters": {"n": 5}})}
    assert wire.send("POST", "/v1/rest/query", body).body["Tables"][0]["Rows"] == [[5, "a"]]


@pytest.mark.parametrize(
    ("command", "cells"),
    [
        (".show databases | project DatabaseName", ["soc", "lab"]),
        (".show database ['soc'] schema | where ColumnName != '' | project ColumnType", ["System.DateTime", "System.Int64"]),
        (".show database lab schema | where TableName != '' | project TableName", []),
    ],
)
def test_commands(wire: Wire, command: str, cells: list[str]) -> None:
    (table,) = wire.send("POST", "/v1/rest/mgmt", {"db": "soc", "csl": command}).body["Tables"]
    assert table["Rows"] == [[cell] for cell in cells]


@pytest.mark.parametrize(
    ("path", "body", "status", "message"),
    [
        ("/v2/rest/query", {"db": "soc", "csl": "T | where Nope > 1"}, 400, "Semantic error: 'where' operator: Failed to resolve scalar"),
        ("/v2/rest/query", {"db": "nobody", "csl": "T"}, 400, "Entity ID 'nobody' of kind 'Database' was not found."),
        ("/v2/rest/query", {"db": "soc", "csl": "workspace('lab').T"}, 400, "Failed to resolve table or column expression named 'T'"),
        ("/v1/rest/mgmt", {"db": "soc", "csl": ".drop table T"}, 501, "The command '.drop table T' is not supported"),
        ("/v2/rest/query", {"db": "soc"}, 400, 'with a query or a command in "csl"'),
    ],
)
def test_errors(wire: Wire, path: str, body: dict[str, str], status: int, message: str) -> None:
    answer = wire.send("POST", path, body)
    assert (answer.status, answer.body["error"]["@permanent"]) == (status, True)
    assert message in answer.body["error"]["@message"]


def test_what_kqlmagic_asks_of_a_workspace(wire: Wire) -> None:
    body = {"query": "range c from 1 to 10 step 1 | count"}
    headers = {"Prefer": "ai.response-thinning=false", "Authorization": ""}
    table = wire.send("POST", "/v1/workspaces/@customer/query", body, headers).body["Tables"][0]
    assert (table["Columns"][0]["ColumnName"], table["Rows"]) == ("Count", [[10]])
    assert wire.send("GET", "/v1/workspaces/@customer/metadata", None, {"Authorization": ""}).status == 200
    assert wire.send("GET", "@sentinel/alertRules", None, {"Authorization": ""}).status == 401
