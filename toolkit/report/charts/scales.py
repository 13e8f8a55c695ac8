"""Scales: from values to places on an axis, with ticks where people expect them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from toolkit.kql.times import MAX_DATETIME_TICKS, TICKS_PER_SECOND, datetime_from_ticks, format_timespan, ticks_from_datetime

_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_TIME_STEPS = (
    *(each / 1000 for each in (1, 2, 5, 10, 20, 50, 100, 200, 500)),
    *(1, 2, 5, 10, 15, 30),
    *(_MINUTE * each for each in (1, 2, 5, 10, 15, 30)),
    *(_HOUR * each for each in (1, 2, 3, 6, 12)),
    *(_DAY * each for each in (1, 2, 7, 14)),
)
_MONTH_STEPS = (1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200)
_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


@dataclass(frozen=True)
class Tick:
    value: float
    label: str
    strong: bool = False


@dataclass
class Scale:
    """`low` and `high` are the values at the ends, `start` and `end` their places."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False
    ticks: list[Tick] = field(default_factory=list)

    def at(self, value: float) -> float:
        low, high = self.low, self.high
        if self.log:
            low, high, value = math.log10(low), math.log10(high), math.log10(max(value, self.low))
        share = (value - low) / (high - low) if high > low else 0.5
        return self.start + share * (self.end - self.start)


@dataclass(frozen=True)
class Bounds:
    """What is to be shown of the values, and what was asked for: None for what follows from the values."""

    low: float | None = None
    high: float | None = None
    from_zero: bool = False


def linear(values: Sequence[float], start: float, end: float, bounds: Bounds = Bounds(), most: int = 6) -> Scale:
    """A scale with nice ticks that ends on ticks, but where bounds are given."""
    low, high = min(values), max(values)
    if bounds.from_zero:
        low, high = min(low, 0.0), max(high, 0.0)
    low, high = low if bounds.low is None else bounds.low, high if bounds.high is None else bounds.high
    if low >= high:
        middle = low if bounds.high is None else high
        pad = abs(middle) * 0.1 or 1.0
        low = low if bounds.low is not None else middle - (0.0 if bounds.from_zero and middle >= 0 else pad)
        high = high if bounds.high is not None and bounds.high > low else low + 2 * pad
    whole = all(float(value).is_integer() for value in values[:5000])
    step = nice_step((high - low) / most, whole=whole)
    low = low if bounds.low is not None else math.floor(low / step + 1e-9) * step
    high = high if bounds.high is not None else math.ceil(high / step - 1e-9) * step
    first = math.ceil(low / step - 1e-9)
    found = [first * step + index * step for index in range(math.floor(high / step + 1e-9) - first + 1)]
    digits = max(0, -math.floor(math.log10(step) + 1e-9) + (1 if abs(step / 10 ** math.floor(math.log10(step) + 1e-9) - 2.5) < 1e-6 else 0))
    return Scale(low, high, start, end, ticks=[Tick(value, compact(value, digits)) for value in found])


def nice_step(raw: float, *, whole: bool = False) -> float:
    """The next larger of 1, 2, 2.5, 5 times a power of ten; whole numbers only, for counts."""
    if raw <= 0 or not math.isfinite(raw):
        return 1.0
    power = 10.0 ** math.floor(math.log10(raw))
    for base in _STEPS:
        step = base * power
        if step >= raw * (1 - 1e-9) and (not whole or (step >= 1 and float(step).is_integer())):
            return step
    return 1.0 if whole else 10.0 * power


def logarithmic(values: Sequence[float], start: float, end: float, bounds: Bounds = Bounds()) -> Scale:
    """A scale over powers of ten; the values are positive."""
    low = bounds.low if bounds.low and bounds.low > 0 else min(values)
    high = bounds.high if bounds.high and bounds.high > low else max(values)
    first, last = math.floor(math.log10(low) + 1e-9), math.ceil(math.log10(high) - 1e-9)
    last = max(last, first + 1)
    step = max(1, math.ceil((last - first) / 8))
    ticks = [Tick(10.0**power, compact(10.0**power, max(0, -power))) for power in range(first, last + 1, step)]
    return Scale(10.0**first, 10.0**last, start, end, log=True, ticks=ticks)


def compact(value: float, digits: int = 0) -> str:
    """A number as an axis shows it: 12k, 3.5M, 0.25."""
    size = abs(value)
    for limit, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e4, "k")):
        if size >= limit:
            unit = 1e3 if letter == "k" else limit
            return f"{value / unit:.4g}{letter}"
    text = f"{value:,.{digits}f}"
    return text[1:] if text.startswith("-") and not text.strip("-0.,") else text


def number_text(value: float) -> str:
    """A number in full, for a tooltip or a card."""
    if float(value).is_integer() and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:,.6g}" if abs(value) < 1e6 else f"{value:,.2f}"


# --- time -------------------------------------------------------------------------------------------------------------


def time_scale(low: float, high: float, start: float, end: float) -> Scale:
    """Ticks of 100 ns on an axis in UTC."""
    if high <= low:
        low, high = low - 30 * _MINUTE * TICKS_PER_SECOND, low + 30 * _MINUTE * TICKS_PER_SECOND
    low, high = max(low, 0), min(high, MAX_DATETIME_TICKS)
    most = max(2, int((end - start) / 84))
    return Scale(low, high, start, end, ticks=_time_ticks(int(low), int(high), most))


def _time_ticks(low: int, high: int, most: int) -> list[Tick]:
    seconds = (high - low) / TICKS_PER_SECOND
    step = next((each for each in _TIME_STEPS if seconds / each <= most), None)
    if step is None:
        return _month_ticks(low, high, most)
    width = round(step * TICKS_PER_SECOND)
    # Weeks begin on Mondays: day 0 of the calendar, 0001-01-01, is one.
    first = -(-low // width) * width
    found: list[Tick] = []
    shown_day: object = None
    for value in range(first, high + 1, width):
        moment = datetime_from_ticks(value)
        new_day = moment.date() != shown_day
        shown_day = moment.date()
        found.append(Tick(value, _time_label(value, step, new_day=new_day and (not found or step < _DAY)), strong=new_day and bool(found)))
    return found


def _time_label(ticks: int, step: float, *, new_day: bool) -> str:
    moment = datetime_from_ticks(ticks)
    day = f"{moment.day} {_MONTHS[moment.month - 1]}"
    if step >= _DAY:
        return f"{day} {moment.year}" if new_day else day
    if (moment.hour, moment.minute, moment.second, moment.microsecond) == (0, 0, 0, 0):
        return day
    text = f"{moment.hour:02}:{moment.minute:02}"
    if step < _MINUTE:
        text += f":{moment.second:02}"
    if step < 1:
        text += f".{ticks % TICKS_PER_SECOND // 10_000:03}"
    return f"{day} {text}" if new_day else text


def _month_ticks(low: int, high: int, most: int) -> list[Tick]:
    months = (high - low) / TICKS_PER_SECOND / _DAY / 30.44
    step = next((each for each in _MONTH_STEPS if months / each <= most), _MONTH_STEPS[-1])
    begin = datetime_from_ticks(low)
    number = begin.year * 12 + begin.month - 1
    number -= number % step
    found: list[Tick] = []
    while (moment := _month(number)) is not None and (value := ticks_from_datetime(moment)) <= high:
        if value >= low:
            label = str(moment.year) if step % 12 == 0 or (moment.month == 1 and found) else f"{_MONTHS[moment.month - 1]} {moment.year}"
            if step % 12 and moment.month != 1 and found:
                label = _MONTHS[moment.month - 1]
            found.append(Tick(value, label, strong=moment.month == 1 and bool(found)))
        number += step
    return found


def _month(number: int) -> datetime | None:
    from datetime import UTC

    year, month = divmod(number, 12)
    return datetime(year, month + 1, 1, tzinfo=UTC) if 1 <= year <= 9999 else None


def span_scale(values: Sequence[float], start: float, end: float, bounds: Bounds = Bounds()) -> Scale:
    """Timespans: ticks of 100 ns, in steps of seconds, minutes, hours or days."""
    low = min([*values, 0.0] if bounds.from_zero else values)
    high = max(values)
    if high <= low:
        high = low + TICKS_PER_SECOND
    seconds = (high - low) / TICKS_PER_SECOND
    step = next((each for each in _TIME_STEPS if seconds / each <= 6), nice_step(seconds / 6 / _DAY) * _DAY)
    width = max(1, round(step * TICKS_PER_SECOND))
    first, last = int(low // width), int(-(-high // width))
    ticks = [Tick(index * width, span_text(index * width)) for index in range(first, last + 1)]
    return Scale(first * width, last * width, start, end, ticks=ticks)


def span_text(ticks: float) -> str:
    """A timespan without its empty parts: 2h 5m, 3d, 250ms."""
    rest = timedelta(microseconds=int(abs(ticks)) // 10)
    parts = [
        (rest.days, "d"),
        (rest.seconds // _HOUR, "h"),
        (rest.seconds % _HOUR // _MINUTE, "m"),
        (rest.seconds % _MINUTE, "s"),
        (rest.microseconds // 1000, "ms"),
    ]
    text = " ".join(f"{count}{unit}" for count, unit in parts if count) or ("0" if not ticks else format_timespan(int(ticks)))
    return f"-{text}" if ticks < 0 and text != "0" else text
