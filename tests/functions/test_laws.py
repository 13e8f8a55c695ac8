"""Functions against Python's own calendar, lists and sets, over generated values: one query answers for a whole column."""

from __future__ import annotations

import json
import math
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit import Workspace
from toolkit.kql.times import format_datetime_iso, ticks_from_datetime

EXAMPLES = settings(max_examples=20, deadline=None)
MOMENTS = st.datetimes(min_value=datetime(1, 1, 8), max_value=datetime(9999, 12, 20), timezones=st.just(UTC))  # noqa: DTZ001
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-(2**53), 2**53), st.text(max_size=8))
DAY = timedelta(days=1)


def _query(types: dict[str, str], rows: list[dict[str, Any]], query: str) -> list[tuple[Any, ...]]:
    with closing(Workspace({"T": {"i": "long", **types}})) as workspace:
        workspace.ingest("T", [{"i": index, **row} for index, row in enumerate(rows)])
        return list(workspace.query(f"T | order by i asc | {query}").rows())


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


@EXAMPLES
@given(st.lists(MOMENTS, min_size=1, max_size=30))
def test_parts_of_dates_are_those_of_the_calendar(moments: list[datetime]) -> None:
    rows = [{"t": format_datetime_iso(ticks_from_datetime(moment))} for moment in moments]
    found = _query(
        {"t": "datetime"},
        rows,
        "project getyear(t), getmonth(t), dayofmonth(t), dayofyear(t), week_of_year(t), hourofday(t), dayofweek(t), startofday(t), "
        "startofweek(t), startofmonth(t), startofyear(t), format_datetime(t, 'yyyy-MM-dd HH:mm:ss.ffffff'), bin(t, 7d)",
    )
    for moment, row in zip(moments, found, strict=True):
        since_sunday = timedelta(days=moment.isoweekday() % 7)
        assert row == (
            moment.year,
            moment.month,
            moment.day,
            moment.timetuple().tm_yday,
            moment.isocalendar().week,
            moment.hour,
            since_sunday,
            _midnight(moment),
            _midnight(moment) - since_sunday,
            _midnight(moment).replace(day=1),
            _midnight(moment).replace(month=1, day=1),
            f"{moment.year:04d}-{moment.month:02d}-{moment.day:02d} {moment.time().isoformat('microseconds')}",
            _midnight(moment) - timedelta(days=moment.weekday()),
        )


@EXAMPLES
@given(st.lists(st.tuples(MOMENTS, MOMENTS), min_size=1, max_size=30))
def test_differences_count_the_boundaries_between(pairs: list[tuple[datetime, datetime]]) -> None:
    rows = [{"a": format_datetime_iso(ticks_from_datetime(a)), "b": format_datetime_iso(ticks_from_datetime(b))} for a, b in pairs]
    units = ("year", "quarter", "month", "week", "day", "hour", "second")
    query = "project " + ", ".join(f"datetime_diff('{unit}', a, b)" for unit in units)

    def places(moment: datetime) -> tuple[int, ...]:
        days = moment.toordinal()
        hours = days * 24 + moment.hour
        quarter = moment.year * 4 + (moment.month - 1) // 3
        seconds = hours * 3600 + moment.minute * 60 + moment.second
        return moment.year, quarter, moment.year * 12 + moment.month, days // 7, days, hours, seconds

    for (a, b), row in zip(pairs, _query({"a": "datetime", "b": "datetime"}, rows, query), strict=True):
        assert row == tuple(one - other for one, other in zip(places(a), places(b), strict=True))


@EXAMPLES
@given(st.lists(st.tuples(st.integers(-(2**62), 2**62), st.integers(1, 2**40)), min_size=1, max_size=30))
def test_a_bin_is_the_multiple_below(pairs: list[tuple[int, int]]) -> None:
    rows = [{"v": v, "r": r} for v, r in pairs]
    found = _query({"v": "long", "r": "long"}, rows, "project bin(v, r), bin(v, 1000), bin_at(v, 60, 7), v % r")
    assert found == [(v // r * r, v // 1000 * 1000, (v - 7) // 60 * 60 + 7, v % r) for v, r in pairs]


@EXAMPLES
@given(st.lists(st.tuples(st.lists(SCALARS, max_size=6), st.integers(-8, 8), st.integers(-8, 8)), min_size=1, max_size=20))
def test_arrays_behave_as_lists(cases: list[tuple[list[Any], int, int]]) -> None:
    rows = [{"a": json.dumps(values), "m": start, "n": end} for values, start, end in cases]
    found = _query(
        {"a": "string", "m": "long", "n": "long"},
        rows,
        "extend a = parse_json(a) | project array_length(a), array_reverse(a), array_concat(a, a), array_slice(a, m, n), "
        "array_rotate_left(a, m), array_shift_left(a, m, 0), tostring(a)",
    )
    for (values, start, end), (*row, text) in zip(cases, found, strict=True):
        size = len(values)
        low, high = (index + size if index < 0 else index for index in (start, end))
        turn = start % size if size else 0
        shifted = (values[start:] + [0] * size)[:size] if start >= 0 else ([0] * -start + values)[:size]
        assert json.loads(text) == values
        assert row == [
            size,
            values[::-1],
            values + values,
            values[max(low, 0) : max(high + 1, 0)],
            values[turn:] + values[:turn],
            shifted,
        ]


@EXAMPLES
@given(st.lists(st.tuples(st.lists(st.text(max_size=5), max_size=8), st.lists(st.text(max_size=5), max_size=8)), min_size=1, max_size=20))
def test_sets_and_sorting_of_texts(pairs: list[tuple[list[str], list[str]]]) -> None:
    rows = [{"a": json.dumps(one), "b": json.dumps(other)} for one, other in pairs]
    found = _query(
        {"a": "string", "b": "string"},
        rows,
        "extend a = parse_json(a), b = parse_json(b) | project array_sort_asc(a), array_sort_desc(a), set_union(a, b), "
        "set_intersect(a, b), set_difference(a, b)",
    )
    for (one, other), row in zip(pairs, found, strict=True):
        joined = list(dict.fromkeys(one + other))
        distinct = list(dict.fromkeys(one))
        assert row == (
            sorted(one),
            sorted(one, reverse=True),
            joined,
            [value for value in distinct if value in other],
            [value for value in distinct if value not in other],
        )


@EXAMPLES
@given(st.lists(st.tuples(st.integers(-(2**40), 2**40), st.text(max_size=4)), min_size=1, max_size=40), st.integers(0, 1000))
def test_aggregates_of_a_group(values: list[tuple[int, str]], tenths: int) -> None:
    percent = tenths / 10
    numbers = sorted(number for number, _ in values)
    rank = max(1, math.ceil(Decimal(tenths) * len(numbers) / 1000))
    found = _query(
        {"n": "long", "s": "string"},
        [{"n": number, "s": text} for number, text in values],
        f"summarize sum(n), dcount(s), make_set(s), make_list(n), percentile(n, {percent}), min(n), max(n), count_distinct(n), avg(n)",
    )
    total, distinct, texts, listed, nearest, low, high, counted, mean = found[0]
    assert (total, distinct, texts) == (sum(numbers), len({s for _, s in values}), sorted({s for _, s in values}))
    assert (listed, nearest, low, high) == ([number for number, _ in values], numbers[rank - 1], numbers[0], numbers[-1])
    assert counted == len(set(numbers))
    assert math.isclose(mean, sum(numbers) / len(numbers), rel_tol=1e-12, abs_tol=1e-9)
