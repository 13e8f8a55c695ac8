"""The endpoints of Azure Data Explorer, and the shape that Kqlmagic asks of the Logs query API."""

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
    query = "print a = 1, b = dynamic({'x': 2}), c = 1d, d = datetime(2026-01-01) | render piechart"
    answer = wire.send("POST", "/v2/rest/query", {"db": "SOC", "csl": query}, {"x-ms-client-request-id": "KPC.execute;1"})
    frames = answer.body
    assert [frame["FrameType"] for frame in frames] == ["DataSetHeader", "DataTable", "DataTable", "DataTable", "DataSetCompletion"]
    assert [frame.get("TableKind") for frame in frames[1:4]] == ["QueryProperties", "PrimaryResult", "QueryCompletionInformation"]
    assert list(frames[2]) == ["FrameType", "TableId", "TableKind", "TableName", "Columns", "Rows"]
    assert json.loads(frames[1]["Rows"][0][2])["Visualization"] == "piechart"
    assert frames[2]["Columns"][1] == {"ColumnName": "b", "ColumnType": "dynamic"}
    assert frames[2]["Rows"] == [[1, {"x": 2}, "1.00:00:00", "2026-01-01T00:00:00Z"]]
    assert "KPC.execute;1" in frames[3]["Rows"][0]


def test_parameters_and_version_1(wire: Wire) -> None:
    query = "declare query_parameters(n:long); print x = n, y = 'a'"
    body = {"db": "soc", "csl": query, "properties": json.dumps({"Options": {}, "Parameters": {"n": 5}})}
    (table,) = wire.send("POST", "/v1/rest/query", body).body["Tables"]
    assert table["Columns"] == [
        {"ColumnName": "x", "DataType": "Int64", "ColumnType": "long"},
        {"ColumnName": "y", "DataType": "String", "ColumnType": "string"},
    ]
    assert table["Rows"] == [[5, "a"]]


@pytest.mark.parametrize(
    ("command", "rows"),
    [
        (".show databases", [["soc", "soc"], ["lab", "lab"]]),
        (".show database ['soc'] schema", [["soc", "T", "TimeGenerated", "datetime"], ["soc", "T", "A", "long"]]),
        (".show database lab schema", []),
    ],
)
def test_commands(wire: Wire, command: str, rows: list[list[str]]) -> None:
    (table,) = wire.send("POST", "/v1/rest/mgmt", {"db": "soc", "csl": command}).body["Tables"]
    assert table["Rows"] == rows


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        ("/v2/rest/query", {"db": "soc", "csl": "T | where Nope > 1"}, "Semantic error: 'where' operator: Failed to resolve scalar"),
        ("/v2/rest/query", {"db": "soc", "csl": "T | where ("}, "Syntax error: Query could not be parsed at '' on line [1,11]"),
        ("/v2/rest/query", {"db": "nobody", "csl": "T"}, "Entity ID 'nobody' of kind 'Database' was not found."),
        ("/v1/rest/mgmt", {"db": "soc", "csl": ".drop table T"}, "Syntax error: the command '.drop table T' is not known here."),
        ("/v2/rest/query", {"db": "soc"}, "it has no query"),
    ],
)
def test_errors(wire: Wire, path: str, body: dict[str, str], message: str) -> None:
    answer = wire.send("POST", path, body)
    assert (answer.status, answer.body["error"]["@permanent"]) == (400, True)
    assert message in answer.body["error"]["@message"]


def test_what_kqlmagic_asks_of_a_workspace(wire: Wire) -> None:
    body = {"query": "range c from 1 to 10 step 1 | count"}
    headers = {"Prefer": "ai.response-thinning=false", "Authorization": ""}
    (table,) = wire.send("POST", "/v1/workspaces/@customer/query", body, headers).body["Tables"]
    assert (table["Columns"][0]["ColumnName"], table["Rows"]) == ("Count", [[10]])
    assert wire.send("GET", "/v1/workspaces/@customer/metadata", None, {"Authorization": ""}).status == 200
    assert wire.send("GET", "@sentinel/alertRules", None, {"Authorization": ""}).status == 401
