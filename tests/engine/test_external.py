"""externaldata over files that stand for its URIs."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from toolkit import Workspace
from toolkit.kql.diagnostics import ToolkitError

URI = "https://example.com/feeds/list"

CASES = [
    ('[h@"URI.csv"] with (format="csv", ignoreFirstRecord=true)', "ip,n,t\n192.0.2.1,5,2026-01-01\n", [("192.0.2.1", 5, 2026)]),
    ('["URI.csv"]', '"a, b",,\n192.0.2.2\n', [("a, b", None, None), ("192.0.2.2", None, None)]),
    ('["URI.csv"] with (format=tsv)', "x\t7\t2025-02-03T04:05:06Z\n", [("x", 7, 2025)]),
    (
        '["URI.csv"] with (format="txt", ignoreFirstRecord=True)',
        "# head\nfirst, line\nsecond\n",
        [("first, line", None, None), ("second", None, None)],
    ),
    ('["URI.csv"] with (format="json")', '{"n": 3, "ip": "z", "other": 1}\n', [("z", 3, None)]),
    ('["URI.csv"] with (format="multijson")', '[{"ip": "z"},\n {"n": 4}]', [("z", None, None), ("", 4, None)]),
]


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    with closing(Workspace()) as found:
        yield found


@pytest.mark.parametrize(("clause", "text", "rows"), CASES)
def test_files_are_read_as_declared(workspace: Workspace, tmp_path: Path, clause: str, text: str, rows: list[tuple[object, ...]]) -> None:
    """R-215: from the file that stands for the address."""
    (tmp_path / "list").write_text(text, encoding="utf-8")
    workspace.map_external(f"{URI}.csv", tmp_path / "list")
    query = f"externaldata(ip:string, n:long, t:datetime) {clause.replace('URI', URI)} | project ip, n, year = getyear(t)"
    assert workspace.query(query).rows() == rows


def test_several_files_and_a_time_range(workspace: Workspace, tmp_path: Path) -> None:
    with gzip.open(tmp_path / "a.gz", "wt") as stream:
        stream.write("2020-01-01\n")
    (tmp_path / "b").write_text("2021-01-01\n")
    workspace.map_external("https://example.com/a", tmp_path / "a.gz")
    workspace.map_external("https://example.com/b", tmp_path / "b")
    query = 'externaldata(TimeGenerated:datetime)["https://example.com/a", "https://example.com/b"] | count'
    assert workspace.query(query, start="2025-01-01", end="2026-01-01").rows() == [(2,)]
    assert workspace.tables() == []


@pytest.mark.parametrize(
    "query",
    [
        f'externaldata(a:string)["{URI}"]',
        f'externaldata(a:string)["{URI}.csv"] with (format="parquet")',
        f'externaldata(a:string)["{URI}.csv"] with (zipPattern="*.csv")',
        f'externaldata(a:string)["{URI}.csv"] with (format="json")',
        f'externaldata(a:string)["{URI}.csv", "{URI}.other"]',
    ],
)
def test_what_cannot_be_read_is_refused(workspace: Workspace, tmp_path: Path, query: str) -> None:
    (tmp_path / "list").write_text("no json\n")
    workspace.map_external(f"{URI}.csv", tmp_path / "list")
    with pytest.raises(ToolkitError):
        workspace.query(query)


def test_a_missing_file_is_named(workspace: Workspace, tmp_path: Path) -> None:
    workspace.map_external(URI, tmp_path / "nowhere.csv")
    with pytest.raises(ToolkitError, match=r"nowhere\.csv"):
        workspace.query(f'externaldata(a:string)["{URI}"]')
