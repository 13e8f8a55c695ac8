"""What does not come from a query of logs: JSON in the workbook, merges of other steps, expressions of added columns."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workbooks.making import Items, check, group, parameter, parameters, query, underlined
from toolkit.workbooks.conditions import holds
from toolkit.workbooks.expressions import ExpressionError, value_of
from toolkit.workbooks.jsondata import json_rows
from toolkit.workbooks.jsonpath import PathError, select
from toolkit.workbooks.merges import JOINS, MergeError, merged, read_merge
from toolkit.workbooks.tables import Table

_STORE = {"a": {"b": [{"c": 1}, {"c": 2}, {}]}, "x y": "z", "e": None}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("$", [_STORE]),
        ("", [_STORE]),
        ("$.a.b[*].c", [1, 2]),
        ("a.b.*.c", [1, 2]),
        ("$.a.b[1]", [{"c": 2}]),
        ("$['x y']", ["z"]),
        ('$["a"]["b"][0].c', [1]),
        ("$.e", [None]),
        ("$.nope.c", []),
        ("$.a.b[9]", []),
        ("$[*]", [_STORE["a"], "z", None]),
    ],
)
def test_json_paths(path: str, expected: list[Any]) -> None:
    assert select(_STORE, path) == expected


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("$..c", "a search of all levels"),
        ("$.a.b[?(@.c>1)]", "a filter"),
        ("$.a[0:1]", "'[0:1]'"),
        ("$.a['b','c']", "'b','c'"),
        ("$.a b", "' b'"),
        ("x" * 2000, "2,000 characters"),
    ],
)
def test_json_paths_that_are_not_supported(path: str, words: str) -> None:
    with pytest.raises(PathError) as caught:
        select(_STORE, path)
    assert words in str(caught.value)


@given(st.text(max_size=40))
def test_any_path_is_judged(path: str) -> None:
    with suppress(PathError):
        assert isinstance(select(_STORE, path), list)


def _json_query(content: Any, table: str | None = None, *columns: dict[str, Any]) -> str:
    transformers = [{"type": "jsonpath", "settings": {"tablePath": table, "columns": list(columns)}}] if table is not None else None
    return json.dumps({"version": "1.0.0", "content": json.dumps(content), "transformers": transformers})


@pytest.mark.parametrize(
    ("text", "columns", "rows"),
    [
        (_json_query([{"a": 1}, {"b": "x"}]), [("a", "real"), ("b", "string")], [[1, None], [None, "x"]]),
        (_json_query(["p", "q"]), [("value", "string")], [["p"], ["q"]]),
        (_json_query({"a": [1, 2]}), [("a", "dynamic")], [[[1, 2]]]),
        (_json_query({"v": {"n": "p"}}, "$.v.n"), [("value", "string")], [["p"]]),
        (_json_query({"v": [{"n": 1}, {"n": 2}]}, "$.v", {"path": "$.n", "columnid": "N"}), [("N", "real")], [[1], [2]]),
        (_json_query({"v": [{"n": 1}, {"n": 2}]}, "$.v[*]", {"path": "$.n", "columnid": "N"}), [("N", "real")], [[1], [2]]),
        (_json_query([{"n": [1, 2]}], "", {"path": "$.n[*]", "columnid": "N"}), [("N", "dynamic")], [[[1, 2]]]),
        (_json_query([{"t": "2026-01-02"}], "", {"path": "$.t", "columnid": "T", "columnType": "datetime"}),
         [("T", "datetime")], [[datetime(2026, 1, 2, tzinfo=UTC)]]),
        (_json_query([{"t": "12"}, {"t": "x"}], "", {"path": "$.t", "columnid": "T", "columnType": "long"}),
         [("T", "real")], [[12], [None]]),
        (_json_query([], "$.v[*]"), [], []),
    ],
)  # fmt: skip
def test_json_as_rows(text: str, columns: list[Any], rows: list[Any]) -> None:
    found = json_rows(text)
    assert not found.error
    assert (list(found.table.columns), list(found.table.rows)) == (columns, rows)


@pytest.mark.parametrize(
    ("text", "key", "words"),
    [
        ('{"content": "[1,"}', "error", "cannot be read"),
        (_json_query([], "$..x"), "note", "Not drawn here: the JSON path '$..x'"),
        (
            _json_query([{"a": 1}], "", {"path": "$.a", "columnid": "A", "substringRegexMatch": "x"}),
            "note",
            "the pattern of the column 'A'",
        ),
        ('{"content": "[]", "transformers": [{"type": "xpath"}]}', "note", "'xpath'"),
    ],
)
def test_json_that_is_not_read_says_why(text: str, key: str, words: str) -> None:
    assert words in getattr(json_rows(text), key)


# --- merges ------------------------------------------------------------------------------------------------------------

_LEFT = Table([("K", "string"), ("L", "long")], [["a", 1], ["a", 2], ["b", 3], [None, 4]])
_RIGHT = Table([("K", "string"), ("R", "long")], [["a", 10], ["c", 30], [None, 40]])
_TABLES = {"left": _LEFT, "right": _RIGHT}


def _merge(kind: str, *renamed: dict[str, Any], left: str = "left", right: str = "right", keys: tuple[str, str] = ("K", "K")) -> str:
    join = {"id": "1", "mergeType": kind, "leftTable": left, "rightTable": right, "leftColumn": keys[0], "rightColumn": keys[1]}
    return json.dumps({"version": "Merge/1.0", "merges": [join], "projectRename": list(renamed)})


_BOTH = ["K", "L", "K1", "R"]


@pytest.mark.parametrize(
    ("kind", "names", "rows"),
    [
        ("inner", _BOTH, [["a", 1, "a", 10], ["a", 2, "a", 10]]),
        ("innerunique", _BOTH, [["a", 1, "a", 10]]),
        ("leftouter", _BOTH, [["a", 1, "a", 10], ["a", 2, "a", 10], ["b", 3, None, None], [None, 4, None, None]]),
        ("rightouter", _BOTH, [["a", 1, "a", 10], ["a", 2, "a", 10], [None, None, "c", 30], [None, None, None, 40]]),
        ("outer", _BOTH, [["a", 1, "a", 10], ["a", 2, "a", 10], ["b", 3, None, None], [None, 4, None, None], [None, None, "c", 30],
                          [None, None, None, 40]]),
        ("leftsemi", ["K", "L"], [["a", 1], ["a", 2]]),
        ("rightsemi", ["K", "R"], [["a", 10]]),
        ("leftanti", ["K", "L"], [["b", 3], [None, 4]]),
        ("rightanti", ["K", "R"], [["c", 30], [None, 40]]),
        ("union", ["K", "L", "R"], [["a", 1, None], ["a", 2, None], ["b", 3, None], [None, 4, None], ["a", None, 10], ["c", None, 30],
                                    [None, None, 40]]),
        ("table", ["K", "L"], [["a", 1], ["a", 2], ["b", 3], [None, 4]]),
    ],
)  # fmt: skip
def test_every_kind_of_merge(kind: str, names: list[str], rows: list[list[Any]]) -> None:
    found = merged(read_merge(_merge(kind)), _TABLES)
    assert [name for name, _ in found.columns] == names
    assert found.rows == rows


_VALUES = st.sampled_from([None, "a", "b", "c", 1, 1.0, "1"])
_SIDES = st.lists(st.tuples(_VALUES, st.integers(0, 9)).map(list), max_size=6)


def _same(one: Any, other: Any) -> bool:
    """1, 1.0 and "1" are one key."""
    return str(one).removesuffix(".0") == str(other).removesuffix(".0")


@given(_SIDES, _SIDES)
def test_joins_are_made_of_one_another(left: list[list[Any]], right: list[list[Any]]) -> None:
    tables = {"left": Table([("K", "string"), ("L", "long")], left), "right": Table([("K", "string"), ("R", "long")], right)}
    rows = {kind: [list(row) for row in merged(read_merge(_merge(kind)), tables).rows] for kind in JOINS}
    none = [None, None]
    same = [(one, two) for one, two in product(left, right) if one[0] is not None and _same(one[0], two[0])]
    assert len(rows["inner"]) == len(same)
    assert sorted(map(repr, rows["leftouter"])) == sorted(map(repr, rows["inner"] + [row + none for row in rows["leftanti"]]))
    assert sorted(map(repr, rows["rightouter"])) == sorted(map(repr, rows["inner"] + [none + row for row in rows["rightanti"]]))
    assert len(rows["outer"]) == len(rows["leftouter"]) + len(rows["rightanti"])
    assert sorted(map(repr, rows["leftsemi"] + rows["leftanti"])) == sorted(map(repr, left))


def test_columns_of_a_merge_are_kept_renamed_taken_away_and_added() -> None:
    def added(name: str, kind: str, result: str) -> dict[str, Any]:
        context = {"operator": "Default", "rightValType": "column", "resultValType": kind, "resultVal": result}
        return {"originalName": "[Added column]", "mergedName": name, "isNewItem": True, "newItemData": [{"criteriaContext": context}]}

    big = {
        "leftOperand": "L",
        "operator": ">",
        "rightValType": "static",
        "rightVal": "{Least}",
        "resultValType": "static",
        "resultVal": "big",
    }
    otherwise = {"operator": "Default", "resultValType": "static", "resultVal": "small"}
    text = _merge(
        "inner",
        {"originalName": "[right].R", "mergedName": "Right", "fromId": "1"},
        {"originalName": "[left].K"},
        {"originalName": "[gone].X", "mergedName": "X", "fromId": "unknown"},
        added("Sum", "expression", '["L"] + ["Right"]'),
        added("Copy", "column", "Sum"),
        {"mergedName": "Size", "isNewItem": True, "newItemData": [{"newColumnContext": big}, {"newColumnContext": otherwise}]},
    )
    found = merged(read_merge(text), _TABLES, lambda value: value.replace("{Least}", "1"))
    assert list(found.columns) == [("Right", "long"), ("Sum", "real"), ("Copy", "real"), ("Size", "string"), ("L", "long"), ("K", "string")]
    assert found.rows == [[10, 11, 11, "small", 1, "a"], [10, 12, 12, "big", 2, "a"]]


def test_merges_follow_one_another() -> None:
    third = Table([("K", "string"), ("T", "long")], [["a", 100]])
    one, two = json.loads(_merge("leftouter")), json.loads(_merge("inner", right="third"))
    text = json.dumps({**one, "merges": one["merges"] + two["merges"]})
    found = merged(read_merge(text), {**_TABLES, "third": third})
    assert [name for name, _ in found.columns] == ["K", "L", "K1", "R", "K2", "T"]
    assert found.rows == [["a", 1, "a", 10, "a", 100], ["a", 2, "a", 10, "a", 100]]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "no JSON"),
        ("{}", "names no tables"),
        (_merge("cross"), "'cross' is not known"),
        (_merge("inner", right=""), "names no table (rightTable)"),
        (_merge("inner", keys=("K", "X")), "'right' has no column 'X'; it has K, R"),
    ],
)
def test_merges_that_cannot_be_made(text: str, words: str) -> None:
    with pytest.raises(MergeError) as caught:
        merged(read_merge(text), _TABLES)
    assert words in str(caught.value)


def test_a_merge_of_too_many_rows_is_refused() -> None:
    many = Table([("K", "string")], [["a"]] * 1000)
    with pytest.raises(MergeError) as caught:
        merged(read_merge(_merge("inner")), {"left": many, "right": many})
    assert "more than 100,000 rows" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('["A"] + 2 * 3', 11),
        ('round(["A"] / 2)', 3),
        ("round(-2.5)", -2),
        ("round(1.256, 2)", 1.26),
        ('(["A"] + 7) & ~7', 8),
        ('"High"', "High"),
        ('["T"]', "x"),
        ('["A"] / 0', None),
        ('["T"] + 1', None),
        ("-5 % 3", -2),
    ],
)
def test_expressions(text: str, expected: Any) -> None:
    assert value_of(text, {"A": 5, "T": "x"}) == expected


@pytest.mark.parametrize(
    "text", ["__import__('os')", "A", "[1, 2]", "(1).real", "2 ** 9", "x" * 2000, "1 +", "round()", "['B']", "(" * 500]
)
def test_expressions_that_are_not_supported(text: str) -> None:
    with pytest.raises(ExpressionError):
        value_of(text, {"A": 5})


@pytest.mark.parametrize(
    ("operator", "value", "bound", "expected"),
    [
        ("==", "5", 5.0, True),
        ("!=", None, "", False),
        (">", "x", 1, False),
        ("startsWith", "ab", "a", True),
        ("regex", "web12", r"^web\d+$", True),
        ("regex", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!", "(a+)+$", None),
        ("regex", "a", "(", None),
        ("Between", 1, 2, None),
        ("Default", 1, 2, True),
    ],
)
def test_conditions(operator: str, value: Any, bound: Any, expected: bool | None) -> None:
    assert holds(operator, value, bound) is expected


# --- checks ------------------------------------------------------------------------------------------------------------

_ONE = query("Logs | summarize Count = count() by Caller", "one")
_TWO = query("Logs | summarize Most = max(Level) by Caller", "two")


def _merging(text: str, **content: Any) -> dict[str, Any]:
    return query(text, "merge", queryType=7, **content)


def _formatter(column: str) -> dict[str, Any]:
    return {"gridSettings": {"formatters": [{"columnMatch": column, "formatter": 1}]}}


_SAME: Any = {"left": "one", "right": "two", "keys": ("Caller", "Caller")}

CASES: list[tuple[str, Items, list[tuple[str, str]]]] = [
    ("a merge", [_ONE, _TWO, _merging(_merge("inner", **_SAME), **_formatter("Most"))], []),
    ("a step that there is not", [_ONE, _merging(_merge("inner", left="one", right="tow"))], [("unknown-step", "*")]),
    (
        "a step in another group",
        [_ONE, group(_TWO), _merging(_merge("inner", **_SAME))],
        [("unknown-step", "*")],
    ),
    ("a step around its group", [_ONE, _TWO, group(_merging(_merge("inner", **_SAME)))], []),
    ("a key that there is not", [_ONE, _TWO, _merging(_merge("inner", left="one", right="two"))], [("bad-merge", "*")]),
    ("a kind that there is not", [_ONE, _TWO, _merging(_merge("innr", left="one", right="two"))], [("bad-merge", "*")]),
    ("a merge of itself", [_merging(_merge("table", left="merge"))], [("unknown-step", "*")]),
    ("a formatter of a merge", [_ONE, _merging(_merge("table", left="one"), **_formatter("Most"))], [("unknown-column", '"Most"')]),
    (
        "a merge of what only Azure has",
        [query("resources", "one", queryType=1), _merging(_merge("table", left="one"), **_formatter("x"))],
        [("not-checked", "*")],
    ),
    ("a merge of metrics", [{"type": 10, "content": {}, "name": "one"}, _merging(_merge("table", left="one"))], []),
    (
        "JSON in a value of JSON",
        [parameters(parameter("P", value='[{"a": 1}]')), query('{"content": "{P}"}', queryType=8, **_formatter("b"))],
        [("unknown-column", '"b"')],
    ),
    ("columns of JSON", [query(_json_query([{"a": 1}]), queryType=8, **_formatter("b"))], [("unknown-column", '"b"')]),
    ("JSON that is none", [query('{"content": "[1,"}', queryType=8)], [("broken-json", "*")]),
    ("a path that is not supported", [query(_json_query([], "$..x"), queryType=8)], [("not-checked", "*")]),
    ("a parameter of Resource Graph", [parameters(parameter("P", 2, query="resources", queryType=1))], [("not-checked", "*")]),
    (
        "JSON of a value that is chosen",
        [parameters(parameter("P", 2, query="Logs | distinct Caller")), query('{"content": "{P}"}', queryType=8)],
        [],
    ),
    (
        "a parameter that asks for itself",
        [parameters(parameter("P", 2, query="Logs | where Caller == '{P}' | distinct Caller"))],
        [("parameter-out-of-scope", "{P}")],
    ),
    (
        "a parameter of the same step, below",
        [parameters(parameter("P", 2, query="Logs | where Caller == '{Q}' | distinct Caller"), parameter("Q", value="x"))],
        [("parameter-out-of-scope", "{Q}")],
    ),
    (
        "a number among the arguments of a function",
        [parameters(parameter("N")), query("Logs | where Level > iff(Caller == 'x', {N}, {N})")],
        [],
    ),
    (
        "a graph",
        [query("Logs | project Caller", visualization="graph", graphSettings={"type": 0, "nodeIdField": "Caler", "groupByField": "x"})],
        [("unknown-column", '"Caler"')],
    ),
    (
        "settings of another kind of map",
        [query("Logs | project Caller", visualization="map", mapSettings={"locInfo": "CountryRegion", "latitude": "Lat"})],
        [],
    ),
]


@pytest.mark.parametrize(("items", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_checks(tmp_path: Path, items: Items, expected: list[tuple[str, str]]) -> None:
    found = [(finding.code, underlined(finding)) for finding in check(tmp_path, items)]
    assert [code for code, _ in found] == [code for code, _ in expected], found
    for (_, place), (_, wanted) in zip(found, expected, strict=True):
        assert wanted in ("*", place)
