"""Files in place: the rows that an ingest of the same files gives, and a file's own terms where times are compared."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from toolkit import Workspace
from toolkit.engine.ingest import IngestError

CATALOG = {
    "T": {"TimeGenerated": "datetime", "Name": "string", "Count": "long", "Ratio": "real", "Bag": "dynamic", "Id": "guid", "Flag": "bool"}
}
START = datetime(2026, 3, 1, tzinfo=UTC)
ROWS = 400


def _table(start: int = 0) -> pa.Table:
    numbers = range(start, start + ROWS)
    return pa.table(
        {
            "TimeGenerated": pa.array(
                [START + timedelta(minutes=number, microseconds=number % 3) for number in numbers], pa.timestamp("us", "UTC")
            ),
            "Nanos": pa.array(
                [None if number % 7 == 0 else 1_772_323_200_000_000_000 + number * 1_000_000_123 for number in numbers], pa.timestamp("ns")
            ),
            "Day": pa.array([(START + timedelta(days=number % 5)).date() for number in numbers], pa.date32()),
            "Name": pa.array([None if number % 5 == 0 else f"user{number % 11}" for number in numbers]),
            "Count": pa.array([None if number % 6 == 0 else number for number in numbers], pa.int32()),
            "Ratio": pa.array([number / 4 for number in numbers], pa.float32()),
            "Bag": pa.array([f'{{ "k": {number}, "names": [ "a", null ] }}' if number % 4 else "" for number in numbers]),
            "Id": pa.array([f"AAAAAAAA-0000-0000-0000-{number:012d}" for number in numbers]),
            "Flag": pa.array([None if number % 9 == 0 else number % 2 == 0 for number in numbers]),
            "Nested": pa.array([{"a": number, "b": [str(number), None]} for number in numbers]),
            "odd name {0}": pa.array([number % 3 for number in numbers], pa.int8()),
        }
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("files")
    for part in (0, 1):
        pq.write_table(_table(part * ROWS), path / f"part{part}.parquet", row_group_size=50)
    return path


@pytest.fixture(scope="module")
def both(folder: Path) -> Iterator[tuple[Workspace, Workspace]]:
    with closing(Workspace(CATALOG)) as attached, closing(Workspace(CATALOG)) as ingested:
        assert attached.attach("T", folder) == 2 * ROWS
        ingested.ingest("T", sorted(folder.glob("*.parquet")))
        yield attached, ingested


@pytest.mark.parametrize(
    "query",
    [
        "T | sort by TimeGenerated asc",
        "T | where TimeGenerated > datetime(2026-03-01 02:00:00.0000019) | summarize max(Count), min(Nanos) by Name | sort by Name asc",
        "T | where TimeGenerated <= datetime(2026-03-01 02:00:00) | count",
        "T | where datetime(2026-03-01 02:00:00.0000005) >= TimeGenerated and Flag | count",
        "T | where TimeGenerated == datetime(2026-03-01 00:02:00.0000020) | project Name, Count, Ratio",
        "T | where TimeGenerated between (ago(3h) .. 90m) | summarize count()",
        "T | where Nanos between (datetime(2026-03-01 00:00:10.0000012) .. datetime(2026-03-01 00:01)) | summarize count(), max(Nanos)",
        "T | where Nanos < datetime(1600-01-01) or Day > datetime(2026-03-03) | summarize count(), max(Day)",
        "T | where TimeGenerated > datetime(9999-12-31 23:59:59.9999999) | count",
        "T | extend k = tolong(Bag.k), n = tostring(Bag.names[0]) | where k > 700 | project k, n, Id, Nested.b | sort by k asc | take 7",
        "T | where ['odd name {0}'] == 2 and isempty(Name) | count",
        "T | join kind=inner (T | where Count < 10) on Count | project Name, Name1, Id, Id1 | sort by Id asc",
    ],
)
def test_rows_are_those_of_an_ingest(both: tuple[Workspace, Workspace], query: str) -> None:
    attached, ingested = (list(workspace.query(query, now="2026-03-01T05:00:00Z").rows()) for workspace in both)
    assert attached == ingested


def test_a_time_range_reaches_the_file(both: tuple[Workspace, Workspace]) -> None:
    query = "T | where TimeGenerated > ago(1h) | count"
    assert "CAST('2026-03-01 04:00:00.000000+00' AS TIMESTAMPTZ)" in both[0].sql(query, now="2026-03-01T05:00:00Z")
    scoped = [list(workspace.query("T | count", start="2026-03-01T01:00", end="2026-03-01T02:00:30").rows()) for workspace in both]
    assert scoped[0] == scoped[1] == [(60,)]


def test_patterns_lists_and_further_ingests(folder: Path) -> None:
    with closing(Workspace(CATALOG)) as workspace:
        assert workspace.attach("T", str(folder / "*0.parquet")) == ROWS
        assert workspace.attach("T", [folder / "part1.parquet"]) == ROWS
        workspace.ingest("T", [{"Name": "late"}])
        assert list(workspace.query("T | where Name == 'late' or Count < 3 | summarize count(), max(Count)").rows()) == [(3, 2)]
        assert list(workspace.fork().query("T | count").rows()) == [(2 * ROWS + 1,)]


@pytest.mark.parametrize(
    ("name", "columns", "message"),
    [
        ("absent", None, "there is no such file"),
        ("text", "not parquet", "expected a Parquet file"),
        ("unsigned", {"n": pa.array([1], pa.uint64())}, "column 'n': uint64 is not read in place as any type: ingest the file"),
        ("mismatch", {"Count": pa.array([1.5])}, "column 'Count': double is not read in place as long: ingest the file"),
        ("inner", {"x": pa.array([[START]])}, "is not read in place"),
        ("case", {"a": pa.array([1]), "A": pa.array([2])}, "differ only by case"),
    ],
)
def test_what_cannot_be_read_in_place_says_so(tmp_path: Path, name: str, columns: dict[str, pa.Array] | str | None, message: str) -> None:
    path = tmp_path / f"{name}.parquet"
    if isinstance(columns, str):
        path.write_text(columns, encoding="utf-8")
    elif columns is not None:
        pq.write_table(pa.table(columns), path)
    with closing(Workspace(CATALOG)) as workspace, pytest.raises(IngestError, match=message):
        workspace.attach("T", path)
