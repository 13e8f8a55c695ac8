"""Saved functions that are bound once for many calls: no plan, finding or answer tells whether one was kept."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

import pytest

from toolkit import Workspace
from toolkit.kql.analysis import Analysis, Environment, SavedFunction, analyze
from toolkit.kql.binder.expansions import KEPT
from toolkit.kql.plan import Shared
from toolkit.kql.types import ScalarType, TableSchema

TABLES = {
    "T": {"t": "datetime", "s": "string", "n": "long", "d": "dynamic"},
    "U": {"t": "datetime", "s": "string"},
}
PARAMETERS = "start:datetime=datetime(null), names:dynamic=dynamic([]), off:bool=false"
FUNCTIONS = {
    "base": (
        (
            "T | where isnull(start) or t >= start"
            " | extend who = iff(array_length(names) == 0 or s in (names), s, tostring(d.who))"
        ),
        PARAMETERS,
    ),
    "both": ("union isfuzzy=true base(start=start, names=names), (U | where not(off) | project t, who = s), gone", PARAMETERS),
    "outer_": (
        "let least = 2; both(start, names) | summarize n = count() by who | where n > least",
        "start:datetime=datetime(null), names:dynamic=dynamic([])",
    ),
    "twice": ("base | join kind=inner (base | project who, n) on who | project who, n1", ""),
    "pinned": ("let m = materialize(T | summarize c = count() by s); m | join kind=leftouter m on s", ""),
    "open": ("_GetWatchlist('list') | where Kind == 'x' | project SearchKey, Kind, Level", ""),
    "wrong": ("T | where Nope == 1 | extend x = tolong(t, 2)", ""),
    "nested_wrong": ("wrong | take 1", ""),
    "refused": ("T | extend b = parse_user_agent(s, 'browser') | where d == d", ""),
    "unrunnable": ("T | extend b = parse_user_agent(s, 'browser')", "x:string=''"),
    "seen": ("T | where n > least | project n", ""),
    "every": ("union withsource=of * | project of", ""),
    "named": ("T | as rows | union withsource=of U | project of, s", ""),
    "charted": ("T | summarize count() by s | render piechart", ""),
    "asserted": ("T | where assert(1 == 1, 'no') and n > 1", ""),
    "of_table": ("rows | where n > least", "rows:(n:long), least:long=1"),
    "ranked": ("T | top-nested 2 of s by count()", ""),
    "unpacked": ("T | evaluate bag_unpack(d)", ""),
    "a": ("b_ | take 1", ""),
    "b_": ("a | take 1", ""),
    "now_": ("T | where t > ago(1h) | extend age = now() - t", ""),
    "scalar": ("toscalar(T | where n == k | summarize max(n)) + 1", "k:long"),
    "zero": ("print r = 1 / x, x", "x:real"),
    "graphed": ("T | make-graph s --> who with_node_id=id", ""),
}  # fmt: skip
QUERIES = [
    "base",
    "base()",
    "base(start=ago(1h)) | where n > 1",
    "T | join kind=inner (base(start=ago(1h))) on s",
    "base(names=dynamic(['x'])) | union base, (base(names=dynamic(['y'])))",
    "outer_",
    "outer_(ago(1d)) | join kind=fullouter (outer_(ago(1d))) on who | where n > 3",
    "outer_(datetime(2026-01-01), dynamic(['x', 'y'])) | count",
    "twice | union twice",
    "let least = 5; seen",
    "let T = U; base",
    "let gone = U | project who = s; both",
    "let who = 3; base | project who",
    "pinned | union pinned",
    "open | where Other == 1",
    "union open, open, (T | where s in ((open | project SearchKey)))",
    "wrong",
    "T | take 1; wrong",
    "nested_wrong | union wrong, nested_wrong",
    "refused | union refused",
    "seen",
    "every | count",
    "T | union named, named",
    "charted",
    "asserted | union asserted",
    "of_table(T) | union of_table(T | project n, s, m = n)",
    "T | invoke of_table(least=3)",
    "ranked | extend r = row_number()",
    "unpacked | union unpacked",
    "a",
    "union a, b_",
    "set query_now = datetime(2026-01-01); now_",
    "now_ | union now_",
    "T | extend v = scalar(3), w = scalar(n)",
    "zero(0.0) | union zero(-0.0), zero(real(nan))",
    "restrict access to (U); base",
    "let f = () { base }; f | union f, base",
    "let base = (x: long) { T | where n == x }; base(3) | union (both)",
    "T | where s in ((base(names=dynamic(['x'])) | project who)) and n == toscalar(base | count)",
    "outer_(start=1h, nonsense=3)",
    "base | where parse_json(who).a.b == 1 | partition hint.strategy=native by s (take 1)",
]


def _environment(tables: dict[str, dict[str, str]] = TABLES, dry: bool = False) -> Environment:
    schemas = {name: TableSchema(name, {column: ScalarType(kind) for column, kind in columns.items()}) for name, columns in tables.items()}
    functions = {name: SavedFunction(name, body, parameters) for name, (body, parameters) in FUNCTIONS.items()}
    return Environment(schemas, functions, dry=dry)


def _dump(value: Any, shared: dict[int, int]) -> Any:
    """All of a plan: ids, places, and which parts are one."""
    if isinstance(value, Shared):
        known = id(value) in shared
        number = shared.setdefault(id(value), len(shared))
        return ("again", number) if known else (number, value.name, value.pinned, _dump(value.rel, shared))
    if isinstance(value, tuple):
        return tuple(_dump(part, shared) for part in value)
    if isinstance(value, dict):
        return tuple((key, _dump(part, shared)) for key, part in value.items())
    if is_dataclass(value):
        return (type(value).__name__, *(_dump(getattr(value, item.name), shared) for item in fields(value)))
    return repr(value)


def _of(analysis: Analysis) -> tuple[Any, ...]:
    return analysis.columns, analysis.diagnostics, analysis.refusals, _dump(analysis.plan, {})


def _cold(query: str, environment: Environment) -> tuple[Any, ...]:
    KEPT.clear()
    return _of(analyze(query, environment))


@pytest.mark.parametrize("dry", [False, True], ids=["", "dry"])
def test_what_was_bound_before_changes_no_plan_and_no_finding(dry: bool) -> None:
    environment = _environment(dry=dry)
    cold = {query: _cold(query, environment) for query in QUERIES}
    for queries in (QUERIES, list(reversed(QUERIES))):
        KEPT.clear()
        for query in [*queries, *queries]:
            assert _of(analyze(query, environment)) == cold[query], query


@pytest.mark.parametrize("query", QUERIES)
def test_plans_are_those_of_binding_anew(query: str) -> None:
    """Under a declared pattern nothing is kept; only the places of what an engine may refuse are not those of the call then."""
    environment = _environment()
    anew = analyze("declare pattern none = (x: string) { ('a') = { T }; }; " + query, environment)
    for _ in range(2):
        found = analyze(query, environment)
        assert found.columns == anew.columns
        assert [diagnostic.message for diagnostic in found.diagnostics] == [diagnostic.message for diagnostic in anew.diagnostics]
        assert _without_places(found) == _without_places(anew)


def _without_places(analysis: Analysis) -> str:
    import re

    return re.sub(r"Span\(start=-?\d+, end=-?\d+\)|place=\(.*?\), \d+, \d+\)", "", repr(analysis.plan))


def test_what_it_was_bound_over_counts() -> None:
    """Other tables, watchlists or functions of the same names are others."""
    columns = []
    for kind in ("string", "long", "string", "guid"):
        tables = {**TABLES, "U": {"t": "datetime", "s": kind}}
        columns.append(dict(analyze("both | project-keep who*", _environment(tables)).columns))
    assert columns == [
        {"who": "string"},
        {"who_string": "string", "who_long": "long"},
        {"who": "string"},
        {"who_string": "string", "who_guid": "guid"},
    ]
    later = _environment()
    assert dict(analyze("outer_", later).columns) == {"who": "string", "n": "long"}
    later.functions = {**later.functions, "base": SavedFunction("base", "T | project who = n", PARAMETERS)}
    assert dict(analyze("both | project-keep who*", later).columns) == {"who_long": "long", "who_string": "string"}
    later.watchlists = {"list": TableSchema("list", {"SearchKey": ScalarType.LONG, "Kind": ScalarType.STRING, "Level": ScalarType.INT})}
    assert dict(analyze("open", later).columns) == {"SearchKey": "long", "Kind": "string", "Level": "int"}
    assert dict(analyze("open", _environment()).columns) == {"SearchKey": "string", "Kind": "unknown", "Level": "unknown"}


def test_calls_too_deep_are_found_from_wherever_they_begin() -> None:
    functions = {f"f{number}": SavedFunction(f"f{number}", f"f{number + 1}() | take 1") for number in range(70)}
    functions["f70"] = SavedFunction("f70", "T")
    environment = Environment(_environment().tables, functions)
    for first, wrong in ((30, False), (8, False), (7, False), (6, True), (0, True), (7, False)):
        assert bool(analyze(f"f{first}", environment).errors) is wrong, first


ROWS = [
    {"t": "2026-01-01T10:00:00Z", "s": "x", "n": 1, "d": {"who": "p"}},
    {"t": "2026-01-01T11:30:00Z", "s": "y", "n": 2, "d": {"who": "q"}},
    {"t": "2026-01-01T11:45:00Z", "s": "x", "n": 3, "d": None},
]


@pytest.fixture(scope="module", params=[True, False], ids=["optimized", "as bound"])
def workspace(request: pytest.FixtureRequest) -> Workspace:
    found = Workspace(catalog=TABLES, optimize=request.param)
    found.ingest("T", ROWS)
    found.ingest("U", [{"t": "2026-01-01T09:00:00Z", "s": "z"}])
    for name, (body, parameters) in FUNCTIONS.items():
        found.define_function(name, body, parameters)
    return found


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("base(names=dynamic(['x'])) | project n, who | sort by n asc", [(1, "x"), (2, "q"), (3, "x")]),
        ("base(start=ago(1h)) | count", [(2,)]),
        (("union (base(start=ago(1h)) | extend k = 1), (base | extend k = 2), (base(ago(20m)) | extend k = 3) | summarize n = count() by k"
         " | sort by k asc"), [(1, 2), (2, 3), (3, 1)]),
        ("base | project n | join kind=inner (base | where n > 1 | project n) on n | summarize sum(n), sum(n1)", [(5, 5)]),
        ("twice | summarize count()", [(5,)]),
        ("pinned | project s, c, c1 | sort by s asc", [("x", 2, 2), ("y", 1, 1)]),
        ("outer_ | union outer_", []),
        ("both | summarize n = count() by who | sort by who asc", [("x", 2), ("y", 1), ("z", 1)]),
        ("both(names=dynamic(['x'])) | where who in ((both | project who)) | count", [(3,)]),
        ("print a = scalar(1), b = scalar(3)", [(2, 4)]),
    ],
)  # fmt: skip
def test_answers(workspace: Workspace, query: str, rows: list[tuple[object, ...]]) -> None:
    for _ in range(2):
        assert workspace.query(query, now="2026-01-01T12:00:00Z").rows() == rows
        query += " "  # a text that was not analysed before


@pytest.mark.parametrize(
    "query", ["unrunnable", "T | take 1 | union (unrunnable)", "union unrunnable('a'), T", "let f = () { unrunnable };\nf"]
)
def test_what_an_engine_refuses_in_a_function_is_at_its_call(workspace: Workspace, query: str) -> None:
    from toolkit.kql.diagnostics import UnsupportedKqlError

    for _ in range(2):
        with pytest.raises(UnsupportedKqlError) as caught:
            workspace.query(query)
        places = {query[found.start : found.end].partition("(")[0] for found in caught.value.diagnostics}
        assert places == {"unrunnable"}
        query += " "


def test_an_argument_that_an_engine_refuses_is_where_it_stands(workspace: Workspace) -> None:
    from toolkit.kql.diagnostics import UnsupportedKqlError

    for query in ("T | union (argued(hash_many('a', 'b')))", "argued(x=hash_many('a', 'b'))"):
        workspace.define_function("argued", "T | where n > x", "x:long")
        with pytest.raises(UnsupportedKqlError) as caught:
            workspace.query(query)
        assert {query[found.start : found.end] for found in caught.value.diagnostics} == {"hash_many('a', 'b')"}
