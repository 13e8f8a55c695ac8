"""Views: what is drawn for which choices, without a browser."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.workbooks.making import Items, group, parameter, parameters, query, read, tabs, text, time_range, when, write
from tests.workbooks.shown import BOOKS, ROOT, open_book
from toolkit import Workspace
from toolkit.workbooks.numbers import formatted
from toolkit.workbooks.preview.grids import Column, grid
from toolkit.workbooks.preview.markdown import to_html
from toolkit.workbooks.preview.page import page, policy
from toolkit.workbooks.preview.session import Preview
from toolkit.workbooks.split import split_workbook
from toolkit.workbooks.tables import Table

NOW = datetime(2026, 3, 3, tzinfo=UTC)
_ROWS = [
    {"TimeGenerated": "2026-03-02T10:00:00Z", "Caller": "alice", "Level": 3},
    {"TimeGenerated": "2026-03-02T23:30:00Z", "Caller": "bob", "Level": 7},
    {"TimeGenerated": "2026-03-02T23:40:00Z", "Caller": "bob", "Level": 1},
]


@pytest.fixture(scope="module")
def logs() -> Iterator[Workspace]:
    found = Workspace({"Logs": {"TimeGenerated": "datetime", "Caller": "string", "Level": "int"}})
    found.ingest("Logs", _ROWS)
    yield found
    found.close()


def _steps(view: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for item in view["items"]:
        yield item
        if item["kind"] == "group":
            yield from _steps(item)


def _view(folder: Path, logs: Workspace, items: Items, chosen: dict[str, Any] | None = None, **more: Any) -> dict[str, dict[str, Any]]:
    preview = Preview(read(write(folder, items))[0], logs, NOW)
    return {step["name"]: step for step in _steps(preview.view(chosen, **more))}


_COUNT = query("Logs | summarize Count = count() by Caller | order by Caller asc", "count", timeContextFromParameter="TimeRange")


@pytest.mark.parametrize(("chosen", "rows"), [({}, ["alice", "bob"]), ({"TimeRange": {"durationMs": 3_600_000}}, ["bob"])])
def test_a_time_range_bounds_the_rows(tmp_path: Path, logs: Workspace, chosen: dict[str, Any], rows: list[str]) -> None:
    view = _view(tmp_path, logs, [parameters(time_range()), _COUNT], chosen)
    assert [row[0] for row in view["count"]["rows"]] == rows


def test_a_custom_time_range(tmp_path: Path, logs: Workspace) -> None:
    span = {"durationMs": 0, "startTime": "2026-03-02T09:00:00Z", "endTime": "2026-03-02T11:00:00Z"}
    view = _view(tmp_path, logs, [parameters(time_range()), _COUNT], {"TimeRange": span})
    assert [row[0] for row in view["count"]["rows"]] == ["alice"]


_WHO = parameter("Who", 2, query="Logs | distinct Caller | order by Caller asc", multiSelect=True, quote="'", delimiter=",",
                 typeSettings={"additionalResourceOptions": ["value::all"]}, value=["value::all"])  # fmt: skip


@pytest.mark.parametrize(("given", "levels"), [(None, 3), (["bob"], 2), (["value::all"], 3), (["alice", "bob"], 3)])
def test_a_drop_down_of_a_query(tmp_path: Path, logs: Workspace, given: Any, levels: int) -> None:
    items = [parameters(_WHO), query("Logs | where Caller in ({Who}) | project Level", "levels")]
    view = _view(tmp_path, logs, items, {"Who": given} if given else {})
    assert len(view["levels"]["rows"]) == levels
    assert [choice["value"] for choice in view["parameters"]["items"][0]["choices"]] == ["value::all", "alice", "bob"]


def test_a_query_waits_for_what_is_not_set(tmp_path: Path, logs: Workspace) -> None:
    items = [
        query("Logs | distinct Caller", "who", exportFieldName="Caller", exportParameterName="Who"),
        query("Logs | where Caller == '{Who}'", "one"),
    ]
    view = _view(tmp_path, logs, items)
    assert view["one"]["note"] == "Waits for a choice of Who."
    assert {click["Who"] for click in view["who"]["clicks"]} == {"alice", "bob"}
    view = _view(tmp_path, logs, items, {"Who": "bob"})
    assert len(view["one"]["rows"]) == 2
    assert view["who"]["clicks"][view["who"]["active"][0]] == {"Who": "bob"}


def test_a_whole_row_is_exported_as_json(tmp_path: Path, logs: Workspace) -> None:
    view = _view(tmp_path, logs, [query("Logs | summarize Count = count() by Caller", "who", exportParameterName="Row")])
    assert {json.loads(click["Row"])["Caller"] for click in view["who"]["clicks"]} == {"alice", "bob"}


def test_tabs_show_what_waits_for_them(tmp_path: Path, logs: Workspace) -> None:
    items = [tabs("One", "Two"), {**text("1"), "name": "first"} | when("Tab", "One"), {**text("2"), "name": "second"} | when("Tab", "Two")]
    assert set(_view(tmp_path, logs, items)) == {"tabs", "first"}
    assert set(_view(tmp_path, logs, items, {"Tab": "Two"})) == {"tabs", "second"}
    static = _view(tmp_path, logs, items, every_tab=True)
    assert static["second"]["when"] == [{"name": "Tab", "equal": True, "value": "Two"}]


def test_parameters_of_a_group(tmp_path: Path, logs: Workspace) -> None:
    inner = group(parameters(parameter("P", value="inside")), name="g", exportParameters=True)
    view = _view(tmp_path, logs, [inner, {**text("It is {P}"), "name": "after"}])
    assert view["after"]["html"] == "<p>It is inside</p>\n"
    view = _view(tmp_path, logs, [group(parameters(parameter("P", value="inside")), name="g"), {**text("It is {P}"), "name": "after"}])
    assert view["after"]["html"] == "<p>It is {P}</p>\n"


def test_criteria(tmp_path: Path, logs: Workspace) -> None:
    found = [
        {
            "criteriaContext": {
                "leftOperand": "A",
                "operator": ">",
                "rightValType": "static",
                "rightVal": "5",
                "resultValType": "static",
                "resultVal": "big {A}",
            }
        },
        {"criteriaContext": {"operator": "Default", "resultValType": "param", "resultVal": "A"}},
    ]
    items = [parameters(parameter("A", value="7"), parameter("B", criteriaData=found)), text("{B}")]
    assert _view(tmp_path, logs, items)["text"]["html"] == "<p>big 7</p>\n"
    assert _view(tmp_path, logs, items, {"A": "3"})["text"]["html"] == "<p>3</p>\n"


@pytest.mark.parametrize(
    ("step", "key", "words"),
    [
        (query("resources", "x", queryType=1), "note", "Azure Resource Graph"),
        (query("Logs | where Nope == 1", "x"), "error", "'Nope' does not refer"),
        (query("Logs | where Level > 99", "x", noDataMessage="All quiet."), "empty", "All quiet."),
        (query("Logs", "x", visualization="map"), "remark", "a map only of columns of latitude"),
        ({"type": 10, "content": {}, "name": "x"}, "note", "needs Azure"),
        (group(name="x", loadFromTemplateId="Community/One"), "items", "is not drawn here: it is loaded from Community/One."),
        (query('{"version":"1.0.0","content":"[{\\"a\\": 1}]"}', "x", queryType=8), "total", "1"),
    ],
)
def test_what_cannot_be_drawn_says_why(tmp_path: Path, logs: Workspace, step: dict[str, Any], key: str, words: str) -> None:
    assert words in str(_view(tmp_path, logs, [step])["x"][key])


@pytest.mark.parametrize(
    ("kql", "visualization", "settings", "expected"),
    [
        ("Logs | summarize Count = count() by bin(TimeGenerated, 1h), Caller", "timechart", {}, {"alice": [1.0, None], "bob": [None, 2.0]}),
        ("Logs | summarize Count = count(), Most = max(Level) by Caller", "barchart", {"yAxis": ["Most"]}, {"Most": [3.0, 7.0]}),
        ("Logs | make-series Count = count() on TimeGenerated from datetime(2026-03-02) to datetime(2026-03-03) step 12h", "linechart", {},
         {"Count": [1.0, 2.0]}),
    ],
)  # fmt: skip
def test_charts(tmp_path: Path, logs: Workspace, kql: str, visualization: str, settings: Any, expected: dict[str, Any]) -> None:
    step = query(f"{kql}", "x", visualization=visualization, chartSettings=settings)
    found = _view(tmp_path, logs, [step])["x"]["chart"]
    order = sorted(range(len(found["xs"])), key=lambda index: found["xs"][index])
    assert {one["name"]: [one["ys"][index] for index in order] for one in found["series"]} == expected


def test_slices_of_a_pie(tmp_path: Path, logs: Workspace) -> None:
    found = _view(tmp_path, logs, [query("Logs | summarize count() by Caller", "x", visualization="piechart")])["x"]["chart"]
    assert found["slices"] == [{"name": "bob", "value": 2.0}, {"name": "alice", "value": 1.0}]


def test_a_grid() -> None:
    table = Table([("Name", "string"), ("Count", "long"), ("Secret", "string")], [("a", 1, "x"), ("b", 4, "y"), ("c", None, "z")])
    settings = {
        "formatters": [
            {"columnMatch": "Count", "formatter": 4, "formatOptions": {"min": 0, "palette": "green"}},
            {"columnMatch": "Sec.*", "formatter": 5},
        ],
        "labelSettings": [{"columnId": "Name", "label": "Who"}],
        "sortBy": [{"itemKey": "$gen_bar_Count_1", "sortOrder": 2}],
        "rowLimit": 2,
    }
    view, rows = grid(table, settings, None)
    assert [column["title"] for column in view["columns"]] == ["Who", "Count"]
    assert [row[0] for row in rows] == ["b", "a"]
    assert view["total"] == 3
    assert view["rows"][1][1] == {"t": "1", "k": 1.0, "bar": 0.25, "palette": "green"}


_THRESHOLDS = {
    "thresholdsOptions": "icons",
    "thresholdsGrid": [
        {"operator": ">=", "thresholdValue": "90", "representation": "success", "text": "{0}{1} of [\"Name\"]"},
        {"operator": "is Empty", "representation": "unknown", "text": "nothing"},
        {"operator": "Default", "representation": "failed", "text": "{0}{1}"},
    ],
}  # fmt: skip


@pytest.mark.parametrize(("value", "icon", "text"), [(95, "success", "95 of web"), (None, "unknown", "nothing"), (10, "failed", "10")])
def test_thresholds(value: Any, icon: str, text: str) -> None:
    table = Table([("Name", "string"), ("Share", "long")], [("web", value)])
    column = Column("Share", "long", {"formatter": 18, "formatOptions": _THRESHOLDS}, [value])
    cell = column.cell(value, table, ("web", value))
    assert (cell["icon"], cell["t"]) == (icon, text)


@pytest.mark.parametrize(
    ("value", "unit", "options", "expected"),
    [
        (1234567, 17, {"maximumFractionDigits": 1}, "1.2M"),
        (999, 17, {}, "999"),
        (2048, 2, {}, "2 KB"),
        (12.5, 1, {}, "12.5%"),
        (1234.5, 0, {"useGrouping": True, "maximumFractionDigits": 0}, "1,234"),
        (1.50, 24, {"minimumFractionDigits": 2}, "1.50 s"),
        ("text", 17, {}, "text"),
        (None, 17, {}, ""),
        (float("nan"), 17, {}, "nan"),
    ],
)
def test_numbers(value: Any, unit: int, options: Any, expected: str) -> None:
    assert formatted(value, {"unit": unit, "options": options}) == expected


_NEW_PAGE = 'target="_blank" rel="noopener noreferrer"'


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("[b](https://example.net/?a&b)", f'<p><a href="https://example.net/?a&amp;b" {_NEW_PAGE}>b</a></p>\n'),
        ("[a](javascript:alert(1))", "<p>[a](javascript:alert(1))</p>\n"),
        ("<a href='JavaScript:alert(1)' onclick='x'>a</a>", "<p><a>a</a></p>\n"),
        ("<script>alert(1)</script>b", "b"),
        ("<b>open", "<p><b>open</b></p>\n"),
        ("![a chart](https://example.net/x.png)", "<p>a chart</p>\n"),
        ("<style>*{}</style><iframe src=x></iframe>ok", "ok"),
        ("a |\n--|\n1 |", "<table>\n<thead>\n<tr>\n<th>a</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n<td>1</td>\n</tr>\n</tbody>\n</table>\n"),
        ("</p></div><p>a", "<p>a</p>"),
    ],
)  # fmt: skip
def test_markdown(markdown: str, html: str) -> None:
    assert to_html(markdown) == html


@pytest.mark.parametrize("book", sorted(BOOKS))
def test_the_shipped_workbooks_draw_everything(book: str) -> None:
    with open_book(book) as preview:
        steps = list(_steps(preview.view(every_tab=True)))
        assert not [(step["name"], step["error"]) for step in steps if step.get("error")]
        assert sum("chart" in step or "rows" in step or "tiles" in step for step in steps) >= 7
        assert page(preview.view(every_tab=True)) == page(preview.view(every_tab=True))


@pytest.mark.parametrize("book", sorted(BOOKS))
def test_split_and_joined_it_is_the_same_workbook(tmp_path: Path, book: str) -> None:
    files, _ = read(ROOT / "workbooks" / f"{book}.json")
    whole = tmp_path / "book.json"
    whole.write_text(json.dumps(files.content()), encoding="utf-8")
    written = split_workbook(read(whole)[0])
    assert len(written) > 10
    for path, content in written.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(content, encoding="utf-8", newline="")
    again, findings = read(whole)
    assert not findings
    assert again.content() == files.content()
    assert set(split_workbook(again)) == {whole}


def test_the_page_lets_nothing_in() -> None:
    found = page({"title": "</title><script>", "items": [], "static": True, "evil": "</script><script>alert(1)</script>"})
    assert found.count("<script") == 2
    assert "connect-src 'none'" in policy(static=True)
    assert "unsafe" not in policy(static=False)


# --- merges, several rows, brushes -------------------------------------------------------------------------------------


def _merge(kind: str, left: str, right: str = "") -> str:
    join = {"mergeType": kind, "leftTable": left, "rightTable": right, "leftColumn": "Caller", "rightColumn": "Caller"}
    return json.dumps({"version": "Merge/1.0", "merges": [join]})


_LEVELS = query("Logs | summarize Most = max(Level) by Caller", "levels", step=when("Hide", "never"))


def test_a_merge_takes_tables_that_are_hidden_or_stand_below(tmp_path: Path, logs: Workspace) -> None:
    items = [
        query(_merge("inner", "count", "levels"), "both", queryType=7),
        query("Logs | summarize Count = count() by Caller", "count"),
        _LEVELS,
    ]
    found = _view(tmp_path, logs, items)
    assert "levels" not in found
    assert sorted(row[0] for row in found["both"]["rows"]) == ["alice", "bob"]
    assert [column["name"] for column in found["both"]["columns"]] == ["Caller", "Count", "Caller1", "Most"]


@pytest.mark.parametrize(
    ("source", "key", "words"),
    [
        (
            query("resources", "count", queryType=1),
            "note",
            "needs the table of 'count'. Not drawn here: the query asks Azure Resource Graph.",
        ),
        (query("Logs | where Nope == 1", "count"), "note", "'Nope' does not refer"),
        (query("Logs", "other"), "note", "There is no such step here."),
        (query(_merge("table", "both"), "count", queryType=7), "note", "needs the table"),
    ],
)
def test_a_merge_says_what_it_lacks(tmp_path: Path, logs: Workspace, source: dict[str, Any], key: str, words: str) -> None:
    found = _view(tmp_path, logs, [source, query(_merge("table", "count"), "both", queryType=7)])["both"]
    assert words in found[key]


def test_several_rows_may_be_chosen(tmp_path: Path, logs: Workspace) -> None:
    exported = [{"parameterName": "Who", "fieldName": "Caller", "quote": "'", "delimiter": ","}]
    items = [
        query("Logs | distinct Caller", "who", exportMultipleValues=True, exportedParameters=exported),
        query("Logs | where array_length(dynamic([{Who}])) == 0 or Caller in (dynamic([{Who}])) | project Level", "levels"),
    ]
    counts = {
        given: len(_view(tmp_path, logs, items, {"Who": list(given)})["levels"]["rows"]) for given in [(), ("bob",), ("bob", "alice")]
    }
    assert counts == {(): 3, ("bob",): 2, ("bob", "alice"): 3}
    found = _view(tmp_path, logs, items, {"Who": ["bob", "alice", "bob"]})["who"]
    assert (found["several"], sorted(found["active"]), found["unclick"]) == (True, [0, 1], {"Who": []})
    assert len(_view(tmp_path, logs, items, {"Who": "bob"})["levels"]["rows"]) == 2


@pytest.mark.parametrize(
    ("only", "given", "expected"),
    [
        (False, None, 3),
        (True, None, "Waits for a choice of Brush."),
        (True, {"startTime": "2026-03-02T23:00:00Z", "endTime": "2026-03-03T00:00:00Z"}, 2),
    ],
)
def test_a_brush_in_a_chart_sets_a_time_range(tmp_path: Path, logs: Workspace, only: bool, given: Any, expected: Any) -> None:
    chart = query("Logs | summarize count() by bin(TimeGenerated, 1h)", "chart", visualization="timechart",
                  timeContextFromParameter="TimeRange", timeBrushParameterName="Brush", timeBrushExportOnlyWhenBrushed=only)  # fmt: skip
    items = [
        parameters(time_range()),
        chart,
        query("Logs", "rows", timeContextFromParameter="Brush"),
        {**text("{Brush:label}"), "name": "says"},
    ]
    items += [query("Logs | where TimeGenerated {Brush} | project Level", "levels")]
    found = _view(tmp_path, logs, items, {"Brush": given} if given else {})
    assert found["chart"]["brush"] == {"name": "Brush", "set": given is not None}
    assert found["levels"].get("note", len(found["levels"].get("rows", []))) == expected


def test_parameters_of_a_hidden_group_that_exports_them(tmp_path: Path, logs: Workspace) -> None:
    hidden = group(parameters(parameter("P", value="inside")), name="g", exportParameters=True) | when("Hide", "never")
    assert _view(tmp_path, logs, [hidden, {**text("It is {P}"), "name": "after"}])["after"]["html"] == "<p>It is inside</p>\n"


_URL = {"formatter": 1, "formatOptions": {"linkTarget": "Url", "linkColumn": "Where"}}


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("https://example.net/a?b", "https://example.net/a?b"),
        ("javascript:alert(1)", None),
        ("data:text/html,x", None),
        ("https://a b", None),
        (None, None),
    ],
)
def test_only_web_addresses_are_links(address: str | None, url: str | None) -> None:
    table = Table([("Name", "string"), ("Where", "string")], [("web", address)])
    cell = Column("Name", "string", _URL, ["web"]).cell("web", table, ("web", address))
    assert (cell.get("url") if isinstance(cell, dict) else None) == url
    assert (cell["t"] if isinstance(cell, dict) else cell) == "web"


def test_a_threshold_may_be_another_column() -> None:
    table = Table([("Used", "long"), ("Least", "long")], [(5, 3)])
    options = {"thresholdsGrid": [{"operator": ">", "thresholdValue": '["Least"]', "representation": "red"}, {"operator": "Default"}]}
    assert Column("Used", "long", {"formatter": 18, "formatOptions": options}, [5]).cell(5, table, (5, 3))["color"] == "red"
    options = {"thresholdsGrid": [{"operator": "regex", "thresholdValue": "(a+)+", "representation": "red"}, {"operator": "Default"}]}
    assert Column("Used", "long", {"formatter": 18, "formatOptions": options}, [5]).cell(5, table, (5, 3)) == {"t": "5", "k": 5.0}
