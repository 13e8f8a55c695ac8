"""Budgets: how long the queries of a fork may take, how many rows they give, and who stops them; rows of other workspaces."""

from __future__ import annotations

import threading
import time

import pytest

from toolkit import QueryCancelled, QueryTimeout, Workspace
from toolkit.engine.budget import Budget

ENDLESS = "range x from 1 to 3000000000 step 1 | summarize count() by x % 1000003"


def test_a_time_limit_holds_for_all_queries_together() -> None:
    workspace = Workspace({}).fork(Budget(seconds=0.3))
    with pytest.raises(QueryTimeout, match=r"after 0\.3 seconds"):
        workspace.query(ENDLESS)
    with pytest.raises(QueryTimeout):
        workspace.query("print 1")


@pytest.mark.parametrize(
    ("rows", "query", "found"), [(3, "range x from 1 to 10 step 1", 3), (3, "print 1", 1), (3, "range x from 1 to 3 step 1", 3)]
)
def test_rows_beyond_the_limit_are_not_fetched(rows: int, query: str, found: int) -> None:
    assert len(Workspace({}).fork(Budget(rows=rows)).query(query)) == found


def test_the_first_rows_are_those_of_the_order() -> None:
    result = Workspace({}).fork(Budget(rows=3)).query("range x from 1 to 200000 step 1 | sort by x desc")
    assert list(result.rows()) == [(200_000,), (199_999,), (199_998,)]


def test_a_limit_of_rows_is_not_one_of_what_a_query_looks_up() -> None:
    query = "range x from 1 to 50 step 1 | extend k = strcat('k', x % 3), g = x % 2 | evaluate pivot(k, count(), g) | sort by g asc"
    assert Workspace({}).fork(Budget(rows=1)).query(query).to_dicts() == [{"g": 0, "k0": 8, "k1": 8, "k2": 9}]


def test_cancelling_stops_only_the_queries_of_that_fork() -> None:
    base = Workspace({})
    budget = Budget()
    stopped: list[type[Exception]] = []

    def run() -> None:
        try:
            base.fork(budget).query(ENDLESS)
        except QueryCancelled as error:
            stopped.append(type(error))

    thread = threading.Thread(target=run)
    thread.start()
    time.sleep(0.2)  # the query may be running or not: it is stopped either way
    budget.cancel()
    assert list(base.query("range x from 1 to 2000000 step 1 | summarize count()").rows()) == [(2_000_000,)]
    thread.join()
    assert stopped == [QueryCancelled]
    with pytest.raises(QueryCancelled):
        base.fork(budget).query("print 1")


def test_rows_of_another_workspace_are_included_exactly() -> None:
    tables = {"T": {"TimeGenerated": "datetime", "A": "long"}, "U": {"B": "dynamic"}}
    one, two = Workspace(tables), Workspace(tables)
    one.ingest("T", [{"TimeGenerated": "2026-03-02T00:00:00.1234567Z", "A": 1}])
    two.ingest("T", [{"TimeGenerated": "2026-03-02T00:00:00.7654321Z", "A": 2}])
    two.ingest("U", [{"B": {"k": [1]}}])
    both, shared = one.fork(), two.fork()
    both.include(two)
    shared.include(two)
    texts = both.query("T | sort by A asc | project tostring(TimeGenerated)").rows()
    assert texts == [("2026-03-02T00:00:00.1234567Z",), ("2026-03-02T00:00:00.7654321Z",)]
    assert both.query("U").rows() == [({"k": [1]},)]
    assert [len(each.query("T")) for each in (one, two, shared)] == [1, 1, 2]
