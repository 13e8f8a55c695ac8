"""JSON lines and CSV in place: the rows of an ingest, or a refusal by file; broken lines as an ingest reports them."""

from __future__ import annotations

import csv
import gzip
import io
import json
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from toolkit import Workspace
from toolkit.engine.ingest import IngestError
from toolkit.engine.ingest.files import is_log_file

CATALOG = {
    "T": {
        "TimeGenerated": "datetime", "Name": "string", "Count": "long", "Small": "int", "Ratio": "real", "Exact": "decimal",
        "Bag": "dynamic", "Id": "guid", "Flag": "bool", "Span": "timespan",
    }
}  # fmt: skip
DATA = Path(__file__).parent.parent / "ingest" / "data"


def _rows(workspace: Workspace, table: str, names: list[str]) -> list[str]:
    columns = ", ".join(f"['{name}']" for name in names)
    return sorted(map(repr, workspace.query(f"{table} | project {columns}").rows()))


def same_or_refused(files: list[Path], table: str = "T", catalog: dict[str, dict[str, str]] | None = None) -> bool:
    """Whether the files were attached; then with the rows and types of an ingest."""
    with closing(Workspace(catalog)) as attached, closing(Workspace(catalog)) as ingested:
        try:
            rows = attached.attach(table, files)
        except IngestError:
            return False
        assert ingested.ingest(table, files).rows == rows
        schemas = [workspace.schema(table) for workspace in (attached, ingested)]
        types, expected = (dict(schema.columns) if schema else {} for schema in schemas)
        assert types == expected
        names = list(expected)
        assert _rows(attached, table, names) == _rows(ingested, table, names)
        for bound in ("> datetime(2026-03-01 12:00)", "<= datetime(2026-03-01 12:00)", "== datetime(2026-03-02)"):
            query = f"{table} | where TimeGenerated {bound} | count"
            if "TimeGenerated" in names:
                assert list(attached.query(query).rows()) == list(ingested.query(query).rows())
        return True


_TIMES = st.sampled_from(
    ["2026-03-01T00:00:00Z", "2026-03-02T00:00:00.1234567Z", "2026-03-01 13:00:00", "2026-03-02T02:00:00+02:00", "3/1/2026 1:00:00 PM", ""]
)
_ODD = ["null", "N/A", "-", "1", "007", "1.5", "true", '{"a": 1}', "[1,]", "nan", "1e5"]
_TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    st.sampled_from(["null", "N/A", "-", "1", "007", "1.5", "true", '{"a": 1}', "[1,]", "nan", "1e5"]),
)
_REALS = st.floats(allow_nan=False, allow_infinity=False)
_NUMBERS = st.one_of(st.integers(-(2**70), 2**70), _REALS, st.sampled_from([1e16, 1e-7, 0.1, 2**53 + 1]))
_VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), _NUMBERS, _TEXTS, _TIMES),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_TEXTS, inner, max_size=3)),
    max_leaves=4,
)
_RECORDS = st.fixed_dictionaries(
    {"TimeGenerated": _TIMES},
    optional={
        "Name": st.one_of(_TEXTS, _VALUES), "Count": st.one_of(st.integers(-5, 2**62), _TEXTS),
        "Small": st.integers(-(2**33), 2**33), "Ratio": _NUMBERS,
        "Exact": st.integers(0, 9), "Bag": _VALUES, "Id": st.uuids().map(str), "Flag": st.sampled_from([True, False, 1, "true", None]),
        "Span": st.sampled_from(["01:00:00", 5]), "extra": st.one_of(st.integers(), _REALS), "other": _VALUES, "when": _TIMES,
    },
)  # fmt: skip
_FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@_FEW
@given(st.lists(st.lists(_RECORDS, min_size=1, max_size=6), min_size=1, max_size=2))
def test_json_lines(parts: list[list[dict[str, Any]]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for number, records in enumerate(parts):
            path = Path(folder) / f"{number}.jsonl"
            path.write_text("".join(json.dumps(record, ensure_ascii=number == 0) + "\n" for record in records), encoding="utf-8")
            files.append(path)
        same_or_refused(files, catalog=CATALOG)


@_FEW
@given(
    st.lists(
        st.tuples(_TIMES, _TEXTS, _TEXTS, st.integers(-5, 5), _TEXTS, st.one_of(st.integers().map(str), _TEXTS)), min_size=1, max_size=8
    )
)
def test_csv(rows: list[tuple[Any, ...]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.csv"
        text = io.StringIO(newline="")
        csv.writer(text).writerows([("TimeGenerated", "Name", "Bag", "Count", "extra", "more"), *rows])
        path.write_text(text.getvalue(), encoding="utf-8", newline="")
        same_or_refused([path], catalog=CATALOG)


@pytest.mark.parametrize(
    "path", sorted(path for path in DATA.rglob("*") if path.is_file() and is_log_file(path)), ids=lambda path: path.name
)
@pytest.mark.parametrize("table", ["T", "AKSAudit", "Mine_CL", "AzureDiagnostics"])
def test_every_kind_of_file_of_the_ingest_tests(path: Path, table: str) -> None:
    same_or_refused([path], table)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("plain.jsonl", '{"TimeGenerated":"2026-03-01T00:00:00Z","Name":"a","x":1.5}\n{"Bag":{"a":[1,"\\u001f",1e16]},"x":2}\n'),
        ("mixed.jsonl", '{"Name":5,"other":1}\n{"Name":{"a":1.10},"other":"t"}\n{"Name":true,"other":[1]}\n'),
        ("plain.csv", "TimeGenerated,Name,Count,x\n2026-03-01T00:00:00Z,a,1,007\n2026-03-01,\"b, \"\"c\"\"\",N/A,5\n"),
        ("plain.tsv", "TimeGenerated [UTC]\tName\n2026-03-01T00:00:00Z\ta\n"),
        ("crlf.csv", "Name,Count\r\na,1\r\nb,2\r\n"),
        ("semicolons.csv", "Name;Count\na;1\n"),
    ],
)  # fmt: skip
def test_what_is_read_in_place(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8", newline="")
    assert same_or_refused([path], catalog=CATALOG)
    packed = tmp_path / f"{name}.gz"
    packed.write_bytes(gzip.compress(text.encode()))
    assert same_or_refused([path, packed], catalog=CATALOG)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("cut.jsonl", '{"Name":"a"}\n{"Name":"b"', r"cut\.jsonl:2: error: not valid JSON"),
        ("comma.jsonl", '{"Name":"a"}\n{"Name":"b",}\n', r"comma\.jsonl:2: error: not valid JSON"),
        ("nan.jsonl", '{"Name":"a"}\n{"Ratio":NaN}\n', r"nan\.jsonl:2: error: NaN is not JSON"),
        ("value.jsonl", '{"Count":1}\n{"Count":"many"}\n', r"value\.jsonl:2: error: column 'Count': expected a value of type long"),
        ("array.jsonl", '{"Count":1}\n[{"Count":2}]\n', "no plain JSON object"),
        ("pretty.json", '[\n{"Count":1}\n]\n', "only one object per line is read in place"),
        ("twice.jsonl", '{"Count":1,"Count":2}\n', "has a key twice"),
        ("envelope.jsonl", '{"records":[{"Count":1}]}\n', "envelope"),
        ("wide.csv", "Name,Count\na,1\nb,2,3\n", r"wide\.csv:3: error: expected 2 fields as in the header, found 3"),
        ("value.csv", "Name,Count\na,1\nb,many\n", r"value\.csv:3: error: column 'Count': expected a value of type long, found 'many'"),
        ("lines.csv", 'Name,Count\n"a\nb",1\n', "a field over several lines, which is not read in place"),
        ("order.csv", "TimeGenerated,Name\n3/4/2026 10:00,a\n", "the order of day and month"),
        ("sub/a.log", "x\n", "expected a file name that ends in"),
    ],
)  # fmt: skip
def test_what_is_not_says_where(tmp_path: Path, name: str, text: str, message: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    with closing(Workspace(CATALOG)) as workspace, pytest.raises(IngestError, match=message):
        workspace.attach("T", path)


def test_times_leave_out_whole_files(tmp_path: Path) -> None:
    for day in range(1, 6):
        path = tmp_path / f"day={day}" / "x.jsonl"
        path.parent.mkdir()
        path.write_text(f'{{"TimeGenerated":"2026-03-0{day}T10:00:00Z","Name":"n{day}"}}\n', encoding="utf-8")
    with closing(Workspace(CATALOG)) as workspace:
        assert workspace.attach("T", tmp_path) == 5
        query = "T | where TimeGenerated between (datetime(2026-03-02) .. datetime(2026-03-03)) | project Name, day"
        assert list(workspace.query(query).rows()) == [("n2", 2)]
        assert workspace.sql(query).count("x.jsonl") == 4
        assert list(workspace.query("T | count", start="2026-03-04", end="2026-03-05").rows()) == [(1,)]


def test_several_formats_are_one_table(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    (tmp_path / "a.jsonl").write_text('{"TimeGenerated":"2026-03-01T10:00:00Z","Name":"json"}\n', encoding="utf-8")
    (tmp_path / "b.csv").write_text("TimeGenerated,Name,more\n2026-03-02T10:00:00Z,csv,x\n", encoding="utf-8")
    pq.write_table(pa.table({"TimeGenerated": ["2026-03-03T10:00:00Z"], "Count": [5]}), tmp_path / "c.parquet")
    assert same_or_refused([tmp_path / name for name in ("a.jsonl", "b.csv", "c.parquet")], catalog=CATALOG)
