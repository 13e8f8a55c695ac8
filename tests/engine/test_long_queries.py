"""Queries that are long rather than hard: no stage may run out of stack, nor of patience."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from toolkit import Workspace

TABLES = {f"T{number}": {f"a{number}_{column}": "string" for column in range(60)} for number in range(60)}


@pytest.fixture(scope="module")
def workspace() -> Iterator[Workspace]:
    with closing(Workspace(catalog=TABLES)) as found:
        yield found


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("print x = 1 | where " + " or ".join(f"x == {number}" for number in range(1500, 0, -1)), [(1,)]),
        ("print x = 1 | where " + " and ".join(f"x != {number}" for number in range(2, 1500)), [(1,)]),
        ("print x = 1 | where " + " and ".join(f"x != {number}" for number in range(2, 1500)) + " and x == 2", []),
        ("print x = 1 | where x == 2 or " + " and ".join(f"(x != {number} or x > {number})" for number in range(2, 500)), [(1,)]),
        ("print x = 2 | where " + " or ".join(f"x == {number} and x == 1" for number in range(500)), []),
        ('search "10.0.0.4" | distinct $table', []),
        ('search "a" and ("b" or "c") | summarize count() by $table', []),
    ],
    ids=lambda value: str(value)[:40],
)
def test_long_queries_run(workspace: Workspace, query: str, rows: list[tuple[object, ...]]) -> None:
    assert workspace.query(query).rows() == rows


def test_a_term_is_found_in_any_of_many_columns(workspace: Workspace) -> None:
    full = workspace.fork()
    full.ingest("T7", [{"a7_3": "x", "a7_59": "at 10.0.0.4"}, {"a7_0": "10.0.0.40"}])
    assert full.query('search "10.0.0.4" | project $table, a7_3').rows() == [("T7", "x")]
