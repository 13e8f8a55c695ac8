"""Whatever the files hold, they are refused or give the types and rows of an ingest; plain values are never refused.

Compared are the engine's own values, without a query in between.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from toolkit.engine.files.attach import attach_files
from toolkit.engine.files.values import register
from toolkit.engine.ingest import IngestError, read_source
from toolkit.engine.ingest.scanner import scanner
from toolkit.kql.types import ScalarType, TableSchema

S = ScalarType
SCHEMA = TableSchema("T", {
    "TimeGenerated": S.DATETIME, "Name": S.STRING, "Count": S.LONG, "Small": S.INT, "Ratio": S.REAL, "Exact": S.DECIMAL,
    "Bag": S.DYNAMIC, "Id": S.GUID, "Flag": S.BOOL, "Span": S.TIMESPAN, "Seen": S.DATETIME,
})  # fmt: skip
Record = dict[str, Any]
FEW = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])


# --- the two ways ---------------------------------------------------------------------------------------------------------


def attached(files: list[Path]) -> tuple[dict[str, ScalarType], list[str]]:
    found = attach_files(files, "T", SCHEMA)
    names = list(found.schema.columns)
    rows: list[str] = []
    for scan, columns, count in found.scans:
        with scanner() as connection:
            for function in {column.udf for column in columns.values() if column.udf}:
                register(connection, function)
            held = {name: column.template.format(column.sql_name.format()) for name, column in columns.items()}
            wanted = [held.get(name, "''" if found.schema.columns[name] is S.STRING else "NULL") for name in names]
            times = held.get("TimeGenerated", "NULL")
            some = connection.execute(f'SELECT {", ".join(wanted)}, "kql file", {times} FROM {scan.sql}').fetchall()
        assert len(some) == count
        rows += map(repr, (row[:-2] for row in some))
        if "TimeGenerated" in columns and (spans := {path: (low, high) for path, low, high in columns["TimeGenerated"].spans}):
            assert all(spans[path][0] <= ticks <= spans[path][1] for *_, path, ticks in some if ticks is not None)
    return dict(found.schema.columns), sorted(rows)


def ingested(files: list[Path]) -> tuple[dict[str, ScalarType], list[str]]:
    found = read_source(files, "T", SCHEMA)
    columns = {name: found.table.column(name).to_pylist() if name in found.present else None for name in found.schema.columns}
    empty = {name: "" if kind is S.STRING else None for name, kind in found.schema.columns.items()}
    cells = [values or [empty[name]] * found.rows for name, values in columns.items()]
    return dict(found.schema.columns), sorted(map(repr, zip(*cells, strict=True)))


def same(files: list[Path], *, plain: bool = False) -> None:
    try:
        found = attached(files)
    except (IngestError, duckdb.Error) as error:
        if plain or (isinstance(error, duckdb.Error) and "kql: " not in str(error)):
            raise
        return
    expected = ingested(files)
    assert found == expected
    if plain:
        assert found[1]


# --- the files ------------------------------------------------------------------------------------------------------------


def _json_lines(records: Sequence[Record]) -> bytes:
    return "".join(json.dumps(record, ensure_ascii=len(record) % 2 == 0) + "\n" for record in records).encode()


def _csv(records: Sequence[Record]) -> bytes:
    names = list(dict.fromkeys(key for record in records for key in record))
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(names)
    for record in records:
        cells = (record.get(name) for name in names)
        writer.writerow([json.dumps(cell) if isinstance(cell, (dict, list)) else "" if cell is None else cell for cell in cells])
    return text.getvalue().encode()


def _parquet(records: Sequence[Record]) -> bytes:
    names = list(dict.fromkeys(key for record in records for key in record))
    columns = {name: [record.get(name) for record in records] for name in names}
    texts = {"Bag", "sack"} | {name for name, values in columns.items() if len({type(value) for value in values} - {type(None)}) > 1}
    arrays = {
        name: pa.array([None if value is None else json.dumps(value) for value in values] if name in texts else values)
        for name, values in columns.items()
    }
    sink = io.BytesIO()
    pq.write_table(pa.table(arrays), sink, row_group_size=2)
    return sink.getvalue()


def _zstd(data: bytes) -> bytes:
    packed: bytes = pa.compress(data, codec="zstd", asbytes=True)
    return packed


PACKED: dict[str, Callable[[bytes], bytes]] = {"": bytes, ".gz": gzip.compress, ".zst": _zstd}
WRITERS = {"jsonl": _json_lines, "csv": _csv}


def _written(folder: str, parts: Sequence[Sequence[Record]], form: str, packing: str) -> list[Path]:
    files = []
    for number, records in enumerate(parts):
        path = Path(folder) / f"{number}.{form}{packing}"
        path.write_bytes(PACKED[packing](WRITERS[form](records)))
        files.append(path)
    return files


# --- plain values: what exports and well-behaved writers give ---------------------------------------------------------------

_CLOCK = st.datetimes().filter(lambda time: time.year >= 1000)
_FRACTION = st.sampled_from(["", ".5", ".123", ".123456", ".1234567", ".123456789"])
PLAIN_TIMES = st.builds(
    lambda time, mark, fraction, zone: f"{time:%Y-%m-%d}{mark}{time:%H:%M:%S}{fraction}{zone}",
    _CLOCK, st.sampled_from("T "), _FRACTION, st.sampled_from(["Z", ""]),
)  # fmt: skip
_WORDS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8), st.sampled_from(['say "x"', "a,b;c", "\u0130i\u0307", "-"])
)
_GUIDS = st.uuids().flatmap(lambda one: st.sampled_from([str(one), str(one).upper()]))
_NESTED = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(10**9), 10**9), st.text("ab\u00e9\U0001f600/ \"{", max_size=4)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text("abc", max_size=3), inner, max_size=3)),
    max_leaves=5,
)  # fmt: skip
_BAGS = st.one_of(st.dictionaries(st.text("abc", max_size=3), _NESTED, max_size=3), st.lists(_NESTED, max_size=3))
PLAIN = {
    "TimeGenerated": PLAIN_TIMES, "Name": _WORDS, "Count": st.integers(-(2**63), 2**63 - 1), "Small": st.integers(-(2**31), 2**31 - 1),
    "Ratio": st.floats(-1e60, 1e60), "Bag": _BAGS, "Id": _GUIDS, "Flag": st.booleans(), "Seen": PLAIN_TIMES, "extra": _WORDS,
    "number": st.integers(-9, 9), "when": PLAIN_TIMES, "sack": _BAGS,
}  # fmt: skip


@st.composite
def _parts_of(draw: st.DrawFn, columns: dict[str, st.SearchStrategy[Any]], always: str = "", files: int = 2) -> list[list[Record]]:
    """The records of some files, with a few of the columns: with all of them, one odd value would hide what the others do."""
    names = draw(st.lists(st.sampled_from(sorted({*columns} - {always})), min_size=1, max_size=3, unique=True))
    names = [always, *names] if always else names
    record = st.fixed_dictionaries({names[0]: columns[names[0]]}, optional={name: columns[name] for name in names[1:]})
    return draw(st.lists(st.lists(record, min_size=1, max_size=4), min_size=1, max_size=files))


@FEW
@given(_parts_of(PLAIN, "TimeGenerated"), st.sampled_from(sorted(PACKED)))
def test_plain_json_lines(parts: list[list[Record]], packing: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        same(_written(folder, parts, "jsonl", packing), plain=True)


@FEW
@given(_parts_of(PLAIN, "TimeGenerated", files=1), st.sampled_from(sorted(PACKED)))
def test_plain_csv(parts: list[list[Record]], packing: str) -> None:
    # one file: a column that has other types in a later one is refused
    with tempfile.TemporaryDirectory() as folder:
        same(_written(folder, parts, "csv", packing), plain=True)


@FEW
@given(_parts_of(PLAIN, "TimeGenerated"))
def test_plain_parquet(parts: list[list[Record]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for number, records in enumerate(parts):
            path = Path(folder) / f"{number}.parquet"
            path.write_bytes(_parquet(records))
            files.append(path)
        same(files)


# --- any values -------------------------------------------------------------------------------------------------------------

_TIMES = st.one_of(
    PLAIN_TIMES,
    st.sampled_from([
        "", "2026-03-01", "2026-03-02T02:00:00+02:00", "2026-02-30T00:00:00Z", "2026-03-01T24:00:00Z", "0001-01-01T00:00:00Z",
        "3/1/2026 1:00:00 PM", "2026-03-01T23:59:60Z", "2026-03-01T10:00:00z", " 2026-03-01T10:00:00Z", "1850-01-01T00:00:00.1234567Z",
        "9999-12-31T23:59:59.9999999Z", "N/A", "1772323200", "2026-3-1T10:00:00", "2026-03-01T10:00", "0000-01-01T00:00:00",
    ]),
)  # fmt: skip
_ODD = st.sampled_from([
    "null", "N/A", "-", "1", "007", "+5", " 5", "1.5", "1e3", "1_0", "true", "True", '{"a": 1}', '{"a":1.10,"a":2}', "[1,]", "nan",
    "Infinity", "0x1f", "1.0", "-0", "9223372036854775808", "123456789012345678901234567890", "\u0661", "a\nb", 'q"q',
    "\x00", "\u2028", "\ufeff",
])  # fmt: skip
_TEXTS = st.one_of(st.text(st.characters(exclude_categories=["Cs"]), max_size=6), _ODD)
_NUMBERS = st.one_of(
    st.integers(-(2**70), 2**70), st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([1e16, 1e-7, 0.1, 2**53 + 1, 2**63, -(2**63), 1e300, -0.0, 5e-324]),
)  # fmt: skip
_ANY = st.recursive(
    st.one_of(st.none(), st.booleans(), _NUMBERS, _TEXTS, _TIMES),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_TEXTS, inner, max_size=3)),
    max_leaves=4,
)  # fmt: skip
_COLUMNS = {
    "TimeGenerated": st.one_of(_TIMES, st.integers(1_700_000_000, 1_800_000_000)), "Name": st.one_of(_TEXTS, _ANY),
    "Count": st.one_of(_NUMBERS, _ODD), "Small": _NUMBERS, "Ratio": st.one_of(_NUMBERS, _ODD), "Exact": st.one_of(_NUMBERS, _ODD),
    "Bag": _ANY, "Id": st.one_of(_GUIDS, _TEXTS), "Flag": st.one_of(st.booleans(), st.sampled_from([0, 1, "true", "1", "FALSE"])),
    "Span": st.sampled_from(["01:00:00", 5, "1.02:03:04.5"]),
    "Seen": _TIMES, "extra": _ANY, "number": st.one_of(st.integers(), _NUMBERS), "when": st.one_of(_TIMES, _TEXTS),
}  # fmt: skip


@pytest.mark.parametrize("form", sorted(WRITERS))
@FEW
@given(_parts_of(_COLUMNS))
def test_any_values(form: str, parts: list[list[Record]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        same(_written(folder, parts, form, ""))


@FEW
@given(_parts_of(_COLUMNS))
def test_any_values_in_parquet(parts: list[list[Record]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for number, records in enumerate(parts):
            path = Path(folder) / f"{number}.parquet"
            try:
                path.write_bytes(_parquet(records))
            except (pa.ArrowException, OverflowError):
                return  # no Parquet file holds such values
            files.append(path)
        same(files)
