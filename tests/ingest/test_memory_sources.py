"""Rows in memory, data frames, Arrow tables and Parquet files give the same columns as text files do."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ingest.support import cells, ingest
from toolkit import Workspace
from toolkit.engine.ingest.coerce import PHYSICAL, absent, coerce_strings, coerce_values
from toolkit.engine.ingest.logtime import TimeReading
from toolkit.kql.times import MAX_DATETIME_TICKS, format_datetime_iso
from toolkit.kql.types import ScalarType, TableSchema

ALL = TableSchema("T", {kind.value: kind for kind in ScalarType if kind is not ScalarType.UNKNOWN})
GUID = "f2a1bd4c-188f-4289-8a9b-c41e5177134d"


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        ("bool", True, True), ("bool", "FALSE", False), ("bool", "1", True), ("bool", 0, False), ("bool", np.True_, True),
        ("int", "7", 7), ("int", -(2**31), -(2**31)), ("int", 7.0, 7), ("int", " 7 ", 7), ("int", "7.0", 7),
        ("long", 2**63 - 1, 2**63 - 1), ("long", "9223372036854775807", 2**63 - 1), ("long", "007", 7), ("long", "1e3", 1000),
        ("long", True, 1),
        ("real", 1, 1.0), ("real", "1e-3", 0.001), ("real", "Infinity", float("inf")), ("real", Decimal("0.5"), 0.5),
        ("decimal", "0.1", Decimal("0.100000000000000000")), ("decimal", 0.1, Decimal("0.100000000000000000")), ("decimal", 5, Decimal(5)),
        ("decimal", "12345678901234567890.000000000000000001", Decimal("12345678901234567890.000000000000000001")),
        ("string", 7, "7"), ("string", True, "true"), ("string", 1.5, "1.5"), ("string", {"a": [1, None]}, '{"a":[1,null]}'),
        ("string", b"x", "x"),
        ("string", " kept ", " kept "), ("string", "null", "null"), ("string", "-", "-"), ("string", Decimal("1.50"), "1.50"),
        ("string", datetime(2026, 1, 2, tzinfo=UTC), "2026-01-02T00:00:00.0000000Z"), ("string", timedelta(hours=1), "01:00:00"),
        ("datetime", datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC), "2026-01-02T03:04:05.6789010Z"),
        ("datetime", datetime(2026, 1, 2, tzinfo=timezone(timedelta(hours=2))), "2026-01-01T22:00:00.0000000Z"),
        ("datetime", date(2026, 1, 2), "2026-01-02T00:00:00.0000000Z"), ("datetime", "0001-01-01", "0001-01-01T00:00:00.0000000Z"),
        ("datetime", pd.Timestamp("2026-01-02T03:04:05.123456789Z"), "2026-01-02T03:04:05.1234567Z"),
        ("timespan", timedelta(days=-1, microseconds=1), "-23:59:59.9999990"), ("timespan", "1.02:03:04", "1.02:03:04"),
        ("timespan", 10, "00:00:00.0000010"),
        ("timespan", pd.Timedelta("1s"), "00:00:01"),
        ("guid", GUID.upper(), GUID), ("guid", "{" + GUID + "}", GUID), ("guid", GUID.replace("-", ""), GUID), ("guid", UUID(GUID), GUID),
        ("dynamic", {"b": 1, "a": "é"}, '{"b":1,"a":"é"}'), ("dynamic", [], "[]"), ("dynamic", 5, "5"), ("dynamic", False, "false"),
        ("dynamic", "text", '"text"'), ("dynamic", "5", '"5"'), ("dynamic", '{"a": 1}', '{"a":1}'), ("dynamic", "{no json", '"{no json"'),
        ("dynamic", "[NaN]", '"[NaN]"'), ("dynamic", [float("nan")], '["NaN"]'),
        ("dynamic", {"t": datetime(2026, 1, 1, tzinfo=UTC)}, '{"t":"2026-01-01T00:00:00.0000000Z"}'),
        ("dynamic", np.array([1, 2]), "[1,2]"), ("dynamic", {"d": Decimal("1.5"), "n": np.int64(3)}, '{"d":1.5,"n":3}'),
    ],
)  # fmt: skip
def test_values(column: str, value: Any, expected: Any) -> None:
    assert cells(ingest([{column: value}], "T", ALL)) == [{column: expected}]


@pytest.mark.parametrize("value", [None, "", "null", "-", "N/A", "None", pd.NaT, pd.NA])
@pytest.mark.parametrize("kind", [kind for kind in ScalarType if kind not in (ScalarType.STRING, ScalarType.DYNAMIC, ScalarType.UNKNOWN)])
def test_no_value_is_null(kind: ScalarType, value: Any) -> None:
    result = ingest([{kind.value: value}], "T", ALL)
    assert result.table.column(kind.value).to_pylist() == [None]


def test_false_and_zero_are_values_beside_other_kinds_of_values() -> None:
    result = ingest([{"bool": "true", "int": "1"}, {"bool": False, "int": 0}], "T", ALL)
    assert cells(result) == [{"bool": True, "int": 1}, {"bool": False, "int": 0}]


def test_strings_are_never_null_and_every_column_has_its_physical_type() -> None:
    rows = [dict.fromkeys(ALL.columns), {}]
    table = ingest(rows, "T", ALL).table
    assert table.column("string").to_pylist() == ["", ""]
    assert {name: table.schema.field(name).type for name in table.column_names} == {
        kind.value: PHYSICAL[kind] for kind in ALL.columns.values()
    }
    assert all(table.column(name).null_count == 2 for name in table.column_names if name != "string")


def arrow_table() -> Any:
    moment = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    return pa.table(
        {
            "bool": pa.array([True, None]),
            "int": pa.array([1, None], pa.int16()),
            "long": pa.array([1, None], pa.uint32()),
            "real": pa.array([1.5, None], pa.float32()),
            "decimal": pa.array([Decimal("1.50"), None], pa.decimal128(10, 2)),
            "string": pa.array(["x", None]).dictionary_encode(),
            "datetime": pa.array([moment, None], pa.timestamp("ms", "Europe/Berlin")),
            "timespan": pa.array([timedelta(seconds=1), None], pa.duration("ns")),
            "guid": pa.array([GUID.upper(), None], pa.large_string()),
            "dynamic": pa.array([{"a": [1]}, None]),
            "when": pa.array([1767323045678901234, None], pa.timestamp("ns")),
            "day": pa.array([date(2026, 1, 2), None]),
            "nothing": pa.nulls(2),
            "tags": pa.array([["a"], None], pa.list_(pa.string())),
            "size": pa.array([5, None], pa.int8()),
        }
    )


ARROW_ROW = {
    "bool": True,
    "int": 1,
    "long": 1,
    "real": 1.5,
    "decimal": Decimal("1.5"),
    "string": "x",
    "datetime": "2026-01-02T03:04:05.6780000Z",
    "timespan": "00:00:01",
    "guid": GUID,
    "dynamic": '{"a":[1]}',
    "when": "2026-01-02T03:04:05.6789012Z",
    "day": "2026-01-02T00:00:00.0000000Z",
    "tags": '["a"]',
    "size": 5,
}


def test_arrow(tmp_path: Path) -> None:
    table = arrow_table()
    path = tmp_path / "t.parquet"
    pq.write_table(table, path)
    for source in (table, table.to_batches()[0], pa.RecordBatchReader.from_batches(table.schema, table.to_batches()), path, [path]):
        assert cells(ingest(source, "T", ALL)) == [ARROW_ROW, {}]


def test_arrow_values_that_do_not_fit_are_named_by_row() -> None:
    from toolkit.engine.ingest import IngestError

    with pytest.raises(IngestError, match="T:3: error: column 'int': expected a value of type int, found '2147483648'"):
        ingest(pa.table({"int": [1, 2, 2**31]}), "T", ALL)
    with pytest.raises(IngestError, match="one column of each name, found 'a' more than once"):
        ingest(pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"]), "T", ALL)


def test_pandas() -> None:
    frame = pd.DataFrame(
        {
            "long": [1, 2],
            "real": [0.5, float("nan")],
            "string": ["x", None],
            "datetime": pd.to_datetime(["2026-01-02T03:04:05.123456789Z", None]),
            "dynamic": [{"a": 1}, None],
            "mixed": [1, "one"],
        }
    )
    expected = [
        {"long": 1, "real": 0.5, "string": "x", "datetime": "2026-01-02T03:04:05.1234567Z", "dynamic": '{"a":1}', "mixed": "1"},
        {"long": 2, "mixed": "one"},
    ]
    assert cells(ingest(frame, "T", ALL)) == expected


def test_numbers_that_no_real_holds_exactly_stay_text() -> None:
    result = ingest([{"a": 2**53 + 1, "b": 1}, {"a": 0.5, "b": 2**70}], "Contoso_CL")
    assert cells(result) == [{"a": "9007199254740993", "b": "1"}, {"a": "0.5", "b": "1180591620717411303424"}]


@given(st.lists(st.none() | st.integers(0, MAX_DATETIME_TICKS), max_size=20))
def test_times_read_alike_by_kernels_and_one_by_one(ticks: list[int | None]) -> None:
    texts = [None if tick is None else format_datetime_iso(tick) for tick in ticks]
    together = coerce_strings(pa.array(texts, pa.string()), ScalarType.DATETIME, TimeReading(), text_source=True)
    apart = coerce_values([*texts, 0], ScalarType.DATETIME, TimeReading(), text_source=False)  # the number prevents the kernels
    assert together.array.to_pylist() == ticks == apart.array.to_pylist()[:-1]


@given(st.lists(st.none() | st.text(max_size=12), max_size=20), st.sampled_from(sorted(set(ScalarType) - {ScalarType.UNKNOWN})))
def test_every_text_is_converted_or_named(texts: list[str | None], kind: ScalarType) -> None:
    result = coerce_values(texts, kind, TimeReading(), text_source=True)
    assert len(result.array) == len(texts)
    assert result.array.type == PHYSICAL[kind]
    nothing = absent(kind, 1).to_pylist()[0]
    for row, text in enumerate(texts):
        if row in result.bad:
            assert result.array[row].as_py() == nothing
            assert text


def test_no_records_leave_an_empty_table() -> None:
    workspace = Workspace({"T": {"a": "long"}})
    report = workspace.ingest("T", [])
    assert (report.rows, list(workspace.query("T | count").rows())) == (0, [(0,)])
    workspace.ingest("T", [{"a": 1}])
    workspace.ingest("T", [])
    assert list(workspace.query("T").rows()) == [(1,)]
    workspace.close()
