"""The runs of a rule in the last days: an exact lattice of times, each with its window (S-01, S-07)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from toolkit.content.durations import show_duration
from toolkit.content.models.rule import Rule
from toolkit.deploy.backtest.errors import BacktestError
from toolkit.simulate import Window

DELAY = timedelta(minutes=5)
"""A run is executed so long after its nominal time (S-05): a window that ended later was not run yet."""
NRT_STEP = timedelta(hours=1)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Schedule:
    """Runs at `last`, `last - step`, ... while they are later than `since`. `frequency` is how often the service runs the rule."""

    frequency: timedelta
    period: timedelta
    step: timedelta
    since: datetime
    until: datetime
    last: datetime

    @property
    def count(self) -> int:
        return max(0, -((self.since - self.last) // self.step)) if self.last > self.since else 0

    @property
    def is_sample(self) -> bool:
        """Whether only some of the service's runs are looked at."""
        return self.step != self.frequency

    @property
    def runs_per_day(self) -> float:
        return DAY / self.frequency

    def windows(self) -> Iterator[Window]:
        """The windows, in the order of time; a window's end is its run's nominal time."""
        for number in reversed(range(self.count)):
            end = self.last - number * self.step
            yield Window(end - self.period, end)


def schedule_of(rule: Rule, until: datetime, days: int, step: timedelta | None = None) -> Schedule:
    """The runs of the `days` before `until` (both ends as S-07 has windows: the first is excluded).

    A rule with `startTimeUtc` runs at multiples of its frequency from there (S-02); of any other the phase is not known before it
    is deployed (S-03), and its last run is at `until`. NRT rules run each minute (S-06): one window an hour stands for sixty.
    `step` looks at some of the runs only. BacktestError for a step that is no multiple of the frequency.
    """
    frequency = NRT_STEP if rule.is_nrt else rule.query_frequency or timedelta(hours=5)
    period = NRT_STEP if rule.is_nrt else rule.period
    if frequency <= timedelta(0) or period <= timedelta(0):
        raise BacktestError("expected a queryFrequency and a queryPeriod above zero")
    if step is not None and (step <= timedelta(0) or step % frequency):
        shown = show_duration(frequency)
        every = "NRT rules are looked at" if rule.is_nrt else "the rule runs"
        raise BacktestError(f"--step: expected a multiple of {shown}, since {every} every {shown}; found {show_duration(step)}")
    step = step or frequency
    anchor = _start(rule) or until
    last = anchor + (until - anchor) // step * step
    return Schedule(frequency, period, step, until - days * DAY, until, last)


def _start(rule: Rule) -> datetime | None:
    try:
        found = datetime.fromisoformat(rule.start_time_utc or "")
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def check_number(schedule: Schedule, most: int) -> None:
    """BacktestError, with what to choose, when a backtest needs more than `most` queries."""
    needed = schedule.count
    if needed <= most:
        return
    step = schedule.step * -(-needed // most)
    every, one_in = show_duration(schedule.step), step // schedule.frequency
    raise BacktestError(
        f"the backtest needs {needed} queries, one for each window of {show_duration(schedule.period)} every {every}; "
        f"expected {most} at most\n"
        f"  hint: --max-queries {needed} allows them, --step {show_duration(step)} looks at one run in {one_in}, fewer --days need fewer."
    )
