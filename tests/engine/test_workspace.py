"""The face of the engine: tables, time ranges, functions, watchlists, limits, errors, results."""

from __future__ import annotations

import gc
import json
import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import toolkit
from toolkit import KqlError, QueryCancelled, QueryTimeout, UnsupportedKqlError, Workspace
from toolkit.engine.errors import ParameterError

TABLES = {"T": {"TimeGenerated": "datetime", "a": "string", "n": "long", "d": "dynamic"}, "U": {"a": "string", "A": "string"}}
ENDLESS = """range a from 1 to 100000000 step 1 | extend k = 1
    | join kind=inner (range b from 1 to 1000000 step 1 | extend k = 1) on k | where a * b % 7 == 3 | count"""


@pytest.fixture
def workspace() -> Workspace:
    made = Workspace(TABLES)
    rows = [{"TimeGenerated": f"2026-03-02T10:00:0{second}Z", "a": "x" * second, "n": second, "d": {"k": [second]}} for second in range(4)]
    made.ingest("T", rows)
    return made


def test_several_ingests_append_and_may_have_other_columns(workspace: Workspace) -> None:
    workspace.ingest("T", [{"a": "late", "extra_s": "e"}])
    assert workspace.query("T | count").rows() == [(5,)]
    assert workspace.query("T | where a == 'late' | project n, d, TimeGenerated").rows() == [(None, None, None)]
    assert workspace.query("T | where isempty(a) | project n").rows() == [(0,)]


def test_column_names_differ_by_case() -> None:
    workspace = Workspace(TABLES)
    workspace.ingest("U", [{"a": "small", "A": "big"}])
    assert workspace.query("U | project A, a").rows() == [("big", "small")]


def test_a_table_without_logs_has_no_rows() -> None:
    assert Workspace(TABLES).query("T | summarize n = count(), m = max(n)").rows() == [(0, None)]


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (None, None, [0, 1, 2, 3]),
        ("2026-03-02T10:00:01Z", None, [2, 3]),
        (None, "2026-03-02T10:00:01Z", [0, 1]),
        (datetime(2026, 3, 2, 10, 0, 0), datetime(2026, 3, 2, 12, 0, 2, tzinfo=UTC) - timedelta(hours=2), [1, 2]),  # noqa: DTZ001  # naive is UTC
    ],
)
def test_time_range_is_open_at_its_start(workspace: Workspace, start: Any, end: Any, expected: list[int]) -> None:
    assert [row[0] for row in workspace.query("T | project n | sort by n asc", start=start, end=end)] == expected
    assert [
        row[0] for row in workspace.query("let V = T; V | join kind=leftsemi T on n | project n | sort by n asc", start=start, end=end)
    ] == expected


def test_time_range_leaves_watchlists_alone(workspace: Workspace) -> None:
    workspace.define_watchlist("admins", [{"User": "alice", "TimeGenerated": "never"}], "User")
    rows = workspace.query("_GetWatchlist('admins') | project SearchKey, User", start="2030-01-01", end="2030-01-02").rows()
    assert rows == [("alice", "alice")]


def test_now_is_what_the_caller_says(workspace: Workspace) -> None:
    """R-337."""
    assert workspace.query("print a = now(), b = ago(1d)", now="2020-01-02").rows() == [
        (datetime(2020, 1, 2, tzinfo=UTC), datetime(2020, 1, 1, tzinfo=UTC))
    ]
    before = datetime.now(UTC)
    ((clock,),) = workspace.query("print now()").rows()
    assert before <= clock <= datetime.now(UTC)


def test_functions_and_parameters(workspace: Workspace) -> None:
    workspace.define_function("AtLeast", "T | where n >= low", "low:long = 2")
    assert workspace.query("AtLeast() | count").rows() == [(2,)]
    assert workspace.query("AtLeast(1) | count").rows() == [(3,)]
    query = "declare query_parameters(p:long = 1, t:datetime = datetime(2020-01-01)); print p, t"
    given = {"p": 5, "t": datetime(2026, 1, 1, tzinfo=UTC)}
    assert workspace.query(query, parameters=given).rows() == [(5, datetime(2026, 1, 1, tzinfo=UTC))]


def test_what_a_saved_function_sees(workspace: Workspace) -> None:
    """R-306: the caller's lets; a column before a parameter, a parameter before a let; a function before a table of its name."""
    workspace.define_function("FromLow", "T | where n >= low | count")
    workspace.define_function("FromGiven", "T | where n >= low | count", "low:long = 3")
    workspace.define_function("Doubled", "T | project n = 2 * n", "n:long = 100")
    assert workspace.query("let low = 2; FromLow()").rows() == [(2,)]
    assert workspace.query("let low = 2; FromGiven()").rows() == [(1,)]
    assert workspace.query("Doubled() | top 1 by n").rows() == [(6,)]
    workspace.define_function("U", "print a = 'function'")
    assert workspace.query("U").rows() == [("function",)]


def test_forks_share_what_was_there_and_nothing_else(workspace: Workspace) -> None:
    fork = workspace.fork()
    fork.ingest("T", [{"a": "only here"}])
    fork.define_function("F", "T | count")
    assert fork.query("F").rows() == [(5,)]
    assert workspace.query("T | count").rows() == [(4,)]
    with pytest.raises(KqlError, match="'F'"):
        workspace.query("F")


def test_tables_of_forks_that_are_gone_are_dropped(workspace: Workspace) -> None:
    def stored() -> int:
        return int(workspace.database.run("SELECT count(*) AS n FROM duckdb_tables()").column(0)[0].as_py())

    before = stored()
    for _ in range(3):
        workspace.fork().ingest("T", [{"a": "x"}])
    gc.collect()
    assert stored() == before


def test_queries_in_several_threads(workspace: Workspace) -> None:
    def count(minimum: int) -> int:
        return int(workspace.query(f"T | where n >= {minimum} and strcat(a, reverse(a)) == strrep(a, 2) | count").rows()[0][0])

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(count, [0, 1, 2, 3] * 5)) == [4, 3, 2, 1] * 5


def test_time_limit(workspace: Workspace) -> None:
    with pytest.raises(QueryTimeout, match=r"0\.1 seconds"):
        workspace.query(ENDLESS, timeout=0.1)
    assert workspace.query("T | count").rows() == [(4,)]


def test_ctrl_c(workspace: Workspace) -> None:
    workspace.query("T | count")
    timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(QueryCancelled):
        workspace.query(ENDLESS)
    timer.join()
    assert workspace.query("T | count").rows() == [(4,)]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_text('/etc/hostname')",
        "COPY (SELECT 1) TO 'out.csv'",
        "ATTACH 'other.db'",
        "INSTALL httpfs",
        "SET enable_external_access = true",
        "SELECT * FROM rows_of_this_test",
    ],
)
def test_the_engine_is_locked_down(workspace: Workspace, sql: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Queries never become such SQL; should one ever, the engine still refuses it."""
    monkeypatch.chdir(tmp_path)
    rows_of_this_test = [1]
    with pytest.raises(toolkit.ToolkitError):
        workspace.database.run(sql)
    assert rows_of_this_test
    assert not list(tmp_path.iterdir())


def test_user_text_stays_text(workspace: Workspace) -> None:
    nasty = "'; DROP TABLE t1; -- {0} }} \\ \0 \u202e \U0001f600"
    workspace.ingest("T", [{"a": nasty}])
    literal = json.dumps(nasty, ensure_ascii=False).replace("\\u0000", "\\0")
    assert workspace.query(f"T | where a == {literal} | project a").rows() == [(nasty,)]
    assert workspace.query(f"print ['{{0}} \"x\"'] = {literal}").columns == [('{0} "x"', "string")]


def test_trace_counts_rows_after_each_step(workspace: Workspace) -> None:
    query = "T\n| where n > 0\n| where a == 'xx'\n| project n"
    steps = workspace.trace(query)
    assert [(step.text, step.rows) for step in steps] == [("T", 4), ("where n > 0", 3), ("where a == 'xx'", 1), ("project n", 1)]
    assert all(query[step.start : step.end] == step.text for step in steps)
    assert [step.rows for step in workspace.trace(query, end="2026-03-02T10:00:01Z")] == [2, 1, 0, 0]


def test_trace_counts_the_rows_around_a_graph() -> None:
    """A graph itself has no rows: its steps are left out."""
    edges = "datatable(s: string, t: string)['a', 'b', 'b', 'c']"
    query = f"{edges} | make-graph s --> t with_node_id=id | graph-mark-components | graph-match (a)-[p*1..2]->(b) project a.id | take 1"
    with closing(Workspace()) as fresh:
        assert [(step.text.split(" ")[0], step.rows) for step in fresh.trace(query)] == [
            ("datatable(s:", 2),
            ("graph-match", 3),
            ("take", 1),
        ]


def test_paths_without_end_are_stopped() -> None:
    edges = [{"s": f"n{i % 40}", "t": f"n{i * 7 % 40}"} for i in range(400)]
    with closing(Workspace({"E": {"s": "string", "t": "string"}})) as fresh:
        fresh.ingest("E", edges)
        query = "E | make-graph s --> t with_node_id=id | graph-match cycles=all (a)-[p*1..60]->(b) project a.id, m = map(p, s)"
        with pytest.raises(QueryTimeout):
            fresh.query(query, timeout=0.5)
        assert fresh.query("E | count").rows() == [(400,)]


def test_everything_that_cannot_run_is_named_at_its_place(workspace: Workspace) -> None:
    query = "T | extend x = parse_user_agent(a, 'browser') | reduce by a"
    with pytest.raises(UnsupportedKqlError) as caught:
        workspace.query(query)
    places = {query[found.start : found.end].split("(", 1)[0] for found in caught.value.diagnostics}
    assert {"parse_user_agent", "reduce by a"} <= places
    assert "query:1:16" in str(caught.value)


def test_all_errors_of_a_query_are_reported(workspace: Workspace) -> None:
    with pytest.raises(KqlError) as caught:
        workspace.query("T | where nosuch == 1 | extend x = strlen()")
    assert len(caught.value.diagnostics) == 2


@pytest.mark.parametrize("moment", ["yesterday", 5, object()])
def test_a_clock_must_be_a_time(workspace: Workspace, moment: object) -> None:
    with pytest.raises(ParameterError, match="now: expected a datetime"):
        workspace.query("T", now=moment)


@pytest.mark.parametrize("query", ["print x = 1" + " | extend x = x + 1" * 3000, "print x = " + "-(" * 3000 + "1" + ")" * 3000])
def test_depth_is_an_error_not_a_crash(workspace: Workspace, query: str) -> None:
    with pytest.raises(KqlError, match="deep"):
        workspace.query(query)


RESULT = """datatable(t:datetime, s:timespan, d:dynamic, m:decimal, r:real, g:guid, b:bool, i:int)
[
    datetime(2020-01-02 03:04:05.1234567), -1.5s, dynamic({'a': [1, null, 'x']}), decimal(1.50), real(nan),
    guid(74be27de-1e4e-49d9-b579-fe0b331d3642), true, 7,
    datetime(0001-01-01), 1tick, dynamic(null), decimal(null), real(null), guid(null), bool(null), int(null)
] | extend c = 'same' | render timechart with (title='t')"""


def test_results_in_python(workspace: Workspace) -> None:
    result = workspace.query(RESULT)
    first, second = result.rows()
    assert first[:4] == (datetime(2020, 1, 2, 3, 4, 5, 123456, tzinfo=UTC), timedelta(seconds=-1.5), {"a": [1, None, "x"]}, Decimal("1.5"))
    assert first[4] != first[4]
    assert first[5:] == ("74be27de-1e4e-49d9-b579-fe0b331d3642", True, 7, "same")
    assert second == (datetime(1, 1, 1, tzinfo=UTC), timedelta(0), None, None, None, None, None, None, "same")
    assert [kind for _, kind in result.columns] == ["datetime", "timespan", "dynamic", "decimal", "real", "guid", "bool", "int", "string"]
    assert (len(result), list(result), str(first[3])) == (2, result.rows(), "1.5")
    assert result.visualization is not None
    assert result.visualization.kind == "timechart"


def test_results_as_json_have_seven_digits(workspace: Workspace) -> None:
    first, second = json.loads(workspace.query(RESULT).to_json())
    assert first["t"] == "2020-01-02T03:04:05.1234567Z"
    assert (first["s"], first["d"], first["m"], first["r"]) == ("-00:00:01.5000000", {"a": [1, None, "x"]}, "1.5", "NaN")
    assert second == {**dict.fromkeys("tsdmrgbi"), "t": "0001-01-01T00:00:00.0000000Z", "s": "00:00:00.0000001", "c": "same"}


def test_results_as_tables(workspace: Workspace) -> None:
    result = workspace.query(RESULT)
    arrow = result.to_arrow()
    assert str(arrow.schema.field("t").type) == "timestamp[us, tz=UTC]"
    assert arrow.column("s").to_pylist() == [timedelta(seconds=-1.5), timedelta(0)]
    frame = result.to_pandas()
    assert list(frame["d"]) == [{"a": [1, None, "x"]}, None]
    assert list(frame["c"]) == ["same", "same"]


def test_results_in_notebooks_are_escaped(workspace: Workspace) -> None:
    shown = workspace.query("range x from 1 to 150 step 1 | extend ['<b>'] = '<script>'")._repr_html_()
    assert "<script>" not in shown
    assert "<b>" not in shown
    assert "&lt;script&gt;" in shown
    assert "150 rows" in shown


def test_a_datetime_beyond_the_calendar_is_an_error(workspace: Workspace) -> None:
    with pytest.raises(toolkit.ToolkitError, match="0001 to 9999"):
        workspace.query("print datetime(9999-12-31) + 10d").rows()


def test_memory_is_bounded() -> None:
    workspace = Workspace({}, memory_limit="100MB", threads=1)
    with pytest.raises(KqlError, match="memory"):
        workspace.query("range a from 1 to 10000000000 step 1 | summarize make_list(a)")
    with pytest.raises(toolkit.ToolkitError, match="memory_limit"):
        Workspace({}, memory_limit="much").query("print 1")
