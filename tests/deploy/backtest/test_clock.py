"""The clock of a query: which calls become the run's time, and what stays as it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit import Workspace
from toolkit.deploy.backtest import BacktestError
from toolkit.deploy.backtest.clock import clock_edits, edited, uses_clock
from toolkit.kql.parser import parse

NOW = datetime(2026, 3, 2, 10, 0, 0, 250000, UTC)
N = "datetime(2026-03-02T10:00:00.2500000Z)"

REWRITTEN = [
    ("print now()", f"print {N}"),
    ("print now(-1d)", f"print ({N} + (-1d))"),
    ("T | where TimeGenerated > ago(1d)", f"T | where TimeGenerated > ({N} - (1d))"),
    ("T | where t between (ago(2h) .. now())", f"T | where t between (({N} - (2h)) .. {N})"),
    ("print ago( /* a day */ 1d ) // ago(2d)", f"print ({N} - (1d)) // ago(2d)"),
    ("print ago((1d + 2h))", f"print ({N} - ((1d + 2h)))"),
    ("print ago(now() - ago(1h))", f"print ({N} - ({N} - ({N} - (1h))))"),
    ("let d = 1d;\nlet start = ago(d);\nT | where t > start", f"let d = 1d;\nlet start = ({N} - (d));\nT | where t > start"),
    ("range t from ago(1h) to now() step 5m", f"range t from ({N} - (1h)) to {N} step 5m"),
    ("let f = (x: timespan) { ago(x) }; print f(1h)", f"let f = (x: timespan) {{ ({N} - (x)) }}; print f(1h)"),
    (
        "T | join kind=inner (U | where t > ago(1d)) on $left.a == $right.b",
        f"T | join kind=inner (U | where t > ({N} - (1d))) on $left.a == $right.b",
    ),
    ("T | where t in (toscalar(U | where t > ago(1d)))", f"T | where t in (toscalar(U | where t > ({N} - (1d))))"),
    (
        "T | make-series n = count() on t from ago(1d) to now() step 1h",
        f"T | make-series n = count() on t from ({N} - (1d)) to {N} step 1h",
    ),
]
UNTOUCHED = [
    "print 'ago(1d) now()'",
    'T | where Text has "ago(" and @"C:\\now()" != Path',
    "T | where now == 1 and ago > 2",
    "T | extend ['ago(1d)'] = 1 | project ['now()'], ago, now",
    "print dynamic({'now()': 'ago(1d)'}) // now()",
    "print ```\nago(1d)\n```",
    "cluster('c').database('d').now()",
    "datatable(ago: string) ['ago(1d)', h'now()']",
]


def _pinned(text: str) -> str:
    return edited(text, clock_edits(parse(text).query)).at(NOW)


@pytest.mark.parametrize(("text", "wanted"), REWRITTEN)
def test_calls_become_the_time_of_the_run(text: str, wanted: str) -> None:
    assert _pinned(text) == wanted


@pytest.mark.parametrize("text", UNTOUCHED)
def test_what_only_looks_like_a_call_stays(text: str) -> None:
    assert _pinned(text) == text


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("let ago = (x: timespan) { datetime(2026-01-01) - x }; print ago(1d)", "a function ago of its own"),
        ("set query_now = datetime(2026-01-01); print now()", "sets query_now itself"),
    ],
)
def test_a_clock_that_cannot_be_set_is_refused(text: str, problem: str) -> None:
    with pytest.raises(BacktestError) as caught:
        _pinned(text)
    assert problem in str(caught.value)


_ENGINE = Workspace({})
_MOMENT = st.recursive(
    st.just("now()"),
    lambda inner: st.one_of(
        inner.map(lambda text: f"now(datetime(2026-03-01) - {text})"),
        inner.map(lambda text: f"ago({text} - datetime(2026-02-01))"),
        inner.map(lambda text: f"iff('ago(1d)' == 'now()', {text}, ago(3h))"),
        inner.map(lambda text: f"bin({text}, 1h)"),
        st.tuples(inner, inner).map(lambda both: f"max_of({both[0]}, {both[1]})"),
    ),
    max_leaves=6,
)


@settings(max_examples=40)
@given(_MOMENT, st.integers(0, 10**6))
def test_a_query_with_its_clock_set_answers_as_at_that_time(text: str, seconds: int) -> None:
    moment = NOW + timedelta(seconds=seconds)
    query = f"print t = {text}, s = 'ago(1d)'"
    pinned = edited(query, clock_edits(parse(query).query)).at(moment)
    assert not uses_clock(parse(pinned).query)
    assert _ENGINE.query(pinned, now=datetime(2020, 1, 1, tzinfo=UTC)).rows() == _ENGINE.query(query, now=moment).rows()
