"""A backtest for people: a bar for each day, figures, and what is not known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

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
        lines += ["", *_problems(outcome)]
    if outcome.notes:
        lines += ["", *(f"note: {note}" for note in outcome.notes)]
    return "\n".join(lines)


def _chart(days: Sequence[Day], width: int) -> Iterator[str]:
    """One line a day: the date, a bar to scale, the alerts, and what is not known of the day."""
    most = max((day.alerts for day in days), default=0)
    shown = [_shown(day) for day in days]
    digits = max(map(len, shown), default=0)
    tails = [f"  {day.unknown} of {_some(day.runs, 'run')} unknown" if day.unknown else "" for day in days]
    room = width - len("2026-01-01    ") - digits - max(map(len, tails), default=0)
    room = max(_NARROWEST, min(_WIDEST, room))
    for day, number, tail in zip(days, shown, tails, strict=True):
        yield f"{day.date.isoformat()}  {bar(day.alerts, most, room).ljust(room)}  {number:>{digits}}{tail}".rstrip()


def _shown(day: Day) -> str:
    """The alerts of a day: `?` where no run of it is known, `3+` where some are not."""
    if not day.unknown:
        return f"{day.alerts}"
    return "?" if day.unknown == day.runs else f"{day.alerts}+"


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


def _problems(outcome: Outcome) -> Iterator[str]:
    """Runs that are not known, those with one reason together."""
    reasons: dict[tuple[str, str], list[Run]] = {}
    for run in outcome.incomplete:
        lines = [line.strip() for line in run.problem.split("\n") if line.strip()]
        because = [line for line in lines[1:] if line.startswith("because:")]
        reasons.setdefault((run.status, " ".join([*lines[:1], *because])), []).append(run)
    for (status, reason), found in list(reasons.items())[:_MOST_PROBLEMS]:
        spans = list(_spans([run.time for run in found], outcome.schedule.step))
        more = f" and {len(spans) - _MOST_PROBLEMS} more times" if len(spans) > _MOST_PROBLEMS else ""
        yield f"{status}: {_some(len(found), 'run')}, {', '.join(spans[:_MOST_PROBLEMS])}{more}"
        yield f"  {reason}"
    if len(reasons) > _MOST_PROBLEMS:
        yield f"and {len(reasons) - _MOST_PROBLEMS} more reasons; --format json has every window"


def _spans(times: Sequence[datetime], step: timedelta) -> Iterator[str]:
    """Times of runs, those that follow one another as one span."""
    start = 0
    for number in range(1, len(times) + 1):
        if number == len(times) or times[number] - times[number - 1] != step:
            first, last = f"{times[start]:%Y-%m-%d %H:%M}", f"{times[number - 1]:%Y-%m-%d %H:%M}"
            yield first if first == last else f"{first} to {last}"
            start = number


def _some(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"
