"""One recorded value -> one value of a column's type. Raises `Refusal` with the reason; None is null.

Coercion follows the column's type, never the look of the value: `072643944673` in a string column stays text.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Context, Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from toolkit.engine.ingest.logtime import TimeReading, epoch_ticks
from toolkit.kql import times
from toolkit.kql.types import ScalarType

INT32 = 2**31
INT64 = 2**63
PLACEHOLDERS = frozenset({"", "null", "none", "na", "n/a", "-"})
"""What sources write into a column that is not text when there is no value; compared in lower case."""

_SHOWN = 60
_GUID = re.compile(r"[0-9a-f]{32}")
_INTEGER = re.compile(r"[+-]?\d{1,40}", re.ASCII)
_DECIMAL_EXPONENT = -18
_EXACT = Context(prec=200)
_DECIMAL_LIMIT = Decimal(10) ** 20


class Refusal(ValueError):
    """A value that its column's type cannot hold; the text says what was expected and what was found."""


def shown(value: Any) -> str:
    text = value if isinstance(value, str) else repr(value)
    return repr(text[:_SHOWN] + "…") if len(text) > _SHOWN else repr(text)


def refuse(kind: ScalarType, value: Any) -> Refusal:
    return Refusal(f"expected a value of type {kind.value}, found {shown(value)}")


def is_placeholder(value: Any) -> bool:
    """No value: None, NaT and NaN-like objects of data frames, and the texts that stand for nothing."""
    if value is None:
        return True
    if isinstance(value, str):
        return len(value) <= 8 and value.strip().lower() in PLACEHOLDERS
    return not isinstance(value, (bool, int, float, Decimal)) and _differs_from_itself(value)


def _differs_from_itself(value: Any) -> bool:
    unequal = value != value  # true for NaT; for pandas' NA every comparison is NA
    return unequal is True or unequal is value


def plain(value: Any) -> Any:
    """numpy's scalars as Python's."""
    return value.item() if type(value).__module__ == "numpy" and value.ndim == 0 else value


def to_bool(value: Any, _: TimeReading) -> bool | None:
    if isinstance(value, bool):
        return value
    if isinstance(value, (int, float)) and value in (0, 1):
        return bool(value)
    if isinstance(value, str):
        text = value.strip().lower()
        if text in ("true", "false", "1", "0"):
            return text in ("true", "1")
    raise refuse(ScalarType.BOOL, value)


def _integer(value: Any, kind: ScalarType, limit: int) -> int:
    found: int | None = None
    if isinstance(value, str):
        found = _integer_of_text(value.strip())
    elif isinstance(value, (int, float, Decimal)) and math.isfinite(value) and value == int(value):
        found = int(value)
    if found is None or not -limit <= found < limit:
        raise refuse(kind, value)
    return found


def _integer_of_text(text: str) -> int | None:
    if _INTEGER.fullmatch(text):
        return int(text)
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return int(number) if number.is_finite() and number.adjusted() < 40 and number == number.to_integral_value() else None


def to_int(value: Any, _: TimeReading) -> int | None:
    return _integer(value, ScalarType.INT, INT32)


def to_long(value: Any, _: TimeReading) -> int | None:
    return _integer(value, ScalarType.LONG, INT64)


def to_real(value: Any, _: TimeReading) -> float | None:
    if isinstance(value, (int, float, Decimal)):
        try:
            return float(value)
        except OverflowError:
            raise refuse(ScalarType.REAL, value) from None
    if isinstance(value, str) and "_" not in value:
        try:
            return float(value)
        except ValueError:
            pass
    raise refuse(ScalarType.REAL, value)


def to_decimal(value: Any, _: TimeReading) -> Decimal | None:
    if isinstance(value, (int, float, Decimal, str)) and not isinstance(value, bool):
        try:
            number = Decimal(repr(value) if isinstance(value, float) else value)
        except InvalidOperation:
            raise refuse(ScalarType.DECIMAL, value) from None
        # all digits are looked at: in the usual 28, a remainder of numbers from 10 billion on cannot be told
        if number.is_finite() and abs(number) < _DECIMAL_LIMIT and int(_EXACT.normalize(number).as_tuple().exponent) >= _DECIMAL_EXPONENT:
            return number
    raise refuse(ScalarType.DECIMAL, value)


def to_string(value: Any, _: TimeReading) -> str | None:
    """The text itself; other values as JSON writes them, which is how the service ingests them into a string column."""
    text = value if isinstance(value, str) else _text_of(value)
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise Refusal(f"expected Unicode text, found bytes that are not UTF-8 or half of a surrogate pair in {shown(text)}") from None
    return text


def _text_of(value: Any) -> str:
    if isinstance(value, datetime):
        return times.format_datetime_iso(_ticks_of_datetime(value))
    if isinstance(value, timedelta):
        return times.format_timespan(times.ticks_from_timedelta(value))
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    if isinstance(value, (Decimal, UUID, date)):
        return str(value)
    return compact_json(value)


def to_datetime(value: Any, reading: TimeReading) -> int | None:
    ticks: int | None = None
    if isinstance(value, str):
        ticks = reading.ticks(value)
    elif isinstance(value, datetime):
        ticks = _ticks_of_datetime(value)
    elif isinstance(value, date):
        ticks = (value.toordinal() - 1) * times.TICKS_PER_DAY
    elif isinstance(value, int) and not isinstance(value, bool):
        ticks = reading.ticks(str(value))  # as text, because 20260102 is a date in either form
    elif isinstance(value, (float, Decimal)):
        ticks = epoch_ticks(value)
    if ticks is None:
        raise refuse(ScalarType.DATETIME, value)
    return ticks


def _ticks_of_datetime(value: datetime) -> int:
    try:
        # pandas' Timestamp is a datetime that also counts nanoseconds
        return times.ticks_from_datetime(value) + int(getattr(value, "nanosecond", 0)) // 100
    except ValueError:
        raise refuse(ScalarType.DATETIME, value) from None


def to_timespan(value: Any, _: TimeReading) -> int | None:
    ticks: int | None = None
    if isinstance(value, str):
        ticks = times.parse_timespan(value)
    elif isinstance(value, timedelta):
        ticks = times.ticks_from_timedelta(value) + int(getattr(value, "nanoseconds", 0)) // 100
    elif isinstance(value, int) and not isinstance(value, bool):
        ticks = value
    if ticks is None or not -INT64 <= ticks < INT64:
        raise refuse(ScalarType.TIMESPAN, value)
    return ticks


def to_guid(value: Any, _: TimeReading) -> str | None:
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, str):
        digits = value.strip().strip("{}()").replace("-", "").lower()
        if _GUID.fullmatch(digits):
            return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
    raise refuse(ScalarType.GUID, value)


def dynamic_of_json(value: Any, reading: TimeReading) -> str | None:
    """A value of a JSON record. Text that holds a JSON object or array becomes one, as exports write dynamic columns as text."""
    if isinstance(value, str):
        text = value.strip()
        return dynamic_of_text(value, reading) if text[:1] in ("{", "[") else compact_json(to_string(value, reading))
    return compact_json(value)


def dynamic_of_text(value: Any, reading: TimeReading) -> str | None:
    """A field of a CSV file: JSON when it is JSON, else a string."""
    if not isinstance(value, str):
        return compact_json(value)
    try:
        parsed = json.loads(value, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        parsed = to_string(value, reading)
    return None if parsed is None else compact_json(parsed)


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def compact_json(value: Any) -> str:
    """JSON text without spaces, keys in their order (R-078). Raises Refusal for what has no JSON form."""
    try:
        text = _encode(value)
    except RecursionError:
        raise Refusal("expected a value nested less than about 1000 levels deep") from None
    except ValueError:
        text = _encode(_without_special_reals(value))
    except TypeError as error:
        raise Refusal(f"expected a value that JSON can hold: {error}") from None
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise Refusal("expected Unicode text, found half of a surrogate pair") from None
    return text


def _default(value: Any) -> Any:
    if isinstance(value, datetime | timedelta | Decimal | UUID | date | bytes):
        return float(value) if isinstance(value, Decimal) else _text_of(value)
    item = getattr(value, "tolist", None)  # numpy scalars and arrays
    if item is not None:
        return item()
    raise TypeError(f"found {type(value).__name__}")


_encode: Callable[[Any], str] = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=_default).encode


def _without_special_reals(value: Any) -> Any:
    """NaN and the infinities as text, which is what a dynamic holds of them (R-021)."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    if isinstance(value, dict):
        return {key: _without_special_reals(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_special_reals(item) for item in value]
    return value


Converter = Callable[[Any, TimeReading], Any]

CONVERTERS: dict[ScalarType, Converter] = {
    ScalarType.BOOL: to_bool,
    ScalarType.INT: to_int,
    ScalarType.LONG: to_long,
    ScalarType.REAL: to_real,
    ScalarType.DECIMAL: to_decimal,
    ScalarType.STRING: to_string,
    ScalarType.DATETIME: to_datetime,
    ScalarType.TIMESPAN: to_timespan,
    ScalarType.GUID: to_guid,
    ScalarType.DYNAMIC: dynamic_of_json,
}
