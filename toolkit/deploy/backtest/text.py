"""A backtest for people: a bar for each day, figures, and what is not known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from toolkit.content.durations import show_duration
from toolkit.deploy.backtest.outcome import Day, Outcome, Run
from toolkit.deploy.backtest.schedule import Schedule

_EIGHTHS = " ▏▎▍▌▋▊▉"
_FULL = "█"
_NARROWEST, _WIDEST = 10, 60
_MOST_PROBLEMS = 10


def estimate(schedule: Schedule) -> str:
    """What a backtest is going to ask."""
    number = schedule.count
    sample = f", one in {schedule.step // schedule.frequency} of the service's," if schedule.is_sample else ""
    asked = f"{_some(number, 'query', 'queries')} in {_some(-(-number // 100), 'request')}"
    windows = f"windows of {show_duration(schedule.period)} every {show_duration(schedule.step)}"
    return (
        f"{_some(number, 'run')}{sample} from {schedule.since:%Y-%m-%d %H:%M} to {schedule.until:%Y-%m-%d %H:%M} UTC, {windows}: {asked}."
    )


def outcome_text(outcome: Outcome, width: int) -> str:
    """The whole report, for a terminal of so many columns."""
    lines = [f"{outcome.rule} on {outcome.environment}", "", *_chart(outcome.days, width), "", *_figures(outcome)]
    if outcome.incomplete:
        lines += ["", *_problems(outcome.incomplete)]
    if outcome.notes:
        lines += ["", *(f"note: {note}" for note in outcome.notes)]
    return "\n".join(lines)


def _chart(days: Sequence[Day], width: int) -> Iterator[str]:
    """One line a day: the date, a bar to scale, the alerts, and what is not known of the day."""
    most = max((day.alerts for day in days), default=0)
    digits = len(str(most))
    tails = [f"  {day.unknown} of {day.runs} runs unknown" if day.unknown else "" for day in days]
    room = width - len("2026-01-01    ") - digits - max(map(len, tails), default=0)
    room = max(_NARROWEST, min(_WIDEST, room))
    for day, tail in zip(days, tails, strict=True):
        drawn = bar(day.alerts, most, room)
        yield f"{day.date.isoformat()}  {drawn.ljust(room)}  {day.alerts:>{digits}}{tail}".rstrip()


def bar(value: int, most: int, room: int) -> str:
    """A bar of at most `room` characters; a value above zero is never drawn as nothing."""
    if value <= 0:
        return ""
    eighths = max(1, round(value / most * room * 8))
    return (_FULL * (eighths // 8) + _EIGHTHS[eighths % 8]).rstrip()


def _figures(outcome: Outcome) -> Iterator[str]:
    rate, busiest, schedule = outcome.alerts_per_day, outcome.busiest, outcome.schedule
    yield f"expected alerts a day  {'unknown' if rate is None else f'{rate:.3g}' if rate < 100 else f'{rate:.0f}'}"
    yield f"alerts                 {outcome.alerts} in {_some(outcome.with_alerts, 'run')}, of {_some(len(outcome.runs), 'run')}"
    yield f"busiest day            {busiest.date.isoformat() + ', ' + _some(busiest.alerts, 'alert') if busiest else 'none'}"
    yield f"windows                {show_duration(schedule.period)} every {show_duration(schedule.step)}"
    yield f"not known              {outcome.number('failed')} failed, {outcome.number('partial')} partial"
    if outcome.suppression is not None:
        spared = sum(run.alerts or 0 for run in outcome.skipped)
        after = f"{show_duration(outcome.suppression)} after an alert"
        yield f"suppression            {after}: {_some(len(outcome.skipped), 'run')} left out, {_some(spared, 'alert')} spared"


def _problems(runs: Sequence[Run]) -> Iterator[str]:
    """Windows that are not known, those with one reason together."""
    reasons: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        first = next((line for line in run.problem.split("\n") if line.strip()), "")
        because = next((line.strip() for line in run.problem.split("\n") if line.strip().startswith("because:")), "")
        reasons.setdefault((run.status, f"{first} {because}".strip()), []).append(run)
    for (status, reason), found in list(reasons.items())[:_MOST_PROBLEMS]:
        yield f"{status}: {', '.join(_spans(found))}"
        yield f"  {reason}"
    if len(reasons) > _MOST_PROBLEMS:
        yield f"and {len(reasons) - _MOST_PROBLEMS} more reasons; --format json has every window"


def _spans(runs: Sequence[Run]) -> Iterator[str]:
    for run in runs[:_MOST_PROBLEMS]:
        yield f"{run.window.start:%Y-%m-%d %H:%M} to {run.window.end:%Y-%m-%d %H:%M}"
    if len(runs) > _MOST_PROBLEMS:
        yield f"and {len(runs) - _MOST_PROBLEMS} more windows"


def _some(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"
