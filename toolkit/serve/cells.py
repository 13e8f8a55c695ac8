"""Rows of a result as JSON text, column by column: Arrow writes a million rows in about a second, without the GIL.

What each type looks like is that of the query APIs: datetimes without trailing zeros, timespans as `[-][d.]hh:mm:ss[.fffffff]`,
decimals and reals that are not finite as text, a dynamic as JSON (Kusto) or as text that holds JSON (Log Analytics).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from toolkit.engine.result import Result
from toolkit.engine.values import to_json
from toolkit.kql.times import TICKS_PER_MICROSECOND, TICKS_PER_SECOND, UNIX_EPOCH_TICKS
from toolkit.kql.types import ScalarType

_TEXT = pa.large_string()  # offsets of 64 bits: a batch may hold a few very long cells
_BATCH_BYTES = 1 << 20
_BATCH_ROWS = 16_384
_WINDOW = 1 << 20
_CONTROLS = bytes(range(0x20))
_ESCAPES = (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t"))
_SHORT_REAL = 1e9
"""Below it Arrow writes a whole real as digits alone, without an exponent."""

_Pieces = Sequence[Any]
"""What a column puts into each row, one after the other: arrays of texts, and texts that are the same in every row."""


def check(result: Result) -> None:
    """Raises ValueOutOfRange for a datetime that has no text: before the first byte of an answer is out."""
    for index, (_, kind) in enumerate(result.columns):
        if kind == ScalarType.DATETIME and len(result):
            bounds = pc.min_max(result.column(index))
            to_json(ScalarType.DATETIME, [bound for bound in (bounds["min"].as_py(), bounds["max"].as_py()) if bound is not None])


Chunk = Callable[[], bytes]
"""A part of an answer that is written when it is called. The parts of one answer may be written at the same time."""


def rows(result: Result, *, dynamic_as_text: bool = False) -> Iterator[Chunk]:
    """The rows as JSON arrays with commas between them, `[1,"a"],[2,"b"]`, about a megabyte in each part; no part for no rows."""
    columns = [_Column(result.column(index), ScalarType(kind), dynamic_as_text) for index, (_, kind) in enumerate(result.columns)]
    step = _step(len(result), columns)
    for start in range(0, len(result), step):
        count = min(step, len(result) - start)
        yield partial(_written, columns, start, count, start + count == len(result))


def _written(columns: Sequence[_Column], start: int, count: int, last: bool) -> bytes:
    pieces: list[Any] = [pa.repeat(_text("["), count)]
    for number, column in enumerate(columns):
        pieces += [*([_COMMA] if number else []), *column.pieces(start, count)]
    lines = pc.binary_join_element_wise(*pieces, _text("],"), _EMPTY)
    text: bytes = lines.buffers()[2].to_pybytes()  # the texts of all rows, one after the other
    return text[:-1] if last else text


def _step(count: int, columns: Sequence[_Column]) -> int:
    """How many rows make about a megabyte."""
    size: int = sum(column.values.nbytes for column in columns) // max(1, count) + 8 * len(columns) + 1
    return max(1, min(_BATCH_ROWS, _BATCH_BYTES // size))


def _text(value: str) -> Any:
    return pa.scalar(value, _TEXT)


_COMMA, _QUOTE, _EMPTY, _NULL = (_text(value) for value in (",", '"', "", "null"))


class _Column:
    """One column, and how its values are written."""

    def __init__(self, values: Any, kind: ScalarType, dynamic_as_text: bool) -> None:
        self.values = values
        text = kind in (ScalarType.STRING, ScalarType.GUID, ScalarType.UNKNOWN, ScalarType.DYNAMIC)
        self.odd = text and _has(values, _CONTROLS)
        self.plain = not self.odd and not _has(values, b'"\\') if text else True
        self._write = _dynamic_text if kind is ScalarType.DYNAMIC and dynamic_as_text else _WRITERS[kind]

    def pieces(self, start: int, count: int) -> _Pieces:
        """Texts for some of the rows, none of them null."""
        chunks = self.values.slice(start, count).chunks
        part = chunks[0] if len(chunks) == 1 else pa.concat_arrays(chunks)
        pieces = self._write(self, part)
        return pieces if not part.null_count else [pc.fill_null(_joined(pieces), _NULL)]


def _joined(pieces: _Pieces) -> Any:
    return pieces[0] if len(pieces) == 1 else pc.binary_join_element_wise(*pieces, _EMPTY)


def _has(values: Any, characters: bytes) -> bool:
    """Whether any text of a column may hold one of the characters (all of them are ASCII)."""
    for chunk in values.chunks:
        data = chunk.buffers()[2]
        view = memoryview(data) if data is not None else b""
        for start in range(0, len(view), _WINDOW):
            window = bytes(view[start : start + _WINDOW])
            if len(window.translate(None, characters)) != len(window):
                return True
    return False


# --- one writer for each type -------------------------------------------------------------------------------------------


def _string(column: _Column, part: Any) -> _Pieces:
    if column.odd:
        return [_each(part, lambda text: json.dumps(text, ensure_ascii=False))]
    return [_QUOTE, part.cast(_TEXT) if column.plain else _escaped(part.cast(_TEXT)), _QUOTE]


def _escaped(texts: Any) -> Any:
    for character, escape in _ESCAPES:
        texts = pc.replace_substring(texts, character, escape)
    return texts


def _dynamic(column: _Column, part: Any) -> _Pieces:
    """JSON as it is. Texts that were parsed leniently may hold control characters, which JSON does not."""
    if not column.odd:
        return [part.cast(_TEXT)]
    return [_each(part, lambda text: json.dumps(json.loads(text, strict=False), ensure_ascii=False, separators=(",", ":")))]


def _dynamic_text(column: _Column, part: Any) -> _Pieces:
    """A text that holds JSON; a string stands for itself, and null is null."""
    (text,) = _dynamic(column, part)
    itself = pc.or_(pc.starts_with(text, '"'), pc.equal(text, _NULL))
    return [pc.if_else(itself, text, _joined([_QUOTE, _escaped(text), _QUOTE]))]


def _integer(column: _Column, part: Any) -> _Pieces:
    return [part.cast(_TEXT)]


def _boolean(column: _Column, part: Any) -> _Pieces:
    return [pc.if_else(part, _text("true"), _text("false"))]


def _real(column: _Column, part: Any) -> _Pieces:
    """A reader that goes by the form of a number would take 3 for an integer: 3.0."""
    if not pc.all(pc.is_finite(part)).as_py() or pc.any(pc.and_(_whole(part), pc.greater_equal(pc.abs(part), _SHORT_REAL))).as_py():
        return _each_json(ScalarType.REAL)(column, part)
    return [part.cast(_TEXT), pc.if_else(_whole(part), _text(".0"), _EMPTY)]


def _whole(part: Any) -> Any:
    return pc.equal(part, pc.floor(part))


def _datetime(column: _Column, part: Any) -> _Pieces:
    part = part.cast(pa.int64())
    if not _any_beyond(part, TICKS_PER_SECOND):
        return [_QUOTE, _stamps(part, TICKS_PER_SECOND, "s"), _text('Z"')]
    texts = _stamps(part, TICKS_PER_MICROSECOND, "us")
    if _any_beyond(part, TICKS_PER_MICROSECOND):
        texts = _joined([texts, _beyond(part, TICKS_PER_MICROSECOND).cast(_TEXT)])
    return [_QUOTE, pc.ascii_rtrim(pc.ascii_rtrim(texts, "0"), "."), _text('Z"')]


def _stamps(ticks: Any, unit: int, name: str) -> Any:
    """`2026-03-02T10:00:00`, with six digits of a second where the unit is a microsecond."""
    stamps = pc.subtract(pc.divide(ticks, unit), UNIX_EPOCH_TICKS // unit).cast(pa.timestamp(name))
    return pc.binary_replace_slice(stamps.cast(_TEXT).cast(pa.large_binary()), 10, 11, "T").cast(_TEXT)


def _beyond(ticks: Any, unit: int) -> Any:
    """What is left of ticks behind whole units."""
    return pc.subtract(ticks, pc.multiply(pc.divide(ticks, unit), unit))


def _any_beyond(ticks: Any, unit: int) -> bool:
    return bool(pc.any(pc.not_equal(_beyond(ticks, unit), 0)).as_py())


def _each_json(kind: ScalarType) -> Callable[[_Column, Any], _Pieces]:
    """The engine's own JSON value of every different value."""
    return lambda column, part: [_each(part, lambda value: json.dumps(to_json(kind, [value])[0]))]


def _each(part: Any, write: Callable[[Any], str]) -> Any:
    """A text for each value, made once per different one."""
    coded = part.dictionary_encode()
    return pa.array([write(value) for value in coded.dictionary.to_pylist()], _TEXT).take(coded.indices)


_WRITERS: dict[ScalarType, Callable[[_Column, Any], _Pieces]] = {
    ScalarType.BOOL: _boolean,
    ScalarType.INT: _integer,
    ScalarType.LONG: _integer,
    ScalarType.REAL: _real,
    ScalarType.DECIMAL: _each_json(ScalarType.DECIMAL),
    ScalarType.STRING: _string,
    ScalarType.DATETIME: _datetime,
    ScalarType.TIMESPAN: _each_json(ScalarType.TIMESPAN),
    ScalarType.GUID: _string,
    ScalarType.DYNAMIC: _dynamic,
    ScalarType.UNKNOWN: _string,
}
