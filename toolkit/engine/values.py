"""Values at the engine's edge: from the physical form (ticks, JSON text) to what Python, Arrow and JSON readers expect."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Context, Decimal
from typing import Any

from toolkit.engine.errors import EngineError, ParameterError
from toolkit.kql.times import (
    MAX_DATETIME_TICKS,
    MIN_DATETIME_TICKS,
    datetime_from_ticks,
    format_datetime_iso,
    format_timespan,
    parse_datetime,
    ticks_from_datetime,
    ticks_from_timedelta,
    timedelta_from_ticks,
)
from toolkit.kql.types import ScalarType


class ValueOutOfRange(EngineError):
    """A computed datetime outside the years 0001 to 9999 (R-033)."""


def _in_range(ticks: int) -> int:
    if not MIN_DATETIME_TICKS <= ticks <= MAX_DATETIME_TICKS:
        raise ValueOutOfRange(f"a computed datetime is outside the years 0001 to 9999: {ticks} ticks (R-033)")
    return ticks


def _datetime(ticks: int) -> datetime:
    return datetime_from_ticks(_in_range(ticks))


def _datetime_text(ticks: int) -> str:
    return format_datetime_iso(_in_range(ticks))


def parse_dynamic(text: str) -> Any:
    """A dynamic as Python values: dict, list, str, int, float, bool, None."""
    return json.loads(text, strict=False)


_WIDE = Context(prec=76)
"""More digits than any decimal of the engine has: Python's usual 28 would round."""


def normalized(value: Decimal) -> Decimal:
    """A decimal without the zeros that a fixed scale appends: 1.500000 is 1.5, 100 stays 100."""
    short = value.normalize(_WIDE)
    return short.quantize(Decimal(1), context=_WIDE) if short == short.to_integral_value() else short


Converter = Callable[[Any], Any]

_TO_PYTHON: dict[ScalarType, Converter] = {
    ScalarType.DATETIME: _datetime,
    ScalarType.TIMESPAN: timedelta_from_ticks,
    ScalarType.DYNAMIC: parse_dynamic,
    ScalarType.DECIMAL: normalized,
}


def to_python(kind: ScalarType, values: Sequence[Any]) -> Sequence[Any]:
    """A column of physical values as Python values; None stays None.

    datetime: aware UTC datetime, timespan: timedelta (both lose the seventh digit), dynamic: dict, list or scalar,
    decimal: Decimal, guid: str, real: float with NaN as NaN.
    """
    convert = _TO_PYTHON.get(kind)
    if convert is None:
        return values
    return [None if value is None else convert(value) for value in values]


def _json_real(value: float) -> Any:
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")


_TO_JSON: dict[ScalarType, Converter] = {
    ScalarType.DATETIME: _datetime_text,
    ScalarType.TIMESPAN: format_timespan,
    ScalarType.DYNAMIC: parse_dynamic,
    ScalarType.DECIMAL: lambda value: f"{normalized(value):f}",
    ScalarType.REAL: _json_real,
}


def to_json(kind: ScalarType, values: Sequence[Any]) -> Sequence[Any]:
    """A column of physical values as JSON values: datetimes with 7 digits, decimals and non-finite reals as text."""
    convert = _TO_JSON.get(kind)
    if convert is None:
        return values
    return [None if value is None else convert(value) for value in values]


def instant(value: object, what: str) -> int:
    """Ticks of a point in time given from outside: a datetime (naive is UTC), a date, or text that todatetime() takes."""
    if isinstance(value, datetime):
        return ticks_from_datetime(value)
    if isinstance(value, date):
        return ticks_from_datetime(datetime(value.year, value.month, value.day, tzinfo=UTC))
    ticks = parse_datetime(value) if isinstance(value, str) else None
    if ticks is None:
        raise ParameterError(f"{what}: expected a datetime or a text such as 2026-03-02T10:00:00Z, found {value!r}")
    return ticks


def parameter(value: object, name: str) -> object:
    """A query parameter's value as the binder takes it: literals as they are, times as text, lists and dicts as JSON."""
    if value is None or isinstance(value, (str, bool, int, float, Decimal)):
        return value
    if isinstance(value, datetime):
        return format_datetime_iso(ticks_from_datetime(value))
    if isinstance(value, timedelta):
        return format_timespan(ticks_from_timedelta(value))
    if isinstance(value, (list, tuple, dict)):
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    raise ParameterError(f"parameter {name!r}: expected a text, number, bool, time, list or dict, found {type(value).__name__}")


def clock() -> datetime:
    """The one place where the engine asks what time it is, for a query that was not told (the default of `now`)."""
    return datetime.now(UTC)
