"""The frame of a chart with axes: title, legend, both axes with their grid, and the room that is left for the data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from toolkit.report.charts.scales import Scale, Tick
from toolkit.report.charts.svg import cut, element, escaped, fill, group, label, num, series_colour, series_dash, stroke, text_width

WIDTH = 860.0
_EDGE = 16.0
_LINE = 18.0
_MOST_LEGEND_LINES = 4
_TICK_SIZE = 11.0


@dataclass
class Box:
    """A rectangle of the drawing."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top


@dataclass(frozen=True)
class Entry:
    """A line of the legend. `shape` is line, dot or box."""

    name: str
    colour: str
    shape: str = "line"
    dash: str = ""


def entries_of(names: Sequence[str], shape: str) -> list[Entry]:
    return [Entry(name, series_colour(index), shape, series_dash(index) if shape == "line" else "") for index, name in enumerate(names)]


def heading(title: str, legend: Sequence[Entry]) -> tuple[list[str], float]:
    """Title and legend, and where they end."""
    parts: list[str] = []
    y = _EDGE
    if title:
        parts.append(label(cut(title, WIDTH - 2 * _EDGE, 15), _EDGE, y + 12, colour="strong", size=15.0))
        y += 24
    if legend:
        drawn, lines = _legend(legend, y)
        parts += drawn
        y += lines * _LINE + 4
    return parts, y


def _legend(legend: Sequence[Entry], top: float) -> tuple[list[str], int]:
    parts: list[str] = []
    x, line = _EDGE, 0
    for index, entry in enumerate(legend):
        name = cut(entry.name, 260)
        width = 22 + text_width(name) + 18
        if x + width > WIDTH - _EDGE and x > _EDGE:
            x, line = _EDGE, line + 1
        rest = len(legend) - index
        if line == _MOST_LEGEND_LINES - 1 and x + width > WIDTH - 110 and rest > 1:
            parts.append(label(f"and {rest} more", x, top + line * _LINE + 12))
            break
        middle = top + line * _LINE + 8
        parts.append(group([_swatch(entry, x, middle), label(name, x + 22, middle + 4), element("title", escaped(entry.name))]))
        x += width
    return parts, line + 1


def _swatch(entry: Entry, x: float, middle: float) -> str:
    if entry.shape == "box":
        return element("rect", x=x + 2, y=middle - 6, width=12, height=12, rx=3, **fill(entry.colour))
    if entry.shape == "dot":
        return element("circle", cx=x + 8, cy=middle, r=4.5, **fill(entry.colour))
    return element("path", d=f"M{num(x)} {num(middle)}h16", **{**stroke(entry.colour, 2.5, entry.dash), "stroke_linecap": "round"})


def tick_room(ticks: Sequence[Tick]) -> float:
    """The width that the labels of a vertical axis take."""
    return max((text_width(tick.label, _TICK_SIZE) for tick in ticks), default=0.0) + 8


def horizontal_grid(scale: Scale, box: Box) -> str:
    lines = [
        element("path", d=f"M{num(box.left)} {num(scale.at(tick.value))}H{num(box.right)}", **stroke("axis" if tick.value == 0 else "grid"))
        for tick in scale.ticks
        if box.top - 1 <= scale.at(tick.value) <= box.bottom + 1
    ]
    return group(lines)


def vertical_grid(scale: Scale, box: Box) -> str:
    lines = [
        element("path", d=f"M{num(scale.at(tick.value))} {num(box.top)}V{num(box.bottom)}", **stroke("axis" if tick.value == 0 else "grid"))
        for tick in scale.ticks
        if box.left - 1 <= scale.at(tick.value) <= box.right + 1
    ]
    return group(lines)


def left_labels(scale: Scale, box: Box, *, colour: str = "muted") -> str:
    return group(
        label(tick.label, box.left - 8, scale.at(tick.value) + 4, size=_TICK_SIZE, anchor="end", colour=colour)
        for tick in scale.ticks
        if box.top - 1 <= scale.at(tick.value) <= box.bottom + 1
    )


def right_labels(scale: Scale, box: Box, x: float, *, colour: str) -> str:
    line = element("path", d=f"M{num(x)} {num(box.top)}V{num(box.bottom)}", **stroke(colour))
    texts = [
        label(tick.label, x + 6, scale.at(tick.value) + 4, size=_TICK_SIZE, colour=colour)
        for tick in scale.ticks
        if box.top - 1 <= scale.at(tick.value) <= box.bottom + 1
    ]
    return group([line, *texts])


def bottom_labels(scale: Scale, box: Box) -> str:
    """The ticks of a horizontal axis; labels that would touch are left out, strong ones last."""
    parts = [element("path", d=f"M{num(box.left)} {num(box.bottom)}H{num(box.right)}", **stroke("axis"))]
    free = -1e9
    for tick in scale.ticks:
        x, half = scale.at(tick.value), text_width(tick.label, _TICK_SIZE) / 2
        if not box.left - 2 <= x <= box.right + 2 or x - half < free:
            continue
        x_label = min(max(x, half + 2), WIDTH - half - 2)
        parts.append(element("path", d=f"M{num(x)} {num(box.bottom)}v5", **stroke("axis")))
        parts.append(
            label(
                tick.label,
                x_label,
                box.bottom + 18,
                size=_TICK_SIZE,
                anchor="middle",
                colour="strong" if tick.strong else "muted",
            )
        )
        free = x + half + 10
    return group(parts)


def axis_titles(x_title: str, y_title: str, box: Box, left: float) -> list[str]:
    parts: list[str] = []
    if x_title:
        parts.append(label(cut(x_title, box.width), (box.left + box.right) / 2, box.bottom + 36, anchor="middle"))
    if y_title:
        middle = (box.top + box.bottom) / 2
        text = cut(y_title, box.height)
        parts.append(
            element(
                "text",
                escaped(text),
                transform=f"translate({num(left)} {num(middle)}) rotate(-90)",
                font_size=12,
                text_anchor="middle",
                **fill("muted"),
            )
        )
    return parts
