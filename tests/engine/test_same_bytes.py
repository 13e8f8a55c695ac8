"""The same query on the same rows gives the same bytes, however many threads share the work."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pytest

from toolkit import Workspace

ROWS = 300_000


@pytest.fixture(scope="module")
def workspace() -> Iterator[Workspace]:
    made = Workspace(catalog={"T": {"n": "long", "s": "string"}}, threads=2)
    made.ingest("T", pa.table({"n": range(ROWS), "s": [f"u{number % 40}" for number in range(ROWS)]}))
    yield made
    made.close()


@pytest.mark.parametrize(
    "query",
    [
        "T | summarize make_list(n)",
        "T | summarize make_list(n) by s",
        "T | summarize take_any(n) by s",
        "T | summarize count() by s",
        "T | distinct s",
        "T | extend k = n % 3 | summarize arg_max(k, n) by s",
        "T | extend k = iff(n % 3 == 0, long(null), n % 3) | summarize arg_min(k, *) by s",
        "T | extend k = n % 3 | where k > 0 | extend j = k + 1 | summarize make_list(j), take_any(n) by s",
        "T | summarize take_any(n, s) by n % 7",
    ],
)
def test_repeated_runs_agree(workspace: Workspace, query: str) -> None:
    first = list(workspace.query(query).rows())
    assert all(list(workspace.query(query).rows()) == first for _ in range(3))


def test_a_list_keeps_the_order_of_the_rows(workspace: Workspace) -> None:
    assert list(workspace.query("T | where n % 1000 == 0 | summarize make_list(n)").rows()) == [(list(range(0, ROWS, 1000)),)]
