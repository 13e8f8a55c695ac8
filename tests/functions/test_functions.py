"""Functions and aggregates against answers written down by hand from their documentation: one row of data per case.

A row has `rule`, `query` and either `rows` (with `columns` and `types` where they matter) or `error: true`: the query
must be refused. `others` are the rows of the further results, where a query has several. Cells are YAML values; datetimes
and timespans are text as KQL prints them, dynamics are lists and maps.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from toolkit import Result, Workspace
from toolkit.kql.diagnostics import ToolkitError
from toolkit.kql.times import parse_datetime, parse_timespan, ticks_from_datetime, ticks_from_timedelta

FOLDER = Path(__file__).parent
MICROSECOND = 10
# Words of the database or of Python that no message may hold.
OF_THE_DATABASE = re.compile(r"DuckDB|\bUDF\b|\b(?:Invalid Input|Binder|Conversion|Catalog|Parser|Internal|Out of Range|Value)\s?Error\b")


def _cases() -> list[Any]:
    found = []
    for path in sorted(FOLDER.glob("*.yaml")):
        rows = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        found += [pytest.param(row, id=f"{path.stem}-{index}-{row['rule']}") for index, row in enumerate(rows, 1)]
    return found


@pytest.fixture(scope="module")
def workspace() -> Iterator[Workspace]:
    with closing(Workspace()) as found:
        yield found


def _plain(value: object) -> object:
    """A cell as the data files write it; times are compared as ticks, which Python's types hold to the microsecond."""
    if isinstance(value, datetime):
        return ticks_from_datetime(value)
    if isinstance(value, timedelta):
        return ticks_from_timedelta(value)
    return value


def _expected(cell: object, kind: str) -> object:
    if isinstance(cell, str) and kind == "datetime":
        ticks = parse_datetime(cell)
        assert ticks is not None, f"{cell!r} is no datetime"
        return ticks - ticks % MICROSECOND
    if isinstance(cell, str) and kind == "timespan":
        ticks = parse_timespan(cell)
        assert ticks is not None, f"{cell!r} is no timespan"
        return ticks - ticks % MICROSECOND
    return cell


def _same(found: object, expected: object) -> bool:
    if isinstance(expected, bool) or isinstance(found, bool):
        return found is expected
    if isinstance(expected, float) or isinstance(found, float):
        if not isinstance(found, float) or not isinstance(expected, float):
            return False
        return (math.isnan(found) and math.isnan(expected)) or math.isclose(found, expected, rel_tol=1e-12)
    if isinstance(expected, list) and isinstance(found, list):
        return len(found) == len(expected) and all(map(_same, found, expected))
    if isinstance(expected, dict) and isinstance(found, dict):
        return list(found) == list(expected) and all(_same(found[name], expected[name]) for name in expected)
    return type(found) is type(expected) and found == expected


@pytest.mark.parametrize("case", _cases())
def test_case(case: dict[str, Any], workspace: Workspace) -> None:
    if case.get("error"):
        with pytest.raises(ToolkitError) as raised:
            workspace.query(case["query"]).rows()
        assert not OF_THE_DATABASE.search(str(raised.value)), raised.value
        return
    result = workspace.query(case["query"], now=case.get("now"))
    check(result, case)
    further = case.get("others", [])
    assert len(result.others) == len(further)
    for other, rows in zip(result.others, further, strict=True):
        check(other, {"rows": rows, "any_order": True})


def check(result: Result, case: dict[str, Any]) -> None:
    names = [name for name, _ in result.columns]
    types = [kind for _, kind in result.columns]
    assert names == case.get("columns", names)
    assert types == case.get("types", types)
    found = [[_plain(cell) for cell in row] for row in result.rows()]
    expected = [[_expected(cell, kind) for cell, kind in zip(row, types, strict=True)] for row in case["rows"]]
    if case.get("any_order"):
        found.sort(key=repr)
        expected.sort(key=repr)
    assert len(found) == len(expected)
    for got, wanted in zip(found, expected, strict=True):
        assert all(map(_same, got, wanted)), f"expected {wanted}, found {got}"
