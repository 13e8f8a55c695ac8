"""The lattice of runs, and the bars of the report."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.content.models.rule import Rule
from toolkit.content.models.validate import validate_model
from toolkit.content.yaml import parse_yaml
from toolkit.deploy.backtest import BacktestError, schedule_of
from toolkit.deploy.backtest.outcome import alert_count
from toolkit.deploy.backtest.schedule import check_number
from toolkit.deploy.backtest.text import bar
from toolkit.simulate import Window, raise_alerts

UNTIL = datetime(2026, 3, 2, 10, tzinfo=UTC)


def _rule(**keys: str) -> Rule:
    text = "".join(f"{key}: {value}\n" for key, value in {"name": "R", "queryFrequency": "1h", "queryPeriod": "1h", **keys}.items())
    document, findings = parse_yaml(text, "rule.yaml")
    rule = validate_model(Rule, document, findings)
    assert rule is not None
    return rule


@given(
    frequency=st.integers(5, 3000),
    period=st.integers(5, 3000),
    days=st.integers(1, 4),
    factor=st.integers(1, 5),
    start=st.none() | st.integers(-100_000, 100_000),
)
def test_runs_are_a_lattice_over_the_days(frequency: int, period: int, days: int, factor: int, start: int | None) -> None:
    anchor = UNTIL if start is None else UNTIL + timedelta(minutes=start)
    keys = {} if start is None else {"startTimeUtc": f"'{anchor.isoformat()}'"}
    step = timedelta(minutes=frequency * factor)
    schedule = schedule_of(_rule(queryFrequency=f"{frequency}m", queryPeriod=f"{period}m", **keys), UNTIL, days, step)
    windows = list(schedule.windows())
    minutes = (UNTIL - timedelta(minutes=number) for number in range(days * 1440))
    expected = sorted(minute for minute in minutes if not (minute - anchor) % step)
    assert [window.end for window in windows] == expected
    assert len(windows) == schedule.count
    assert all(window.end - window.start == timedelta(minutes=period) for window in windows)


def test_an_nrt_rule_has_an_hour_for_sixty_runs() -> None:
    schedule = schedule_of(_rule(kind="NRT"), UNTIL, 1)
    assert (schedule.count, schedule.period, schedule.runs_per_day) == (24, timedelta(hours=1), 24)


@pytest.mark.parametrize("minutes", [0, -60, 30, 90])
def test_a_step_is_a_multiple_of_the_frequency(minutes: int) -> None:
    with pytest.raises(BacktestError, match="--step: expected a multiple of 1h"):
        schedule_of(_rule(), UNTIL, 1, timedelta(minutes=minutes))


@given(st.integers(1, 400), st.integers(1, 60))
def test_the_step_that_a_refusal_proposes_is_enough(most: int, days: int) -> None:
    rule = _rule(queryFrequency="5m", queryPeriod="5m")
    schedule = schedule_of(rule, UNTIL, days)
    if schedule.count <= most:
        check_number(schedule, most)
        return
    with pytest.raises(BacktestError) as caught:
        check_number(schedule, most)
    one_in = int(str(caught.value).split("one run in ")[1].split(",")[0])
    check_number(schedule_of(rule, UNTIL, days, timedelta(minutes=5 * one_in)), most)


@given(
    rows=st.integers(0, 160),
    threshold=st.integers(0, 3),
    operator=st.sampled_from(["gt", "lt", "eq", "ne"]),
    grouping=st.sampled_from(["SingleAlert", "AlertPerResult"]),
    kind=st.sampled_from(["Scheduled", "NRT"]),
)
def test_alerts_are_counted_as_they_are_raised(rows: int, threshold: int, operator: str, grouping: str, kind: str) -> None:
    keys = {"triggerOperator": operator, "triggerThreshold": str(threshold), "kind": kind}
    rule = _rule(eventGroupingSettings=f"{{aggregationKind: {grouping}}}", **keys)
    assert alert_count(rule, rows) == len(raise_alerts(rule, [{}] * rows, Window(UNTIL, UNTIL)))


@given(st.integers(0, 10**6), st.integers(1, 10**6), st.integers(1, 80))
def test_a_bar_is_to_scale_and_fits(value: int, most: int, room: int) -> None:
    value = min(value, most)
    drawn = bar(value, most, room)
    assert len(drawn) <= room
    assert bool(drawn) == (value > 0)
    assert len(bar(most, most, room)) == room
