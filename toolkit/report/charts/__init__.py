"""Charts of results, as `render` asks for them: SVG with nothing outside of it, for light and dark surroundings.

`chart_of(result)` gives a `Chart`, or a `NotDrawn` that says why its data is shown as a table.
"""

from __future__ import annotations

from toolkit.report.charts.chart import Chart, chart_of
from toolkit.report.charts.network import graph_chart
from toolkit.report.charts.options import NotDrawn, Options
from toolkit.report.charts.timeline import timeline_chart

__all__ = ["Chart", "NotDrawn", "Options", "chart_of", "graph_chart", "timeline_chart"]
