"""Pies and cards."""

from __future__ import annotations

import json
import math

from toolkit.engine.result import Result
from toolkit.report.charts import frame
from toolkit.report.charts.frame import WIDTH
from toolkit.report.charts.model import MOST_SLICES, ChartData, ChartError, text_of
from toolkit.report.charts.options import Options
from toolkit.report.charts.scales import number_text, span_text
from toolkit.report.charts.svg import cut, element, fill, group, label, num, series_colour, text_width, tooltip

_RADIUS = 120.0
_CARD = 200.0
_MOST_CARDS = 24


def draw_pie(data: ChartData, options: Options) -> tuple[str, float]:
    """A disc with one slice per category, by size as the rows have them; small ones of a long tail become one."""
    slices = _slices(data)
    total = sum(value for _, value in slices)
    if total <= 0:
        raise ChartError("there is no positive number to draw")
    head, top = frame.heading(options.title, [])
    x, y = 40 + _RADIUS, top + 14 + _RADIUS
    parts = list(head)
    angle = -math.pi / 2
    for index, (name, value) in enumerate(slices):
        share = value / total
        hint = tooltip(name, f"{_value(data, value)} ({share:.1%})")
        parts.append(_slice(x, y, angle, share, hint, "axis" if name.startswith("other (") else series_colour(index)))
        angle += 2 * math.pi * share
    bottom = y + _RADIUS + 20
    if options.legend:
        room = x + _RADIUS + 48
        height = len(slices) * 24
        start = max(top + 18, y - height / 2 + 12)
        parts += [_row(data, slices[index], (room, start + index * 24), total, index) for index in range(len(slices))]
        bottom = max(bottom, start + height)
    return "".join(parts), bottom


def _slices(data: ChartData) -> list[tuple[str, float]]:
    values = [0.0] * len(data.categories)
    for series in data.series:
        for place, value in series.points:
            values[int(place)] += value or 0.0
    found = [(name, value) for name, value in zip(data.categories, values, strict=True) if value > 0]
    if len(found) < len(values):
        data.notes.append("Slices of zero and less cannot be drawn.")
    if len(data.series) > 1:
        data.notes.append("The numbers of each category are added up.")
    if len(found) <= MOST_SLICES:
        return found
    largest = sorted(found, key=lambda each: -each[1])[: MOST_SLICES - 1]
    rest = [each for each in found if each not in largest]
    return [*largest, (f"other ({len(rest)})", sum(value for _, value in rest))]


def _slice(x: float, y: float, angle: float, share: float, hint: str, colour: str) -> str:
    edge = {"stroke": "#ffffff", "stroke_width": 1.5, "stroke_linejoin": "round"}
    filled = fill(colour)
    filled["class_"] = f"{filled['class_']} l-bg"
    if share > 0.9999:
        return element("circle", hint, cx=x, cy=y, r=_RADIUS, **filled)
    end = angle + 2 * math.pi * share
    start_point = f"{num(x + _RADIUS * math.cos(angle))} {num(y + _RADIUS * math.sin(angle))}"
    end_point = f"{num(x + _RADIUS * math.cos(end))} {num(y + _RADIUS * math.sin(end))}"
    path = f"M{num(x)} {num(y)}L{start_point}A{num(_RADIUS)} {num(_RADIUS)} 0 {int(share > 0.5)} 1 {end_point}Z"
    return element("path", hint, d=path, **edge, **filled)


def _row(data: ChartData, slice_: tuple[str, float], place: tuple[float, float], total: float, index: int) -> str:
    (name, value), (x, y) = slice_, place
    colour = "axis" if name.startswith("other (") else series_colour(index)
    return group(
        [
            element("rect", x=x, y=y - 10, width=12, height=12, rx=3, **fill(colour)),
            label(cut(name, 300), x + 22, y, colour="ink"),
            label(_value(data, value), WIDTH - 130, y, anchor="end", colour="ink"),
            label(f"{value / total:.1%}", WIDTH - 60, y, anchor="end"),
            tooltip(name),
        ]
    )


def _value(data: ChartData, value: float) -> str:
    return span_text(value) if data.spans else number_text(value)


def draw_cards(result: Result, options: Options) -> tuple[str, float, list[str]]:
    """The first row as large values, one per column. Raises ChartError when there is no row."""
    if not len(result) or not result.columns:
        raise ChartError("there is no row to show")
    notes = [f"A card shows the first of {len(result)} rows."] if len(result) > 1 else []
    if len(result.columns) > _MOST_CARDS:
        notes.append(f"The first {_MOST_CARDS} of {len(result.columns)} columns are shown.")
    head, top = frame.heading(options.title, [])
    parts = list(head)
    x, y = 16.0, top + 6
    for index, (name, kind) in enumerate(result.columns[:_MOST_CARDS]):
        text = _card_text(result.values(index)[0], kind)
        size = next((each for each in (34.0, 26.0, 20.0, 15.0) if text_width(text, each, bold=True) <= 400), 13.0)
        width = min(max(_CARD, text_width(text, size, bold=True) + 36, text_width(name) + 36), WIDTH - 32)
        if x + width > WIDTH - 16 and x > 16:
            x, y = 16.0, y + 104
        parts += [
            element("rect", x=x, y=y, width=width, height=92, rx=8, **fill("soft")),
            group([label(cut(text, width - 32, size, bold=True), x + 18, y + 48, colour="strong", size=size), tooltip(text)]),
            label(cut(name, width - 32), x + 18, y + 74),
        ]
        x += width + 12
    return "".join(parts), y + 108, notes


def _card_text(value: object, kind: str) -> str:
    if kind in ("int", "long", "real", "decimal") and isinstance(value, (int, float)) and math.isfinite(value):
        return number_text(value)
    if kind == "dynamic" and isinstance(value, str):
        value = json.loads(value)
    return text_of(value, kind)
