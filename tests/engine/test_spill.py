"""Rows beyond the memory that a workspace may use go to disk; the answer is the same. What cannot go there is refused."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from toolkit import QueryFailed, Workspace

ROWS = 400_000
LARGE = pytest.mark.parametrize(
    ("query", "answer"),
    [
        ("T | summarize count() by n, s | summarize rows = count(), top = max(count_)", (ROWS, 1)),
        ("T | sort by s desc, n asc | extend p = prev(n) | summarize rows = countif(p > n)", (0,)),
        ("T | join kind=inner (T | project n, other = s) on n | summarize rows = countif(s == other)", (ROWS,)),
    ],
)


def _rows() -> pa.Table:
    return pa.table({"n": range(ROWS), "s": [f"{ROWS - number:08d}" + "x" * 100 for number in range(ROWS)]})


def _workspace() -> Workspace:
    return Workspace({"T": {"n": "long", "s": "string"}}, memory_limit="80MB")


@LARGE
def test_large_groups_sorts_and_joins(query: str, answer: tuple[int, ...]) -> None:
    with closing(_workspace()) as workspace:
        workspace.ingest("T", _rows())
        assert list(workspace.query(query).rows()) == [answer]


@LARGE
def test_files_in_place_spill_too(query: str, answer: tuple[int, ...], tmp_path: Path) -> None:
    pq.write_table(_rows(), tmp_path / "rows.parquet")
    with closing(_workspace()) as workspace:
        workspace.attach("T", tmp_path)
        assert list(workspace.query(query).rows()) == [answer]


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("T | project n, s", "the rows of the answer take more than half of the memory"),
        ("T | join kind=inner (T | extend n = n % 10) on n", "the rows of the answer take more than half of the memory"),
        ("T | summarize all = make_list(s)", "the query needs more memory than it is allowed to use"),
    ],
)
def test_what_cannot_spill_is_refused(query: str, reason: str) -> None:
    with closing(_workspace()) as workspace:
        workspace.ingest("T", _rows())
        with pytest.raises(QueryFailed, match=reason) as raised:
            workspace.query(query)
        assert raised.value.diagnostics[0].code == "out-of-memory"
        assert len(workspace.query("T | take 10").rows()) == 10
