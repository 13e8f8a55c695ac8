"""Visual settings name columns that the query really gives.

A formatter, tile, axis or sort order whose column is gone after the query was changed has no effect, and nobody is told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from toolkit.content.yaml.nodes import Path
from toolkit.kql.diagnostics import did_you_mean
from toolkit.workbooks.checks.inspection import Inspection
from toolkit.workbooks.model import CHARTS, TIME_CHARTS, VISUALIZATIONS, Query, Step
from toolkit.workbooks.tables import Columns

_NUMBERS = frozenset({"int", "long", "real", "decimal", "timespan"})
_OPEN = frozenset({"unknown"})
_GENERATED = re.compile(r"\$gen_[A-Za-z]+_(?P<column>.*)_\d+")
_TILE_PARTS = ("titleContent", "subtitleContent", "leftContent", "rightContent", "secondaryContent")
_MAP_COLUMNS = ("sizeSettings", "labelSettings", "legendMetric")
_GRAPH_COLUMNS = {
    "nodeIdField": "nodes",
    "sourceIdField": "edges",
    "targetIdField": "edges",
    "edgeLabel": "edges",
    "edgeSize": "edges",
    "nodeSize": "nodes",
    "groupByField": "groups",
}
_HIVES = 2
"""The type of a graph whose nodes are hexagons: it has groups and no edges."""


@dataclass(frozen=True)
class Use:
    """A setting that names a column. `pattern`: the name may be a regular expression over the columns' names."""

    column: str
    path: Path
    purpose: str
    pattern: bool = False
    parameter: str = ""


def check_visuals(seen: Inspection) -> None:
    """The settings of every query step whose columns are known."""
    for step in seen.workbook.walk():
        query = step.query
        if query is None:
            continue
        shown = query.visualization
        if shown not in VISUALIZATIONS and "{" not in shown:
            near = did_you_mean(shown, VISUALIZATIONS)
            hints = [f"Did you mean {near[0]!r}?"] if near else []
            message = f"The visualization {shown!r} is not known."
            seen.notes.add("unknown-visualization", message, (*step.content_path, "visualization"), hints=hints, severity="warning")
        columns = seen.columns.get(step.path)
        if columns is None or any(kind in _OPEN for _, kind in columns):
            continue
        _columns(seen, step, query, columns)
        _axes(seen, step, query, columns)


def _columns(seen: Inspection, step: Step, query: Query, columns: Columns) -> None:
    names = [name for name, _ in columns]
    waiting = seen.in_texts | {condition.parameter for other in seen.workbook.walk() for condition in other.conditions}
    for use in _uses(step, query):
        if _found(use, names):
            continue
        same = [name for name in names if name.lower() == use.column.lower()]
        near = same or did_you_mean(use.column, names)
        listed = ", ".join(names[:30]) + (", ..." if len(names) > 30 else "")
        hints = [f"Did you mean {near[0]!r}?"] if near else [f"Columns of the result: {listed}."]
        message = f"The query gives no column {use.column!r} for the {use.purpose}."
        seen.notes.add("unknown-column", message, use.path, hints=hints, severity="error" if use.parameter in waiting else "warning")


def _found(use: Use, names: Sequence[str]) -> bool:
    if use.column in names or "{" in use.column:
        return True
    if not use.pattern:
        return False
    try:
        return any(re.search(use.column, name) for name in names)
    except re.error:
        return False


def _uses(step: Step, query: Query) -> Iterator[Use]:
    content, path = step.content, step.content_path
    shown = query.visualization
    if shown == "table":
        yield from _grid(_mapping(content, "gridSettings"), (*path, "gridSettings"))
        yield from _sorted(content, path)
    if shown in ("tiles", "card"):
        yield from _tiles(_mapping(content, "tileSettings"), (*path, "tileSettings"))
    if shown in CHARTS:
        yield from _chart(_mapping(content, "chartSettings"), (*path, "chartSettings"))
    if shown == "map":
        yield from _map(_mapping(content, "mapSettings"), (*path, "mapSettings"))
    if shown == "graph":
        yield from _graph(_mapping(content, "graphSettings"), (*path, "graphSettings"))
    in_chart = shown in CHARTS
    for export in query.exports:
        if export.field and not (in_chart and export.field in ("x", "y", "series", "label")):
            key = "exportFieldName" if export.path[-1] == "exportParameterName" else "fieldName"
            yield Use(export.field, (*export.path[:-1], key), "export", parameter=export.parameter)


def _grid(settings: Mapping[str, Any], path: Path) -> Iterator[Use]:
    hierarchy = _mapping(settings, "hierarchySettings")
    grouped = bool(hierarchy)
    for item, here in _objects(settings, "formatters", path):
        for use in _named(item, "columnMatch", here, "formatter", pattern=True):
            # a grid with groups has columns of its own
            if not (grouped and use.column in ("Group", "$gen_group")) and not use.column.startswith("$gen"):
                yield use
        options, place = _mapping(item, "formatOptions"), (*here, "formatOptions")
        yield from _named(options, "linkColumn", place, "link")
        bar = _mapping(options, "compositeBarSettings")
        for part, there in _objects(bar, "columnSettings", (*place, "compositeBarSettings")):
            yield from _named(part, "columnName", there, "composite bar")
    for item, here in _objects(settings, "labelSettings", path):
        for use in _named(item, "columnId", here, "label"):
            if not use.column.startswith("$gen"):
                yield use
    yield from _sorted(settings, path)
    where = (*path, "hierarchySettings")
    for number, name in enumerate(hierarchy.get("groupBy") or []):
        if isinstance(name, str) and name:
            yield Use(name, (*where, "groupBy", number), "grouping")
    for key in ("finalBy", "idColumn", "parentColumn", "expanderColumn"):
        yield from _named(hierarchy, key, where, "grouping")


def _sorted(settings: Mapping[str, Any], path: Path) -> Iterator[Use]:
    for item, here in _objects(settings, "sortBy", path):
        for use in _named(item, "itemKey", here, "sort order"):
            generated = _GENERATED.fullmatch(use.column)
            column = generated["column"] if generated else use.column
            if not column.startswith("$gen") and column != "group":
                yield Use(column, use.path, use.purpose)


def _tiles(settings: Mapping[str, Any], path: Path) -> Iterator[Use]:
    for part in _TILE_PARTS:
        yield from _named(_mapping(settings, part), "columnMatch", (*path, part), "tile")
    yield from _named(settings, "sortCriteriaField", path, "sort order")


def _map(settings: Mapping[str, Any], path: Path) -> Iterator[Use]:
    """What tells the place depends on its kind; the portal keeps the settings of the others."""
    places = ("latitude", "longitude") if settings.get("locInfo") == "LatLong" else ("locInfoColumn",)
    for key in (*places, *_MAP_COLUMNS):
        yield from _named(settings, key, path, "map")
    colours = _mapping(settings, "itemColorSettings")
    yield from _named(colours, "nodeColorField", (*path, "itemColorSettings"), "colour")


def _graph(settings: Mapping[str, Any], path: Path) -> Iterator[Use]:
    hives = settings.get("type") == _HIVES
    for key, purpose in _GRAPH_COLUMNS.items():
        if purpose != ("edges" if hives else "groups"):
            yield from _named(settings, key, path, purpose)
    parts = ("topContent", "centerContent", "bottomContent", "leftContent", "rightContent", *(("hivesContent",) if hives else ()))
    for part in parts:
        yield from _named(_mapping(settings, part), "columnMatch", (*path, part), "nodes")
    yield from _named(_mapping(settings, "colorSettings"), "nodeColorField", (*path, "colorSettings"), "colour")


def _chart(settings: Mapping[str, Any], path: Path) -> Iterator[Use]:
    yield from _named(settings, "xAxis", path, "x axis")
    yield from _named(settings, "group", path, "series")
    axis = settings.get("yAxis")
    for number, name in enumerate(axis if isinstance(axis, list) else []):
        if isinstance(name, str) and name:
            yield Use(name, (*path, "yAxis", number), "y axis")


def _axes(seen: Inspection, step: Step, query: Query, columns: Columns) -> None:
    """A chart needs numbers, a time chart also a time. make-series gives both as arrays, which are dynamic."""
    if query.visualization not in CHARTS or not columns:
        return
    kinds = {kind for _, kind in columns}
    series = "dynamic" in kinds
    path = (*step.content_path, "visualization")
    if not kinds & _NUMBERS and not series:
        seen.notes.add("chart-without-numbers", "The chart has no column of numbers to draw.", path, severity="warning")
    if query.visualization in TIME_CHARTS and "datetime" not in kinds and not series:
        seen.notes.add("chart-without-times", "The time chart has no column of times for its x axis.", path, severity="warning")


def _named(holder: Mapping[str, Any], key: str, path: Path, purpose: str, *, pattern: bool = False) -> Iterator[Use]:
    value = holder.get(key)
    if isinstance(value, str) and value:
        yield Use(value, (*path, key), purpose, pattern)


def _mapping(holder: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = holder.get(key)
    return value if isinstance(value, dict) else {}


def _objects(holder: Mapping[str, Any], key: str, path: Path) -> Iterator[tuple[Mapping[str, Any], Path]]:
    value = holder.get(key)
    for number, item in enumerate(value if isinstance(value, list) else []):
        if isinstance(item, dict):
            yield item, (*path, key, number)
