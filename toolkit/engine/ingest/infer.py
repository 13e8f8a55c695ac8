"""The type of a column that no schema knows, from all of its values.

Only what loses nothing is inferred: an id with a leading zero, a number that a real cannot hold exactly or a mixture of
numbers and text stays text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from toolkit.engine.ingest.logtime import looks_like_time
from toolkit.engine.ingest.scalars import INT64
from toolkit.kql.types import ScalarType

_INTEGER = re.compile(r"-?(?:0|[1-9]\d{0,18})", re.ASCII)
_REAL = re.compile(r"-?(?:0|[1-9]\d{0,14})\.\d{1,15}(?:[eE][+-]?\d{1,2})?", re.ASCII)
_EXACT_IN_REAL = 2**53


def infer_type(parts: Iterable[Any], *, text_source: bool) -> ScalarType:
    """The type for all values of some parts, each a list of Python values or an Arrow array."""
    kinds: set[ScalarType] = set()
    largest = 0
    for part in parts:
        if isinstance(part, (pa.Array, pa.ChunkedArray)) and not pa.types.is_string(part.type):
            kinds |= kinds_of_arrow(part.type)
            continue
        values = part.to_pylist() if isinstance(part, (pa.Array, pa.ChunkedArray)) else part
        for value in values:
            if value is None or value == "":
                continue
            kind = _kind_of_text(value, text_source) if isinstance(value, str) else _kind_of_value(value)
            kinds.add(kind)
            if kind is ScalarType.LONG:
                largest = max(largest, abs(int(value)))
    return unified(kinds, largest)


def unified(kinds: set[ScalarType], largest: int) -> ScalarType:
    """The one type for values of several; `largest` is the greatest whole number among them, without its sign."""
    if len(kinds) == 1:
        return next(iter(kinds))
    if kinds == {ScalarType.LONG, ScalarType.REAL} and largest <= _EXACT_IN_REAL:
        return ScalarType.REAL
    if ScalarType.DYNAMIC in kinds:
        return ScalarType.DYNAMIC
    return ScalarType.STRING


def _kind_of_text(text: str, text_source: bool) -> ScalarType:
    if looks_like_time(text):
        return ScalarType.DATETIME
    if text_source:
        if _INTEGER.fullmatch(text) and -INT64 <= int(text) < INT64:
            return ScalarType.LONG
        if _REAL.fullmatch(text):
            return ScalarType.REAL
        if text in ("true", "false", "True", "False", "TRUE", "FALSE"):
            return ScalarType.BOOL
    return ScalarType.STRING


def _kind_of_value(value: Any) -> ScalarType:
    if isinstance(value, bool):
        return ScalarType.BOOL
    if isinstance(value, int):
        return ScalarType.LONG if -INT64 <= value < INT64 else ScalarType.STRING
    if isinstance(value, (dict, list, tuple)):
        return ScalarType.DYNAMIC
    names = {"float": ScalarType.REAL, "Decimal": ScalarType.DECIMAL, "datetime": ScalarType.DATETIME, "Timestamp": ScalarType.DATETIME}
    names |= {"timedelta": ScalarType.TIMESPAN, "Timedelta": ScalarType.TIMESPAN, "UUID": ScalarType.GUID}
    return names.get(type(value).__name__, ScalarType.STRING)


def kinds_of_arrow(source: Any) -> set[ScalarType]:
    """The type that the values of an Arrow type have; none for the type of nothing but nulls."""
    types = pa.types
    rules = (
        (types.is_null, set[ScalarType]()),
        (types.is_boolean, {ScalarType.BOOL}),
        (lambda kind: types.is_signed_integer(kind) and kind.bit_width <= 32, {ScalarType.INT}),
        (types.is_uint64, {ScalarType.STRING}),
        (types.is_integer, {ScalarType.LONG}),
        (types.is_floating, {ScalarType.REAL}),
        (types.is_decimal, {ScalarType.DECIMAL}),
        (lambda kind: types.is_timestamp(kind) or types.is_date(kind), {ScalarType.DATETIME}),
        (types.is_duration, {ScalarType.TIMESPAN}),
        (types.is_nested, {ScalarType.DYNAMIC}),
        (types.is_dictionary, {ScalarType.STRING}),
    )
    return next((kinds for matches, kinds in rules if matches(source)), {ScalarType.STRING})
