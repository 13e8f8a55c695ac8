"""A result as a chart: which column is the x axis, which ones are values, which one tells the series apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from toolkit.workbooks.numbers import cell_text, number_of
from toolkit.workbooks.preview.grids import View
from toolkit.workbooks.tables import Table, objects

_NUMERIC = frozenset({"int", "long", "real", "decimal", "timespan"})
_SHAPES = {
    "timechart": "line",
    "linechart": "line",
    "areachart": "area",
    "scatterchart": "scatter",
    "barchart": "bar",
    "categoricalbar": "bar",
    "unstackedbar": "bar",
    "piechart": "pie",
}
_MOST_SERIES, _MOST_POINTS, _MOST_SLICES = 12, 5_000, 10
OTHER = "Other"


def chart(table: Table, visualization: str, settings: Mapping[str, Any]) -> View | None:
    """What to draw; None when the result has no numbers, or no x axis for them."""
    table = _unrolled(table)
    values = _values(table, settings)
    if not values or not table.rows:
        return None
    found: View = {"shape": _SHAPES[visualization], "stacked": visualization in ("barchart", "areachart", "categoricalbar")}
    if visualization == "piechart":
        found["slices"] = _slices(table, values[0], _group(table, settings, None))
    else:
        axis = _axis(table, settings, values, visualization)
        group = _group(table, settings, axis)
        found.update(_series(table, axis, values, group))
    found["styles"] = {str(item["seriesName"]): {"label": item.get("label"), "color": item.get("color")}
                       for item in objects(settings.get("seriesLabelSettings")) if item.get("seriesName") is not None}  # fmt: skip
    return found


def _unrolled(table: Table) -> Table:
    """The arrays of make-series as one row per point."""
    arrays = [index for index, (_, kind) in enumerate(table.columns) if kind == "dynamic" and _is_series(table.rows, index)]
    if not arrays:
        return table
    times = {index for index in arrays if _moment(next((row[index][0] for row in table.rows if row[index]), None)) is not None}
    columns = [
        (name, "datetime" if index in times else "real" if index in arrays else kind) for index, (name, kind) in enumerate(table.columns)
    ]
    rows: list[list[Any]] = []
    for row in table.rows:
        for place in range(max(len(row[index] or ()) for index in arrays)):
            points = [(row[index] or [])[place : place + 1] if index in arrays else [row[index]] for index in range(len(row))]
            cells = [point[0] if point else None for point in points]
            rows.append([_moment(cell) if index in times else cell for index, cell in enumerate(cells)])
            if len(rows) >= _MOST_POINTS:
                return Table(columns, rows)
    return Table(columns, rows)


def _is_series(rows: Sequence[Sequence[Any]], index: int) -> bool:
    return any(isinstance(row[index], list) for row in rows) and all(isinstance(row[index], list | None) for row in rows)


def _moment(value: Any) -> datetime | None:
    if isinstance(value, datetime):
        return value
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) and len(value) >= 19 else None
    except ValueError:
        return None


def _values(table: Table, settings: Mapping[str, Any]) -> list[int]:
    wanted = settings.get("yAxis")
    named = (
        [index for name in wanted if isinstance(name, str) and (index := table.index(name)) is not None] if isinstance(wanted, list) else []
    )
    axis = table.index(str(settings.get("xAxis") or ""))
    return named or [index for index, (_, kind) in enumerate(table.columns) if kind in _NUMERIC and index != axis]


def _axis(table: Table, settings: Mapping[str, Any], values: Sequence[int], visualization: str) -> int | None:
    named = table.index(str(settings.get("xAxis") or ""))
    if named is not None:
        return named
    kinds = [kind for _, kind in table.columns]
    if "datetime" in kinds:
        return kinds.index("datetime")
    rest = [index for index in range(len(kinds)) if index not in values]
    if rest:
        return rest[0]
    return values[0] if visualization == "scatterchart" and len(values) > 1 else None


def _group(table: Table, settings: Mapping[str, Any], axis: int | None) -> int | None:
    named = table.index(str(settings.get("group") or ""))
    if named is not None:
        return named
    texts = [index for index, (_, kind) in enumerate(table.columns) if kind not in _NUMERIC | {"datetime", "dynamic"} and index != axis]
    return texts[0] if texts else None


def _series(table: Table, axis: int | None, values: Sequence[int], group: int | None) -> View:
    """xs in order, and for every series a value or None per x."""
    kind = table.columns[axis][1] if axis is not None else "string"
    found: dict[str, dict[Any, float]] = {}
    xs: dict[Any, None] = {}
    for number, row in enumerate(table.rows[:_MOST_POINTS]):
        x: Any = row[axis] if axis is not None else number
        x = x if isinstance(x, datetime | int | float) and kind != "string" else cell_text(x)
        xs[x] = None
        for index in values:
            amount = number_of(row[index])
            if index != axis and amount is not None:
                name = _name(table, index, values, row, group)
                points = found.setdefault(name, {})
                points[x] = points.get(x, 0.0) + amount
    ordered = sorted(xs) if kind != "string" and all(type(x) is type(next(iter(xs))) for x in xs) else list(xs)
    time = bool(ordered) and isinstance(ordered[0], datetime)
    series = _largest(found)
    drawn = [int(x.timestamp() * 1000) if isinstance(x, datetime) else x if isinstance(x, str) else cell_text(x) for x in ordered]
    return {
        "time": time,
        "xs": drawn,
        "series": [{"name": name, "ys": [points.get(x) for x in ordered]} for name, points in series.items()],
    }


def _name(table: Table, index: int, values: Sequence[int], row: Sequence[Any], group: int | None) -> str:
    value = table.columns[index][0]
    if group is None:
        return value
    text = cell_text(row[group]) or "(empty)"
    return text if len(values) == 1 else f"{text} {value}"


def _largest(found: dict[str, dict[Any, float]]) -> dict[str, dict[Any, float]]:
    """The largest series; the rest of them as one."""
    ranked = sorted(found, key=lambda name: (-sum(found[name].values()), name))
    kept = {name: found[name] for name in sorted(ranked[:_MOST_SERIES])}
    rest: dict[Any, float] = {}
    for name in ranked[_MOST_SERIES:]:
        for x, amount in found[name].items():
            rest[x] = rest.get(x, 0.0) + amount
    return {**kept, OTHER: rest} if rest else kept


def _slices(table: Table, value: int, group: int | None) -> list[View]:
    totals: dict[str, float] = {}
    for row in table.rows:
        name = (cell_text(row[group]) or "(empty)") if group is not None else table.columns[value][0]
        totals[name] = totals.get(name, 0.0) + max(0.0, number_of(row[value]) or 0.0)
    ranked = sorted(totals.items(), key=lambda item: (-item[1], item[0]))
    rest = sum(amount for _, amount in ranked[_MOST_SLICES:])
    return [{"name": name, "value": amount} for name, amount in [*ranked[:_MOST_SLICES], *([(OTHER, rest)] if rest else [])]]
