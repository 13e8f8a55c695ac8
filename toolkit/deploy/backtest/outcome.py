"""What a backtest found: every run with its alerts, suppression over them, and the days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

from toolkit.content.durations import show_duration
from toolkit.content.models.rule import Rule
from toolkit.deploy.backtest.schedule import Schedule
from toolkit.simulate import Window
from toolkit.simulate.alerts import CAP_NRT, CAP_SCHEDULED, triggers

Status = Literal["evaluated", "partial", "failed"]


@dataclass(frozen=True)
class Run:
    """One run. `rows` and `alerts` are None where they are not known: the query failed, or gave a part of its rows.

    A suppressed run is one that the service would not have run (S-47); its `alerts` are those that are spared.
    """

    window: Window
    status: Status
    rows: int | None = None
    alerts: int | None = None
    problem: str = ""
    suppressed: bool = False

    @property
    def time(self) -> datetime:
        """The nominal time, which is also `now()` in the query (S-10)."""
        return self.window.end

    @property
    def raised(self) -> int:
        """The alerts that reach somebody."""
        return 0 if self.suppressed else self.alerts or 0


def alert_count(rule: Rule, rows: int) -> int:
    """How many alerts a run with so many rows raises (S-36, S-39 to S-42)."""
    if not triggers(rule, rows):
        return 0
    if rule.event_grouping_settings.aggregation_kind == "SingleAlert" or rows == 0:
        return 1
    return min(rows, CAP_NRT if rule.is_nrt else CAP_SCHEDULED)


def suppression_of(rule: Rule) -> timedelta:
    """How long a rule is silent after an alert, where it is suppressed at all."""
    return rule.suppression_duration or timedelta(hours=5)


def suppressed(rule: Rule, runs: Sequence[Run]) -> list[Run]:
    """The runs with those marked that come too soon after an alert: later than T by less than the duration (S-47).

    A run whose outcome is not known is taken for one without alerts.
    """
    if not rule.suppression_enabled:
        return list(runs)
    silent_until: datetime | None = None
    found: list[Run] = []
    for run in runs:
        if silent_until is not None and run.time < silent_until:
            found.append(replace(run, suppressed=True))
            continue
        if run.alerts:
            silent_until = run.time + suppression_of(rule)
        found.append(run)
    return found


@dataclass
class Day:
    """The runs whose time is on one day (UTC)."""

    date: date
    runs: int = 0
    with_alerts: int = 0
    alerts: int = 0
    suppressed: int = 0
    failed: int = 0
    partial: int = 0

    def add(self, run: Run) -> None:
        self.runs += 1
        self.with_alerts += run.raised > 0
        self.alerts += run.raised
        self.suppressed += run.suppressed
        self.failed += run.status == "failed" and not run.suppressed
        self.partial += run.status == "partial" and not run.suppressed

    @property
    def unknown(self) -> int:
        return self.failed + self.partial


@dataclass(frozen=True)
class Outcome:
    """A finished backtest. `notes` say what differs from the service."""

    rule: str
    environment: str
    schedule: Schedule
    runs: tuple[Run, ...]
    suppression: timedelta | None = None
    notes: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()
    _days: list[Day] = field(default_factory=list, init=False, repr=False, compare=False)

    @property
    def days(self) -> list[Day]:
        """Every day of the backtest, also those without a run."""
        if not self._days:
            first, last = (self.schedule.since + timedelta(microseconds=1)).date(), self.schedule.until.date()
            dates = [first + timedelta(number) for number in range((last - first).days + 1)]
            found = {day: Day(day) for day in dates}
            for run in self.runs:
                found[run.time.astimezone(UTC).date()].add(run)
            self._days.extend(found.values())
        return self._days

    def number(self, status: Status) -> int:
        """How many runs that the service would have run have this status."""
        return sum(run.status == status and not run.suppressed for run in self.runs)

    @property
    def incomplete(self) -> list[Run]:
        return [run for run in self.runs if run.status != "evaluated" and not run.suppressed]

    @property
    def alerts(self) -> int:
        return sum(run.raised for run in self.runs)

    @property
    def with_alerts(self) -> int:
        return sum(run.raised > 0 for run in self.runs)

    @property
    def skipped(self) -> list[Run]:
        return [run for run in self.runs if run.suppressed]

    @property
    def alerts_per_day(self) -> float | None:
        """Alerts of the runs that are known, spread over as many runs as the service makes in a day; None when none is known."""
        known = len(self.runs) - len(self.incomplete)
        return self.alerts / known * self.schedule.runs_per_day if known else None

    @property
    def busiest(self) -> Day | None:
        """The first day with the most alerts."""
        found = max(self.days, key=lambda day: day.alerts, default=None)
        return found if found is not None and found.alerts else None

    def to_json(self) -> dict[str, Any]:
        """Everything, as JSON has it: times in ISO 8601, durations as rule files write them."""
        schedule, busiest, rate = self.schedule, self.busiest, self.alerts_per_day
        return {
            "rule": self.rule,
            "environment": self.environment,
            "since": _iso(schedule.since),
            "until": _iso(schedule.until),
            "frequency": show_duration(schedule.frequency),
            "period": show_duration(schedule.period),
            "step": show_duration(schedule.step),
            "sample": schedule.is_sample,
            "runs": len(self.runs),
            "runsWithAlerts": self.with_alerts,
            "alerts": self.alerts,
            "expectedAlertsPerDay": None if rate is None else round(rate, 3),
            "busiestDay": busiest.date.isoformat() if busiest else None,
            "failed": self.number("failed"),
            "partial": self.number("partial"),
            "suppression": None
            if self.suppression is None
            else {
                "duration": show_duration(self.suppression),
                "runsNotRun": len(self.skipped),
                "alertsSpared": sum(run.alerts or 0 for run in self.skipped),
            },
            "days": [
                {
                    "date": day.date.isoformat(),
                    "runs": day.runs,
                    "runsWithAlerts": day.with_alerts,
                    "alerts": day.alerts,
                    "suppressed": day.suppressed,
                    "failed": day.failed,
                    "partial": day.partial,
                }
                for day in self.days
            ],
            "windows": [
                {
                    "start": _iso(run.window.start),
                    "end": _iso(run.window.end),
                    "status": run.status,
                    "rows": run.rows,
                    "alerts": run.alerts,
                    "suppressed": run.suppressed,
                    **({"problem": run.problem} if run.problem else {}),
                }
                for run in self.runs
            ],
            "functions": list(self.functions),
            "notes": list(self.notes),
        }


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
