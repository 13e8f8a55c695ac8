"""Bars and columns: a length per category and series, side by side, stacked, or stretched to a hundred."""

from __future__ import annotations

from dataclasses import dataclass, replace

from toolkit.report.charts import frame
from toolkit.report.charts.frame import WIDTH, Box
from toolkit.report.charts.model import ChartData
from toolkit.report.charts.options import Options
from toolkit.report.charts.scales import Bounds, Scale, linear, logarithmic, number_text, span_scale, span_text
from toolkit.report.charts.svg import cut, element, escaped, fill, group, label, num, series_colour, text_width, tooltip

_HEIGHT = 340.0
_MOST_PANELS = 5
_LABEL = 11.0


@dataclass(frozen=True)
class _Bar:
    """From `low` to `high` on the value axis, in one lane of its category."""

    category: int
    lane: int
    low: float
    high: float
    series: int
    value: float


def draw(data: ChartData, options: Options) -> tuple[str, float]:
    """The markup and the height."""
    if options.xlog:
        data.notes.append("The axis of the categories has no scale, so xaxis=log says nothing.")
    if options.ysplit != "none" and len(data.series) > 1:
        return _panels(data, options)
    entries = frame.entries_of([series.name for series in data.series], "box") if options.legend and len(data.series) > 1 else []
    head, top = frame.heading(options.title, entries)
    body, bottom = _chart(data, options, top, 0)
    return "".join([*head, *body]), bottom


def _panels(data: ChartData, options: Options) -> tuple[str, float]:
    if options.ysplit == "axes":
        data.notes.append("Bars with axes of their own are drawn in panels.")
    if len(data.series) > _MOST_PANELS:
        data.notes.append(f"The first {_MOST_PANELS} of {len(data.series)} panels are drawn.")
    parts, y = frame.heading(options.title, [])
    for index, series in enumerate(data.series[:_MOST_PANELS]):
        parts.append(label(series.name, 16, y + 14, colour="strong"))
        own = ChartData(data.x_kind, data.x_name, [series], data.categories, data.spans)
        drawn, y = _chart(own, replace(options, kind="", ytitle=options.ytitle or ""), y + 18, index)
        parts += drawn
    return "".join(parts), y


def _chart(data: ChartData, options: Options, top: float, first: int) -> tuple[list[str], float]:
    bars = _bars(data, options)
    lanes = 1 if options.kind else len(data.series)
    horizontal = options.chart == "barchart"
    return (_horizontal if horizontal else _vertical)(data, options, bars, (top, lanes, first))


def _bars(data: ChartData, options: Options) -> list[_Bar]:
    values = [{int(x): y for x, y in series.points if y is not None} for series in data.series]
    if not options.kind:
        return [_Bar(x, lane, 0.0, y, lane, y) for lane, each in enumerate(values) for x, y in each.items()]
    found: list[_Bar] = []
    for category in range(len(data.categories)):
        total = sum(abs(each.get(category, 0.0)) for each in values)
        up = down = 0.0
        for index, each in enumerate(values):
            if category not in each:
                continue
            value = length = each[category]
            if options.kind == "stacked100":
                length = 100.0 * abs(value) / total if total else 0.0
            start = up if length >= 0 else down
            found.append(_Bar(category, 0, start, start + length, index, value))
            if length >= 0:
                up += length
            else:
                down += length
    return found


def _scale(data: ChartData, options: Options, bars: list[_Bar], start: float, end: float) -> Scale:
    values = [edge for bar in bars for edge in (bar.low, bar.high)] or [0.0, 1.0]
    bounds = Bounds(options.ymin, options.ymax, from_zero=options.ymin is None)
    if options.kind == "stacked100":
        return linear([0.0, 100.0], start, end, most=5)
    if options.ylog and not options.kind:
        positive = [bar.value for bar in bars if bar.value > 0]
        if positive:
            if len(positive) < len(bars):
                data.notes.append("Values of zero and less have no place on a logarithmic axis.")
            return logarithmic(positive, start, end, bounds)
    return span_scale(values, start, end, bounds) if data.spans else linear(values, start, end, bounds, most=5)


def _titles(data: ChartData, options: Options) -> tuple[str, str]:
    """Those of the categories and of the values."""
    measures = data.measures
    values = options.ytitle if options.ytitle is not None else measures[0] if len(measures) == 1 else ""
    if options.ytitle is None and options.kind == "stacked100" and values:
        values = f"{values} (%)"
    return data.x_name if options.xtitle is None else options.xtitle, values


def _text(data: ChartData, bar: _Bar) -> str:
    return span_text(bar.value) if data.spans else number_text(bar.value)


def _edges(scale: Scale, bar: _Bar) -> tuple[float, float]:
    low, high = (max(each, scale.low) if scale.log else min(max(each, scale.low), scale.high) for each in (bar.low, bar.high))
    return scale.at(low), scale.at(high)


def _hint(data: ChartData, bar: _Bar) -> str:
    return tooltip(data.categories[bar.category], f"{data.series[bar.series].name}: {_text(data, bar)}")


def _vertical(data: ChartData, options: Options, bars: list[_Bar], place: tuple[float, int, int]) -> tuple[list[str], float]:
    top, lanes, first = place
    count = len(data.categories)
    x_title, y_title = _titles(data, options)
    scale = _scale(data, options, bars, top + _HEIGHT - 60, top + 12)
    box = Box(20 + frame.tick_room(scale.ticks) + (18 if y_title else 0), top + 12, WIDTH - 20, top + _HEIGHT - 60)
    band = box.width / count
    labels, room = _category_labels(data.categories, box, band)
    parts = [frame.horizontal_grid(scale, box), frame.left_labels(scale, box)]
    width = min(band * 0.78 / lanes, 56.0)
    for bar in bars:
        start, end = _edges(scale, bar)
        x = box.left + band * (bar.category + 0.5) - width * lanes / 2 + width * bar.lane
        gap = min(1.0, width * 0.1)
        parts.append(
            element(
                "rect",
                _hint(data, bar),
                x=x + gap,
                y=min(start, end),
                width=max(width - 2 * gap, 0.5),
                height=max(abs(end - start), 0.5 if bar.value else 0.0),
                rx=2 if lanes * width > 8 and not options.kind else None,
                **fill(series_colour(first + bar.series)),
            )
        )
    parts += labels
    titles = frame.axis_titles("", y_title, box, 16)
    if x_title:
        titles.append(label(cut(x_title, box.width), (box.left + box.right) / 2, box.bottom + room + 18, anchor="middle"))
    return [*parts, *titles], box.bottom + room + (30 if x_title else 12)


def _category_labels(categories: list[str], box: Box, band: float) -> tuple[list[str], float]:
    """The names below their bands: straight where they fit, else slanted, and not all of them where they are too dense."""
    if all(text_width(name, _LABEL) <= band - 6 for name in categories):
        drawn = [
            label(name, box.left + band * (index + 0.5), box.bottom + 17, size=_LABEL, anchor="middle")
            for index, name in enumerate(categories)
        ]
        return drawn, 22.0
    every = max(1, -(-15 // int(max(band, 1))))
    # A slanted name reaches to the left of its band, and may not leave the drawing.
    shown = [(index, cut(name, min(140.0, (box.left + band * (index + 0.5)) / 0.79), _LABEL)) for index, name in enumerate(categories)]
    shown = shown[::every]
    drawn = []
    for index, name in shown:
        x, y = box.left + band * (index + 0.5) + 3, box.bottom + 14
        drawn.append(
            element(
                "text",
                escaped(name) + tooltip(categories[index]),
                transform=f"translate({num(x)} {num(y)}) rotate(-38)",
                font_size=_LABEL,
                text_anchor="end",
                **fill("muted"),
            )
        )
    longest = max(text_width(name, _LABEL) for _, name in shown)
    return drawn, 16 + longest * 0.62


def _horizontal(data: ChartData, options: Options, bars: list[_Bar], place: tuple[float, int, int]) -> tuple[list[str], float]:
    top, lanes, first = place
    count = len(data.categories)
    names_title, values_title = _titles(data, options)
    lane = max(4.0, min(20.0, 240.0 / max(1, lanes), 2400.0 / (count * lanes)))
    band = max(lane * lanes + max(6.0, lane * 0.45), 9.0)
    room = min(max((text_width(name) for name in data.categories), default=0.0), 250.0)
    left = 28 + room + (18 if names_title else 0)
    values_room = 56.0 if not options.kind and lane >= 10 else 20.0
    box = Box(left, top + 6, WIDTH - values_room, top + 6 + band * count)
    scale = _scale(data, options, bars, box.left, box.right)
    parts = [frame.vertical_grid(scale, box)]
    every = max(1, -(-13 // int(band)))
    for index, name in enumerate(data.categories):
        if index % every == 0:
            text = label(cut(name, 250), box.left - 8, box.top + band * (index + 0.5) + 4, anchor="end", colour="ink")
            parts.append(group([text, tooltip(name)]))
    for bar in bars:
        start, end = _edges(scale, bar)
        y = box.top + band * bar.category + (band - lane * lanes) / 2 + lane * bar.lane
        shape = {"x": min(start, end), "y": y + 0.5, "width": max(abs(end - start), 0.5 if bar.value else 0.0), "height": lane - 1}
        parts.append(
            element("rect", _hint(data, bar), **shape, rx=2 if not options.kind else None, **fill(series_colour(first + bar.series)))
        )
        if values_room > 20:
            parts.append(label(_text(data, bar), max(start, end) + 5, y + lane / 2 + 4, size=_LABEL))
    parts.append(frame.bottom_labels(scale, box))
    return [*parts, *frame.axis_titles(values_title, names_title, box, 16)], box.bottom + (46 if values_title else 28)
