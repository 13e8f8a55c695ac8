"""What the checks say about workbooks, and at which characters of the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.workbooks.making import Items, check, group, parameter, parameters, query, tabs, text, time_range, underlined, when

_GRID: dict[str, Any] = {"columnMatch": "Calls", "formatter": 4, "formatOptions": {"palette": "blue"}}
_BY_CALLER = "Logs | summarize Count = count() by Caller"


def _export(field: str, name: str = "Picked") -> dict[str, Any]:
    return {"exportFieldName": field, "exportParameterName": name}


CASES: list[tuple[str, Items, list[tuple[str, str]]]] = [
    ("nothing is wrong", [parameters(time_range()), query("Logs | where TimeGenerated {TimeRange} | count")], []),
    ("a function of the project", [query("Everything | project Twice")], []),
    ("an unknown column", [query('Logs\r\n| where Caler == "x"')], [("unknown-name", "Caler")]),
    ("a syntax error after escapes", [query('Logs | where Caller == "\\t" and\n| count')], [("expected-expression", "|")]),
    (
        "an unknown column after a pasted value",
        [parameters(parameter("P", value="x" * 60)), query("Logs | where Caller == '{P}' | project Nope")],
        [("unknown-name", "Nope")],
    ),
    ("wrong because of the value", [parameters(parameter("P", value="Nope")), query("Logs | project {P}")], [("unknown-name", "{P}")]),
    ("a query of a drop-down", [parameters(parameter("P", 2, query="Logs | distinct Caler"))], [("unknown-name", "Caler")]),
    ("another provider", [query("resources | where nothing", queryType=1)], [("not-checked", "*")]),
    ("logs of another resource", [query("requests | count", resourceType="microsoft.insights/components")], [("not-checked", "*")]),
    # parameters
    ("no such parameter", [query("Logs | where Level > {Threshold}")], [("unknown-parameter", "{Threshold}")]),
    (
        "the rest of a query whose parameter is missing",
        [query("Logs | where Level > {Threshold} and Caler == 'x'")],
        [("unknown-name", "Caler"), ("unknown-parameter", "{Threshold}")],
    ),
    (
        "a parameter in another case",
        [parameters(parameter("Who", value="x")), query("Logs | where Caller == '{who}'")],
        [("unknown-parameter", "{who}")],
    ),
    (
        "braces that are no references",
        [query("Logs | where Caller matches regex @'^\\p{L}{2,3}$' | extend X = dynamic({\"a\": 1}) // {gone}")],
        [],
    ),
    ("defined below", [query("Logs | where Caller == '{Who}'"), parameters(parameter("Who"))], [("parameter-out-of-scope", "{Who}")]),
    (
        "kept by a group",
        [group(parameters(parameter("Who"))), query("Logs | where Caller == '{Who}'")],
        [("parameter-out-of-scope", "{Who}")],
    ),
    ("given by a group", [group(parameters(parameter("Who")), exportParameters=True), query("Logs | where Caller == '{Who}'")], []),
    ("global", [group(parameters(parameter("Who", isGlobal=True))), query("Logs | where Caller == '{Who}'")], []),
    ("a known typo", [parameters(time_range()), text("In {TimeRange:lable}")], [("unknown-format", "{TimeRange:lable}")]),
    ("a format of other parameters", [parameters(parameter("P", value="a")), text("{P:grain}")], [("unknown-format", "{P:grain}")]),
    (
        "an encoded reference",
        [parameters(parameter("P", value="a")), text("[a](https://example.net/%7BP%7D)")],
        [("encoded-reference", "%7BP%7D")],
    ),
    (
        "a time range from nowhere",
        [parameters(time_range()), query("Logs", timeContextFromParameter="TimeRang")],
        [("unknown-parameter", '"TimeRang"')],
    ),
    (
        "a time range from a text",
        [parameters(parameter("P", value="a")), query("Logs", timeContextFromParameter="P")],
        [("not-a-time-range", '"P"')],
    ),
    ("an unset number", [parameters(parameter("Least")), query("Logs | where Level > {Least}")], []),
    (
        "an unset list",
        [
            parameters(parameter("Who", 2, multiSelect=True, quote="'", delimiter=",", query="Logs | distinct Caller")),
            query("Logs | where Caller in ({Who})"),
        ],
        [],
    ),
    (
        "wrong whatever is chosen",
        [parameters(parameter("Who", 2, query="Logs | distinct Caller")), query("Logs | where Caler == '{Who}'")],
        [("unknown-name", "Caler")],
    ),
    # exports
    ("an exported column", [query(_BY_CALLER, **_export("Caller")), query("Logs | where Caller == '{Picked}'", "other")], []),
    ("a column that is not there", [query(_BY_CALLER, **_export("Callers")), text("{Picked}")], [("unknown-column", '"Callers"')]),
    ("a whole row", [query(_BY_CALLER, exportParameterName="Row"), query("print x = dynamic({Row}).Caller", "other")], []),
    # visuals
    ("a formatter", [query(_BY_CALLER, gridSettings={"formatters": [{**_GRID, "columnMatch": "Count"}]})], []),
    ("a formatter by pattern", [query(_BY_CALLER, gridSettings={"formatters": [{**_GRID, "columnMatch": "^C"}]})], []),
    ("a formatter of nothing", [query(_BY_CALLER, gridSettings={"formatters": [_GRID]})], [("unknown-column", '"Calls"')]),
    ("a sort order", [query(_BY_CALLER, gridSettings={"sortBy": [{"itemKey": "$gen_bar_Count_1", "sortOrder": 2}]})], []),
    (
        "a sort order of nothing",
        [query(_BY_CALLER, sortBy=[{"itemKey": "$gen_bar_Calls_1", "sortOrder": 2}])],
        [("unknown-column", '"$gen_bar_Calls_1"')],
    ),
    (
        "tiles",
        [query(_BY_CALLER, visualization="tiles", tileSettings={"titleContent": {"columnMatch": "Name"}})],
        [("unknown-column", '"Name"')],
    ),
    ("an axis", [query(_BY_CALLER, visualization="barchart", chartSettings={"yAxis": ["Calls"]})], [("unknown-column", '"Calls"')]),
    ("a time chart without times", [query(_BY_CALLER, visualization="timechart")], [("chart-without-times", '"timechart"')]),
    ("a time chart of a series", [query("Logs | make-series count() on TimeGenerated step 1h", visualization="timechart")], []),
    ("a chart without numbers", [query("Logs | project Caller", visualization="piechart")], [("chart-without-numbers", '"piechart"')]),
    ("an unknown visualization", [query(_BY_CALLER, visualization="barchrt")], [("unknown-visualization", '"barchrt"')]),
    ("columns that nobody knows", [query("Logs | evaluate bag_unpack(Data)", gridSettings={"formatters": [_GRID]})], []),
    # visibility
    ("a condition", [tabs("One", "Two"), text("a", **when("Tab", "One")), text("b", **when("Tab", "Two"))], [("duplicate-name", '"text"')]),
    ("a tab that shows nothing", [tabs("One", "Two"), text("a", **when("Tab", "One"))], [("idle-tab", '"Two"')]),
    (
        "a value that no tab sets",
        [tabs("One"), text("a", **when("Tab", "One")), group(text("b"), name="g") | when("Tab", "Too")],
        [("never-shown", '"Too"')],
    ),
    ("a condition on nothing", [text("a", **when("Hide", "yes"))], [("unknown-parameter", '"Hide"')]),
    (
        "a condition with a blank",
        [tabs("One"), text("a", **when("Tab", "One")), group(text("b"), name="g") | when("Tab ", "One")],
        [("unknown-parameter", '"Tab "')],
    ),
    (
        "a value that no choice has",
        [parameters(parameter("P", 10, jsonData='["a","b"]')), text("a", **when("P", "c"))],
        [("never-shown", '"c"')],
    ),
    (
        "a comparison",
        [tabs("One"), text("a", conditionalVisibility={"parameterName": "Tab", "comparison": "equals", "value": "One"})],
        [("bad-value", '"equals"')],
    ),
    # structure
    ("an unknown step", [{"type": 99, "content": {}, "name": "x"}], [("unknown-step", "99")]),
    ("two of one name", [text("a"), text("b")], [("duplicate-name", '"text"')]),
    ("a width", [text("a", customWidth="150")], [("bad-value", '"150"')]),
    ("values that are no JSON", [parameters(parameter("P", 2, jsonData='["a", b]'))], [("broken-json", "b")]),
    (
        "an unknown link",
        [{"type": 11, "content": {"links": [{"linkTarget": "Urll", "cellValue": "https://example.net"}]}, "name": "l"}],
        [("unknown-link-target", '"Urll"')],
    ),
    ("an empty group", [group()], [("empty-group", "*")]),
    ("no query", [query("  ")], [("missing-key", "*")]),
    ("content of a wrong type", [{"type": 3, "content": [], "name": "q"}], [("wrong-type", "*"), ("missing-key", "*")]),
    ("items of a wrong type", [{"type": 12, "content": {"items": {}}, "name": "g"}], [("wrong-type", "*"), ("empty-group", "*")]),
]


@pytest.mark.parametrize(("items", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_checks(tmp_path: Path, items: Items, expected: list[tuple[str, str]]) -> None:
    found = [(finding.code, underlined(finding)) for finding in check(tmp_path, items)]
    assert [code for code, _ in found] == [code for code, _ in expected], found
    for (_, place), (_, wanted) in zip(found, expected, strict=True):
        assert wanted in ("*", place)


def test_the_id_of_a_subscription(tmp_path: Path) -> None:
    real, zero = "5f8d2c1a-1111-4222-8333-944455556666", "00000000-0000-0000-0000-000000000001"
    found = check(tmp_path, [text("a")], fallbackResourceIds=[f"/subscriptions/{real}/resourcegroups/rg", f"/subscriptions/{zero}"])
    assert [(finding.code, underlined(finding)) for finding in found] == [("leaked-id", real)]
    assert real not in found[0].diagnostic.message
