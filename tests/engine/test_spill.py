"""Rows beyond the memory that a workspace may use go to disk; the answer is the same."""

from __future__ import annotations

from contextlib import closing

import pyarrow as pa
import pytest

from toolkit import Workspace

ROWS = 400_000


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        ("T | summarize count() by n, s | summarize rows = count(), top = max(count_)", (ROWS, 1)),
        ("T | sort by s desc, n asc | extend p = prev(n) | summarize rows = countif(p > n)", (0,)),
        ("T | join kind=inner (T | project n, other = s) on n | summarize rows = countif(s == other)", (ROWS,)),
    ],
)
def test_large_groups_sorts_and_joins(query: str, answer: tuple[int, ...]) -> None:
    with closing(Workspace({"T": {"n": "long", "s": "string"}}, memory_limit="80MB")) as workspace:
        texts = pa.array([f"{ROWS - number:08d}" + "x" * 100 for number in range(ROWS)])
        workspace.ingest("T", pa.table({"n": range(ROWS), "s": texts}))
        assert list(workspace.query(query).rows()) == [answer]
