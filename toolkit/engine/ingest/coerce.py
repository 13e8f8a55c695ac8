"""Columns of recorded values -> Arrow arrays of the engine's physical types.

Three ways, fastest first: whole-column Arrow kernels where every value has the expected shape, one conversion per distinct
text, one conversion per value. All give the same answer; the fast ones give way whenever a value is unusual.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from toolkit.engine.ingest.logtime import TimeReading
from toolkit.engine.ingest.scalars import CONVERTERS, Converter, Refusal, dynamic_of_text, is_placeholder, plain
from toolkit.kql import times
from toolkit.kql.types import ScalarType

PHYSICAL: dict[ScalarType, Any] = {
    ScalarType.BOOL: pa.bool_(),
    ScalarType.INT: pa.int32(),
    ScalarType.LONG: pa.int64(),
    ScalarType.REAL: pa.float64(),
    ScalarType.DECIMAL: pa.decimal128(38, 18),
    ScalarType.STRING: pa.string(),
    ScalarType.DATETIME: pa.int64(),
    ScalarType.TIMESPAN: pa.int64(),
    ScalarType.GUID: pa.string(),
    ScalarType.DYNAMIC: pa.string(),
    ScalarType.UNKNOWN: pa.string(),
}
"""KQL type -> how the engine stores it. datetime: ticks since 0001-01-01 UTC; timespan: ticks; dynamic: compact JSON text."""

_ISO = r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(\.\d{1,9})?"
_NO_PLACEHOLDER = (ScalarType.STRING, ScalarType.DYNAMIC)


@dataclass
class Coerced:
    """An array, the rows that could not be converted (null there) with the reason, and the placeholders read as null."""

    array: Any
    bad: dict[int, str] = field(default_factory=dict)
    placeholders: set[str] = field(default_factory=set)


def absent(kind: ScalarType, rows: int) -> Any:
    """A column of which the source has no value: empty strings, or nulls."""
    if kind is ScalarType.STRING:
        return pa.repeat(pa.scalar("", pa.string()), rows)
    return pa.nulls(rows, PHYSICAL[kind])


def coerce_values(values: Sequence[Any], kind: ScalarType, reading: TimeReading, *, text_source: bool) -> Coerced:
    """Python values (of JSON records, CSV fields or rows in memory) as a column of a type.

    `text_source`: every value is text and the source cannot say more (CSV), so a dynamic column holds JSON text.
    """
    kinds = {type(value) for value in values}
    kinds.discard(type(None))
    if kinds <= {str}:
        strings = _string_array(values)
        if strings is not None:
            return coerce_strings(strings, kind, reading, text_source=text_source)
    elif (kind is ScalarType.LONG and kinds == {int}) or (kind is ScalarType.BOOL and kinds == {bool}):
        try:
            return Coerced(pa.array(values, PHYSICAL[kind]))
        except (pa.ArrowInvalid, OverflowError):
            pass
    return _convert_each(values, kind, reading, text_source)


def _string_array(values: Sequence[Any]) -> Any:
    try:
        return pa.array(values, pa.string())
    except UnicodeEncodeError:
        return None


def coerce_strings(strings: Any, kind: ScalarType, reading: TimeReading, *, text_source: bool) -> Coerced:
    """An Arrow string array as a column of a type."""
    if kind in (ScalarType.STRING, ScalarType.UNKNOWN):
        return Coerced(pc.fill_null(strings, ""))
    if kind is ScalarType.DATETIME and reading.zone is None:
        ticks = iso_ticks(strings)
        if ticks is not None:
            return Coerced(ticks)
    if isinstance(strings, pa.ChunkedArray):
        strings = strings.combine_chunks()
    encoded = strings.dictionary_encode()
    distinct = _convert_each(encoded.dictionary.to_pylist(), kind, reading, text_source)
    array = distinct.array.take(encoded.indices)
    if not distinct.bad:
        return Coerced(array, {}, distinct.placeholders)
    bad = {row: distinct.bad[index] for row, index in enumerate(encoded.indices.to_pylist()) if index in distinct.bad}
    return Coerced(array, bad, distinct.placeholders)


def _convert_each(values: Sequence[Any], kind: ScalarType, reading: TimeReading, text_source: bool) -> Coerced:
    result = Coerced(None)
    convert = _converter(kind, text_source)
    converted: list[Any] = [None] * len(values)
    nullable = kind not in _NO_PLACEHOLDER
    for row, value in enumerate(values):
        if value is None or (isinstance(value, str) and not value):
            continue
        try:
            if nullable and is_placeholder(value):
                result.placeholders.add(str(value) if isinstance(value, str) else "")
            else:
                converted[row] = convert(plain(value), reading)
        except Refusal as refusal:
            result.bad[row] = str(refusal)
    array = pa.array(converted, PHYSICAL[kind])
    result.array = pc.fill_null(array, "") if kind is ScalarType.STRING else array
    return result


def _converter(kind: ScalarType, text_source: bool) -> Converter:
    if kind is ScalarType.DYNAMIC and text_source:
        return dynamic_of_text
    return CONVERTERS[ScalarType.STRING if kind is ScalarType.UNKNOWN else kind]


def iso_ticks(strings: Any) -> Any:
    """Ticks of ISO 8601 texts by Arrow kernels, when all have one form (with `Z`, or without zone), else None."""
    strings = pc.if_else(pc.equal(strings, ""), None, strings)
    for suffix, zone in (("Z$", "UTC"), ("$", None)):
        if pc.all(pc.match_substring_regex(strings, _ISO + suffix)).as_py() is not False:
            try:
                stamps = pc.cast(strings, pa.timestamp("ns", zone))
            except pa.ArrowInvalid:  # outside 1677 to 2262, or no such day
                return None
            return ticks_of_timestamps(stamps)
    return None


def ticks_of_timestamps(stamps: Any) -> Any:
    """Arrow timestamps (UTC or naive) of any unit -> ticks; digits after the seventh are dropped. None when out of range."""
    unit = stamps.type.unit
    counts = pc.cast(stamps, pa.int64())
    try:
        if unit == "ns":
            lowest = pc.min(counts).as_py()
            if lowest is not None and lowest < 0:  # Arrow divides toward zero, dropping digits means toward the past
                counts = pc.subtract(counts, pc.if_else(pc.less(counts, 0), 99, 0))
            counts = pc.divide(counts, 100)
        else:
            counts = pc.multiply_checked(counts, {"s": times.TICKS_PER_SECOND, "ms": times.TICKS_PER_MILLISECOND, "us": 10}[unit])
        ticks = pc.add_checked(counts, times.UNIX_EPOCH_TICKS)
    except pa.ArrowInvalid:
        return None
    span = pc.min_max(ticks).as_py()
    if span["min"] is not None and (span["min"] < 0 or span["max"] > times.MAX_DATETIME_TICKS):
        return None
    return ticks


def coerce_arrow(array: Any, kind: ScalarType, reading: TimeReading) -> Coerced:
    """A column of a Parquet file, a data frame or an Arrow table as a column of a type."""
    if isinstance(array, pa.ChunkedArray):
        return _coerce_chunks(array, kind, reading)
    source = array.type
    if pa.types.is_dictionary(source):
        array, source = array.dictionary_decode(), source.value_type
    if pa.types.is_null(source):
        return Coerced(absent(kind, len(array)))
    if pa.types.is_large_string(source) or pa.types.is_string_view(source):
        array, source = array.cast(pa.string()), pa.string()
    if pa.types.is_string(source):
        return coerce_strings(array, kind, reading, text_source=True)
    direct = _direct(array, source, kind)
    if direct is not None:
        return Coerced(pc.fill_null(direct, "") if kind is ScalarType.STRING else direct)
    return _convert_each(_python_values(array), kind, reading, text_source=False)


def _coerce_chunks(array: Any, kind: ScalarType, reading: TimeReading) -> Coerced:
    """Chunk by chunk: in one piece, the text of a column may be more than the 2 GiB that Arrow's offsets reach."""
    result, row = Coerced(None), 0
    pieces = []
    for chunk in array.chunks:
        piece = coerce_arrow(chunk, kind, reading)
        pieces.append(piece.array)
        result.bad.update({row + at: reason for at, reason in piece.bad.items()})
        result.placeholders |= piece.placeholders
        row += len(chunk)
    result.array = pa.chunked_array(pieces, PHYSICAL[kind])
    return result


def _python_values(array: Any) -> list[Any]:
    if pa.types.is_timestamp(array.type):  # Python's datetime cannot hold nanoseconds, the ISO text can
        ticks = ticks_of_timestamps(array)
        if ticks is not None:
            return [None if value is None else times.format_datetime_iso(value) for value in ticks.to_pylist()]
    values: list[Any] = array.to_pylist()
    return values


def _direct(array: Any, source: Any, kind: ScalarType) -> Any:
    """The array by kernels alone where Arrow's own cast means the same as ours; None where it does not or fails."""
    types = pa.types
    rules: tuple[tuple[bool, Callable[[], Any]], ...] = (
        (kind is ScalarType.DATETIME and types.is_timestamp(source), lambda: ticks_of_timestamps(array)),
        (kind is ScalarType.TIMESPAN and types.is_duration(source), lambda: _ticks_of_durations(array)),
        (kind is ScalarType.TIMESPAN and types.is_signed_integer(source), lambda: array.cast(pa.int64())),
        (kind is ScalarType.BOOL and types.is_boolean(source), lambda: array),
        (kind in (ScalarType.INT, ScalarType.LONG) and types.is_integer(source), lambda: array.cast(PHYSICAL[kind])),
        (kind is ScalarType.REAL and (types.is_floating(source) or types.is_integer(source)), lambda: array.cast(pa.float64(), safe=False)),
        (kind is ScalarType.DECIMAL and (types.is_decimal(source) or types.is_integer(source)), lambda: array.cast(PHYSICAL[kind])),
        (kind in (ScalarType.STRING, ScalarType.DYNAMIC) and types.is_integer(source), lambda: array.cast(pa.string())),
    )
    for applies, convert in rules:
        if applies:
            try:
                return convert()
            except pa.ArrowInvalid:
                return None
    return None


def _ticks_of_durations(array: Any) -> Any:
    counts = pc.cast(array, pa.int64())
    if array.type.unit == "ns":
        return pc.divide(counts, 100)
    return pc.multiply_checked(counts, {"s": times.TICKS_PER_SECOND, "ms": times.TICKS_PER_MILLISECOND, "us": 10}[array.type.unit])
