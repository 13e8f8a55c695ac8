"""DuckDB's reading of JSON lines gives the same table as reading them one by one, or steps back."""

from __future__ import annotations

import gzip
import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.ingest.support import DATA, ingest
from toolkit.catalog import Catalog
from toolkit.engine.ingest import IngestError, fast_json
from toolkit.engine.ingest.files import log_file
from toolkit.engine.ingest.naming import Naming
from toolkit.kql.types import ScalarType, TableSchema

SCHEMA = TableSchema(
    "T",
    {
        "s": ScalarType.STRING,
        "l": ScalarType.LONG,
        "i": ScalarType.INT,
        "r": ScalarType.REAL,
        "b": ScalarType.BOOL,
        "t": ScalarType.DATETIME,
        "g": ScalarType.GUID,
        "d": ScalarType.DYNAMIC,
    },
)
# Beyond these, the two readers spell a value in a string column differently (1e+16, 10000000000000000.0; \u001f, \u001F).
texts = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=6)
numbers = st.floats(0.001, 1e15) | st.floats(-1e15, -0.001)
plain_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
any_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
any_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | any_text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(any_text, inner, max_size=3),
    max_leaves=6,
)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "s": plain_json,
    "l": st.integers(-(2**63), 2**63 - 1) | st.integers(0, 9).map(str) | st.just("null"),
    "i": st.integers(-(2**31), 2**31 - 1),
    "r": st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53) | st.sampled_from(["NaN", "1e3"]),
    "b": st.booleans() | st.sampled_from(["true", "FALSE", 0, 1]),
    "t": st.sampled_from(
        ["2026-01-02T03:04:05.1234567Z", "2026-01-02", "3/4/2026, 1:02:03.000 PM", "31/12/2026", 1767323045, 1767323045678, 20260102]
    ),
    "g": st.uuids().map(str),
    "d": any_json | st.sampled_from(['{"a": 1}', " [1 ,2]", "{no", "", "null", "NaN", "\n{}"]),
    "x": plain_json,
    "y z": st.text(max_size=3),
}
records = st.lists(
    st.fixed_dictionaries({"s": VALUES["s"]}, optional={key: VALUES[key] for key in VALUES if key != "s"}), min_size=1, max_size=8
)


def both_ways(path: Path, table: str, schema: TableSchema | None, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    original = fast_json.read_json_fast
    answers: list[str] = []
    for minimum in (0, 2**60):
        reader = partial(original, minimum=minimum)
        monkeypatch.setattr("toolkit.engine.ingest.sources.read_json_fast", reader)
        try:
            result = ingest(path, table, schema)
            answers.append(repr((result.table.to_pydict(), dict(result.schema.columns), result.findings)))  # NaN is not equal to itself
        except IngestError as error:
            answers.append(str(error))
    return answers[0], answers[1]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(records=records, ascii_only=st.booleans())
def test_both_readers_agree(tmp_path: Path, records: list[dict[str, Any]], ascii_only: bool) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text("\n".join(json.dumps(record, ensure_ascii=ascii_only) for record in records) + "\n", encoding="utf-8")
    with pytest.MonkeyPatch.context() as monkeypatch:
        fast, slow = both_ways(path, "T", SCHEMA, monkeypatch)
    assert fast == slow


KUBE_AUDIT = {
    "TimeGenerated": "2026-03-02T09:14:07.1234567Z",
    "AuditId": "a1",
    "User": {"username": "masterclient", "groups": ["system:masters"]},
    "SourceIps": ["203.0.113.40"],
    "RequestObject": "skipped-too-big-size-object",
    "ObjectRef": '{"resource": "pods"}',
    "own": 1,
}


@pytest.mark.parametrize("packed", [False, True])
def test_a_usual_file_is_read_fast(tmp_path: Path, packed: bool) -> None:
    path = tmp_path / ("AKSAudit.jsonl.gz" if packed else "AKSAudit.jsonl")
    content = (json.dumps(KUBE_AUDIT) + "\n").encode() * 3
    path.write_bytes(gzip.compress(content) if packed else content)
    chunk = fast_json.read_json_fast(log_file(path), Naming("AKSAudit", Catalog.bundled().table("AKSAudit")), 0)
    assert chunk is not None
    assert chunk.rows == 3
    assert chunk.columns["ObjectRef"].to_pylist() == ['{"resource":"pods"}'] * 3
    assert chunk.columns["RequestObject"].to_pylist() == ['"skipped-too-big-size-object"'] * 3


@pytest.mark.parametrize(
    "text",
    [
        '{"a":1,"a":2}\n',
        '{"a":1}\n{"a":\n',
        '{"a":1}\n[{"a":1}]\n',
        '{"a":1}\nnull\n',
        '{"a":1}\n{}\n',
        '{"a":1}\n{"A":1}\n',
        '{"a":NaN}\n',
        '{"d":[NaN]}\n',
        '{"a":"\\ud800"}\n',
        '{"records":[{"a":1}]}\n',
        '{"time":"2026-01-01","properties":{}}\n',
        '[{"a":1}]\n',
        '{\n"a":1}\n',
        '{"t":"x","t [UTC]":"y"}\n',
    ],
)
def test_an_unusual_file_is_left_to_the_other_reader(tmp_path: Path, text: str) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text(text)
    assert fast_json.read_json_fast(log_file(path), Naming("T", SCHEMA), 0) is None


def test_small_files_are_not_worth_it() -> None:
    assert fast_json.read_json_fast(log_file(DATA / "times.jsonl"), Naming("Contoso_CL", None)) is None


def test_a_large_file_takes_the_fast_way_and_keeps_its_findings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "AKSAudit.jsonl"
    path.write_text('{"Computer":"a","EventTime":"-","HostName":"x"}\n' * 3 + '{"EventTime":"broken"}\n')
    fast, slow = both_ways(path, "Syslog", None, monkeypatch)
    assert fast == slow
    assert ":4: error: column 'EventTime': expected a value of type datetime, found 'broken'" in fast
