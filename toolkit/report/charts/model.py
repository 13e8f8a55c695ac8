"""From the rows of a result to what a chart shows: an x axis, series of points, and notes about what is left out.

Which column is x, which are y and which make the series follows the documentation of `render`: named properties first, else
the first column that fits x, all numeric columns for y, the first text column for the series.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any, Literal

from toolkit.engine.result import Result
from toolkit.kql.times import format_datetime_iso, format_timespan
from toolkit.kql.types import ScalarType
from toolkit.report.charts.options import BARS, Options, drawable
from toolkit.report.text import visible

MOST_SERIES = 60
MOST_POINTS = 20_000
MOST_CATEGORIES = 400
MOST_SLICES = 12

XKind = Literal["time", "span", "number", "category"]
_NUMBERS = ("int", "long", "real", "decimal")
_X_KINDS: dict[str, XKind] = {"datetime": "time", "timespan": "span", **dict.fromkeys(_NUMBERS, "number")}


class ChartError(ValueError):
    """Rows that the chart cannot show, in words for the person who asked for it."""


@dataclass
class Series:
    """Points (x, y) by ascending x; x is ticks, a number or the index of a category. `marked`: indexes of anomalies."""

    name: str
    points: list[tuple[float, float | None]]
    measure: str
    marked: set[int] = field(default_factory=set)


@dataclass
class ChartData:
    """`x_kind` says what x is. `categories`: their texts, when it is one."""

    x_kind: XKind
    x_name: str
    series: list[Series]
    categories: list[str] = field(default_factory=list)
    spans: bool = False
    notes: list[str] = field(default_factory=list)

    @property
    def measures(self) -> list[str]:
        return list(dict.fromkeys(series.measure for series in self.series))


@dataclass
class _Column:
    name: str
    type: str
    values: list[Any]


@dataclass
class _Roles:
    x: _Column
    y: list[_Column]
    series: list[_Column]
    flags: list[_Column]


def chart_data(result: Result, options: Options) -> ChartData:
    """Raises ChartError for rows that have no x or no y."""
    columns = [_Column(name, kind, result.values(index)) for index, (name, kind) in enumerate(result.columns)]
    notes: list[str] = []
    roles = _roles([_parsed(column) for column in columns], options, notes)
    records = list(_records(roles, len(result)))
    x_kind = _x_kind(roles, options, records)
    data = ChartData(x_kind, roles.x.name, [], spans=all(column.type == "timespan" for column in roles.y), notes=notes)
    _fill(data, roles, records, options)
    if not any(value is not None for series in data.series for _, value in series.points):
        raise ChartError("there is no number to draw" if len(result) else "there are no rows to draw")
    return data


def _parsed(column: _Column) -> _Column:
    if column.type != "dynamic":
        return column
    return _Column(column.name, column.type, [None if text is None else json.loads(text) for text in column.values])


# --- roles of columns -------------------------------------------------------------------------------------------------


def _roles(columns: Sequence[_Column], options: Options, notes: list[str]) -> _Roles:
    by_name = {column.name: column for column in columns}
    flags = [by_name[name] for name in _known(options.anomalycolumns, by_name, "anomalycolumns", notes)]
    x = by_name.get(options.xcolumn) if options.xcolumn else None
    if options.xcolumn and x is None:
        notes.append(f"xcolumn: there is no column {options.xcolumn}.")
    named_series = [by_name[name] for name in _known(options.series or (), by_name, "series", notes)]
    named_y = [by_name[name] for name in _known(options.ycolumns, by_name, "ycolumns", notes)]
    taken = [*flags, *named_series, *named_y]
    x = x or _first_x([column for column in columns if column not in taken], options)
    if x is None:
        raise ChartError(
            "there is no column for the x axis" + (" of type datetime" if options.chart in ("timechart", "anomalychart") else "")
        )
    rest = [column for column in columns if column is not x and column not in flags and column not in named_series]
    y = named_y or _measures(rest)
    if not y:
        raise ChartError("there is no numeric column for the y axis")
    left = [column for column in rest if column not in y and column.type not in ("dynamic", "datetime", "timespan")]
    series = named_series if options.series is not None else left[:1]
    ignored = [column.name for column in left if column not in series]
    if ignored:
        notes.append(f"Not drawn: {', '.join(ignored)}. The property series can name {'it' if len(ignored) == 1 else 'them'}.")
    return _Roles(x, y, series, flags)


def _known(names: Iterable[str], columns: dict[str, _Column], place: str, notes: list[str]) -> list[str]:
    found = [name for name in names if name in columns]
    missing = [name for name in names if name not in columns]
    if missing:
        notes.append(f"{place}: there is no column {', '.join(missing)}.")
    return found


def _first_x(columns: Sequence[_Column], options: Options) -> _Column | None:
    if options.chart in ("timechart", "anomalychart"):
        return next((column for column in columns if column.type == "datetime" or _is_times(column)), None)
    if options.chart in (*BARS, "piechart"):
        return columns[0] if columns else None
    fits = (column for column in columns if column.type in _X_KINDS or _is_array(column))
    return next(fits, columns[0] if columns else None)


def _is_array(column: _Column) -> bool:
    return column.type == "dynamic" and any(isinstance(value, list) for value in column.values)


def _is_times(column: _Column) -> bool:
    """Whether a column holds arrays of times, as make-series gives them."""
    first = next((value for value in column.values if isinstance(value, list) and value), None)
    return column.type == "dynamic" and first is not None and _ticks(first[0]) is not None


def _is_numbers(column: _Column) -> bool:
    arrays = [value for value in column.values if isinstance(value, list)]
    return column.type == "dynamic" and any(isinstance(item, (int, float)) for array in arrays for item in array[:50])


def _measures(columns: Sequence[_Column]) -> list[_Column]:
    numeric = [column for column in columns if column.type in _NUMBERS or _is_numbers(column)]
    return numeric or [column for column in columns if column.type == "timespan"]


def _x_kind(roles: _Roles, options: Options, records: Sequence[_Record]) -> XKind:
    if options.chart in (*BARS, "piechart"):
        return "category"
    if roles.x.type == "dynamic":
        values = [record.x for record in records if record.x is not None]
        if values and all(isinstance(value, str) and _ticks(value) is not None for value in values):
            return "time"
        return (
            "number" if values and all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values) else "category"
        )
    return _X_KINDS.get(roles.x.type, "category")


# --- records ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Record:
    x: Any
    values: tuple[Any, ...]
    flags: tuple[Any, ...]
    group: tuple[str, ...]


def _records(roles: _Roles, rows: int) -> Iterable[_Record]:
    """One record per point: a row, or each element of a row's arrays."""
    for row in range(rows):
        group = tuple(text_of(column.values[row], column.type) for column in roles.series)
        cells = [column.values[row] for column in (roles.x, *roles.y, *roles.flags)]
        arrays = [cell for cell in cells if isinstance(cell, list)]
        length = max(map(len, arrays), default=1)
        for index in range(length):
            x, *rest = (_element(cell, index) for cell in cells)
            yield _Record(x, tuple(rest[: len(roles.y)]), tuple(rest[len(roles.y) :]), group)


def _element(cell: Any, index: int) -> Any:
    if not isinstance(cell, list):
        return cell
    return cell[index] if index < len(cell) else None


def _ticks(value: Any) -> int | None:
    from toolkit.kql.times import parse_datetime

    if isinstance(value, str) and len(value) >= 10 and value[4:5] == "-":
        return parse_datetime(value)
    return None


def _number(value: Any) -> float | None:
    if value is None or isinstance(value, (str, list, dict)):
        return None
    return drawable(float(value))


def text_of(value: Any, kind: str) -> str:
    """A cell as a label: times in ISO form, without fractions that are zero."""
    if value is None:
        return "(null)"
    if kind == ScalarType.DATETIME:
        text = format_datetime_iso(value)
        return text[:10] if text.endswith("T00:00:00.0000000Z") else text[:19].replace("T", " ") + _fraction(text[19:-1])
    if kind == ScalarType.TIMESPAN:
        return format_timespan(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (dict, list)):
        return visible(json.dumps(value, ensure_ascii=False))
    return visible(str(value)) or "(empty)"


def _fraction(text: str) -> str:
    return text.rstrip("0").rstrip(".")


# --- points -----------------------------------------------------------------------------------------------------------


def _fill(data: ChartData, roles: _Roles, records: Sequence[_Record], options: Options) -> None:
    points: dict[tuple[tuple[str, ...], int], list[tuple[float, float | None, bool]]] = {}
    categories: dict[str, int] = {}
    dropped = 0
    for record in records:
        x = _position(record.x, data.x_kind, roles.x.type, categories)
        if x is None:
            dropped += 1
            continue
        marked = any(_number(flag) not in (None, 0) for flag in record.flags)
        for index, value in enumerate(record.values):
            points.setdefault((record.group, index), []).append((x, _number(value), marked and index == 0))
    if dropped:
        data.notes.append(f"{dropped} row{'s have' if dropped > 1 else ' has'} no {roles.x.name} and cannot be placed.")
    data.categories = list(categories)
    for (group, index), found in points.items():
        measure = roles.y[index].name
        data.series.append(_series(data, _name(group, measure, len(roles.y)), measure, found, options))
    _limit(data)


def _position(value: Any, kind: XKind, column: str, categories: dict[str, int]) -> float | None:
    if kind == "category":
        return categories.setdefault(text_of(value, column), len(categories))
    if kind != "time":
        return _number(value)
    return value if isinstance(value, int) else _ticks(value)  # ticks are too many for a float


def _name(group: tuple[str, ...], measure: str, measures: int) -> str:
    if not group:
        return visible(measure)
    return ", ".join(group) + (f": {visible(measure)}" if measures > 1 else "")


def _series(data: ChartData, name: str, measure: str, found: list[tuple[float, float | None, bool]], options: Options) -> Series:
    if data.x_kind == "category" and options.chart in (*BARS, "piechart"):
        found = _summed(found, data)
    found = sorted(found, key=lambda point: point[0])
    values = [value for _, value, _ in found]
    if options.accumulate:
        values = list(accumulate(value or 0.0 for value in values))
    marked = {index for index, (_, value, flag) in enumerate(found) if flag and value is not None}
    return Series(name, [(x, value) for (x, _, _), value in zip(found, values, strict=True)], measure, marked)


def _summed(found: list[tuple[float, float | None, bool]], data: ChartData) -> list[tuple[float, float | None, bool]]:
    """Rows of one category added up: a bar has one length."""
    sums: dict[float, tuple[float, float | None, bool]] = {}
    for x, value, flag in found:
        known = sums.get(x)
        sums[x] = (x, value, flag) if known is None or known[1] is None else (x, known[1] + (value or 0.0), flag)
    note = f"Rows with the same {data.x_name} are added up."
    if len(sums) < len(found) and note not in data.notes:
        data.notes.append(note)
    return list(sums.values())


def _limit(data: ChartData) -> None:
    """Keeps a chart readable and small; what is left out is said."""
    if len(data.series) > MOST_SERIES:
        data.notes.append(f"The first {MOST_SERIES} of {len(data.series)} series are drawn.")
        del data.series[MOST_SERIES:]
    if len(data.categories) > MOST_CATEGORIES:
        data.notes.append(f"The first {MOST_CATEGORIES} of {len(data.categories)} values of {data.x_name} are drawn.")
        del data.categories[MOST_CATEGORIES:]
        for series in data.series:
            series.points = [point for point in series.points if point[0] < MOST_CATEGORIES]
    total = sum(len(series.points) for series in data.series)
    if total > MOST_POINTS:
        share = max(2, MOST_POINTS // len(data.series))
        data.notes.append(f"{total:,} points are more than can be seen: of each series the lowest and highest in every step are drawn.")
        for series in data.series:
            series.points, series.marked = _thinned(series, share)


def _thinned(series: Series, most: int) -> tuple[list[tuple[float, float | None]], set[int]]:
    """At most about `most` points: of each run of them the lowest and the highest, and every anomaly."""
    points = series.points
    if len(points) <= most:
        return points, series.marked
    step = math.ceil(2 * len(points) / most)
    kept: set[int] = set(series.marked)
    for start in range(0, len(points), step):
        run = [index for index in range(start, min(start + step, len(points))) if points[index][1] is not None]
        if run:
            kept |= {min(run, key=lambda index: points[index][1] or 0.0), max(run, key=lambda index: points[index][1] or 0.0)}
    order = sorted(kept)
    return [points[index] for index in order], {order.index(index) for index in series.marked}
