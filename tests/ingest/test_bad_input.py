"""What cannot be read: reported with file and line, skipped only on request, never a crash."""

from __future__ import annotations

import gzip
import zipfile
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.ingest.support import cells, ingest, messages
from toolkit.engine.ingest import IngestError, discover
from toolkit.engine.ingest.findings import MAX_FINDINGS
from toolkit.kql.types import ScalarType, TableSchema

GOOD = '{"TimeGenerated":"2026-01-01T00:00:00Z","Computer":"web-0"}'
ALL = TableSchema("T", {kind.value: kind for kind in ScalarType if kind is not ScalarType.UNKNOWN})


def zipped() -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.csv", "a,b\n1,2\n")
    return buffer.getvalue()


def parquet() -> bytes:
    sink = BytesIO()
    pq.write_table(pa.table({"a": [1]}), sink)
    return sink.getvalue()


UNREADABLE: list[tuple[str, bytes, str]] = [
    ("empty.csv", b"", "expected a header line, found an empty file"),
    ("blank.csv", b"\n \n", "expected a header line, found an empty file"),
    ("empty.json", b"", "expected JSON, found an empty file"),
    ("empty.parquet", b"", "expected a Parquet file, found an empty file"),
    ("text.parquet", b"a,b\n1,2\n", "expected a Parquet file, found other content"),
    ("cut.parquet", parquet()[:-20], "cannot be read as Parquet"),
    ("really.parquet.csv", parquet(), "expected CSV text, found a Parquet file"),
    ("archive.csv", zipped(), "found a zip archive"),
    ("binary.json", b"\x7fELF\x02\x01\x01\x00\x00", "expected JSON text, found binary data"),
    ("binary.csv", b"a,b\n\x00\x01", "expected CSV text, found binary data"),
    ("json.csv", b'{"a":1}\n', "found JSON; the file name should end in .json or .jsonl"),
    ("array.csv", b'[\n{"a":1}]\n', "found JSON"),
    (
        "cut.csv.gz",
        gzip.compress(b"a,b\n" + bytes(range(32, 127)) * 50)[:-30],
        "expected a complete gzip file, but it is damaged or cut off",
    ),
    ("cut.jsonl.gz", gzip.compress(GOOD.encode() * 50)[:-12], "expected a complete gzip file"),
    ("odd.utf16.csv", "a,b\n1,2\n".encode("utf-16")[:-1], "expected utf-16 text"),
    ("notes.txt", b"a,b\n", "expected a file name that ends in .jsonl"),
    ("nosuffix", b"a,b\n", "expected a file name that ends in"),
    ("unnamed.csv", b"a,,c\n1,2,3\n", "expected a header with a name for each column, found none for column 2"),
    ("commas.csv", b",,,\n1,2,3\n", "expected a header line, found one without names"),
    ("zone.csv", b"TimeGenerated [Moon Standard Time]\n2026-01-01\n", "a time zone that is not known: 'Moon Standard Time'"),
]


@pytest.mark.parametrize(("name", "content", "message"), UNREADABLE, ids=[case[0] for case in UNREADABLE])
@pytest.mark.parametrize("lenient", [False, True])
def test_unreadable_file(tmp_path: Path, name: str, content: bytes, message: str, lenient: bool) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(IngestError) as caught:
        ingest(path, "Syslog", lenient=lenient)
    assert message in str(caught.value)
    assert str(caught.value).startswith(str(path))


BAD_LINES: list[tuple[str, str, str, int]] = [
    ("broken.jsonl", f'{GOOD}\n{{"a":\n{GOOD}\n', "2: error: not valid JSON at column 6: expecting value", 2),
    ("first.jsonl", f'{{"a":}}\n{GOOD}\n', "1: error: not valid JSON at column 6", 1),
    ("trailing.jsonl", f"{GOOD}\n{GOOD} x\n", "2: error: not valid JSON at column 60: more text after the value, near", 1),
    ("scalars.jsonl", f'{GOOD}\n5\n"x"\nnull\n', "2: error: expected a JSON object, found a number", 1),
    ("list.jsonl", f"{GOOD}\n[1]\n", "2: error: expected a JSON object in the array, found a number", 1),
    ("nan.jsonl", f'{GOOD}\n{{"Computer":NaN}}\n', "2: error: NaN is not JSON", 1),
    ("deep.jsonl", f"{GOOD}\n{'[' * 100_000}\n{GOOD}", "2: error: nested too deeply", 2),
    ("deep-value.jsonl", f'{GOOD}\n{{"Computer":{"[" * 900}{"]" * 900}}}\n', "", 2),
    ("digits.jsonl", f'{GOOD}\n{{"Computer":{"1" * 5000}}}\n{GOOD}', "2: error: Exceeds the limit", 2),
    ("surrogate.jsonl", GOOD + '\n{"Computer":"\\ud800"}\n', "2: error: column 'Computer': expected Unicode text", 1),
    (
        "value.jsonl",
        f'{GOOD}\n\n{{"TimeGenerated":"yesterday"}}\n',
        "3: error: column 'TimeGenerated': expected a value of type datetime",
        1,
    ),
    ("array.json", f"[\n{GOOD},\n{{bad}},\n{GOOD}\n]", "3: error: not valid JSON at column 2: expecting property name", 2),
    ("array-cut.json", f'[\n{GOOD},\n{{"Computer":"we', "3: error: not valid JSON at column 13: unterminated string", 1),
    ("array-open.json", f"[\n{GOOD}\n", "3: error: the array that the file begins with is not closed", 1),
    ("array-comma.json", f"[\n{GOOD}\n{GOOD}\n]", "3: error: not valid JSON: expected ',' or ']' after an item of the array", 1),
    ("array-deep.json", f"[\n{GOOD},\n{'[' * 100_000}\n]", "3: error: nested too deeply", 1),
    ("array-text.json", f"[\n{GOOD}\n] tail", "3: error: not valid JSON at column 3", 1),
    ("prose.json", "not json\nat all\n", "1: error: not valid JSON at column 1", 0),
    ("width.csv", "Computer,HostName\na,b\nc\nd,e,f\ng,h\n", "3: error: expected 2 fields as in the header, found 1", 2),
    ("quote.csv", 'Computer,HostName\na,b\n"c,d\ne,f\n', "3: error: a quote that this record opens is never closed", 1),
    ("inside.csv", 'Computer,HostName\na,b\n"c"d,e\nf,g\n', "3: error: not valid CSV", 2),
    ("after-break.csv", 'Computer,EventTime\n"a\nb",\nc,tomorrow\n', "4: error: column 'EventTime': expected a value of type datetime", 1),
]


@pytest.mark.parametrize(("name", "text", "message", "rows"), BAD_LINES, ids=[case[0] for case in BAD_LINES])
def test_bad_records_are_named_or_skipped(tmp_path: Path, name: str, text: str, message: str, rows: int) -> None:
    path = tmp_path / name
    path.write_text(text)
    if not message:
        assert ingest(path, "Syslog").rows == rows
        return
    with pytest.raises(IngestError) as caught:
        ingest(path, "Syslog")
    assert f"{path}:{message}" in str(caught.value)
    lenient = ingest(path, "Syslog", lenient=True)
    assert lenient.rows == lenient.table.num_rows == rows or (rows == 0 and lenient.rows == 0)
    assert lenient.skipped >= 1
    assert any(f"{path}:{message}" in text for text in messages(lenient))


def test_bytes_that_are_not_utf8_are_named(tmp_path: Path) -> None:
    for name, content in (("a.jsonl", b'{"Computer":"ok"}\n{"Computer":"caf\xe9"}\n'), ("a.csv", b"Computer\nok\ncaf\xe9\n")):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(IngestError, match=r":[23]: error: column 'Computer': expected Unicode text, found bytes that are not UTF-8"):
            ingest(path, "Syslog")
        assert cells(ingest(path, "Syslog", lenient=True)) == [{"Computer": "ok"}]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("bool", "yes"), ("bool", 2), ("int", 2**31), ("int", "1.5"), ("long", "abc"), ("long", 2**63), ("long", 1.5),
        ("long", "1e400"), ("real", "1,5"), ("real", "1_0"), ("real", [1]), ("decimal", "x"), ("decimal", "NaN"), ("decimal", 10**30),
        ("decimal", 1e-121), ("decimal", "0." + "1" * 19), ("datetime", "13/13/2026"), ("datetime", 5), ("datetime", True),
        ("datetime", {}), ("timespan", "10"), ("timespan", 1.5), ("guid", "abc"), ("guid", 7), ("string", "\ud800"), ("dynamic", "\ud800"),
        ("dynamic", object()), ("string", b"\xff"),
    ],
)  # fmt: skip
def test_values_that_a_type_cannot_hold(column: str, value: Any) -> None:
    rows = [{"string": "kept"}, {column: value}]
    with pytest.raises(IngestError, match=f"T:2: error: column '{column}': expected"):
        ingest(rows, "T", ALL)
    lenient = ingest(rows, "T", ALL, lenient=True)
    assert (cells(lenient), lenient.skipped, lenient.rows) == ([{"string": "kept"}], 1, 1)


def test_one_record_with_two_bad_values_is_skipped_once() -> None:
    lenient = ingest([{"long": "x", "bool": "y"}, {"long": 1}], "T", ALL, lenient=True)
    assert (lenient.skipped, lenient.rows, len(lenient.findings)) == (1, 1, 3)


def test_findings_have_a_cap_and_a_count() -> None:
    with pytest.raises(IngestError) as caught:
        ingest([{"long": f"x{number}"} for number in range(1000)], "T", ALL)
    assert caught.value.total == 1000
    assert len(caught.value.findings) == MAX_FINDINGS
    assert str(caught.value).endswith("and 980 more")


def test_the_same_column_twice_with_two_values() -> None:
    with pytest.raises(IngestError, match="another spelling of the same column has another value"):
        ingest([{"TimeGenerated": "2026-01-01", "TimeGenerated [UTC]": "2026-01-02"}], "Syslog")


@pytest.mark.parametrize("source", [5, None, b"x", [b"x"], ["no/such/file.csv"], [{1: 2}], ["a", {}], {"a": [1]}])
def test_sources_of_a_wrong_kind(source: Any) -> None:
    with pytest.raises(IngestError, match=r"expected|no such file"):
        ingest(source, "Syslog")


def test_missing_files_and_folders(tmp_path: Path) -> None:
    with pytest.raises(IngestError, match="no such file"):
        ingest(tmp_path / "x.csv", "Syslog")
    with pytest.raises(IngestError, match="found a folder without any"):
        ingest(tmp_path, "Syslog")
    with pytest.raises(IngestError, match="no such folder"):
        discover(tmp_path / "none")
    (tmp_path / "file").write_text("")
    with pytest.raises(IngestError, match="found a file"):
        discover(tmp_path / "file")
    (tmp_path / "folder.csv").mkdir()
    assert discover(tmp_path) == {}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[", "expected a JSON object with timestampFormat and timeZone"),
        ("[]", "found list"),
        ('{"timeformat": "x"}', r"found \['timeformat'\]"),
        ('{"timestampFormat": "yyyy"}', "timestampFormat: expected a format such as dd/MM/yyyy"),
        ('{"timeZone": "Moon"}', "timeZone: expected the name of a time zone"),
    ],
)
def test_bad_sidecars(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text("Computer\nx\n")
    path.with_name("a.csv.meta.json").write_text(content)
    with pytest.raises(IngestError, match=message):
        ingest(path, "Syslog")


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    content=st.binary(max_size=200) | st.text(max_size=200, alphabet='{}[]":,\n\\ua1-e.').map(str.encode),
    name=st.sampled_from(["x.json", "x.csv"]),
)
def test_any_bytes_are_read_or_refused(tmp_path: Path, content: bytes, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with suppress(IngestError):
        assert ingest(path, "Contoso_CL", lenient=True).rows >= 0
