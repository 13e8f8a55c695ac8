"""Folders such as `date=2026-03-01/hour=05`: the same columns, types and rows in place and after an ingest."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from toolkit import Workspace
from toolkit.engine.files.attach import attach_files
from toolkit.engine.ingest import IngestError
from toolkit.engine.ingest.scanner import scanner
from toolkit.kql.times import ticks_from_datetime

CATALOG = {"T": {"TimeGenerated": "datetime", "Name": "string", "Count": "long"}}
Answers = list[tuple[object, ...]]


def _write(path: Path, name: str = "a") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        pq.write_table(pa.table({"Name": [name]}), path)
    else:
        path.write_text({".jsonl": f'{{"Name":"{name}"}}\n', ".csv": f"Name\n{name}\n"}[path.suffix], encoding="utf-8")


def _both(source: Path | list[Path], query: str, catalog: dict[str, dict[str, str]] | None = None) -> tuple[dict[str, str], Answers]:
    """The columns and the answer, which are the same both ways."""
    found: list[tuple[list[tuple[str, str]], Answers]] = []
    for way in ("ingest", "attach"):
        with closing(Workspace(CATALOG if catalog is None else catalog)) as workspace:
            getattr(workspace, way)("T", source)
            schema = workspace.schema("T")
            assert schema is not None
            found.append(([(name, kind.value) for name, kind in schema.columns.items()], list(workspace.query(query).rows())))
    assert found[0] == found[1]
    return dict(found[0][0]), found[0][1]


@pytest.mark.parametrize("suffix", ["parquet", "jsonl", "csv"])
@pytest.mark.parametrize(
    ("folders", "kind", "answers"),
    [
        (["k=2026-03-01", "k=2026-03-02"], "datetime", ["2026-03-01T00:00:00.0000000Z", "2026-03-02T00:00:00.0000000Z"]),
        (["k=2026-03-01 05%3A30", "k=2026-03-02"], "datetime", ["2026-03-01T05:30:00.0000000Z", "2026-03-02T00:00:00.0000000Z"]),
        (["k=05", "k=17"], "long", ["17", "5"]),
        (["k=072643944673", "k=5"], "string", ["072643944673", "5"]),
        (["k=eu-west-1", "k=5"], "string", ["5", "eu-west-1"]),
        (["k=a%2Fb", "k=100%"], "string", ["100%", "a/b"]),
        (["k=%ff", "k=_"], "string", ["%ff", "_"]),
        (["k=__HIVE_DEFAULT_PARTITION__", "k=3"], "long", ["", "3"]),
        (["k=1/odd (a) ' name=2", "k=3/odd (a) ' name=4"], "long", ["1", "3"]),
        (["k=x/k=1", "plain"], None, []),
        (["k=7/other", "k=8"], "long", ["", "8"]),
    ],
)  # fmt: skip
def test_types_and_values(tmp_path: Path, suffix: str, folders: list[str], kind: str | None, answers: list[str]) -> None:
    for folder in folders:
        _write(tmp_path / folder / f"x.{suffix}")
    query = "T | extend k = tostring(column_ifexists('k', '')) | sort by k asc | project k"
    columns, rows = _both(tmp_path, query)
    assert columns.get("k") == kind
    assert rows == ([(answer,) for answer in answers] if answers else [("",)] * len(folders))


def test_the_catalogue_decides(tmp_path: Path) -> None:
    for text in ("1", "0"):
        _write(tmp_path / f"flag={text}" / "x.jsonl")
    columns, rows = _both(tmp_path, "T | sort by Flag asc | project Flag", {"T": {"Flag": "bool"}})
    assert columns == {"Flag": "bool", "Name": "string"}
    assert rows == [(False,), (True,)]


@pytest.mark.parametrize("way", ["ingest", "attach"])
def test_a_folder_that_the_catalogue_forbids(tmp_path: Path, way: str) -> None:
    _write(tmp_path / "Count=many" / "x.jsonl")
    with closing(Workspace(CATALOG)) as workspace, pytest.raises(IngestError, match=r"x\.jsonl: error: the folder Count=many: expected a"):
        getattr(workspace, way)("T", tmp_path)


def test_what_a_file_has_itself_counts(tmp_path: Path) -> None:
    _write(tmp_path / "Name=folder" / "day=1" / "x.jsonl", "file")
    columns, rows = _both(tmp_path, "T | project Name, day")
    assert columns["day"] == "long"
    assert rows == [("file", 1)]


def test_only_folders_directly_above_count_and_come_last(tmp_path: Path) -> None:
    _write(tmp_path / "env=prod" / "logs" / "day=1" / "x.jsonl")
    _write(tmp_path / "env=prod" / "logs" / "y.csv")
    (tmp_path / "env=prod" / "logs" / "z.csv").write_text("more\n5\n", encoding="utf-8")
    columns, rows = _both([tmp_path / "env=prod"], "T | summarize count() by day | sort by day desc")
    assert list(columns) == ["TimeGenerated", "Name", "Count", "more", "day"]
    assert rows == [(1, 1), (None, 2)]


def test_conditions_leave_out_whole_files(tmp_path: Path) -> None:
    for day in range(1, 6):
        _write(tmp_path / f"date=2026-03-0{day}" / f"n={day}" / "x.jsonl")
    ((scan, columns, _),) = attach_files(tmp_path, "T", None).scans
    with scanner() as connection:
        for name, value in (("n", "2"), ("date", str(ticks_from_datetime(datetime(2026, 3, 2, tzinfo=UTC))))):
            condition = f"{columns[name].template.format(columns[name].sql_name.format())} = {value}"
            ((_, plan),) = connection.execute(f"EXPLAIN ANALYZE SELECT Name FROM {scan.sql} WHERE {condition}").fetchall()
            assert "Scanning Files: 1/5" in plan
