"""Operators: one line per rule and corner. The expected value is what `print` gives."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from toolkit import KqlError, Workspace

Run = Callable[[str], list[tuple[Any, ...]]]

NULL = "long(null)"

VALUES: list[tuple[str, str, object]] = [
    # arithmetic
    ("R-025", "int(2147483647) + int(1)", 2147483648),
    ("R-027", "7 / 2", 3),
    ("R-027", "-7 / 2", -3),
    ("R-027", "7.0 / 2", 3.5),
    ("R-028", "1 / 0", None),
    ("R-028", "1 % 0", None),
    ("R-028", "-1.0 / 0", float("-inf")),
    ("R-029", "-10 % 4", 2),
    ("R-029", "10 % -4", 2),
    ("R-029", "-5.5 % 2", 0.5),
    ("R-026", "2h / 1h", 2.0),
    ("R-026", "datetime(2020-01-02) - datetime(2020-01-01)", timedelta(days=1)),
    ("R-026", "datetime(2020-01-01) + 1d", datetime(2020, 1, 2, tzinfo=UTC)),
    ("R-026", "3 * 2s", timedelta(seconds=6)),
    ("R-026", "1s * 0.5", timedelta(seconds=0.5)),
    ("R-026", "1h / 4", timedelta(minutes=15)),
    ("R-032", "decimal(7) / decimal(2)", Decimal("3.5")),
    ("R-032", "decimal(0.1) * decimal(3)", Decimal("0.3")),
    # IEEE comparisons, which are not DuckDB's
    ("R-031", "real(nan) == real(nan)", False),
    ("R-031", "real(nan) != real(nan)", True),
    ("R-031", "real(nan) > 1.0", False),
    ("R-031", "real(nan) >= real(nan)", False),
    ("R-031", "1.0 < real(nan)", False),
    ("R-031", "real(nan) between (0.0 .. real(+inf))", False),
    # nulls
    ("R-044", f"{NULL} == 5", False),
    ("R-044", f"{NULL} != 5", True),
    ("R-045", f"{NULL} == {NULL}", None),
    ("R-045", f"{NULL} != {NULL}", None),
    ("R-046", f"{NULL} > 3", None),
    ("R-047", f"{NULL} > 3 or true", True),
    ("R-047", f"{NULL} > 3 and false", False),
    ("R-048", f"not({NULL} > 3)", None),
    ("R-049", f"{NULL} + 1", None),
    ("R-052", f"{NULL} in (1, 2)", False),
    ("R-052", f"{NULL} !in (1, 2)", True),
    ("R-053", f"5 between ({NULL} .. 10)", None),
    ("R-053", f"50 between ({NULL} .. 10)", None),
    ("R-053", f"50 !between (1 .. {NULL})", None),
    ("R-041", "datetime(2020-01-04) between (datetime(2020-01-01) .. 3d)", True),
    ("R-041", "5 between (9 .. 1)", False),
    ("R-054", "isnull('')", False),
    ("R-054", "isempty(dynamic(''))", True),
    ("R-054", "isempty(dynamic([]))", False),
    ("R-055", "coalesce('', 'x')", "x"),
    ("R-055", "coalesce('', '')", ""),
    ("R-055", f"coalesce({NULL}, 0)", 0),
    ("R-056", f"iff({NULL} > 1, 'a', 'b')", "b"),
    ("R-056", f"case({NULL} > 1, 1, false, 2, 3)", 3),
    # text
    ("R-110", "'aBc' contains 'BC'", True),
    ("R-110", "'aBc' contains_cs 'BC'", False),
    ("R-110", "'aBc' startswith 'AB'", True),
    ("R-110", "'aBc' endswith_cs 'BC'", False),
    ("R-110", "'abc' =~ 'ABC'", True),
    ("R-110", "'abc' !~ 'ABC'", False),
    ("R-111", "'a_b' has 'a'", True),
    ("R-111", "'ab' has 'a'", False),
    ("R-111", "'éa' has 'a'", False),
    ("R-112", "'xa b' has 'a '", False),
    ("R-112", "'x ab y' hasprefix ' a'", True),
    ("R-113", "'' has ''", True),
    ("R-115", "'the error' hasprefix 'ERR'", True),
    ("R-115", "'x-error' hassuffix 'err'", False),
    ("R-116", "'errors' has_any ('error', 'warning')", False),
    ("R-116", "'a 17 b' has_all (17, 'B')", True),
    ("R-117", "'x' has_any (dynamic([]))", False),
    ("R-117", "'x' has_all (dynamic([]))", True),
    ("R-118", "'100%' contains '%'", True),
    ("R-118", "'userXid' contains 'user_id'", False),
    ("R-122", "2 in (dynamic([1, 2.0]))", True),
    ("R-122", "'b' in (dynamic(['a', 'b']), 'c')", True),
    ("R-120", "'B' in~ ('a', 'b')", True),
    ("R-035", "datetime(2020-01-01) in ('2020-01-01', '2021-01-01')", True),
    ("R-128", "'xay' matches regex 'a'", True),
    # letters beyond ASCII are not folded, not even those whose lower case is ASCII
    ("R-119", "'\u212aube' =~ 'kube'", False),
    ("R-119", "'\u212aube' contains 'kube'", False),
    ("R-119", "'\u212aube' startswith 'kube'", False),
    ("R-119", "'\u212aube' has 'kube'", False),
    ("R-119", "'\u212aube' in~ ('kube')", False),
    ("R-119", "'\u00c9' =~ '\u00e9'", False),
    ("R-119", "'X\u00c9' =~ 'x\u00c9'", True),
    ("R-119", "'X\u00c9' contains 'x\u00c9'", True),
    # dynamic
    ("R-075", "dynamic({'a': {'b': 7}}).a.b", 7),
    ("R-075", "dynamic({'a': 1}).A", None),
    ("R-075", "dynamic({'a.b': {'c\"d': 3}})['a.b']['c\"d']", 3),
    ("R-075", "dynamic({'*': 1, 'a': 2})['*']", 1),
    ("R-077", "dynamic([1, 2, 3])[-1]", 3),
    ("R-076", "dynamic([1])[9]", None),
    ("R-085", "tostring(parse_json('no json'))", "no json"),
    ("R-085", "parse_json('no json').a", None),
    ("R-086", """dynamic({'p': '{"x": 1}'}).p.x""", None),
    ("R-086", """parse_json(tostring(dynamic({'p': '{"x": 1}'}).p)).x""", 1),
    ("R-086", "parse_json(tostring(dynamic({'p': {'x': 1}}).p)).x", 1),
    ("R-078", "tostring(dynamic({'p': null}).p)", ""),
    ("R-078", "tostring(dynamic({'p': [1, {'q': 'r'}]}).p)", '[1,{"q":"r"}]'),
]


@pytest.mark.parametrize(("rule", "expression", "expected"), VALUES, ids=[f"{rule} {expression}" for rule, expression, _ in VALUES])
def test_value(run: Run, rule: str, expression: str, expected: object) -> None:
    (row,) = run(f"print x = {expression}")
    assert row[0] == expected
    assert type(row[0]) is type(expected)


_TYPED_COLUMNS = (
    "datatable(n:long, m:long, r:real, s:string)[1, 1, 1.5, 'a', 2, long(null), real(nan), '', long(null), long(null), real(null), 'K']"
)

FILTERS: list[tuple[str, list[int]]] = [
    ("n == m", [0]),
    ("n != m", [1]),
    ("not(n == m)", [1]),
    ("n == 1", [0]),
    ("n != 1", [1, 2]),
    ("n !in (1)", [1, 2]),
    ("not(n > 1)", [0]),
    ("r > 1", [0]),
    ("r != 1.5", [1, 2]),
    ("r == r", [0]),
    ("n between (m .. 5)", [0]),
    ("n !between (m .. m)", []),
    ("s != ''", [0, 2]),
    ("s in~ ('k', 'b')", [2]),
    ("iff(m > 0, true, false)", [0]),
    ("isnull(m) and (n == 2 or n != 2)", [1, 2]),
]


@pytest.mark.parametrize(("predicate", "expected"), FILTERS, ids=[predicate for predicate, _ in FILTERS])
def test_filter(run: Run, predicate: str, expected: list[int]) -> None:
    """A condition may be written more simply than a value; over nullable columns both must select the same rows."""
    table = f"let T = {_TYPED_COLUMNS} | extend i = case(n == 1, 0, n == 2, 1, 2); T"
    assert [row[0] for row in run(f"{table} | where {predicate} | project i")] == expected
    assert [row[0] for row in run(f"{table} | extend p = {predicate} | where p | project i")] == expected


@pytest.mark.parametrize(
    ("kql", "needle"),
    [
        ("print x = 9223372036854775807 + 1", "overflow"),
        ("print x = -9223372036854775807 - 2", "overflow"),
        ("print x = 4611686018427387904 * 2", "overflow"),
        ("print x = decimal(1) / decimal(3)", "fractional digits"),
        ("print d = dynamic(5) | mv-expand d", "neither an array nor a bag"),
    ],
)
def test_what_has_no_exact_value_fails(empty: Workspace, kql: str, needle: str) -> None:
    with pytest.raises(KqlError, match=needle):
        empty.query(kql)
