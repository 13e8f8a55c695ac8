"""format_datetime and format_timespan (R-184, R-185): the format is a constant, so each call becomes one SQL expression."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from toolkit.engine.functions.forms import DAY, SECOND, concat, constant_text, form, text, timestamp
from toolkit.engine.functions.registry import REGISTRY, Lowering, Refusal
from toolkit.engine.sql import Lowered, Sql
from toolkit.kql import plan
from toolkit.kql.times import TICKS_PER_HOUR, TICKS_PER_MINUTE

_DELIMITERS = frozenset(" /-:,._[]")

# Elements that DuckDB's strftime writes as KQL does; the fraction has a seventh digit and is written apart.
_STRFTIME = {
    "y": "%-y",
    "yy": "%y",
    "yyyy": "%Y",
    "M": "%-m",
    "MM": "%m",
    "d": "%-d",
    "dd": "%d",
    "h": "%-I",
    "hh": "%I",
    "H": "%-H",
    "HH": "%H",
    "m": "%-M",
    "mm": "%M",
    "s": "%-S",
    "ss": "%S",
    "tt": "%p",
}
_FRACTIONS = tuple(letter * count for letter in "fF" for count in range(1, 8))
_DATETIME_ELEMENTS = frozenset((*_STRFTIME, *_FRACTIONS))
_TIMESPAN_ELEMENTS = frozenset((*("d" * count for count in range(1, 9)), "h", "hh", "H", "HH", "m", "mm", "s", "ss", *_FRACTIONS))


def split_format(pattern: str, known: frozenset[str]) -> list[str] | None:
    """The elements and delimiters of a format, None when it has anything else (R-184).

    A run of one letter is cut greedily into the longest elements: `ddd` is `dd` and `d`, `yyyyy` is `yyyy` and `y`.
    """
    parts: list[str] = []
    for letter, group in groupby(pattern):
        run = len(list(group))
        if letter in _DELIMITERS:
            parts.append(letter * run)
            continue
        longest = max((len(element) for element in known if element[0] == letter), default=0)
        if not longest:
            return None
        whole, rest = divmod(run, longest)
        parts.extend([letter * longest] * whole)
        if rest:
            # measured: three letters `y` are no element and are not taken apart either
            if letter * rest not in known:
                return None
            parts.append(letter * rest)
    return parts


def _elements_of(call: plan.Call, known: frozenset[str]) -> list[str]:
    pattern = constant_text(call.args[1], "the format")
    parts = split_format(pattern, known) if pattern else None
    if parts is None:
        reason = "an empty format" if not pattern else f"the format '{pattern}'"
        known_parts = "its documented elements and the delimiters space / - : , . _ [ ]"
        raise Refusal(f"{call.name} does not take {reason}: it knows {known_parts}", call.span)
    return parts


def _fraction(element: str, ticks: Sql) -> Sql:
    digits = form(f"substr(lpad(CAST((abs({{0}}) % {SECOND}) AS VARCHAR), 7, '0'), 1, {len(element)})", ticks)
    if element[0] == "f":
        return digits
    return form(f"(CASE WHEN (abs({{0}}) % {SECOND}) >= {10 ** (7 - len(element))} THEN {{1}} ELSE '' END)", ticks, digits)


@REGISTRY.builder("format_datetime")
def _format_datetime(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    """Runs of elements that strftime knows become one call; a null datetime gives ''."""
    ticks = args[0].sql
    pieces: list[Sql] = []
    pending = ""
    for part in _elements_of(call, _DATETIME_ELEMENTS):
        if part[0] in "fF":
            if pending:
                pieces.append(_strftime(ticks, pending))
            pending = ""
            pieces.append(_fraction(part, ticks))
        else:
            pending += _STRFTIME.get(part, part)
    if pending:
        pieces.append(_strftime(ticks, pending))
    return _total(concat(pieces), args[0])


def _strftime(ticks: Sql, pattern: str) -> Sql:
    return form("strftime({0}, {1})", timestamp(ticks), text(pattern)) if "%" in pattern else text(pattern)


def _total(result: Sql, source: Lowered) -> Lowered:
    return Lowered(form("coalesce({0}, '')", result) if source.nullable else result, False)


@REGISTRY.builder("format_timespan")
def _format_timespan(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    """Parts of the size of the span: a sign has no element."""
    ticks = args[0].sql
    pieces: list[Sql] = []
    for part in _elements_of(call, _TIMESPAN_ELEMENTS):
        if part[0] in _DELIMITERS:
            pieces.append(text(part))
        elif part[0] in "fF":
            pieces.append(_fraction(part, ticks))
        else:
            pieces.append(_padded(part, ticks))
    return _total(concat(pieces), args[0])


_UNITS = {
    "d": f"(abs({{0}}) // {DAY})",
    "h": f"((abs({{0}}) // {TICKS_PER_HOUR}) % 24)",
    "H": f"((abs({{0}}) // {TICKS_PER_HOUR}) % 24)",
    "m": f"((abs({{0}}) // {TICKS_PER_MINUTE}) % 60)",
    "s": f"((abs({{0}}) // {SECOND}) % 60)",
}


def _padded(element: str, ticks: Sql) -> Sql:
    value = form(f"CAST({_UNITS[element[0]]} AS VARCHAR)", ticks)
    # lpad also cuts: a number of days longer than its element is written in full
    return form(f"lpad({{0}}, CAST(greatest({len(element)}, length({{0}})) AS INTEGER), '0')", value) if len(element) > 1 else value
