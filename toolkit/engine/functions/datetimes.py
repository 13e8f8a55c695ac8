"""Dates and times (R-183 to R-195). A datetime is ticks since Monday 0001-01-01, so most of it is integer arithmetic."""

from __future__ import annotations

from collections.abc import Sequence

from toolkit.engine.functions.forms import (
    DAY,
    SECOND,
    UNIX_EPOCH_MICROSECONDS,
    calendar_day,
    constant_text,
    form,
    real,
    ticks_of_day,
    timestamp,
    whole,
)
from toolkit.engine.functions.registry import REGISTRY, Lowering, Refusal
from toolkit.engine.sql import Literal, Lowered, Sql
from toolkit.kql import plan
from toolkit.kql.times import MAX_DATETIME_TICKS, TICKS_PER_HOUR, TICKS_PER_MINUTE, UNIX_EPOCH_TICKS
from toolkit.kql.types import ScalarType

WEEK = 7 * DAY
_WHOLE_UNITS = {
    "week": WEEK,
    "day": DAY,
    "hour": TICKS_PER_HOUR,
    "minute": TICKS_PER_MINUTE,
    "second": SECOND,
    "millisecond": SECOND // 1000,
    "microsecond": 10,
}
_MONTHS = {"month": 1, "quarter": 3, "year": 12}


def _nullable(args: Sequence[Lowered]) -> bool:
    return any(arg.nullable for arg in args)


# --- now ------------------------------------------------------------------------------------------------------------


@REGISTRY.builder("now", "ago")
def _now(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    """R-183: one instant per query. A constant span gives a constant, which DuckDB can push into a scan."""
    now = Literal(lowering.now_ticks, "BIGINT")
    if not args:
        return Lowered(now, False)
    sign = -1 if call.name == "ago" else 1
    span = call.args[0]
    if isinstance(span, plan.Const) and isinstance(span.value, int):
        return Lowered(Literal(lowering.now_ticks + sign * span.value, "BIGINT"), False)
    return Lowered(form("({0} - {1})" if sign < 0 else "({0} + {1})", now, args[0].sql), args[0].nullable)


# --- periods --------------------------------------------------------------------------------------------------------


def _start(period: str, ticks: Sql) -> Sql:
    """First tick of the day, week (Sunday, R-186), month or year."""
    if period == "day":
        return form(f"({{0}} - ({{0}} % {DAY}))", ticks)
    if period == "week":
        return form(f"({{0}} - (({{0}} + {DAY}) % {WEEK}))", ticks)
    return ticks_of_day(form(f"date_trunc('{period}', {{0}})", calendar_day(ticks)))


def _shifted_start(period: str, ticks: Sql, offset: Sql | None, extra: int) -> Sql:
    """Start of the period that lies `offset` + `extra` periods away."""
    if offset is None and not extra:
        return _start(period, ticks)
    count = Literal(extra, "BIGINT") if offset is None else form(f"({{0}} + {extra})", offset) if extra else offset
    if period in ("day", "week"):
        return form(f"({{0}} + {{1}} * {_WHOLE_UNITS[period]})", _start(period, ticks), count)
    months = form(f"to_months(CAST({{0}} * {_MONTHS[period]} AS INTEGER))", count)
    return ticks_of_day(form(f"(date_trunc('{period}', {{0}}) + {{1}})", calendar_day(ticks), months))


@REGISTRY.builder(*(f"{edge}of{period}" for edge in ("start", "end") for period in ("day", "week", "month", "year")))
def _edge_of_period(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    """R-186: the end is the last tick (.9999999); an offset moves by whole periods."""
    edge, period = call.name.split("of")
    offset = whole(call.args[1].type, args[1].sql) if len(args) > 1 else None
    start = _shifted_start(period, args[0].sql, offset, 1 if edge == "end" else 0)
    return Lowered(start if edge == "start" else form("({0} - 1)", start), _nullable(args))


# --- parts ----------------------------------------------------------------------------------------------------------

_CALENDAR_PARTS = {
    "year": "year({0})",
    "quarter": "quarter({0})",
    "month": "month({0})",
    "week_of_year": "week({0})",
    "day": "day({0})",
    "dayofyear": "dayofyear({0})",
}
_CLOCK_PARTS = {
    "hour": f"({{0}} // {TICKS_PER_HOUR}) % 24",
    "minute": f"({{0}} // {TICKS_PER_MINUTE}) % 60",
    "second": f"({{0}} // {SECOND}) % 60",
    # the last three hold the whole fraction of the second
    "millisecond": f"({{0}} % {SECOND}) // 10000",
    "microsecond": f"({{0}} % {SECOND}) // 10",
    "nanosecond": f"({{0}} % {SECOND}) * 100",
}
_PART_OF_FUNCTION = {
    "getyear": "year",
    "getmonth": "month",
    "monthofyear": "month",
    "dayofmonth": "day",
    "dayofyear": "dayofyear",
    "week_of_year": "week_of_year",
    "hourofday": "hour",
}


def part_of(part: str, ticks: Sql) -> Sql:
    """A part of a datetime as INTEGER."""
    if part in _CALENDAR_PARTS:
        return form(f"CAST({_CALENDAR_PARTS[part]} AS INTEGER)", calendar_day(ticks))
    return form(f"CAST({_CLOCK_PARTS[part]} AS INTEGER)", ticks)


@REGISTRY.builder(*_PART_OF_FUNCTION)
def _part_function(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    return Lowered(part_of(_PART_OF_FUNCTION[call.name], args[0].sql), args[0].nullable)


@REGISTRY.builder("datetime_part")
def _datetime_part(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    part = constant_text(call.args[0], "the part").lower()
    if part not in _CALENDAR_PARTS and part not in _CLOCK_PARTS:
        raise Refusal(f"datetime_part knows no part '{part}'; it takes {', '.join((*_CALENDAR_PARTS, *_CLOCK_PARTS))} (R-191)", call.span)
    return Lowered(part_of(part, args[1].sql), args[1].nullable)


# 0001-01-01 was a Monday: one day more, and whole weeks start on Sunday.
REGISTRY.template("dayofweek", f"(((({{0}} // {DAY}) + 1) % 7) * {DAY})")


@REGISTRY.builder("weekofyear")
def _weekofyear(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    raise Refusal("weekofyear counts weeks by another rule than ISO 8601; week_of_year is the documented function (R-188)", call.span)


# --- arithmetic of parts --------------------------------------------------------------------------------------------


def _period(call: plan.Call) -> str:
    period = constant_text(call.args[0], "the period").lower()
    if period not in _WHOLE_UNITS and period not in _MONTHS and period != "nanosecond":
        known = ", ".join((*_MONTHS, *_WHOLE_UNITS, "nanosecond"))
        raise Refusal(f"{call.name} knows no period '{period}'; it takes {known} (R-189)", call.span)
    return period


@REGISTRY.builder("datetime_add")
def _datetime_add(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    """R-189. A day that the target month does not have becomes its last day, as in the calendar the service runs on."""
    period, moment = _period(call), args[2].sql
    amount = whole(call.args[1].type, args[1].sql)
    if period in _MONTHS:
        months = form(f"to_months(CAST({{0}} * {_MONTHS[period]} AS INTEGER))", amount)
        day = ticks_of_day(form("({0} + {1})", calendar_day(moment), months))
        return Lowered(form(f"({{0}} + ({{1}} % {DAY}))", day, moment), _nullable(args))
    if period == "nanosecond":
        return Lowered(form("({0} + ({1} // 100))", moment, amount), _nullable(args))
    return Lowered(form(f"({{0}} + {{1}} * {_WHOLE_UNITS[period]})", moment, amount), _nullable(args))


@REGISTRY.builder("datetime_diff")
def _datetime_diff(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    """R-190: boundaries crossed from the second datetime to the first; weeks start on Sunday (R-349)."""
    period, left, right = _period(call), args[1].sql, args[2].sql
    nullable = _nullable(args)
    if period in _MONTHS:
        return Lowered(form(f"date_diff('{period}', {{1}}, {{0}})", calendar_day(left), calendar_day(right)), nullable)
    if period == "nanosecond":
        return Lowered(form("(({0} - {1}) * 100)", left, right), nullable)
    unit = _WHOLE_UNITS[period]
    if period == "week":
        return Lowered(form(f"((({{0}} + {DAY}) // {unit}) - (({{1}} + {DAY}) // {unit}))", left, right), nullable)
    return Lowered(form(f"(({{0}} // {unit}) - ({{1}} // {unit}))", left, right), nullable)


# --- construction ---------------------------------------------------------------------------------------------------


def _number(expr: plan.Expr, arg: Lowered) -> Sql:
    """A whole number as BIGINT; a real loses its fraction."""
    if expr.type is ScalarType.REAL:
        return form("CAST(trunc({0}) AS BIGINT)", arg.sql)
    return whole(expr.type, arg.sql)


def _seconds(expr: plan.Expr, arg: Lowered) -> tuple[Sql, Sql]:
    """Seconds as ticks, and whether they lie in [0, 60)."""
    if expr.type is ScalarType.REAL:
        return form(f"CAST(round({{0}} * {SECOND}) AS BIGINT)", arg.sql), form("({0} >= 0 AND {0} < 60)", arg.sql)
    seconds = whole(expr.type, arg.sql)
    return form(f"({{0}} * {SECOND})", seconds), form("({0} BETWEEN 0 AND 59)", seconds)


@REGISTRY.builder("make_datetime")
def _make_datetime(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    """R-192: a date or time that does not exist gives null. With one argument it is todatetime."""
    if len(args) == 1:
        return lowering.lower(plan.Call("todatetime", call.args, ScalarType.DATETIME, call.span))
    if len(args) not in (3, 5, 6):
        raise Refusal("make_datetime takes year, month, day[, hour, minute[, second]]", call.span)
    year, month, day = (_number(expr, arg) for expr, arg in zip(call.args[:3], args[:3], strict=True))
    start = ticks_of_day(form("TRY(make_date({0}, {1}, {2}))", year, month, day))
    conditions: list[Sql] = [form("({0} BETWEEN 1 AND 9999)", year)]
    clock: list[Sql] = []
    if len(args) > 3:
        hour, minute = (_number(expr, arg) for expr, arg in zip(call.args[3:5], args[3:5], strict=True))
        conditions += [form("({0} BETWEEN 0 AND 23)", hour), form("({0} BETWEEN 0 AND 59)", minute)]
        clock = [form(f"({{0}} * {TICKS_PER_HOUR})", hour), form(f"({{0}} * {TICKS_PER_MINUTE})", minute)]
    if len(args) > 5:
        ticks, valid = _seconds(call.args[5], args[5])
        conditions.append(valid)
        clock.append(ticks)
    return Lowered(_when(conditions, _sum([start, *clock])), True)


@REGISTRY.builder("make_timespan")
def _make_timespan(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    """R-192: (hour, minute), (hour, minute, second) or (day, hour, minute, second); null outside their ranges."""
    if len(args) == 1:
        return lowering.lower(plan.Call("totimespan", call.args, ScalarType.TIMESPAN, call.span))
    exprs, values = list(call.args), list(args)
    parts: list[Sql] = []
    conditions: list[Sql] = []
    if len(args) == 4:
        day = _number(exprs.pop(0), values.pop(0))
        parts.append(form(f"({{0}} * {DAY})", day))
        conditions.append(form("({0} BETWEEN 0 AND 10675198)", day))
    hour, minute = (_number(expr, value) for expr, value in zip(exprs[:2], values[:2], strict=True))
    conditions += [form("({0} BETWEEN 0 AND 23)", hour), form("({0} BETWEEN 0 AND 59)", minute)]
    parts += [form(f"({{0}} * {TICKS_PER_HOUR})", hour), form(f"({{0}} * {TICKS_PER_MINUTE})", minute)]
    if len(exprs) == 3:
        ticks, valid = _seconds(exprs[2], values[2])
        parts.append(ticks)
        conditions.append(valid)
    return Lowered(_when(conditions, _sum(parts)), True)


def _sum(parts: Sequence[Sql]) -> Sql:
    return form("(" + " + ".join(f"{{{index}}}" for index in range(len(parts))) + ")", *parts)


def _when(conditions: Sequence[Sql], result: Sql) -> Sql:
    tests = " AND ".join(f"{{{index}}}" for index in range(len(conditions)))
    return form(f"(CASE WHEN {tests} THEN {{{len(conditions)}}} END)", *conditions, result)


_TICKS_PER_UNIX_UNIT = {"seconds": SECOND, "milliseconds": SECOND // 1000, "microseconds": 10}


@REGISTRY.builder(*(f"unixtime_{unit}_todatetime" for unit in (*_TICKS_PER_UNIX_UNIT, "nanoseconds")))
def _unixtime(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    """R-193: null outside the years 0001 to 9999; digits below a tick are dropped."""
    unit = call.name.split("_")[1]
    kind = call.args[0].type
    low, high = -UNIX_EPOCH_TICKS, MAX_DATETIME_TICKS - UNIX_EPOCH_TICKS
    if kind in (ScalarType.INT, ScalarType.LONG):
        value = whole(kind, args[0].sql)
        if unit == "nanoseconds":
            # `//` drops toward zero; before the epoch the tick that contains the instant is one earlier
            ticks = form("(({0} // 100) - CASE WHEN {0} < 0 AND ({0} % 100) <> 0 THEN 1 ELSE 0 END)", value)
            return Lowered(form(f"({{0}} + {UNIX_EPOCH_TICKS})", ticks), args[0].nullable)
        scale = _TICKS_PER_UNIX_UNIT[unit]
        template = f"(CASE WHEN {{0}} BETWEEN {-(-low // scale)} AND {high // scale} THEN {{0}} * {scale} + {UNIX_EPOCH_TICKS} END)"
        return Lowered(form(template, value), True)
    value = real(kind, args[0].sql)
    ticks = form("(floor({0} / 100))", value) if unit == "nanoseconds" else form(f"(floor({{0}} * {_TICKS_PER_UNIX_UNIT[unit]}))", value)
    template = f"(CASE WHEN {{0}} BETWEEN {low} AND {high} THEN CAST({{0}} AS BIGINT) + {UNIX_EPOCH_TICKS} END)"
    return Lowered(form(template, ticks), True)


# --- time zones -----------------------------------------------------------------------------------------------------

_TO_LOCAL = f"(epoch_us(timezone({{1}}, timezone('UTC', {{0}}))) * 10 + {UNIX_EPOCH_MICROSECONDS * 10})"
_TO_UTC = f"(epoch_us(timezone({{1}}, {{0}})) * 10 + {UNIX_EPOCH_MICROSECONDS * 10})"


def _to_local(ticks: Sql, zone: Sql) -> Sql:
    return form("({0} + ({1} % 10))", form(_TO_LOCAL, timestamp(ticks), zone), ticks)


@REGISTRY.builder("datetime_utc_to_local")
def _utc_to_local(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    return Lowered(_to_local(args[0].sql, args[1].sql), _nullable(args))


@REGISTRY.builder("datetime_local_to_utc")
def _local_to_utc(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    """R-194. A local time that a change of clocks skips is read with the offset after the change, as documented:
    02:00 in Brussels on 2022-03-27 is 00:00 UTC. DuckDB reads it with the offset before; the way back shows by how much.
    """
    local, zone = args[0].sql, args[1].sql
    guess = form("({0} + ({1} % 10))", form(_TO_UTC, timestamp(local), zone), local)
    return Lowered(form("({0} + {1} - {2})", guess, local, _to_local(guess, zone)), _nullable(args))
