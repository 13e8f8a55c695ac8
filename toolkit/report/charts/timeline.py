"""Events on lanes by time: who did what when, one dot per event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from toolkit.engine.result import Result, ResultError
from toolkit.report.charts import frame
from toolkit.report.charts.chart import Chart, document
from toolkit.report.charts.frame import WIDTH, Box, Entry
from toolkit.report.charts.model import text_of
from toolkit.report.charts.scales import time_scale
from toolkit.report.charts.svg import cut, element, fill, group, label, num, series_colour, stroke, text_width, tooltip

_LANE = 30.0
_MOST_LANES = 40
_MOST_EVENTS = 5_000


@dataclass(frozen=True)
class _Event:
    time: int
    lane: int
    colour: str
    hint: str


def timeline_chart(result: Result, *, time: str, lane: str, colour: str | None = None, text: Sequence[str] = (), title: str = "") -> Chart:
    """Every row as a dot at its time, on the lane of its value of `lane`, coloured by `colour`.

    `text`: columns that the tooltip shows. Raises ResultError for a column that there is not, and for rows without a time.
    """
    columns = {name: (index, kind) for index, (name, kind) in enumerate(result.columns)}
    for name in (time, lane, *([colour] if colour else []), *text):
        if name not in columns:
            raise ResultError(f"expected a column of the result ({', '.join(columns)}), found {name!r}")
    if columns[time][1] != "datetime":
        raise ResultError(f"expected a datetime for the time, found {time} of type {columns[time][1]}")

    def texts(name: str) -> list[str]:
        index, kind = columns[name]
        return [text_of(value, kind) for value in result.values(index)]

    times = result.values(columns[time][0])
    order = sorted((row for row, value in enumerate(times) if value is not None), key=lambda row: times[row])
    if not order:
        raise ResultError("there are no events with a time")
    notes = [f"The first {_MOST_EVENTS} of {len(order)} events are drawn."] if len(order) > _MOST_EVENTS else []
    order = order[:_MOST_EVENTS]
    lanes, colours = texts(lane), texts(colour) if colour else [""] * len(result)
    names = list(dict.fromkeys(lanes[row] for row in order))
    if len(names) > _MOST_LANES:
        notes.append(f"The first {_MOST_LANES} of {len(names)} lanes are drawn.")
        names = names[:_MOST_LANES]
    kinds = list(dict.fromkeys(colours[row] for row in order))
    details = [(name, texts(name)) for name in text]
    events = [
        _Event(
            times[row],
            names.index(lanes[row]),
            series_colour(kinds.index(colours[row])),
            "\n".join([f"{text_of(times[row], 'datetime')} UTC", *(f"{name}: {values[row]}" for name, values in details)]),
        )
        for row in order
        if lanes[row] in names
    ]
    entries = [Entry(kind, series_colour(index), "dot") for index, kind in enumerate(kinds)] if colour and len(kinds) > 1 else []
    body, height = _draw(events, names, entries, title)
    return Chart(document(body, height, f"timeline, {len(events)} events"), title, tuple(notes))


def _draw(events: list[_Event], names: list[str], entries: list[Entry], title: str) -> tuple[str, float]:
    head, top = frame.heading(title, entries)
    room = min(max(text_width(name) for name in names), 240.0)
    box = Box(28 + room, top + 8, WIDTH - 28, top + 8 + _LANE * len(names))
    scale = time_scale(events[0].time, events[-1].time, box.left + 10, box.right - 10)
    parts = list(head)
    for index, name in enumerate(names):
        middle = box.top + _LANE * (index + 0.5)
        parts.append(element("path", d=f"M{num(box.left)} {num(middle)}H{num(box.right)}", **stroke("grid")))
        parts.append(group([label(cut(name, 240), box.left - 10, middle + 4, anchor="end", colour="ink"), tooltip(name)]))
    for event in events:
        middle = box.top + _LANE * (event.lane + 0.5)
        parts.append(
            element("circle", tooltip(event.hint), cx=scale.at(event.time), cy=middle, r=5, fill_opacity=0.8, **fill(event.colour))
        )
    parts += [frame.bottom_labels(scale, box), *frame.axis_titles("UTC", "", box, 16)]
    return "".join(parts), box.bottom + 46
