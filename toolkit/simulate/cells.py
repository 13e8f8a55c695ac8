"""Cells of a result row as the text that alerts carry."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

Row = Mapping[str, Any]


def cell_text(value: Any) -> str:
    """A cell as `tostring()` gives it; empty for null."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        moment = value if value.tzinfo is None else value.astimezone(UTC)
        return f"{moment.strftime('%Y-%m-%dT%H:%M:%S')}.{moment.microsecond:06}0Z"
    if isinstance(value, timedelta):
        return timespan_text(value)
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=cell_text)
    return str(value)


def timespan_text(value: timedelta) -> str:
    """`[-][d.]hh:mm:ss[.fffffff]`, as Kusto prints timespans."""
    sign, value = ("-", -value) if value < timedelta(0) else ("", value)
    hours, rest = divmod(value.seconds, 3600)
    days = f"{value.days}." if value.days else ""
    fraction = f".{value.microseconds:06}0" if value.microseconds else ""
    return f"{sign}{days}{hours:02}:{rest // 60:02}:{rest % 60:02}{fraction}"


def distinct_texts(rows: Sequence[Row], column: str, most: int = 50) -> list[str]:
    """The distinct non-empty values of a column, in order of first appearance, at most `most` of them (S-58)."""
    texts = dict.fromkeys(text for row in rows if (text := cell_text(row.get(column))).strip())
    return list(texts)[:most]
