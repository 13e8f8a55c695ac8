"""A result and its `render` -> a chart."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace

from toolkit.engine.result import Result
from toolkit.kql.plan import Visualization
from toolkit.report.charts import bars, lines, shares
from toolkit.report.charts.frame import WIDTH
from toolkit.report.charts.model import ChartError, chart_data
from toolkit.report.charts.options import BARS, NotDrawn, Options, options_of
from toolkit.report.charts.svg import element, escaped, fill, num
from toolkit.report.charts.theme import FONT, chart_style


@dataclass(frozen=True)
class Chart:
    """`svg` is a whole document; `notes` are sentences about what could not be drawn as asked."""

    svg: str = field(repr=False)
    title: str = ""
    notes: tuple[str, ...] = ()

    def _repr_svg_(self) -> str:
        return self.svg

    def _repr_html_(self) -> str:
        from toolkit.report.pages import chart_html

        return chart_html(self)


def chart_of(result: Result, visualization: Visualization | None = None) -> Chart | NotDrawn:
    """The chart that `visualization`, by default the query's own `render`, asks for."""
    asked = visualization or result.visualization
    if asked is None:
        return NotDrawn("", "")
    options = options_of(asked)
    if isinstance(options, NotDrawn):
        return options
    try:
        body, height, notes = _drawn(result, options)
    except ChartError as error:
        return NotDrawn(options.title, f"The {options.chart} cannot be drawn: {error}.")
    description = f"{options.chart}{f': {options.title}' if options.title else ''}, {len(result):,} rows"
    return Chart(document(body, height, description), options.title, (*options.notes, *notes))


def _drawn(result: Result, options: Options) -> tuple[str, float, list[str]]:
    if options.chart == "card":
        return shares.draw_cards(result, options)
    data = chart_data(result, options)
    if options.chart in BARS:
        body, height = bars.draw(data, options)
    elif options.chart == "piechart":
        body, height = shares.draw_pie(data, options)
    else:
        if options.chart == "anomalychart" and not options.anomalycolumns:
            data.notes.append("No anomaly is marked: anomalycolumns names no column.")
            options = replace(options, chart="timechart")
        body, height = lines.draw(data, options)
    return body, height, data.notes


def document(body: str, height: float, description: str, width: float = WIDTH) -> str:
    """A whole SVG. `@` in front of ids becomes a prefix of its own, since a page may hold many drawings."""
    mark = "tk" + hashlib.sha256(body.encode()).hexdigest()[:10]
    background = element("rect", x=0, y=0, width=width, height=height, rx=6, **fill("bg"))
    inner = body.replace('id="@', f'id="{mark}').replace("url(#@", f"url(#{mark}")
    return element(
        "svg",
        f"<title>{escaped(description)}</title><style>{chart_style()}</style>{background}{inner}",
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {num(width)} {num(height)}",
        width=num(width),
        height=num(height),
        role="img",
        aria_label=description,
        class_="tk",
        font_family=FONT,
        style="max-width:100%;height:auto",
    )
