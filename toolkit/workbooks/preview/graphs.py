"""A result as a graph of nodes and edges, or as a honeycomb: a hexagon per node, in groups.

Both are the visualization "graph" of a workbook; `graphSettings` tell which one, and what the columns are. The places of a graph's
nodes are computed here, those of hexagons by the page, which knows how much room there is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from toolkit.report.charts.layers import in_layers
from toolkit.report.charts.svg import cut, num, text_width
from toolkit.workbooks.numbers import cell_text, number_of
from toolkit.workbooks.preview.colours import colours
from toolkit.workbooks.preview.grids import Column, View, share
from toolkit.workbooks.tables import Row, Table, mapping

HIVES, DOWN = 2, 2
_MOST_NODES, _MOST_EDGES, _MOST_HEXAGONS = 150, 600, 500
_WIDEST, _NARROWEST, _LINE, _PAD = 210.0, 84.0, 17.0, 11.0
_BETWEEN, _GAP, _AROUND = 96.0, 20.0, 46.0
_HALFWAY = (0.125, 0.375, 0.375, 0.125)
_SIZES = {"top": 11.0, "center": 13.5, "bottom": 11.0}


def graph(table: Table, settings: Mapping[str, Any]) -> tuple[View, Sequence[Row]] | None:
    """What to draw, and the rows of its nodes; None when the settings name no column of nodes that there is."""
    index = table.index(str(settings.get("nodeIdField") or ""))
    if index is None:
        return None
    rows = [row for row in table.rows if cell_text(row[index])]
    if settings.get("type") == HIVES:
        return _hives(table, rows, index, settings)
    nodes: dict[str, Row] = {}
    for row in rows:
        nodes.setdefault(cell_text(row[index]), row)
    return _network(table, list(nodes.values()), index, settings)


def _parts(table: Table, rows: Sequence[Row], index: int, settings: Mapping[str, Any]) -> list[dict[str, str]]:
    """The texts of each node: at its top, centre and bottom; what stands left and right of the centre is put beside it."""
    found: list[dict[str, str]] = [{} for _ in rows]
    for part in ("top", "left", "center", "right", "bottom"):
        content = mapping(settings.get(f"{part}Content"))
        place = table.index(str(content.get("columnMatch") or ""))
        if place is None:
            continue
        column = Column(*table.columns[place], content, [row[place] for row in rows])
        for number, row in enumerate(rows):
            cell = column.cell(row[place], table, row)
            text = str(cell["t"] or cell.get("icon", "")) if isinstance(cell, dict) else str(cell)
            where = "center" if part in ("left", "right") else part
            found[number][where] = f"{found[number].get(where, '')} {text}".strip()
    return [parts if any(parts.values()) else {"center": cell_text(row[index])} for parts, row in zip(found, rows, strict=True)]


def _remarks(*remarks: str) -> View:
    said = " ".join(remark for remark in remarks if remark)
    return {"remark": said} if said else {}


# --- honeycombs --------------------------------------------------------------------------------------------------------


def _hives(table: Table, rows: Sequence[Row], index: int, settings: Mapping[str, Any]) -> tuple[View, Sequence[Row]]:
    shown = rows[:_MOST_HEXAGONS]
    parts = _parts(table, shown, index, settings)
    tones = colours(table, shown, mapping(settings.get("colorSettings")))
    by = table.index(str(settings.get("groupByField") or ""))
    groups: dict[str, list[View]] = {}
    for number, row in enumerate(shown):
        name = "" if by is None else cell_text(row[by]) or "(empty)"
        groups.setdefault(name, []).append({"row": number, "id": cell_text(row[index]), **parts[number], "tone": tones[number]})
    size, margin = settings.get("staticNodeSize"), settings.get("hivesMargin")
    size = size if isinstance(size, int) and not isinstance(size, bool) else 100
    margin = margin if isinstance(margin, int) and not isinstance(margin, bool) else 5
    cut_off = f"The first {len(shown)} of {len(rows):,} hexagons are shown." if len(shown) < len(rows) else ""
    view: View = {
        "size": max(60, min(200, size)),
        "margin": max(0, min(40, margin)),
        "groups": [{"name": name, "cells": cells} for name, cells in groups.items()],
    }
    return {"hexagons": view, **_remarks(cut_off)}, shown


# --- graphs ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Edge:
    source: str
    target: str
    label: str
    weight: float


@dataclass(frozen=True)
class _Box:
    x: float
    y: float
    width: float
    height: float


def _network(table: Table, rows: Sequence[Row], index: int, settings: Mapping[str, Any]) -> tuple[View, Sequence[Row]]:
    shown = rows[:_MOST_NODES]
    ids = [cell_text(row[index]) for row in shown]
    every = _edges(table, settings)
    edges = [edge for edge in every if edge.source in set(ids) and edge.target in set(ids)][:_MOST_EDGES]
    parts = _parts(table, shown, index, settings)
    tones = colours(table, shown, mapping(settings.get("colorSettings")))
    scales = _scales(table, shown, settings)
    sizes = {one: _size(texts, scale) for one, texts, scale in zip(ids, parts, scales, strict=True)}
    places, width, height = _places(ids, edges, sizes, down=settings.get("graphOrientation") == DOWN)
    nodes = [
        {"row": number, "id": one, "tone": tones[number], "x": round(box.x), "y": round(box.y), "width": round(box.width),
         "height": round(box.height), "lines": _lines(parts[number], box)}
        for number, one in enumerate(ids) for box in (places[one],)
    ]  # fmt: skip
    largest = max((edge.weight for edge in edges), default=1.0) or 1.0
    drawn = [_drawn(edge, places, largest, down=settings.get("graphOrientation") == DOWN) for edge in edges]
    cut_off = f"The first {len(shown)} of {len(rows):,} nodes are shown." if len(shown) < len(rows) else ""
    lost = len(every) - len(edges)
    loose = f"{lost} edge{'s' if lost > 1 else ''} without a node at each end {'are' if lost > 1 else 'is'} left out." if lost else ""
    return {"graph": {"width": round(width), "height": round(height), "nodes": nodes, "edges": drawn}, **_remarks(cut_off, loose)}, shown


def _edges(table: Table, settings: Mapping[str, Any]) -> list[_Edge]:
    """One edge per pair of ends and label; the weights of its rows add up."""
    source, target = (table.index(str(settings.get(f"{end}IdField") or "")) for end in ("source", "target"))
    label, weight = (table.index(str(settings.get(f"edge{key}") or "")) for key in ("Label", "Size"))
    sums: dict[tuple[str, str, str], float] = {}
    for row in table.rows if source is not None and target is not None else ():
        assert source is not None
        assert target is not None
        ends = cell_text(row[source]), cell_text(row[target])
        if all(ends):
            key = (*ends, cell_text(row[label]) if label is not None else "")
            sums[key] = sums.get(key, 0.0) + (max(0.0, number_of(row[weight]) or 0.0) if weight is not None else 0.0)
    return [_Edge(*key, value) for key, value in sums.items()]


def _scales(table: Table, rows: Sequence[Row], settings: Mapping[str, Any]) -> list[float]:
    """How much larger than the smallest each node is drawn, by the column of sizes."""
    index = table.index(str(settings.get("nodeSize") or ""))
    numbers = [number_of(row[index]) if index is not None else None for row in rows]
    known = [number for number in numbers if number is not None]
    least, most = min(known, default=0.0), max(known, default=0.0)
    return [1.0 if number is None or most == least else 1.0 + 0.6 * share(number, least, most) for number in numbers]


def _size(parts: Mapping[str, str], scale: float) -> tuple[float, float]:
    widest = max(text_width(text, _SIZES[part], bold=part == "center") for part, text in parts.items())
    width = min(max(widest + 2 * _PAD, _NARROWEST), _WIDEST)
    return width * scale, (len(parts) * _LINE + 12) * scale


def _lines(parts: Mapping[str, str], box: _Box) -> list[View]:
    drawn = [(part, parts[part]) for part in _SIZES if parts.get(part)]
    top = box.height / 2 - len(drawn) * _LINE / 2 + _LINE - 4.5
    room = box.width - 2 * _PAD
    return [
        {"part": part, "t": cut(text, room, _SIZES[part], bold=part == "center"), "y": round(top + number * _LINE, 1)}
        for number, (part, text) in enumerate(drawn)
    ]


def _places(
    ids: Sequence[str], edges: Sequence[_Edge], sizes: Mapping[str, tuple[float, float]], *, down: bool
) -> tuple[dict[str, _Box], float, float]:
    """Where each node is, and how large the whole is: layers from left to right, or from the top `down`."""
    along, across = (1, 0) if down else (0, 1)
    layers = in_layers(ids, [(edge.source, edge.target) for edge in edges]) if ids else []
    gap = _BETWEEN * 0.6 if down else _BETWEEN
    extents = [sum(sizes[node][across] + _GAP for node in layer) - _GAP for layer in layers]
    longest = max(extents, default=0.0)
    places: dict[str, _Box] = {}
    at = 14.0
    for layer, extent in zip(layers, extents, strict=True):
        depth = max(sizes[node][along] for node in layer)
        beside = 14.0 + (longest - extent) / 2
        for node in layer:
            width, height = sizes[node]
            inset = at + (depth - sizes[node][along]) / 2
            places[node] = _Box(beside, inset, width, height) if down else _Box(inset, beside, width, height)
            beside += sizes[node][across] + _GAP
        at += depth + gap
    ends = (longest + 28 + _AROUND * 1.6, at - gap + 46) if down else (at - gap + 14, longest + 36 + _AROUND * 0.8)
    return places, *ends


def _drawn(edge: _Edge, places: Mapping[str, _Box], largest: float, *, down: bool) -> View:
    curve = _curve(places[edge.source], places[edge.target], down=down, loop=edge.source == edge.target)
    start, *rest = (f"{num(x)} {num(y)}" for x, y in curve)
    x, y = (sum(_HALFWAY[number] * point[axis] for number, point in enumerate(curve)) for axis in (0, 1))
    hint = f"{edge.source} → {edge.target}" + (f": {edge.label}" if edge.label else "")
    return {
        "d": f"M{start}C{' '.join(rest)}",
        "width": round(1.3 + 4 * edge.weight / largest, 1),
        "label": cut(edge.label, 88, 10.5),
        "hint": hint,
        "x": round(x),
        "y": round(y - 4),
    }


_Point = tuple[float, float]


def _curve(one: _Box, other: _Box, *, down: bool, loop: bool) -> tuple[_Point, _Point, _Point, _Point]:
    """The ends of an edge and its two bends. What leads to itself or backwards goes around: below, or to the right of a graph
    that goes down."""
    middle, end = (one.x + one.width / 2, one.y + one.height / 2), (other.x + other.width / 2, other.y + other.height / 2)
    below, right = one.y + one.height, one.x + one.width
    if loop:
        return (middle[0] - 14, below), (middle[0] - 34, below + 40), (middle[0] + 34, below + 40), (middle[0] + 14, below)
    if down:
        if other.y > one.y:
            half = (other.y - below) / 2
            return (middle[0], below), (middle[0], below + half), (end[0], other.y - half), (end[0], other.y)
        side = max(right, other.x + other.width) + _AROUND
        return (right, middle[1]), (side, middle[1]), (side, end[1]), (other.x + other.width, end[1])
    if other.x > one.x:
        half = (other.x - right) / 2
        return (right, middle[1]), (right + half, middle[1]), (other.x - half, end[1]), (other.x, end[1])
    if one.x == other.x and abs(middle[1] - end[1]) < max(one.height, other.height) + 2 * _GAP:  # neighbours of one layer
        edges = (below, other.y) if other.y > one.y else (one.y, other.y + other.height)
        return (middle[0] + 8, edges[0]), (middle[0] + 8, edges[0]), (middle[0] + 8, edges[1]), (middle[0] + 8, edges[1])
    depth = max(below, other.y + other.height) + _AROUND
    return (middle[0], below), (middle[0], depth), (end[0], depth), (end[0], other.y + other.height)
