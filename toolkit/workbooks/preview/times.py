"""The time ranges of queries, and those that are brushed in a chart."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from toolkit.workbooks.defaults import time_range
from toolkit.workbooks.tables import mapping
from toolkit.workbooks.values import TimeRange, Value


def bounds(content: Mapping[str, Any], parameter: str, values: Mapping[str, Value], now: datetime) -> TimeRange | None:
    """What bounds the rows of a query: the range of a parameter, else its own time context; None when the query does it itself."""
    value = values.get(parameter)
    if value is not None and isinstance(value.plain, TimeRange):
        return value.plain
    duration = mapping(content.get("timeContext")).get("durationMs")
    if isinstance(duration, int) and not isinstance(duration, bool) and 0 < duration <= 10**12:
        return TimeRange.last(timedelta(milliseconds=duration), now)
    return None


def brushed(content: Mapping[str, Any], given: Any, whole: TimeRange | None, now: datetime) -> Value:
    """The value of the parameter that a brush in a chart sets: before anybody brushes, all of the chart's time, unless the
    workbook wants it unset until then."""
    if isinstance(given, Mapping) and given.get("startTime"):
        return Value(time_range(given, now))
    return Value(None if content.get("timeBrushExportOnlyWhenBrushed") is True else whole)
