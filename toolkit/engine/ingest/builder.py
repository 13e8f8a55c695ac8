"""One source, chunk by chunk, into columns.

What has a type and needs no other rows is converted at once. Two things wait for the end of the source: times whose order
of day and month only the whole file shows, and columns without a known type.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from toolkit.engine.ingest.chunks import Chunk
from toolkit.engine.ingest.coerce import Coerced, absent, coerce_arrow, coerce_strings, coerce_values, iso_ticks
from toolkit.engine.ingest.findings import Report, unreadable
from toolkit.engine.ingest.logtime import TimeReading, day_month_order, has_numeric_order, looks_like_time
from toolkit.engine.ingest.naming import Naming, Target, UnknownZoneError
from toolkit.engine.ingest.sidecar import Sidecar
from toolkit.kql.types import ScalarType


@dataclass
class Part:
    """Consecutive rows of a column. `values` is None (no value in these rows), a converted array, or what was read."""

    rows: int
    values: Any = None
    converted: bool = False
    text_source: bool = False


@dataclass
class Column:
    """A key of one source, with the column it means, in parts."""

    key: str
    target: Target
    reading: TimeReading
    parts: list[Part] = field(default_factory=list)
    rows: int = 0

    def add(self, part: Part) -> None:
        self.parts.append(part)
        self.rows += part.rows

    def fill_up(self, rows: int) -> None:
        if rows > self.rows:
            self.add(Part(rows - self.rows))

    def waiting(self) -> Iterator[Part]:
        return (part for part in self.parts if part.values is not None and not part.converted)


class SourceBuilder:
    """Takes the chunks of one source; after `finish`, `columns` are complete and `bad` holds the rows to leave out."""

    def __init__(self, source: str, naming: Naming, report: Report, sidecar: Sidecar) -> None:
        self.source = source
        self.columns: dict[str, Column] = {}
        self.bad: set[int] = set()
        self.value_errors = 0
        self.rows = 0
        self._naming, self._report, self._sidecar = naming, report, sidecar
        self._starts: list[int] = []
        self._lines: list[Sequence[int]] = []
        self._placeholders: dict[str, set[str]] = {}

    def add(self, chunk: Chunk) -> None:
        self._starts.append(self.rows)
        self._lines.append(chunk.lines)
        for key, values in chunk.columns.items():
            column = self.columns.get(key)
            if column is None:
                column = self.columns[key] = self._new_column(key)
            column.fill_up(self.rows)
            column.add(self._part(column, values, chunk))
        self.rows += chunk.rows

    def _new_column(self, key: str) -> Column:
        target = self.target(key)
        return Column(key, target, TimeReading(zone=target.zone or self._sidecar.zone))

    def target(self, key: str) -> Target:
        """The column that a key means. Raises IngestError for a key that cannot be one."""
        try:
            key.encode()
            return self._naming.target(key)
        except UnicodeEncodeError:
            raise unreadable(self.source, f"expected Unicode text, found a column name with bytes that are not UTF-8: {key!r}") from None
        except UnknownZoneError as error:
            raise unreadable(self.source, str(error)) from None

    def _part(self, column: Column, values: Any, chunk: Chunk) -> Part:
        part = Part(chunk.rows, values, column.key in chunk.ready, chunk.text_source)
        if part.converted:
            return part
        if column.target.type is ScalarType.DATETIME:
            part.values, part.converted = self._times(column, values)
        elif column.target.type is not None:
            self._convert(column, part, column.target.type, self.rows)
        return part

    def _times(self, column: Column, values: Any) -> tuple[Any, bool]:
        """Converted times, or the texts themselves when the order of day and month has to be known first."""
        strings = _as_strings(values)
        if strings is None:
            texts = values if isinstance(values, list) else []
            if any(isinstance(value, str) and has_numeric_order(value) for value in texts):
                return values, False
            coerced = _coerced(values, ScalarType.DATETIME, column.reading, text_source=False)
        else:
            ticks = iso_ticks(strings) if column.reading.zone is None else None
            if ticks is not None:
                return ticks, True
            if any(has_numeric_order(text) for text in _distinct(strings)):
                return strings, False
            coerced = coerce_strings(strings, ScalarType.DATETIME, column.reading, text_source=True)
        self._take_findings(column, coerced, self.rows)
        return coerced.array, True

    def _convert(self, column: Column, part: Part, kind: ScalarType, first_row: int) -> None:
        coerced = _coerced(part.values, kind, column.reading, text_source=part.text_source)
        self._take_findings(column, coerced, first_row)
        part.values, part.converted = coerced.array, True

    def _take_findings(self, column: Column, coerced: Coerced, first_row: int) -> None:
        for row, reason in coerced.bad.items():
            self.reject(first_row + row, f"column {column.key!r}: {reason}")
        written = {text for text in coerced.placeholders if text.strip()}
        if written:
            self._placeholders.setdefault(column.key, set()).update(written)

    def reject(self, row: int, message: str) -> None:
        """Reports a row that has a value which cannot be kept."""
        chunk = bisect_right(self._starts, row) - 1
        self.bad.add(row)
        self.value_errors += 1
        self._report.error(message, self.source, self._lines[chunk][row - self._starts[chunk]])

    def add_constant(self, key: str, target: Target, text: str | None) -> bool:
        """Adds a column that has one value in all rows, when the source is at its end. False where the source has it itself.

        Raises IngestError for a text that is no value of the column's type.
        """
        if any(key.lower() == name.lower() or column.target.column == target.column for name, column in self.columns.items()):
            return False
        kind = target.type or ScalarType.STRING
        coerced = coerce_strings(pa.array([text], pa.string()), kind, TimeReading(zone=target.zone), text_source=True)
        for reason in coerced.bad.values():
            raise unreadable(self.source, f"the folder {key}={text}: {reason}")
        column = self.columns[key] = Column(key, replace(target, type=kind), TimeReading(zone=target.zone))
        column.add(Part(self.rows, pa.repeat(coerced.array[0], self.rows), converted=True))
        return True

    def finish(self) -> None:
        """Ends the source: decides the order of day and month and converts the times that waited for it."""
        day_first = self._day_first()
        for column in self.columns.values():
            column.fill_up(self.rows)
            column.reading = replace(column.reading, day_first=day_first)
            if column.target.type is not None:
                self.convert_waiting(column, column.target.type)

    def convert_waiting(self, column: Column, kind: ScalarType) -> None:
        """Converts every part of a column that is still as it was read."""
        row = 0
        for part in column.parts:
            if part.values is None:
                part.values, part.converted = absent(kind, part.rows), True
            elif not part.converted:
                self._convert(column, part, kind, row)
            row += part.rows

    def _day_first(self) -> bool:
        texts = list(self._undecided_times())
        if self._sidecar.day_first is not None or not texts:
            return bool(self._sidecar.day_first)
        first, second = day_month_order(texts)
        if first == second:
            why = "days and months cannot be told apart" if not first else "both orders of day and month occur"
            self._report.note(f"{why} in times like {texts[0]!r}; they are read as month/day", self.source)
        return first and not second

    def _undecided_times(self) -> Iterator[str]:
        for column in self.columns.values():
            for part in column.waiting():
                strings = _as_strings(part.values)
                texts = _distinct(strings) if strings is not None else (value for value in part.values if isinstance(value, str))
                known = column.target.type is ScalarType.DATETIME
                yield from (text for text in texts if has_numeric_order(text) and (known or looks_like_time(text)))

    def report_to(self, report: Report) -> None:
        """Moves what was noted so far, and all that is still to be said, to another report."""
        report.notes.extend(self._report.notes)
        self._report = report

    def note_placeholders(self) -> None:
        for key, texts in self._placeholders.items():
            self._report.note(f"column {key!r}: {', '.join(map(repr, sorted(texts)))} read as no value", self.source)


def _as_strings(values: Any) -> Any:
    """The values as an Arrow string array, None when some are no text."""
    if isinstance(values, (pa.Array, pa.ChunkedArray)):
        kind = values.type
        return values.cast(pa.string()) if pa.types.is_string(kind) or pa.types.is_large_string(kind) else None
    if {type(value) for value in values} <= {str, type(None)}:
        try:
            return pa.array(values, pa.string())
        except UnicodeEncodeError:
            return None
    return None


def _distinct(strings: Any) -> Iterable[str]:
    return (text for text in pc.unique(strings).to_pylist() if text)


def _coerced(values: Any, kind: ScalarType, reading: TimeReading, *, text_source: bool) -> Coerced:
    if isinstance(values, (pa.Array, pa.ChunkedArray)):
        return coerce_arrow(values, kind, reading)
    return coerce_values(values, kind, reading, text_source=text_source)
