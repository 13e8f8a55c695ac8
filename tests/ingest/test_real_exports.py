"""Every real export below ../shared/samples loads: row counts right, no value lost, times understood.

The expectation comes from an independent reading of the same files with nothing but csv, json and datetime.
"""

from __future__ import annotations

import csv
import json
import re
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import pytest

from toolkit.catalog import Catalog
from toolkit.engine.ingest import Ingested, read_source
from toolkit.kql.times import ticks_from_datetime
from toolkit.kql.types import ScalarType

ROOT = Path(__file__).resolve().parents[3] / "shared" / "samples" / "azure-sentinel"
FILES = sorted(path for path in ROOT.rglob("*") if path.is_file()) if ROOT.is_dir() else []
PLACEHOLDERS = {"null", "-", "n/a", "na", "none"}
FOLDER_TABLES = {"CEF": "CommonSecurityLog", "Syslog": "Syslog"}
PORTAL = (
    "%m/%d/%Y, %I:%M:%S.%f %p",
    "%m/%d/%Y, %I:%M:%S:%f %p",
    "%m/%d/%Y %I:%M:%S %p",
    "%m/%d/%Y, %I:%M:%S %p",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y, %H:%M:%S.%f",
)

Pairs = list[tuple[str, Any]]


def table_of(path: Path) -> str:
    return FOLDER_TABLES.get(path.parent.name) or re.sub(r"(_CL).*", r"\1", path.name.partition(".")[0])


def source_rows(path: Path) -> list[Pairs]:
    """The records as (key, value) pairs, so that a key that occurs twice counts twice."""
    if path.suffix == ".csv":
        with path.open(encoding="utf-8-sig", newline="") as stream:
            header, *rows = [row for row in csv.reader(stream) if any(row)]
        return [list(zip(header, row, strict=True)) for row in rows]
    text = path.read_text(encoding="utf-8-sig")
    parsed = json.loads(text, object_pairs_hook=lambda pairs: ("object", pairs))
    records = parsed if isinstance(parsed, list) else [parsed]
    return [[(key, plain(value)) for key, value in pairs] for _, pairs in records]


def plain(value: Any) -> Any:
    if isinstance(value, tuple) and value[0] == "object":
        return {key: plain(item) for key, item in value[1]}
    return [plain(item) for item in value] if isinstance(value, list) else value


def instant(text: str) -> int | None:
    """Ticks of a time, by Python's own parsers."""
    try:
        number = float(text)
        return ticks_from_datetime(datetime.fromtimestamp(number / (1000 if number > 1e11 else 1), UTC))
    except ValueError:
        pass
    for form in PORTAL:
        try:
            return ticks_from_datetime(datetime.strptime(text, form).replace(tzinfo=UTC))
        except ValueError:
            continue
    found = datetime.fromisoformat(text)
    return ticks_from_datetime(found if found.tzinfo else found.replace(tzinfo=UTC))


def same(given: Any, stored: Any, kind: ScalarType) -> bool:
    """Whether the stored value is the given one, in its text or its typed form."""
    text = given if isinstance(given, str) else json.dumps(given)
    if stored is None:
        return text.strip().lower() in PLACEHOLDERS
    if kind is ScalarType.DATETIME:
        return bool(abs(stored - (instant(text) or 0)) < 10)  # Python's datetime has six digits
    if kind is ScalarType.BOOL:
        return text.lower() in (str(stored).lower(), str(int(stored)))
    if kind in (ScalarType.INT, ScalarType.LONG, ScalarType.REAL):
        return Decimal(text) == Decimal(repr(stored))
    if kind is ScalarType.GUID:
        return text.strip("{}").replace("-", "").lower() == str(stored).replace("-", "")
    if kind is ScalarType.DYNAMIC:
        return bool(json.loads(stored) == (json.loads(text) if isinstance(given, str) and text[:1] in "{[" else given))
    return stored == text or same_number(given, stored) or (not isinstance(given, str) and json.loads(stored) == given)


def same_number(given: Any, stored: Any) -> bool:
    try:
        return not isinstance(given, str) and Decimal(repr(given)) == Decimal(stored)
    except InvalidOperation:
        return False


def lost_values(path: Path, result: Ingested) -> list[str]:
    rows = result.table.to_pylist()
    lost = []
    for pairs, row in zip(source_rows(path), rows, strict=True):
        taken: set[str] = set()
        for key, value in pairs:
            if value in (None, "") or (path.suffix == ".csv" and not value.strip()):
                continue
            name = re.sub(r" \[[^\]]+\]$", "", key)
            names = [name for name in (name, f"{name}1", *(column for column in row if column.lower() == name.lower())) if name in row]
            found = next((name for name in names if name not in taken and same(value, row[name], column_type(result, name))), None)
            if found:
                taken.add(found)
            elif not is_rejoined(value, row):
                lost.append(f"{key}={value!r} in {row!r}")
    return lost


def column_type(result: Ingested, name: str) -> ScalarType:
    kind = result.schema.column_type(name)
    assert kind is not None, name
    return kind


def is_rejoined(value: Any, row: dict[str, Any]) -> bool:
    """One published CEF export has no quotes around the commas of AdditionalExtensions, which shifts what follows."""
    pieces = str(row.get("AdditionalExtensions", "")).split(",")
    return len(pieces) > 1 and (value in pieces or value in ("null", row.get("Type")))


@pytest.mark.skipif(not FILES, reason=f"no sample exports at {ROOT}")
def test_all_exports_are_here() -> None:
    assert len(FILES) == 56


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_export_loads_without_loss(path: Path) -> None:
    table = table_of(path)
    result = read_source(path, table, Catalog.bundled().table(table))
    assert result.rows == len(source_rows(path))
    assert result.skipped == 0
    assert lost_values(path, result)[:3] == []
    if "TimeGenerated" in result.present:
        times = result.table.column("TimeGenerated").to_pylist()
        assert all(
            ticks_from_datetime(datetime(2018, 1, 1, tzinfo=UTC)) < tick < ticks_from_datetime(datetime(2022, 1, 1, tzinfo=UTC))
            for tick in times
        )
