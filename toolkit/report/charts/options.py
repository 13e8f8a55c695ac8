"""What `render` asks for: the kind of chart and its properties, in types. What cannot be honoured becomes a note, never silence."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from toolkit.kql.plan import Visualization

LINES = ("timechart", "linechart", "anomalychart")
AREAS = ("areachart",)
BARS = ("barchart", "columnchart")
DRAWN = (*LINES, *AREAS, *BARS, "scatterchart", "piechart", "card")
"""The kinds of chart that are drawn; `stackedareachart` is an areachart of kind stacked."""
TABLES = ("table", "list")
_LARGEST = 1e100

_KINDS = {"areachart": ("unstacked", "stacked", "stacked100"), "barchart": ("unstacked", "stacked", "stacked100")}
_KINDS["columnchart"] = _KINDS["barchart"]
_KNOWN = frozenset(
    "title kind xcolumn ycolumns series anomalycolumns xtitle ytitle ymin ymax xmin xmax xaxis yaxis legend accumulate ysplit".split()
)
# What the service adds to its answers by itself.
_IGNORED = frozenset({"isquerysorted", "visualization", "with"})


@dataclass(frozen=True)
class Options:
    """The properties of one chart. `chart` is one of DRAWN; `kind` is empty, stacked or stacked100. None: nothing was asked."""

    chart: str
    kind: str = ""
    title: str = ""
    xcolumn: str | None = None
    ycolumns: tuple[str, ...] = ()
    series: tuple[str, ...] | None = None
    anomalycolumns: tuple[str, ...] = ()
    xtitle: str | None = None
    ytitle: str | None = None
    ymin: float | None = None
    ymax: float | None = None
    xlog: bool = False
    ylog: bool = False
    legend: bool = True
    accumulate: bool = False
    ysplit: str = "none"
    notes: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True)
class NotDrawn:
    """A visualization that is shown as a table, and why. `reason` is empty where a table was asked for."""

    title: str
    reason: str


def options_of(visualization: Visualization) -> Options | NotDrawn:
    """The options of a chart, or why it is none that is drawn."""
    given = {name.lower(): value for name, value in visualization.properties if value is not None}
    reader = _Reader(given)
    title = reader.text("title") or ""
    chart = visualization.kind.lower()
    kind = (reader.text("kind") or "").lower()
    if chart == "stackedareachart":
        chart, kind = "areachart", kind or "stacked"
    if chart in TABLES:
        return NotDrawn(title, "")
    if chart not in DRAWN:
        return NotDrawn(title, f"{visualization.kind} is not drawn here; this is its data.")
    if kind == "map":
        return NotDrawn(title, f"A map ({chart} of kind map) is not drawn here; this is its data.")
    if kind not in ("", "default", *_KINDS.get(chart, ())):
        reader.notes.append(f"kind={kind} is none of a {chart}'s.")
        kind = ""
    for name in given:
        if name not in _KNOWN and name not in _IGNORED:
            reader.notes.append(f"The property {name} is not known.")
    return Options(
        chart=chart,
        kind="" if kind in ("default", "unstacked") else kind,
        title=title,
        xcolumn=reader.text("xcolumn"),
        ycolumns=reader.names("ycolumns") or (),
        series=reader.names("series"),
        anomalycolumns=reader.names("anomalycolumns") or (),
        xtitle=reader.text("xtitle"),
        ytitle=reader.text("ytitle"),
        ymin=reader.number("ymin"),
        ymax=reader.number("ymax"),
        xlog=reader.choice("xaxis", ("linear", "log")) == "log",
        ylog=reader.choice("yaxis", ("linear", "log")) == "log",
        legend=reader.choice("legend", ("visible", "hidden")) != "hidden",
        accumulate=reader.choice("accumulate", ("false", "true")) == "true",
        ysplit=reader.choice("ysplit", ("none", "axes", "panels")),
        notes=tuple(reader.notes),
    )


def drawable(number: float) -> float | None:
    """A number that an axis can hold; None for those it cannot: infinite, none at all, or of more than a hundred digits."""
    if not math.isfinite(number) or abs(number) > _LARGEST:
        return None
    return 0.0 if abs(number) < 1 / _LARGEST else number


class _Reader:
    """Reads properties as a query has them (text, names) and as the service answers them (also numbers, flags, null as NaN)."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self._given = given
        self.notes: list[str] = []

    def text(self, name: str) -> str | None:
        value = self._given.get(name)
        if isinstance(value, (tuple, list)):
            value = next(iter(value), None)
        return None if value in (None, "") else str(value)

    def names(self, name: str) -> tuple[str, ...] | None:
        value = self._given.get(name)
        if value in (None, "", (), []):
            return None
        if isinstance(value, str):
            return tuple(each.strip() for each in value.split(",") if each.strip())
        return tuple(map(str, value)) if isinstance(value, Sequence) else None

    def number(self, name: str) -> float | None:
        text = self.text(name)
        if text is None:
            return None
        try:
            number = float(text)
        except ValueError:
            self.notes.append(f"{name}={text} is no number.")
            return None
        return drawable(number)

    def choice(self, name: str, choices: tuple[str, ...]) -> str:
        """One of the choices; the first when there is nothing or something else."""
        text = (self.text(name) or choices[0]).lower()
        if text not in choices:
            self.notes.append(f"{name}={text} is none of {', '.join(choices)}.")
            return choices[0]
        return text
