"""Kusto's REST API as it is on the wire: frames, tables, properties, commands, errors, the requests of the web UI."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.serve.conftest import Serving, Wire, workspace
from toolkit.serve.databases import Database

ERROR = "The results of this query exceed the set limit of 3 records, so not all records were returned"


def _types(frames: list[dict[str, Any]]) -> list[str]:
    return [frame["FrameType"] for frame in frames]


def test_the_frames_of_an_answer(wire: Wire) -> None:
    query = "print a = 1, b = dynamic({'x': 2}), c = 1d, d = datetime(2026-01-01) | render piechart with (title='t')"
    frames = wire.kusto(query).body
    assert _types(frames) == ["DataSetHeader", "DataTable", "DataTable", "DataTable", "DataSetCompletion"]
    assert [frame.get("TableKind") for frame in frames[1:4]] == ["QueryProperties", "PrimaryResult", "QueryCompletionInformation"]
    assert list(frames[2]) == ["FrameType", "TableId", "TableKind", "TableName", "Columns", "Rows"]
    assert [frame.get("TableId") for frame in frames[1:4]] == [0, 1, 2]
    chart = json.loads(frames[1]["Rows"][0][2])
    assert (chart["Visualization"], chart["Title"]) == ("piechart", "t")
    assert frames[2]["Columns"][1] == {"ColumnName": "b", "ColumnType": "dynamic"}
    assert frames[2]["Rows"] == [[1, {"x": 2}, "1.00:00:00", "2026-01-01T00:00:00Z"]]
    assert [row[6] for row in frames[3]["Rows"]] == ["Info", "Stats"]
    assert frames[4] == {"FrameType": "DataSetCompletion", "HasErrors": False, "Cancelled": False}


def test_an_answer_without_rows_or_columns(wire: Wire) -> None:
    assert wire.kusto("T | where A > 100").body[2]["Rows"] == []
    assert wire.kusto("T | take 2 | project-away *").body[2]["Rows"] == [[], []]


def test_progressive_frames(wire: Wire) -> None:
    frames = wire.kusto("T | project A", results_progressive_enabled=True).body
    assert _types(frames)[2:-2] == ["TableHeader", "TableFragment", "TableProgress", "TableCompletion"]
    assert (frames[0]["IsProgressive"], frames[0]["IsFragmented"]) == (True, True)
    assert (frames[3]["TableFragmentType"], frames[3]["Rows"]) == ("DataAppend", [[number] for number in range(10)])
    assert frames[5] == {"FrameType": "TableCompletion", "TableId": 1, "RowCount": 10}


def test_fragments_join_to_the_whole_table(wire: Wire) -> None:
    frames = wire.kusto("range x from 1 to 300000 step 1", results_v2_fragment_primary_tables=True).body
    fragments = [frame for frame in frames if frame["FrameType"] == "TableFragment"]
    assert len(fragments) > 3
    assert [row for fragment in fragments for row in fragment["Rows"]] == [[number] for number in range(1, 300_001)]
    assert "TableProgress" not in _types(frames)


@pytest.mark.parametrize(
    ("options", "in_rows", "at_the_end"),
    [
        ({}, True, True),
        ({"results_error_reporting_placement": "end_of_dataset"}, False, True),
        ({"deferpartialqueryfailures": True}, False, False),
    ],
)
def test_where_a_partial_error_stands(wire: Wire, options: dict[str, Any], in_rows: bool, at_the_end: bool) -> None:
    frames = wire.kusto("T", truncationmaxrecords=3, **options).body
    rows, completion = frames[2]["Rows"], frames[-1]
    assert len([row for row in rows if isinstance(row, list)]) == 3
    errors = [row["OneApiErrors"][0]["error"] for row in rows if isinstance(row, dict)]
    assert [ERROR in error["@message"] for error in errors] == [True] * in_rows
    assert completion["HasErrors"] is at_the_end
    assert ("OneApiErrors" in completion) is at_the_end
    levels = [row[5] for row in frames[-2]["Rows"]]
    assert (2 in levels) is ("deferpartialqueryfailures" in options)


def test_an_error_at_the_end_of_a_table(wire: Wire) -> None:
    options: dict[str, Any] = {"results_error_reporting_placement": "end_of_table", "results_v2_fragment_primary_tables": True}
    frames = wire.kusto("T", truncationmaxrecords=3, **options).body
    (completion,) = (frame for frame in frames if frame["FrameType"] == "TableCompletion")
    assert completion["OneApiErrors"][0]["error"]["code"] == "LimitsExceeded"


@pytest.mark.parametrize(
    ("query", "options", "rows"),
    [
        ("T", {"truncationmaxrecords": 4}, 4),
        ("T", {"notruncation": True, "truncationmaxrecords": 4}, 4),
        ("set truncationmaxrecords = 5; T", {}, 5),
        ("set notruncation; T", {"truncationmaxrecords": 4}, 10),
        ("set query_take_max_records = 2; T", {}, 2),
        ("T", {"query_take_max_records": 3}, 3),
        ("T", {"truncationmaxsize": 100}, None),
    ],
)
def test_limits_of_a_result(wire: Wire, query: str, options: dict[str, Any], rows: int | None) -> None:
    found = [row for row in wire.kusto(query, **options).body[2]["Rows"] if isinstance(row, list)]
    assert len(found) == rows if rows is not None else 0 < len(found) < 10


def test_version_1(wire: Wire) -> None:
    tables = wire.kusto("T | take 1 | project A, B | render table", "/v1/rest/query").body["Tables"]
    assert tables[0]["Columns"] == [
        {"ColumnName": "A", "DataType": "Int64", "ColumnType": "long"},
        {"ColumnName": "B", "DataType": "String", "ColumnType": "string"},
    ]
    assert tables[0]["Rows"] == [[0, "b0"]]
    assert [row[:3] for row in tables[-1]["Rows"]] == [
        [0, "QueryResult", "PrimaryResult"],
        [1, "QueryProperties", "@ExtendedProperties"],
        [2, "QueryStatus", "QueryStatus"],
    ]
    assert json.loads(tables[1]["Rows"][0][0])["Visualization"] == "table"
    cut = wire.kusto("T", "/v1/rest/query", truncationmaxrecords=3).body
    assert ERROR in cut["Exceptions"][0]


def test_a_query_by_get(wire: Wire) -> None:
    answer = wire.send("GET", "/v2/rest/query?db=soc&csl=T%20%7C%20count")
    assert answer.body[2]["Rows"] == [[10]]


@pytest.mark.parametrize(
    ("body", "status", "code", "message"),
    [
        ({"csl": "T | where Nope"}, 400, "General_BadRequest", "Semantic error: 'where' operator: Failed to resolve scalar expression"),
        ({"csl": "T\n| foo"}, 400, "General_BadRequest", "Syntax error: Query could not be parsed at 'foo' on line [2,2]"),
        ({"csl": "T | evaluate autocluster()"}, 501, "UnsupportedByLocalServer", "autocluster"),
        ({"db": "soc"}, 400, "General_BadRequest", '"csl"'),
        ({"csl": 5}, 400, "General_BadRequest", '"csl"'),
        ([], 400, "General_BadRequest", '"csl"'),
        (b"{", 400, "InvalidBody", "not JSON"),
        (b"[" * 100_000, 400, "InvalidBody", "not JSON"),
        ({"csl": "T", "properties": "{"}, 400, "General_BadRequest", '"properties"'),
        ({"csl": "T", "properties": {"Options": {"servertimeout": "soon"}}}, 400, "General_BadRequest", "servertimeout"),
        ({"csl": "T", "properties": {"Options": {"truncationmaxrecords": -1}}}, 400, "General_BadRequest", "truncationmaxrecords"),
        ({"csl": "T", "properties": {"Options": {"query_now": "monday"}}}, 400, "General_BadRequest", "query_now"),
        ({"csl": "T", "properties": {"Options": {"query_language": "sql"}}}, 501, "UnsupportedByLocalServer", "KQL"),
        (
            {"csl": "T", "properties": {"Options": {"query_datetimescope_from": "x"}}},
            501,
            "UnsupportedByLocalServer",
            "query_datetimescope_from",
        ),
        ({"csl": "print toint(assert(1 > 2, 'no'))"}, 400, "General_BadRequest", "no"),
    ],
)
def test_errors(wire: Wire, body: Any, status: int, code: str, message: str) -> None:
    answer = wire.send("POST", "/v2/rest/query", body)
    error = answer.body["error"]
    assert (answer.status, error["code"]) == (status, code)
    assert message in error["@message"]


def test_the_place_of_an_error(wire: Wire) -> None:
    assert wire.kusto("T\n| foo").body["error"]["innererror"] == {
        "code": "SYN0002",
        "message": "Query could not be parsed at 'foo' on line [2,2]",
        "line": 2,
        "pos": 2,
        "token": "foo",
    }
    assert wire.kusto("T | where Nope").body["error"]["innererror"]["code"] == "SEM0100"


@pytest.mark.parametrize("value", ["x", "1.5", "true"])
def test_a_parameter_of_another_type(wire: Wire, value: str) -> None:
    answer = wire.kusto("declare query_parameters(n:long); print n", parameters={"n": value})
    assert (answer.status, f"declared as long; found '{value}'" in answer.body["error"]["@message"]) == (400, True)


def test_several_databases(serving: Serving) -> None:
    one, two = Database("one", workspace(3, "x")), Database("Two", workspace(4, "y"))
    wire = serving(one, two)
    for name, rows in (("one", 3), ("TWO", 4), (two.id, 4), ("", 3), ("NetDefaultDB", 3)):
        assert wire.kusto("T | count", db=name).body[2]["Rows"] == [[rows]]
    missing = wire.kusto("T", db="three")
    assert (missing.status, missing.body["error"]["code"]) == (400, "BadRequest_EntityNotFound")
    assert [row[0] for row in wire.kusto(".show databases", "/v1/rest/mgmt", "").body["Tables"][0]["Rows"]] == ["one", "Two"]


@pytest.fixture(scope="module")
def several(serving: Serving) -> Wire:
    """Two databases with a table, a function and a watchlist of the same names."""
    databases = []
    for name, rows, mark in (("one", 3, "x"), ("two", 4, "y")):
        database = Database(name, workspace(rows, mark), (f"{name}-alias",))
        database.workspace.define_function(
            "Own", "T | where A >= least | extend W = toscalar(_GetWatchlist('w') | project K)", "least:long = 0"
        )
        database.workspace.define_function("Scalar", f"'{name}'")
        database.workspace.define_watchlist("w", [{"K": name}])
        databases.append(database)
    databases[1].workspace.define_function("Reaches", "T | union database('one').T")
    databases[1].workspace.define_function("Wrong", "database('three').T")
    databases[0].workspace.define_function("Same", "database('two').Same | extend From = 'one'")
    databases[1].workspace.define_function("Same", "T | take 1 | extend In = 'two'")
    databases[1].workspace.ingest("Only", [{"N": 1}, {"N": 2}])
    return serving(*databases)


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("database('one').T | count", [[3]]),
        ("database('two').T | count", [[4]]),
        ("cluster('c').database('Two').T | count", [[4]]),
        ("workspace('two-alias').T | count", [[4]]),
        ("let d = 'two'; workspace(d).T | count", [[4]]),
        ("T | union database('two').T | count", [[7]]),
        ("T | union (database('two').T | where A > 1) | summarize max(A), count()", [[3, 5]]),
        ("T | join kind=inner database('two').T on A | count", [[3]]),
        ("union withsource=s T, workspace('two').T | summarize count() by s | sort by s asc", [["T", 3], ["workspace('two').T", 4]]),
        ("let T = print A = 1; database('two').T | count", [[4]]),
        ("database('two').Own | summarize count(), any(W)", [[4, "two"]]),
        ("database('two').Own(2) | count", [[2]]),
        ("let n = toscalar(T | count); database('two').Own(n) | count", [[1]]),
        ("Own | summarize count(), any(W)", [[3, "one"]]),
        ("database('two').Reaches | count", [[7]]),
        ("database('two').Only | summarize sum(N)", [[3]]),
        ("Same | project B, In, From", [["y0", "two", "one"]]),
        ("database('two').T | where TimeGenerated > datetime(2026-03-02T02:00:00Z) | count", [[2]]),
    ],
)
def test_queries_over_several_databases(several: Wire, query: str, rows: list[list[Any]]) -> None:
    answer = several.kusto(query, db="one")
    assert (answer.status, answer.body[2]["Rows"] if answer.status == 200 else answer.body) == (200, rows)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("T | union database('three').T", "The name 'three' on line [1,19] does not refer to any known workspace or database"),
        ("database('tow').T", "The name 'tow' on line [1,9] does not refer to any known workspace or database"),
        ("database('two').Gone | where a == 1", "Failed to resolve table or column expression named 'Gone'"),
        ("Only", "Failed to resolve table or column expression named 'Only'"),
        ("let f = (d:string) { database(d).T }; f(strcat('t', tostring(now())))", "database() expects a constant text"),
        ("database('two').Wrong", "The name 'three' on line [1,16] does not refer to any known workspace or database"),
        ("database('two').T | where Nope == 1", "Failed to resolve scalar expression named 'Nope'"),
    ],
)
def test_places_that_are_not_served_are_refused_by_name(several: Wire, query: str, message: str) -> None:
    answer = several.kusto(query, db="one")
    assert answer.status == 400
    assert message in answer.body["error"]["@message"]


def test_where_one_database_is_served_every_name_means_it(serving: Serving) -> None:
    single = serving(Database("one", workspace(3, "x")))
    for query in ("workspace('anything').T", "database('x').Late(0) | union T | take 3", "cluster('c').database('d').T"):
        assert single.kusto(f"{query} | count").body[2]["Rows"] in ([[3]], [[2]])


# --- the web UI of Azure Data Explorer --------------------------------------------------------------------------------------


def test_what_the_web_ui_asks(wire: Wire) -> None:
    """Adding a connection and running a query: the requests in their order, with the properties that the page sends."""
    options: dict[str, Any] = {"queryconsistency": "strongconsistency", "servertimeout": "00:04:00", "request_readonly": False}
    for command, columns in (
        (".show version", ["BuildVersion", "BuildTime", "ServiceType", "ProductVersion", "ServiceOffering"]),
        (".show databases", ["DatabaseName", "PersistentStorage", "Version", "IsCurrent", "DatabaseAccessMode", "PrettyName"]),
        (".show databases entities with (showObfuscatedStrings=true) | where DatabaseName == 'soc'", ["DatabaseName", "EntityType"]),
        (".show materialized-views", ["Name"]),
    ):
        (table,) = wire.kusto(command, "/v1/rest/mgmt", **options).body["Tables"]
        assert [column["ColumnName"] for column in table["Columns"]][: len(columns)] == columns
    (entities,) = wire.kusto(".show databases entities", "/v1/rest/mgmt", **options).body["Tables"]
    assert entities["Rows"][0][:3] == ["soc", "Table", "T"]
    assert entities["Rows"][0][7] == "TimeGenerated:datetime, A:long, B:string"
    assert wire.send("GET", "/v1/rest/auth/metadata").status == 404  # no sign-in
    progressive: dict[str, Any] = {
        "results_progressive_enabled": False,
        "results_v2_fragment_primary_tables": True,
        "query_language": "csl",
    }
    frames = wire.kusto("T | where A < 5 | summarize count() by B", "/v2/rest/query", **options, **progressive).body
    assert sum(len(frame["Rows"]) for frame in frames if frame["FrameType"] == "TableFragment") == 5
