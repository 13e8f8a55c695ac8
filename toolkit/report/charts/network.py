"""A graph of things and what one did to another, in layers from left to right."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from toolkit.engine.result import Result, ResultError
from toolkit.report.charts import frame
from toolkit.report.charts.chart import Chart, document
from toolkit.report.charts.layers import in_layers
from toolkit.report.charts.model import text_of
from toolkit.report.charts.svg import cut, element, fill, group, label, num, series_colour, stroke, text_width, tooltip

_BOX, _GAP = 26.0, 12.0
_BETWEEN = 110.0
_WIDEST = 210.0
_MOST_NODES = 150


@dataclass(frozen=True)
class _Edge:
    source: str
    target: str
    label: str
    weight: float


def graph_chart(result: Result, *, source: str, target: str, edge: str | None = None, weight: str | None = None, title: str = "") -> Chart:
    """Every row as an edge from its value of `source` to that of `target`, named by `edge`, as wide as `weight` is large.

    Rows with the same ends and name are one edge. Raises ResultError for a column that there is not.
    """
    columns = {name: (index, kind) for index, (name, kind) in enumerate(result.columns)}
    for name in (source, target, *([edge] if edge else []), *([weight] if weight else [])):
        if name not in columns:
            raise ResultError(f"expected a column of the result ({', '.join(columns)}), found {name!r}")

    def texts(name: str) -> list[str]:
        index, kind = columns[name]
        return [text_of(value, kind) for value in result.values(index)]

    weights = [float(value or 0) for value in result.values(columns[weight][0])] if weight else [1.0] * len(result)
    sums: dict[tuple[str, str, str], float] = defaultdict(float)
    for left, right, name, value in zip(texts(source), texts(target), texts(edge) if edge else [""] * len(result), weights, strict=True):
        sums[left, right, name] += value
    edges = [_Edge(*ends, value) for ends, value in sums.items()]
    if not edges:
        raise ResultError("there are no edges to draw")
    layers = in_layers((), [(each.source, each.target) for each in edges])
    notes = []
    shown = {node for layer in layers for node in layer}
    if len(shown) > _MOST_NODES:
        shown = set(list(dict.fromkeys(end for each in edges for end in (each.source, each.target)))[:_MOST_NODES])
        notes.append("The graph is too large to be drawn whole; the first 150 nodes are.")
        edges = [each for each in edges if each.source in shown and each.target in shown]
        layers = [[node for node in layer if node in shown] for layer in layers]
    body, height, width = _draw(edges, [layer for layer in layers if layer], title)
    return Chart(document(body, height, f"graph, {len(shown)} nodes, {len(edges)} edges", width), title, tuple(notes))


def _draw(edges: list[_Edge], layers: list[list[str]], title: str) -> tuple[str, float, float]:
    head, top = frame.heading(title, [])
    top += 10
    rows = max(map(len, layers))
    height = top + rows * (_BOX + _GAP) + 6
    places: dict[str, tuple[float, float, float]] = {}
    x = 18.0
    for layer in layers:
        width = max(min(text_width(node) + 22, _WIDEST) for node in layer)
        start = top + (rows - len(layer)) * (_BOX + _GAP) / 2
        places |= {node: (x, start + index * (_BOX + _GAP), width) for index, node in enumerate(layer)}
        x += width + _BETWEEN
    largest = max(each.weight for each in edges) or 1.0
    parts = [*head, *(_edge(each, places, largest) for each in edges)]
    for number, layer in enumerate(layers):
        parts += [_node(node, places[node], series_colour(number)) for node in layer]
    return "".join(parts), height, max(x - _BETWEEN + 18, text_width(title, 15, bold=True) + 40)


def _node(node: str, place: tuple[float, float, float], colour: str) -> str:
    x, y, width = place
    shape = element("rect", x=x, y=y, width=width, height=_BOX, rx=6, **fill("soft"))
    mark = element("rect", x=x, y=y, width=4, height=_BOX, rx=2, **fill(colour))
    return group([shape, mark, label(cut(node, width - 18), x + 12, y + 17, colour="ink"), tooltip(node)])


def _edge(each: _Edge, places: dict[str, tuple[float, float, float]], largest: float) -> str:
    (x1, y1, width1), (x2, y2, width2) = places[each.source], places[each.target]
    start, end = (x1 + width1, y1 + _BOX / 2), (x2, y2 + _BOX / 2)
    if x2 <= x1:  # back, or to itself: around below
        start, end = (x1 + width1 / 2, y1 + _BOX), (x2 + width2 / 2, y2 + _BOX)
        curve = (start, (start[0], start[1] + 34), (end[0], end[1] + 34), end)
    else:
        bend = (end[0] - start[0]) / 2
        curve = (start, (start[0] + bend, start[1]), (end[0] - bend, end[1]), end)
    points = [f"{num(x)} {num(y)}" for x, y in curve]
    path = f"M{points[0]}C{' '.join(points[1:])}"
    hint = tooltip(f"{each.source} \N{RIGHTWARDS ARROW} {each.target}", *([each.label] if each.label else []))
    line = element("path", hint, d=path, stroke_opacity=0.8, **stroke("axis", 1.2 + 3.0 * each.weight / largest))
    if not each.label or x2 <= x1:
        return line
    # At three quarters of the way, where edges that begin together have parted.
    middle = (start[0] + 0.72 * (end[0] - start[0]), start[1] + 0.87 * (end[1] - start[1]) - 4)
    return group([line, label(cut(each.label, 90, 10), *middle, size=10.0, anchor="middle")])
