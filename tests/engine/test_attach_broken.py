"""Files in place that cannot be read, that are no files, or that change after they were attached: each says what to do."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from toolkit import Workspace
from toolkit.engine.ingest import IngestError

CATALOG = {"T": {"TimeGenerated": "datetime", "Name": "string", "Count": "long"}}
LINE = '{"TimeGenerated":"2026-03-01T00:00:00Z","Name":"a","Count":5}\n'
ZSTD = pa.compress((LINE * 5000).encode(), codec="zstd", asbytes=True)
GZIP = gzip.compress((LINE * 5000).encode())


def _refused(source: object, message: str, way: str = "attach") -> None:
    with closing(Workspace(CATALOG)) as workspace, pytest.raises(IngestError, match=message):
        getattr(workspace, way)("T", source)


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("cut.jsonl.gz", GZIP[: len(GZIP) // 2], "expected a complete gzip file, but it is damaged or cut off"),
        ("cut.csv.gz", gzip.compress(b"Name\n" + b"a\n" * 99_999)[:-20], "expected a complete gzip file, but it is damaged or cut off"),
        ("cut.jsonl.zst", ZSTD[: len(ZSTD) // 2], "expected a complete zstd file, but it is damaged or cut off"),
        ("empty.jsonl", b"", "expected JSON, found an empty file"),
        ("empty.csv", b"", "expected a header line"),
        ("empty.parquet", b"", "expected a Parquet file"),
        ("binary.jsonl", b"\0\1\2", "expected JSON text, found binary data"),
        ("latin.csv", "Name\n\xe9\n".encode("latin-1"), "expected utf-8 text"),
        ("wide.jsonl", LINE.encode("utf-16"), "utf-16 text is not read in place: ingest the file"),
        ("deep.jsonl", b'{"Name":' + b"[" * 5000 + b"]" * 5000 + b"}\n", r"deep\.jsonl:1: error: nested too deeply"),
        ("nan.jsonl", b'{"x":1}\n{"Bag":{"a":[1,NaN]}}\n', r"nan\.jsonl:2: error: NaN is not JSON"),
        ("nan2.jsonl", b'{"x":1}\n{"x":-Infinity}\n', r"nan2\.jsonl:2: error: -Infinity is not JSON"),
        ("large.jsonl", b'{"Count":9223372036854775808}\n', r"large\.jsonl:1: error: column 'Count': expected a value of type long"),
    ],
)  # fmt: skip
def test_what_is_in_a_file(tmp_path: Path, name: str, data: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(data)
    _refused(tmp_path / name, message)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([{"a": 1}], "column 'Count': struct<a: int64> is not read in place as long: ingest the file"),
        ([1.5], "column 'Count': double is not read in place as long: ingest the file"),
    ],
)
def test_another_type_than_the_catalogue(tmp_path: Path, values: list[object], message: str) -> None:
    pq.write_table(pa.table({"Count": values}), tmp_path / "x.parquet")
    _refused(tmp_path, message)


def test_where_there_are_no_files(tmp_path: Path) -> None:
    _refused(tmp_path / "nothing*.jsonl", r"nothing\*\.jsonl: error: no file fits this pattern")
    _refused(tmp_path / "nix", "there is no such file or folder")
    _refused(tmp_path, "expected a folder with log files, found one without any")
    _refused([], "there is no file to read in place")
    _refused(5, "expected paths of files or folders to read in place, found int")
    _refused([{"Name": "a"}], "expected paths of files or folders to read in place, found dict: ingest it")
    (tmp_path / "link.jsonl").symlink_to(tmp_path / "nowhere")
    _refused(tmp_path / "link.jsonl", "there is no such file or folder")


@pytest.mark.parametrize("way", ["attach", "ingest"])
def test_a_pipe_does_not_hang(tmp_path: Path, way: str) -> None:
    os.mkfifo(tmp_path / "x.jsonl")
    _refused(tmp_path / "x.jsonl", "expected a file, found a pipe or a device", way)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
@pytest.mark.parametrize("way", ["attach", "ingest"])
def test_what_may_not_be_read_is_not_passed_over(tmp_path: Path, way: str) -> None:
    (tmp_path / "a.jsonl").write_text(LINE, encoding="utf-8")
    closed = tmp_path / "closed"
    closed.mkdir(mode=0)
    _refused(tmp_path, "closed: error: cannot be read: Permission denied", way)
    closed.rmdir()
    (tmp_path / "a.jsonl").chmod(0)
    _refused(tmp_path, r"a\.jsonl: error: cannot be read: .*Permission denied", way)


def test_kinds_of_a_folder_are_one_table(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl.zst").write_bytes(ZSTD)
    (tmp_path / "b.csv").write_text("Name,Count\nb,7\n", encoding="utf-8")
    (tmp_path / "readme.txt").write_text("no log", encoding="utf-8")
    (tmp_path / "any.log").write_text("no log", encoding="utf-8")
    pq.write_table(pa.table({"Count": [9]}), tmp_path / "c.parquet")
    with closing(Workspace(CATALOG)) as workspace:
        assert workspace.attach("T", tmp_path) == 5002
        assert list(workspace.query("T | summarize max(Count)").rows()) == [(9,)]


def _gone(path: Path) -> None:
    path.unlink()


def _longer(path: Path) -> None:
    path.write_bytes(path.read_bytes() * 2)


def _touched(path: Path) -> None:
    data = path.read_bytes().replace(b"a", b"b")
    path.write_bytes(data)
    os.utime(path, ns=(1, 1))


@pytest.mark.parametrize("name", ["x.jsonl", "x.csv", "x.parquet"])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_gone, "cannot be read any more .No such file or directory.: attach the table's files again"),
        (_longer, "has changed since it was attached: attach the table's files again"),
        (_touched, "has changed since it was attached: attach the table's files again"),
    ],
)
def test_what_changes_after_it_was_attached(tmp_path: Path, name: str, change: Callable[[Path], None], message: str) -> None:
    path = tmp_path / name
    if path.suffix == ".parquet":
        pq.write_table(pa.table({"Name": ["a"]}), path)
    else:
        path.write_text(LINE if path.suffix == ".jsonl" else "Name\na\n", encoding="utf-8")
    with closing(Workspace({**CATALOG, "Other": {"n": "long"}})) as workspace:
        workspace.attach("T", path)
        workspace.ingest("Other", [{"n": 1}])
        assert list(workspace.query("T | project Name").rows()) == [("a",)]
        change(path)
        with pytest.raises(IngestError, match=message):
            workspace.query("T | count")
        assert list(workspace.query("Other | count").rows()) == [(1,)]
