"""Queries over a workspace that holds nothing: what is not at hand is empty; from the first row on it is refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from toolkit import Workspace
from toolkit.kql.diagnostics import KqlError, UnsupportedKqlError

TABLES = {"T": {"t": "datetime", "s": "string", "n": "long", "d": "dynamic"}}
FEED = 'externaldata(ip:string, n:long)["https://example.com/feed.csv"] with (format="csv")'

# What needs something that is not there, and its rows while nothing is.
QUERIES = [
    (FEED, []),
    (f"{FEED} | count", [(0,)]),
    ("_GetWatchlist('vip')", []),
    ("_GetWatchlist('vip') | where Score > 5 and isnotempty(Name) | extend a = tolower(Name), b = Score * 2 | project Name, a, b", []),
    ("_GetWatchlist('vip') | summarize n = count(), m = max(Score), s = make_set(Name), arg_max(LastUpdatedTimeUTC, *) by Team", []),
    ("T | where s in ((_GetWatchlist('vip') | project Name)) | join kind=inner _GetWatchlist('vip') on $left.n == $right.Number", []),
    ("_GetWatchlist('vip') | mv-expand Tags | parse Text with * 'a' b:long | order by Number | extend x = iff(Flag, b, 1)", []),
    ("_GetWatchlist('vip') | order by Number | extend before = prev(Name), row = row_number() | where before > 5", []),
    ("T | evaluate bag_unpack(d) | where Key == 'x' | project Key, ['@Name'], Other.a.b", []),
    ("T | evaluate bag_unpack(d) | extend Key = tostring(['@Name']) | evaluate pivot(Key, take_any(s), t) | where Image has 'x'", []),
    ("T | evaluate pivot(s, count(), n) | extend total = a + b", []),
    ("T | evaluate ipv4_lookup(_GetWatchlist('geo'), s, network) | project s, network, country", []),
    ("_GetWatchlist('vip') | evaluate ipv4_lookup(_GetWatchlist('geo'), Ip, network) | project Ip, network, Name", []),
    ("T | evaluate bag_unpack(d) | evaluate activity_counts_metrics(user, when, ago(1d), now(), 1h, n) | count", [(0,)]),
    ("T | evaluate bag_unpack(d) | evaluate sequence_detect(t, 1h, 1h, a = x == 1, b = x == 2, y) | project y, Duration", []),
    ("T | evaluate bag_unpack(d) | evaluate narrow() | count", [(0,)]),
    ("T | evaluate pivot(s, sum(n), t) : (t:datetime, a:long)", []),
    ("datatable(d:dynamic)[dynamic({'k': 1})] | evaluate bag_unpack(d)", [(1,)]),
    ("T | where s has_any ((_GetWatchlist('vip') | project Name)) or s in ((_GetWatchlist('vip') | project Name))", []),
    ("union isfuzzy=true nowhere, (T | project s) | project s, other", []),
    ("T | where ingestion_time() > ago(1h)", []),
]  # fmt: skip


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    with closing(Workspace(catalog=TABLES)) as found:
        yield found


@pytest.mark.parametrize(("query", "rows"), QUERIES)
def test_nothing_has_rows(workspace: Workspace, query: str, rows: list[tuple[object, ...]]) -> None:
    assert workspace.query(query).rows() == rows


@pytest.mark.parametrize("query", [FEED, "_GetWatchlist('vip')"])
def test_any_row_ends_it(workspace: Workspace, tmp_path: Path, query: str) -> None:
    ingested, defined, mapped = workspace.fork(), workspace.fork(), workspace.fork()
    ingested.ingest("T", [{"s": "x"}])
    defined.define_watchlist("other", [{"a": "1"}])
    mapped.map_external("https://example.com/other", tmp_path)
    for full in (ingested, defined, mapped, Workspace(catalog=TABLES, dry_runs=False)):
        with pytest.raises(UnsupportedKqlError, match=r"externaldata|watchlist"):
            full.query(query)
    assert workspace.query(query).rows() == []


@pytest.mark.parametrize(
    "query",
    [
        f"datatable(ip:string)['192.0.2.1'] | join kind=leftouter ({FEED}) on ip | project ip, n",
        "print s = 'a' | join kind=leftouter (_GetWatchlist('vip') | project s = Name) on s",
        "range n from 1 to 3 step 1 | where n in ((_GetWatchlist('vip') | project tolong(Number)))",
    ],
)
def test_rows_of_the_query_itself_end_it_too(workspace: Workspace, query: str) -> None:
    with pytest.raises(UnsupportedKqlError, match=r"externaldata|watchlist"):
        workspace.query(query)


def test_rows_of_the_query_itself_still_tell_the_columns(workspace: Workspace) -> None:
    with pytest.raises(KqlError, match="'missing'"):
        workspace.query("datatable(d:dynamic)[dynamic({'k': 1})] | evaluate bag_unpack(d) | project missing")


def test_what_is_not_implemented_is_refused_all_the_same(workspace: Workspace) -> None:
    with pytest.raises(UnsupportedKqlError, match="autocluster"):
        workspace.query(f"{FEED} | evaluate autocluster()")
    with pytest.raises(UnsupportedKqlError, match="cursor_current"):
        workspace.query(f"{FEED} | extend a = cursor_current()")


def test_with_rows_a_leg_that_does_not_exist_is_dropped(workspace: Workspace) -> None:
    full = workspace.fork()
    full.ingest("T", [{"s": "x"}])
    query = "union isfuzzy=true (T | project s), (nowhere | where q == 1 | extend s = w)"
    assert full.query(query).columns == [("s", "string")]
    with pytest.raises(KqlError, match="'q'"):
        full.query(query + " | project q")
    assert workspace.query("union isfuzzy=true nowhere, (print s = 'x')").rows() == [("x",)]


def test_a_union_of_tables_that_nobody_knows_is_not_run(workspace: Workspace) -> None:
    assert workspace.analyze("union isfuzzy=true nowhere, nothing").errors == ()
    with pytest.raises(UnsupportedKqlError, match="None of the tables"):
        workspace.query("union isfuzzy=true nowhere, nothing")


def test_a_watchlist_that_is_not_at_hand_is_a_finding(workspace: Workspace) -> None:
    found = workspace.analyze("_GetWatchlist('vip') | project Name")
    assert [(finding.code, finding.severity) for finding in found.diagnostics] == [("not-at-hand", "warning")]
