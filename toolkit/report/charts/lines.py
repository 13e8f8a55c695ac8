"""Charts whose x axis is continuous: lines, areas, points, anomalies; on one axis, on several, or in panels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from toolkit.report.charts import frame
from toolkit.report.charts.frame import WIDTH, Box
from toolkit.report.charts.model import ChartData, ChartError, Series, text_of
from toolkit.report.charts.options import AREAS, Options
from toolkit.report.charts.scales import Bounds, Scale, linear, logarithmic, number_text, span_scale, span_text, time_scale
from toolkit.report.charts.svg import element, fill, group, label, num, series_colour, series_dash, stroke, tooltip

HEIGHT = 340.0
_PANEL = 150.0
_MOST_PANELS = 5
_MOST_AXES = 4
_MOST_HITS = 400
_MOST_IN_TOOLTIP = 20
_FEW_POINTS = 40


@dataclass
class _Plot:
    """One set of axes and the series on it, with the numbers that their colours follow from."""

    box: Box
    x: Scale
    y: list[Scale]
    series: list[tuple[int, Series]]


@dataclass(frozen=True)
class _Stacked:
    """A series of a stack: at each x the lower and the upper edge, and the value."""

    lower: list[float]
    upper: list[float]


def draw(data: ChartData, options: Options) -> tuple[str, float]:
    """The markup and the height."""
    if options.kind and options.ylog:
        data.notes.append("A stacked chart has no logarithmic axis; it is drawn on a linear one.")
    _drop_unplaceable(data, options)
    split = options.ysplit if len(data.series) > 1 else "none"
    if split == "panels":
        return _panels(data, options)
    shown = options.legend and (len(data.series) > 1 or options.series is not None or bool(options.anomalycolumns))
    entries = frame.entries_of([series.name for series in data.series], "dot" if options.chart == "scatterchart" else _shape(options))
    if any(series.marked for series in data.series):
        entries.append(frame.Entry("anomaly", "mark", "dot"))
    head, top = frame.heading(options.title, entries if shown else [])
    numbered = list(enumerate(data.series))
    groups = _axes(data, numbered) if split == "axes" else [numbered]
    box = Box(0, top + 10, WIDTH - 20 - 54 * (len(groups) - 1), HEIGHT + top - 46)
    plot = _plot(data, options, box, groups)
    parts = [*head, *_axis_parts(data, options, plot, groups), *_marks(data, options, plot, groups)]
    return "".join(parts), plot.box.bottom + (46 if _x_title(data, options) else 28)


def _shape(options: Options) -> str:
    return "box" if options.chart in AREAS else "line"


def _drop_unplaceable(data: ChartData, options: Options) -> None:
    """A logarithmic axis has no place for zero and less."""
    on_x = options.xlog and data.x_kind == "number"
    on_y = options.ylog and not options.kind
    before = sum(_values(series) for series in data.series)
    for series in data.series:
        series.points = [(x, None if on_y and y is not None and y <= 0 else y) for x, y in series.points if x > 0 or not on_x]
    after = sum(_values(series) for series in data.series)
    if not after:
        raise ChartError("there is no positive number for its logarithmic axis")
    if after < before:
        data.notes.append("Values of zero and less have no place on a logarithmic axis.")


def _values(series: Series) -> int:
    return sum(y is not None for _, y in series.points)


def _axes(data: ChartData, numbered: list[tuple[int, Series]]) -> list[list[tuple[int, Series]]]:
    """The series of each y axis: one per measure, or per series when there is one measure."""
    if len(data.measures) > 1:
        groups = [[pair for pair in numbered if pair[1].measure == measure] for measure in data.measures]
    else:
        groups = [[pair] for pair in numbered]
    if len(groups) > _MOST_AXES:
        data.notes.append(f"There are {_MOST_AXES} y axes; the other series share the last one.")
        groups[_MOST_AXES - 1 :] = [[pair for each in groups[_MOST_AXES - 1 :] for pair in each]]
    return groups


def _plot(data: ChartData, options: Options, box: Box, groups: Sequence[list[tuple[int, Series]]]) -> _Plot:
    y = [_y_scale(data, options, [series for _, series in each], box) for each in groups]
    box.left = 20 + frame.tick_room(y[0].ticks) + (18 if _y_title(data, options) else 0)
    values = [x for series in data.series for x, _ in series.points]
    return _Plot(box, _x_scale(data, options, values, box), y, list(enumerate(data.series)))


def _x_scale(data: ChartData, options: Options, values: Sequence[float], box: Box) -> Scale:
    low, high = min(values), max(values)
    if data.x_kind == "time":
        return time_scale(low, high, box.left, box.right)
    if data.x_kind == "span":
        return span_scale(values, box.left, box.right)
    if data.x_kind == "category":
        from toolkit.report.charts.scales import Tick

        scale = Scale(-0.5, len(data.categories) - 0.5, box.left, box.right)
        scale.ticks = [Tick(index, text) for index, text in enumerate(data.categories)]
        return scale
    if options.xlog:
        return logarithmic(values, box.left, box.right)
    return linear(values, box.left, box.right, Bounds(None if low != high else low - 1, None if low != high else high + 1), most=9)


def _y_scale(data: ChartData, options: Options, series: Sequence[Series], box: Box) -> Scale:
    values = [y for each in series for _, y in each.points if y is not None]
    if options.kind == "stacked100":
        scale = Scale(0, 100, box.bottom, box.top)
        scale.ticks = linear([0, 100], box.bottom, box.top).ticks
        return scale
    if options.kind == "stacked":
        values = [edge for stacked in _stack(data, options) for edge in (*stacked.lower, *stacked.upper)] or [0.0]
    values = values or [1.0, 10.0]
    bounds = Bounds(
        options.ymin, options.ymax, from_zero=options.chart != "scatterchart" and options.ymin is None and _near_zero(values, options)
    )
    if data.spans:
        return span_scale(values, box.bottom, box.top, bounds)
    if options.ylog and not options.kind:
        return logarithmic(values, box.bottom, box.top, bounds)
    return linear(values, box.bottom, box.top, bounds, most=5)


def _near_zero(values: Sequence[float], options: Options) -> bool:
    """Areas begin at zero; lines do too, unless that would press them flat."""
    low, high = min(values), max(values)
    return options.chart in AREAS or low < 0 < high or (high - low) > 0.35 * max(abs(low), abs(high)) or low == high


def _x_title(data: ChartData, options: Options) -> str:
    if options.xtitle is not None:
        return options.xtitle
    return f"{data.x_name} (UTC)" if data.x_kind == "time" else data.x_name


def _y_title(data: ChartData, options: Options) -> str:
    if options.ytitle is not None:
        return options.ytitle
    return data.measures[0] if len(data.measures) == 1 else ""


def _axis_parts(data: ChartData, options: Options, plot: _Plot, groups: Sequence[list[tuple[int, Series]]]) -> list[str]:
    several = len(groups) > 1
    first = series_colour(groups[0][0][0]) if several else "muted"
    parts = [frame.horizontal_grid(plot.y[0], plot.box), frame.left_labels(plot.y[0], plot.box, colour=first)]
    for index, scale in enumerate(plot.y[1:]):
        parts.append(frame.right_labels(scale, plot.box, plot.box.right + 4 + 54 * index, colour=series_colour(groups[index + 1][0][0])))
    parts.append(frame.bottom_labels(plot.x, plot.box))
    return [*parts, *frame.axis_titles(_x_title(data, options), "" if several else _y_title(data, options), plot.box, 16)]


# --- marks ------------------------------------------------------------------------------------------------------------


def _marks(data: ChartData, options: Options, plot: _Plot, groups: Sequence[list[tuple[int, Series]]]) -> list[str]:
    clip = f"clip{num(plot.box.top)}-{num(plot.box.left)}".replace(".", "_")
    parts: list[str] = []
    if options.kind and options.chart in AREAS:
        parts += _stacked_areas(data, options, plot)
    else:
        for scale, members in zip(plot.y, groups, strict=True):
            for index, series in members:
                parts += _series_marks(options, plot, scale, index, series)
    box = plot.box
    area = element("rect", x=box.left - 6, y=box.top - 6, width=box.width + 12, height=box.height + 7)
    return [element("clipPath", area, id=f"@{clip}"), group(parts, clip_path=f"url(#@{clip})"), _hits(data, plot)]


def _series_marks(options: Options, plot: _Plot, y: Scale, index: int, series: Series) -> list[str]:
    colour = series_colour(index)
    if options.chart == "scatterchart":
        dots = [(plot.x.at(x), y.at(value)) for x, value in series.points if value is not None]
        return [element("circle", cx=cx, cy=cy, r=3.5, fill_opacity=0.75, **fill(colour)) for cx, cy in dots]
    runs = _runs([(plot.x.at(x), None if value is None else y.at(value)) for x, value in series.points])
    parts: list[str] = []
    if options.chart in AREAS:
        base = num(y.at(max(0.0, y.low) if not y.log else y.low))
        paths = "".join(f"M{num(run[0][0])} {base}{_through(run, 'L')}L{num(run[-1][0])} {base}Z" for run in runs)
        parts.append(element("path", d=paths, fill_opacity=0.28, **fill(colour)))
    line = "".join(_through(run, "M") for run in runs if len(run) > 1)
    if line:
        parts.append(
            element("path", d=line, **{**stroke(colour, 2.0, series_dash(index)), "stroke_linejoin": "round", "stroke_linecap": "round"})
        )
    few = sum(map(len, runs)) <= _FEW_POINTS
    dots = [point for run in runs for point in run if few or len(run) == 1]
    parts += [element("circle", cx=cx, cy=cy, r=2.6, **fill(colour)) for cx, cy in dots]
    for place in sorted(series.marked):
        x, value = series.points[place]
        if value is not None:
            parts.append(
                element("circle", cx=plot.x.at(x), cy=y.at(value), r=5, **{**fill("mark"), "stroke": "#ffffff", "stroke_width": 1.5})
            )
    return parts


def _runs(points: Sequence[tuple[float, float | None]]) -> list[list[tuple[float, float]]]:
    """Points between gaps."""
    runs: list[list[tuple[float, float]]] = [[]]
    for x, y in points:
        if y is not None:
            runs[-1].append((x, y))
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]


def _through(run: Sequence[tuple[float, float]], first: str) -> str:
    return "".join(f"{first if index == 0 else 'L'}{num(x)} {num(y)}" for index, (x, y) in enumerate(run))


def _stack(data: ChartData, options: Options) -> list[_Stacked]:
    """Each series upon those before it, at every x of all of them; a value that is missing counts as zero."""
    places = _all_x(data)
    values = [{x: y or 0.0 for x, y in series.points} for series in data.series]
    totals = {x: sum(abs(each.get(x, 0.0)) for each in values) for x in places}
    up, down = dict.fromkeys(places, 0.0), dict.fromkeys(places, 0.0)
    found: list[_Stacked] = []
    for each in values:
        lower: list[float] = []
        upper: list[float] = []
        for x in places:
            value = each.get(x, 0.0)
            if options.kind == "stacked100":
                value = 100.0 * abs(value) / totals[x] if totals[x] else 0.0
            side = down if value < 0 else up
            lower.append(side[x])
            side[x] += value
            upper.append(side[x])
        found.append(_Stacked(lower, upper))
    return found


def _all_x(data: ChartData) -> list[float]:
    return sorted({x for series in data.series for x, _ in series.points})


def _stacked_areas(data: ChartData, options: Options, plot: _Plot) -> list[str]:
    y, places = plot.y[0], [plot.x.at(x) for x in _all_x(data)]
    parts: list[str] = []
    for index, stacked in enumerate(_stack(data, options)):
        upper = list(zip(places, map(y.at, stacked.upper), strict=True))
        lower = list(zip(reversed(places), map(y.at, reversed(stacked.lower)), strict=True))
        colour = series_colour(index)
        parts.append(element("path", d=f"{_through(upper, 'M')}{_through(lower, 'L')}Z", fill_opacity=0.72, **fill(colour)))
        parts.append(element("path", d=_through(upper, "M"), **stroke(colour, 1.5)))
    return parts


# --- tooltips ---------------------------------------------------------------------------------------------------------


def _hits(data: ChartData, plot: _Plot) -> str:
    """Bands over the plot that tell the values at their x."""
    places = _all_x(data)
    if len(places) > _MOST_HITS:
        return ""
    table: dict[float, list[str]] = {x: [] for x in places}
    for series in data.series:
        for x, value in series.points:
            if value is not None:
                table[x].append(f"{series.name}: {span_text(value) if data.spans else number_text(value)}")
    at = [plot.x.at(x) for x in places]
    edges = [plot.box.left, *((left + right) / 2 for left, right in pairwise(at)), plot.box.right]
    bands = [
        element(
            "rect",
            tooltip(x_text(data, x), *_few(table[x])),
            x=left,
            y=plot.box.top,
            width=max(0.5, right - left),
            height=plot.box.height,
            class_="hit",
            fill="#ffffff",
            fill_opacity=0,
        )
        for x, left, right in zip(places, edges, edges[1:], strict=False)
    ]
    return group(bands)


def _few(lines: list[str]) -> list[str]:
    rest = len(lines) - _MOST_IN_TOOLTIP
    return lines if rest <= 0 else [*lines[:_MOST_IN_TOOLTIP], f"and {rest} more"]


def x_text(data: ChartData, x: float) -> str:
    if data.x_kind == "category":
        return data.categories[int(x)]
    if data.x_kind == "time":
        return f"{text_of(int(x), 'datetime')} UTC"
    return span_text(x) if data.x_kind == "span" else number_text(x)


def _panels(data: ChartData, options: Options) -> tuple[str, float]:
    """One chart per measure, or per series when there is one measure, below each other with one x axis."""
    groups = [[pair for pair in enumerate(data.series) if pair[1].measure == measure] for measure in data.measures]
    if len(groups) == 1:
        groups = [[pair] for pair in enumerate(data.series)]
    if len(groups) > _MOST_PANELS:
        data.notes.append(f"The first {_MOST_PANELS} of {len(groups)} panels are drawn.")
        groups = groups[:_MOST_PANELS]
        data.series = [series for members in groups for _, series in members]
    parts, y = frame.heading(options.title, [])
    rooms: list[_Plot] = []
    for members in groups:
        box = Box(0, y + 26, WIDTH - 20, y + 26 + _PANEL - 44)
        rooms.append(_plot(data, options, box, [members]))
        y = box.bottom
    left = max(plot.box.left for plot in rooms)
    for number, (plot, members) in enumerate(zip(rooms, groups, strict=True)):
        plot.box.left = plot.x.start = left
        named = members[0][1].name if len(members) == 1 else members[0][1].measure
        parts.append(label(named, left, plot.box.top - 8, colour="strong"))
        parts += [frame.horizontal_grid(plot.y[0], plot.box), frame.left_labels(plot.y[0], plot.box)]
        if number == len(rooms) - 1:
            parts.append(frame.bottom_labels(plot.x, plot.box))
            parts += frame.axis_titles(_x_title(data, options), "", plot.box, 16)
        own = ChartData(data.x_kind, data.x_name, [series for _, series in members], data.categories, data.spans)
        parts += _marks(own, options, plot, [members])
    return "".join(parts), y + (46 if _x_title(data, options) else 28)
