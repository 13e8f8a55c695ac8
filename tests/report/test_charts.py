"""Charts: which columns are drawn as what, the properties of `render`, and laws that hold for every picture."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit import Workspace
from toolkit.engine.result import Result, ResultError
from toolkit.kql.plan import Visualization
from toolkit.report.charts import Chart, NotDrawn, chart_of
from toolkit.report.charts.model import chart_data
from toolkit.report.charts.options import Options, options_of
from toolkit.report.charts.scales import Bounds, compact, linear, logarithmic, span_scale, span_text, time_scale

SVG = "{http://www.w3.org/2000/svg}"
HOURS = "range i from 0 to 5 step 1 | extend Time = datetime(2026-03-02) + i * 1h"
COUNTRIES = "datatable(Country: string, Outcome: string, n: long)['DE', 'ok', 5, 'DE', 'failed', 2, 'FR', 'ok', 3, 'JP', 'failed', 1]"


@pytest.fixture(scope="module")
def workspace() -> Any:
    found = Workspace()
    yield found
    found.close()


def drawn(workspace: Workspace, kql: str) -> Chart:
    chart = chart_of(workspace.query(kql))
    assert isinstance(chart, Chart), chart
    return chart


def tags(chart: Chart, name: str) -> list[ET.Element]:
    return list(ET.fromstring(chart.svg).iter(f"{SVG}{name}"))


def texts(chart: Chart) -> list[str]:
    return [each.text or "" for each in tags(chart, "text")]


def roles(workspace: Workspace, kql: str) -> tuple[str, str, list[tuple[str, str]]]:
    """What x is, its column, and (name, measure) of each series."""
    result = workspace.query(kql)
    assert result.visualization is not None
    options = options_of(result.visualization)
    assert isinstance(options, Options)
    data = chart_data(result, options)
    return data.x_kind, data.x_name, [(series.name, series.measure) for series in data.series]


@pytest.mark.parametrize(
    ("kql", "expected"),
    [
        (f"{HOURS} | project Time, A = i, B = i * 2 | render timechart", ("time", "Time", [("A", "A"), ("B", "B")])),
        (f"{HOURS} | project A = i, Time | render timechart", ("time", "Time", [("A", "A")])),
        (f"{HOURS} | project A = i, Time | render linechart", ("number", "A", [])),
        (f"{HOURS} | project Time, User = iff(i < 3, 'a', 'b'), A = i | render timechart", ("time", "Time", [("a", "A"), ("b", "A")])),
        (
            f"{HOURS} | project Time, User = iff(i < 3, 'a', 'b'), A = i, B = i | render timechart",
            ("time", "Time", [("a: A", "A"), ("a: B", "B"), ("b: A", "A"), ("b: B", "B")]),
        ),
        (f"{COUNTRIES} | render columnchart", ("category", "Country", [("ok", "n"), ("failed", "n")])),
        (
            f"{COUNTRIES} | render barchart with (xcolumn=Outcome, series=Country)",
            ("category", "Outcome", [("DE", "n"), ("FR", "n"), ("JP", "n")]),
        ),
        (f"{HOURS} | project i, Time | summarize n = count() by i | render columnchart", ("category", "i", [("n", "n")])),
        (f"{HOURS} | make-series n = count() on Time step 1h | render timechart", ("time", "Time", [("n", "n")])),
        (f"{HOURS} | project Took = i * 1m, Time | render timechart", ("time", "Time", [("Took", "Took")])),
        (
            f"{HOURS} | project Time, A = i, B = 'x', C = 'y' | render timechart with (series=B, C, ycolumns=A)",
            ("time", "Time", [("x, y", "A")]),
        ),
    ],
)
def test_roles_of_columns(workspace: Workspace, kql: str, expected: tuple[str, str, list[tuple[str, str]]]) -> None:
    if not expected[2]:
        assert chart_of(workspace.query(kql)) == NotDrawn("", "The linechart cannot be drawn: there is no numeric column for the y axis.")
        return
    assert roles(workspace, kql) == expected


def test_a_line_goes_through_its_points_in_order_of_time_and_breaks_at_gaps(workspace: Workspace) -> None:
    chart = drawn(workspace, "datatable(x: long, y: real)[5, 3.0, 1, 1.0, 2, 2.0, 3, real(null), 4, 2.5] | render linechart")
    (line,) = [each for each in tags(chart, "path") if each.get("stroke-linejoin") == "round"]
    assert re.findall("[ML]", line.get("d", "")) == ["M", "L", "M", "L"]
    places = [float(x) for x in re.findall(r"[ML]([\d.]+) ", line.get("d", ""))]
    assert places == sorted(places)


@pytest.mark.parametrize(("kind", "expected"), [("default", 4), ("unstacked", 4), ("stacked", 4), ("stacked100", 4)])
def test_columns_stand_side_by_side_or_on_each_other(workspace: Workspace, kind: str, expected: int) -> None:
    chart = drawn(workspace, f"{COUNTRIES} | render columnchart with (kind={kind})")
    bars = [each for each in tags(chart, "rect") if each.find(f"{SVG}title") is not None]
    assert len(bars) == expected
    first = [each for each in bars if (each.findtext(f"{SVG}title") or "").startswith("DE")]
    assert len({each.get("x") for each in first}) == (1 if kind.startswith("stacked") else 2)
    if kind == "stacked100":
        heights = [float(each.get("height", "")) for each in first]
        assert heights[0] / heights[1] == pytest.approx(5 / 2, rel=0.02)
        assert "100" in texts(chart)


def test_bars_are_as_long_as_their_numbers(workspace: Workspace) -> None:
    chart = drawn(workspace, "datatable(Host: string, n: long)['a', 10, 'b', 5, 'a', 10] | render barchart")
    widths = [float(each.get("width", "")) for each in tags(chart, "rect") if each.find(f"{SVG}title") is not None]
    assert widths[0] / widths[1] == pytest.approx(4, rel=0.01)
    assert chart.notes == ("Rows with the same Host are added up.",)


def test_properties_of_render(workspace: Workspace) -> None:
    render = "timechart with (title='The title', xtitle='when', ytitle='how many', legend=hidden, ymin=1, ymax=3)"
    chart = drawn(workspace, f"{HOURS} | project Time, A = i, B = i | render {render}")
    shown = texts(chart)
    assert chart.title == "The title"
    assert {"The title", "when", "how many"} <= set(shown)
    assert not {"A", "B"} & set(shown)
    assert {"1", "2", "3"} <= set(shown)
    assert not {"0", "4"} & set(shown)


def test_accumulate(workspace: Workspace) -> None:
    result = workspace.query(f"{HOURS} | project Time, A = i | render timechart with (accumulate=true)")
    assert result.visualization is not None
    options = options_of(result.visualization)
    assert isinstance(options, Options)
    assert [y for _, y in chart_data(result, options).series[0].points] == [0, 1, 3, 6, 10, 15]


def test_logarithmic_axes_leave_out_what_has_no_place(workspace: Workspace) -> None:
    chart = drawn(
        workspace, "range x from 0 to 4 step 1 | project x, y = iff(x == 0, 0, toint(pow(10, x))) | render linechart with (yaxis=log)"
    )
    assert {"10", "100", "1,000", "10k"} <= set(texts(chart))
    assert chart.notes == ("Values of zero and less have no place on a logarithmic axis.",)
    negative = chart_of(workspace.query("print x = 1, y = -1 | render linechart with (yaxis=log)"))
    assert isinstance(negative, NotDrawn)


@pytest.mark.parametrize(("split", "axes"), [("none", 1), ("axes", 2), ("panels", 2)])
def test_split_axes(workspace: Workspace, split: str, axes: int) -> None:
    chart = drawn(workspace, f"{HOURS} | project Time, A = i, B = i * 1000 | render timechart with (ysplit={split})")
    assert sum("4,000" in text for text in texts(chart)) == 1
    assert sum(text == "4" for text in texts(chart)) == axes - 1


def test_anomalies_are_marked(workspace: Workspace) -> None:
    series = f"{HOURS} | summarize n = make_list(i), Time = make_list(Time) | extend a = dynamic([0, 1, 0, 0, -1, 0])"
    chart = drawn(workspace, f"{series} | render anomalychart with (anomalycolumns=a)")
    assert len([each for each in tags(chart, "circle") if each.get("r") == "5" and each.get("stroke")]) == 2
    assert "anomaly" in texts(chart)
    assert drawn(workspace, f"{HOURS} | project Time, i | render anomalychart").notes == (
        "No anomaly is marked: anomalycolumns names no column.",
    )


def test_pies_and_cards(workspace: Workspace) -> None:
    pie = drawn(workspace, "datatable(c: string, n: long)['a', 1, 'b', 3, 'c', 0] | render piechart")
    assert {"25.0%", "75.0%"} <= set(texts(pie))
    assert pie.notes == ("Slices of zero and less cannot be drawn.",)
    many = drawn(workspace, "range i from 1 to 30 step 1 | project c = tostring(i), i | render piechart")
    assert "other (19)" in texts(many)
    card = drawn(workspace, "range i from 1 to 2 step 1 | project Alerts = i * 1234567 | render card with (title='Today')")
    assert {"1,234,567", "Alerts", "Today"} <= set(texts(card))
    assert card.notes == ("A card shows the first of 2 rows.",)


@pytest.mark.parametrize(
    ("render", "reason"),
    [
        ("treemap", "treemap is not drawn here; this is its data."),
        ("scatterchart with (kind=map)", "A map (scatterchart of kind map) is not drawn here; this is its data."),
        ("table", ""),
        ("timechart", "The timechart cannot be drawn: there is no column for the x axis of type datetime."),
        ("piechart with (ycolumns=nosuch)", ""),
    ],
)
def test_what_is_no_chart_says_why(workspace: Workspace, render: str, reason: str) -> None:
    found = chart_of(workspace.query(f"print a = 'x', n = 1 | render {render}"))
    if "nosuch" in render:
        assert isinstance(found, Chart)
        assert found.notes == ("ycolumns: there is no column nosuch.",)
        return
    assert found == NotDrawn("", reason)


def test_the_service_spells_properties_its_own_way(workspace: Workspace) -> None:
    given = (
        ("title", "T"),
        ("xColumn", "Time"),
        ("yColumns", ["A"]),
        ("yMin", "NaN"),
        ("legend", None),
        ("isQuerySorted", False),
        ("accumulate", True),
    )
    options = options_of(Visualization("timechart", given))
    assert options == Options("timechart", title="T", xcolumn="Time", ycolumns=("A",), accumulate=True)
    assert not options.notes


def test_unknown_properties_and_values_are_said(workspace: Workspace) -> None:
    options = options_of(Visualization("areachart", (("kind", "round"), ("ymin", "low"), ("ysplit", "rows"), ("colour", "red"))))
    assert isinstance(options, Options)
    assert options.notes == (
        "kind=round is none of a areachart's.",
        "The property colour is not known.",
        "ymin=low is no number.",
        "ysplit=rows is none of none, axes, panels.",
    )


def test_plot(workspace: Workspace) -> None:
    result = workspace.query(f"{HOURS} | project Time, A = i, B = i")
    assert "<svg" in result.plot("timechart", title="T", ycolumns=["B"]).svg
    with pytest.raises(ResultError, match="expected a kind of chart"):
        result.plot()
    with pytest.raises(ResultError, match="treemap is not drawn"):
        result.plot("treemap")


def test_many_points_keep_their_extremes(workspace: Workspace) -> None:
    result = workspace.query("range i from 1 to 60000 step 1 | project i, y = iff(i == 31234, 999, i % 7)")
    options = options_of(Visualization("linechart"))
    assert isinstance(options, Options)
    data = chart_data(result, options)
    assert len(data.series[0].points) <= 20_002
    assert (31234, 999) in data.series[0].points
    assert "60,000 points" in data.notes[0]


# --- laws -------------------------------------------------------------------------------------------------------------

_CELL = st.one_of(st.none(), st.floats(), st.integers(-(2**62), 2**62).map(float))
_NAME = st.text(max_size=12)
_KINDS = st.sampled_from(
    [
        "timechart",
        "linechart",
        "areachart",
        "stackedareachart",
        "barchart",
        "columnchart",
        "piechart",
        "scatterchart",
        "anomalychart",
        "card",
    ]
)
_PROPERTIES = st.fixed_dictionaries(
    {},
    optional={
        "kind": st.sampled_from(["stacked", "stacked100", "default"]),
        "title": _NAME,
        "xtitle": _NAME,
        "legend": st.sampled_from(["visible", "hidden"]),
        "ymin": st.floats().map(str),
        "ymax": st.floats().map(str),
        "yaxis": st.sampled_from(["log", "linear"]),
        "xaxis": st.sampled_from(["log", "linear"]),
        "ysplit": st.sampled_from(["none", "axes", "panels"]),
        "accumulate": st.sampled_from(["true", "false"]),
    },
)


def made(rows: list[tuple[int, str, float | None, float | None]]) -> Result:
    import pyarrow as pa

    from toolkit.kql.plan import Column
    from toolkit.kql.types import ScalarType as T

    columns = [Column(1, "Time", T.DATETIME), Column(2, "Who", T.STRING), Column(3, "A", T.REAL), Column(4, "B", T.REAL)]
    types = [pa.int64(), pa.string(), pa.float64(), pa.float64()]
    arrays = [pa.array([row[index] for row in rows], kind) for index, kind in enumerate(types)]
    return Result(pa.Table.from_arrays(arrays, names=["c1", "c2", "c3", "c4"]), columns)


@given(st.lists(st.tuples(st.integers(0, 3_155_378_975_999_999_999), _NAME, _CELL, _CELL), max_size=12), _KINDS, _PROPERTIES)
@settings(max_examples=120, deadline=None)
def test_every_picture_is_whole_and_harmless(
    rows: list[tuple[int, str, float | None, float | None]], kind: str, properties: dict[str, str]
) -> None:
    """Well-formed, with places that are numbers, without a script, and the same again."""
    result = made(rows)
    asked = Visualization(kind, tuple(properties.items()))
    found = chart_of(result, asked)
    assert chart_of(result, asked) == found
    if isinstance(found, NotDrawn):
        assert found.reason
        return
    root = ET.fromstring(found.svg)
    for each in root.iter():
        assert each.tag in {f"{SVG}{name}" for name in ("svg", "title", "style", "rect", "path", "circle", "text", "g", "clipPath")}
        for name, value in each.attrib.items():
            assert not name.startswith("on")
            if name in ("x", "y", "cx", "cy", "r", "d", "width", "height", "transform"):
                assert not re.search("nan|inf", value)


@given(st.lists(st.floats(-1e12, 1e12), min_size=1, max_size=20), st.booleans())
def test_a_linear_scale_holds_its_values_and_its_ticks_are_even(values: list[float], zero: bool) -> None:
    scale = linear(values, 0, 100, Bounds(from_zero=zero))
    slack = 1e-6 * (scale.high - scale.low)
    assert scale.low <= min(values) + slack
    assert max(values) <= scale.high + slack
    assert 2 <= len(scale.ticks) <= 16
    steps = [b.value - a.value for a, b in zip(scale.ticks, scale.ticks[1:], strict=False)]
    assert all(math.isclose(step, steps[0], rel_tol=1e-6) for step in steps)


@given(st.integers(0, 3_155_378_975_999_999_999), st.integers(1, 3_155_378_975_999_999_999))
def test_a_time_scale_has_readable_ticks(start: int, width: int) -> None:
    end = min(start + width, 3_155_378_975_999_999_999)
    scale = time_scale(start, end, 0, 800)
    assert len(scale.ticks) <= 14
    assert all(scale.low <= tick.value <= scale.high for tick in scale.ticks)
    assert [tick.value for tick in scale.ticks] == sorted({tick.value for tick in scale.ticks})


@given(st.lists(st.integers(-(2**62), 2**62), min_size=1, max_size=5), st.floats(1e-9, 1e12))
def test_other_scales_hold_their_values(spans: list[int], positive: float) -> None:
    scale = span_scale(spans, 0, 100)
    assert scale.low <= min(spans) <= max(spans) <= scale.high
    scale = logarithmic([positive, positive * 3], 0, 100)
    assert scale.low <= positive * 1.000001 <= positive * 2.99 <= scale.high


@pytest.mark.parametrize(
    ("value", "digits", "expected"),
    [
        (0, 0, "0"),
        (-0.0, 1, "0.0"),
        (1234, 0, "1,234"),
        (12000, 0, "12k"),
        (3_500_000, 0, "3.5M"),
        (0.25, 2, "0.25"),
        (2e12, 0, "2T"),
        (-15000, 0, "-15k"),
    ],
)
def test_numbers_of_an_axis(value: float, digits: int, expected: str) -> None:
    assert compact(value, digits) == expected


@pytest.mark.parametrize(
    ("ticks", "expected"),
    [(0, "0"), (10_000_000, "1s"), (75 * 600_000_000, "1h 15m"), (-864_000_000_000, "-1d"), (1, "00:00:00.0000001"), (2_500_000, "250ms")],
)
def test_spans_of_an_axis(ticks: int, expected: str) -> None:
    assert span_text(ticks) == expected
