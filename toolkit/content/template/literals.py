"""Python values as KQL literals, so that no parameter value can change the structure of a query."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


class KqlText(str):
    """Text that is KQL already and is written into the query as it stands."""

    __slots__ = ()


def kql_literal(value: Any) -> KqlText:
    """The literal of a value: text in quotes, lists as `dynamic([...])`, durations as `1h` or `time(...)`.

    Raises ValueError for a value that has no literal (null, functions).
    """
    if isinstance(value, KqlText):
        return value
    if isinstance(value, list | tuple | set | frozenset | Mapping):
        return KqlText(f"dynamic({dynamic_json(value)})")
    return KqlText(_scalar(value))


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return kql_string(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return _integer(value)
    if isinstance(value, float):
        return _real(value)
    if isinstance(value, Decimal):
        return f"decimal({value})"
    if isinstance(value, timedelta):
        return _timespan(value)
    if isinstance(value, datetime | date):
        return _datetime(value)
    if isinstance(value, UUID):
        return f"guid({value})"
    raise ValueError("nothing (null) has no KQL literal" if value is None else f"a {type(value).__name__} has no KQL literal")


def kql_string(text: str) -> str:
    """A quoted KQL string literal; control characters and line separators are written as escapes."""
    return '"' + "".join(_ESCAPES.get(char) or _visible(char) for char in text) + '"'


def _visible(char: str) -> str:
    code = ord(char)
    if code < 32 or 127 <= code < 160 or code in (0x2028, 0x2029, 0xFEFF) or 0xD800 <= code < 0xE000:
        return f"\\u{code:04x}"
    return char


def _integer(value: int) -> str:
    if not -(2**63) <= value < 2**63:
        raise ValueError(f"the number {value} does not fit into 64 bits")
    return str(value) if value >= 0 else f"long({value})"


def _real(value: float) -> str:
    if math.isnan(value):
        return "real(nan)"
    return f"real({'+' if value > 0 else '-'}inf)" if math.isinf(value) else f"real({value!r})"


def _timespan(value: timedelta) -> str:
    for unit, size in (("d", timedelta(days=1)), ("h", timedelta(hours=1)), ("m", timedelta(minutes=1)), ("s", timedelta(seconds=1))):
        if value > timedelta(0) and not value % size:
            return f"{value // size}{unit}"
    sign, value = ("-", -value) if value < timedelta(0) else ("", value)
    hours, rest = divmod(value.seconds, 3600)
    fraction = f".{value.microseconds:06}0" if value.microseconds else ""
    return f"time({sign}{value.days}.{hours:02}:{rest // 60:02}:{rest % 60:02}{fraction})"


def _datetime(value: datetime | date) -> str:
    if not isinstance(value, datetime):
        return f"datetime({value.isoformat()})"
    moment = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    return f"datetime({moment.strftime('%Y-%m-%dT%H:%M:%S')}.{moment.microsecond:06}0Z)"


def dynamic_json(value: Any) -> str:
    """A value inside `dynamic(...)`: JSON, with datetimes and timespans as their KQL literals."""
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{_json_string(str(key))}:{dynamic_json(item)}" for key, item in value.items()) + "}"
    if isinstance(value, set | frozenset):
        return dynamic_json(sorted(value, key=str))
    if isinstance(value, list | tuple):
        return "[" + ",".join(dynamic_json(item) for item in value) + "]"
    if value is None:
        return "null"
    if isinstance(value, str):
        return _json_string(value)
    if isinstance(value, int) and not isinstance(value, bool):
        _integer(value)
        return str(value)
    if isinstance(value, float) and math.isfinite(value):
        return repr(value)
    if isinstance(value, timedelta):
        return f"time({_timespan(value).removeprefix('time(').removesuffix(')')})"
    return _scalar(value)


def _json_string(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\u2028", "\\u2028").replace("\u2029", "\\u2029").replace("\x7f", "\\u007f")
