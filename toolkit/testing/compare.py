"""Expected values of a case against the rows, entities and details that came out, by KQL type."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from math import isclose, isnan
from typing import Any

from toolkit.content.durations import parse_duration
from toolkit.content.template.parameters import plain_value
from toolkit.content.yaml.nodes import Scalar
from toolkit.simulate.cells import cell_text

Expected = Mapping[str, Any]
"""Column name -> expected value, whose leaves are still `Scalar`."""

_NUMBERS = frozenset({"int", "long", "real", "decimal"})


def same_value(expected: Any, actual: Any, kind: str) -> bool:
    """Whether a cell is what a case expects. `kind` is the KQL type of its column."""
    if isinstance(expected, Scalar) and expected.kind == "null":
        return actual is None or actual == ""
    if actual is None:
        return kind == "string" and isinstance(expected, Scalar) and expected.text == ""
    if not isinstance(expected, Scalar):
        return _same_json(plain_value(expected), _parsed(actual))
    if kind == "dynamic":
        return _same_dynamic(expected, actual)
    text = expected.text.strip()
    if kind == "datetime" and isinstance(actual, datetime):
        return _moment(text) == _utc(actual)
    if kind == "timespan" and isinstance(actual, timedelta):
        return _timespan(text) == actual
    if kind in _NUMBERS:
        return _same_number(text, actual)
    if kind == "bool":
        return text.lower() == cell_text(actual)
    if kind == "guid":
        return text.lower() == cell_text(actual).lower()
    return expected.text == cell_text(actual)


def _same_dynamic(expected: Scalar, actual: Any) -> bool:
    if isinstance(actual, str):
        return expected.text == actual
    if isinstance(actual, dict | list):
        try:
            return _same_json(json.loads(expected.text), actual)
        except ValueError:
            return False
    return _same_json(plain_value(expected), actual)


def _same_json(expected: Any, actual: Any) -> bool:
    if isinstance(expected, Mapping) and isinstance(actual, Mapping):
        return expected.keys() == actual.keys() and all(_same_json(expected[key], actual[key]) for key in expected)
    if isinstance(expected, list) and isinstance(actual, list):
        return len(expected) == len(actual) and all(map(_same_json, expected, actual))
    if isinstance(expected, bool) or isinstance(actual, bool):
        return expected is actual
    if isinstance(actual, datetime | timedelta | Decimal):
        return str(expected) == cell_text(actual)
    return bool(expected == actual)


def _parsed(actual: Any) -> Any:
    """A JSON text as what it holds, so that `{kind: Event}` can be expected of a string column."""
    if isinstance(actual, str):
        try:
            return json.loads(actual)
        except ValueError:
            return actual
    return actual


def _same_number(text: str, actual: Any) -> bool:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return False
    if isinstance(actual, float):
        return (number.is_nan() and isnan(actual)) or isclose(float(number), actual, rel_tol=1e-9)
    return bool(number == actual)


def _moment(text: str) -> datetime | None:
    try:
        return _utc(datetime.fromisoformat(text))
    except ValueError:
        return None


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _timespan(text: str) -> timedelta | None:
    duration = parse_duration(text.removeprefix("-"))
    return -duration if duration is not None and text.startswith("-") else duration


@dataclass(frozen=True)
class RowMatch:
    """`missing` are numbers of expected rows without a partner, `extra` of actual rows that nobody expects."""

    missing: list[int]
    extra: list[int]


def match_rows(expected: Sequence[Expected], actual: Sequence[Mapping[str, Any]], types: Mapping[str, str]) -> RowMatch:
    """Pair every expected row with an actual row of its own: the largest such pairing, so that the order does not matter."""
    fits = [[number for number, row in enumerate(actual) if row_fits(want, row, types)] for want in expected]
    partner: dict[int, int] = {}
    missing = [want for want in range(len(expected)) if not _assign(want, fits, partner, set())]
    return RowMatch(missing, [number for number in range(len(actual)) if number not in partner])


def _assign(want: int, fits: list[list[int]], partner: dict[int, int], seen: set[int]) -> bool:
    for number in fits[want]:
        if number in seen:
            continue
        seen.add(number)
        if number not in partner or _assign(partner[number], fits, partner, seen):
            partner[number] = want
            return True
    return False


def row_fits(expected: Expected, row: Mapping[str, Any], types: Mapping[str, str]) -> bool:
    return all(name in row and same_value(value, row[name], types.get(name, "string")) for name, value in expected.items())


def nearest_row(expected: Expected, rows: Sequence[Mapping[str, Any]], types: Mapping[str, str]) -> Mapping[str, Any] | None:
    """The actual row that agrees with the expected one in most columns."""

    def agreement(row: Mapping[str, Any]) -> int:
        return sum(name in row and same_value(value, row[name], types.get(name, "string")) for name, value in expected.items())

    return max(rows, key=agreement, default=None)


def shown_value(value: Any) -> str:
    """An expected or actual value on one line."""
    if isinstance(value, Scalar):
        text = value.text if value.kind != "null" else "null"
    elif isinstance(value, Mapping | list) and not isinstance(value, str):
        text = json.dumps(plain_value(value), ensure_ascii=False, default=cell_text)
    else:
        text = "null" if value is None else cell_text(value)
    text = text.replace("\n", "\\n")
    return text if len(text) <= 160 else text[:157] + "..."
