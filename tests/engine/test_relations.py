"""Joins, order, grouping and mv-expand as laws over random rows."""

from __future__ import annotations

import math
from itertools import zip_longest
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit import Workspace

keys = st.one_of(st.none(), st.integers(0, 3))
rows = st.lists(st.tuples(keys, st.integers(0, 99)), max_size=6)


def table(pairs: list[tuple[Any, Any]], names: str) -> str:
    cells = ", ".join(f"{'long(null)' if key is None else key}, {value}" for key, value in pairs)
    return f"datatable({names})[{cells}]"


def joined(kind: str, left: list[tuple[Any, Any]], right: list[tuple[Any, Any]]) -> list[tuple[Any, ...]]:
    """The definition: every pair of rows with equal keys, null equal to null (R-220 to R-225)."""
    if kind == "innerunique":
        left = list({key: (key, value) for key, value in reversed(left)}.values())
    pairs = [(one, other) for one in left for other in right if one[0] == other[0]]
    lonely_left = [one for one in left if all(one[0] != other[0] for other in right)]
    lonely_right = [other for other in right if all(one[0] != other[0] for one in left)]
    result: list[tuple[Any, ...]] = [(*one, *other) for one, other in pairs]
    if kind in ("leftouter", "fullouter"):
        result += [(*one, None, None) for one in lonely_left]
    if kind in ("rightouter", "fullouter"):
        result += [(None, None, *other) for other in lonely_right]
    special = {
        "leftanti": lonely_left,
        "rightanti": lonely_right,
        "leftsemi": [one for one in left if one not in lonely_left],
        "rightsemi": [other for other in right if other not in lonely_right],
    }
    return list(special.get(kind, result))


KINDS = ["inner", "innerunique", "leftouter", "rightouter", "fullouter", "leftanti", "rightanti", "leftsemi", "rightsemi"]


@pytest.mark.parametrize("kind", KINDS)
@given(left=rows, right=rows)
def test_join(kind: str, left: list[tuple[Any, Any]], right: list[tuple[Any, Any]]) -> None:
    query = f"{table(left, 'k:long, a:long')} | join kind={kind} ({table(right, 'k:long, b:long')}) on k"
    found = EMPTY.query(query).rows()
    assert sorted(found, key=repr) == sorted(joined(kind, left, right), key=repr)


EMPTY = Workspace({})

reals = st.one_of(st.none(), st.sampled_from([math.nan, math.inf, -math.inf]), st.integers(-3, 3).map(float))


def literal(value: float | None) -> str:
    if value is None or math.isnan(value) or math.isinf(value):
        names = {None: "null", "nan": "nan", "inf": "+inf", "-inf": "-inf"}
        return f"real({names[None if value is None else str(value)]})"
    return f"real({value})"


@given(values=st.lists(reals, max_size=8), descending=st.booleans(), nulls=st.sampled_from(["", "nulls first", "nulls last"]))
def test_order_of_reals(values: list[float | None], descending: bool, nulls: str) -> None:
    """R-237, R-238: null outermost, NaN beside it, infinities in their place."""
    first = nulls == "nulls first" or (not nulls and not descending)
    numbers = sorted((value for value in values if value is not None and not math.isnan(value)), reverse=descending)
    nans = [value for value in values if value is not None and math.isnan(value)]
    missing = [None] * values.count(None)
    expected = [*missing, *nans, *numbers] if first else [*numbers, *nans, *missing]
    direction = "desc" if descending else "asc"
    cells = ", ".join(map(literal, values))
    found = [row[0] for row in EMPTY.query(f"datatable(r:real)[{cells}] | sort by r {direction} {nulls}").rows()]
    assert list(map(repr, found)) == list(map(repr, expected))


@pytest.mark.parametrize(
    "steps",
    [
        "| sort by n asc",
        "| sort by n asc | extend m = n * 2 | where m >= 0 | project n",
        "| extend m = -n | sort by m desc | project n",
        "| sort by -n desc | project n",
        "| top 1000 by n asc | project-rename x = n",
        "| sort by n asc | take 1000 | where n > -1",
        "| sort by n asc | parse tostring(n) with d:long | project d",
        "| sort by n asc | extend l = pack_array(n) | mv-expand l to typeof(long) | project l",
    ],
)
def test_order_survives_row_wise_operators(steps: str) -> None:
    """Over rows that several threads read, so that an order that was lost is seen."""
    query = f"range n from 0 to 9999 step 1 | extend n = (n * 7919) % 10000 {steps}"
    found = [row[0] for row in EMPTY.query(query).rows()]
    assert found == sorted(found)
    assert found[0] == 0


def test_lists_follow_the_order_of_the_rows() -> None:
    rows = EMPTY.query("range n from 1 to 5000 step 1 | sort by n desc | summarize l = make_list(n) by g = n % 2 | sort by g asc").rows()
    assert rows == [(0, list(range(5000, 0, -2))), (1, list(range(4999, 0, -2)))]


elements = st.one_of(st.none(), st.lists(st.one_of(st.none(), st.integers(0, 9)), max_size=4))


@given(st.lists(st.tuples(elements, elements), min_size=1, max_size=4))
def test_mv_expand_is_lockstep(pairs: list[tuple[list[Any] | None, list[Any] | None]]) -> None:
    """R-100, R-101: null counts as one element; shorter columns are padded; order is kept."""

    def dynamic(value: list[Any] | None) -> str:
        return f"dynamic({'null' if value is None else str(value).replace('None', 'null')})"

    cells = ", ".join(f"{index}, {dynamic(a)}, {dynamic(b)}" for index, (a, b) in enumerate(pairs))
    query = f"datatable(i:long, a:dynamic, b:dynamic)[{cells}] | mv-expand with_itemindex=x a, b"
    expected = []
    for index, (a, b) in enumerate(pairs):
        lists = [[None] if value is None else value for value in (a, b)]
        expected += [(index, *values, place) for place, values in enumerate(zip_longest(*lists))]
    assert EMPTY.query(query).rows() == expected


GROUPS: list[tuple[str, list[tuple[Any, ...]]]] = [
    ("datatable(x:long)[] | summarize count(), s = sum(x), m = max(x)", [(0, 0, None)]),
    ("datatable(x:long, s:string)[] | summarize arg_max(x, s)", [(None, "")]),
    ("datatable(k:string, t:long, v:string)['a', long(null), 'n'] | summarize arg_max(t, v) by k", [("a", None, "n")]),
    ("datatable(k:string, t:long, v:string)['a', long(null), 'n', 'a', 1, ''] | summarize arg_max(t, *) by k", [("a", 1, "")]),
    ("datatable(k:string, t:long, v:long)['a', 2, long(null), 'a', 1, 5] | summarize arg_max(t, v) by k", [("a", 2, None)]),
    ("datatable(k:string, t:long, v:long)['a', 2, long(null), 'a', 1, 5] | summarize take_any(v) by k", [("a", 5)]),
    ("datatable(x:long)[1, 1, 2] | summarize by 5", [(5,)]),
    ("datatable(x:long)[1, 1, 2] | summarize count() by y = 99999999999", [(99999999999, 3)]),
    ("datatable(x:long)[1, 1, 2] | summarize n = count() | project y = 1", [(1,)]),
    ("datatable(x:long)[1, 1, 2] | summarize n = count() by x | project y = 1", [(1,), (1,)]),
    ("datatable(x:long)[1, 1, 2] | distinct x | count", [(2,)]),
    ("datatable(x:long)[3, 1, 2] | sort by x asc | take 2 | summarize sum(x)", [(3,)]),
    ("let T = datatable(x:long)[3, 1, 2] | sort by x asc; T | take 1 | union (T | take 2 | where x == 2)", [(1,), (2,)]),
    ("let T = materialize(range x from 1 to 3 step 1); T | join kind=inner T on x | summarize sum(x), sum(x1)", [(6, 6)]),
    ("print x = toscalar(datatable(s:string)[])", [("",)]),
    ("range x from 1 to 5 step 1 | where x in ((range y from 2 to 3 step 1)) | project x", [(2,), (3,)]),
]


@pytest.mark.parametrize(("query", "expected"), GROUPS, ids=[query for query, _ in GROUPS])
def test_rows(query: str, expected: list[tuple[Any, ...]]) -> None:
    assert sorted(EMPTY.query(query).rows()) == sorted(expected)
