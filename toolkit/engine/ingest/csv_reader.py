"""CSV and TSV with one header row. Fields may hold line breaks; a record's line is the one that it begins on."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import Any

from toolkit.engine.ingest.chunks import CHUNK_ROWS, Chunk, numbered
from toolkit.engine.ingest.files import LogFile
from toolkit.engine.ingest.findings import Report, unreadable

MAX_FIELD_CHARS = 64 * 1024 * 1024
_DELIMITERS = {"csv": (",", ";", "\t"), "tsv": ("\t",)}


def read_csv(file: LogFile, report: Report) -> Iterator[Chunk]:
    """The records of a CSV or TSV file as text. A record of another width than the header is reported and left out."""
    if csv.field_size_limit() < MAX_FIELD_CHARS:
        csv.field_size_limit(MAX_FIELD_CHARS)
    encoding = "utf-8-sig" if file.encoding == "utf-8" else file.encoding
    errors = "surrogateescape" if file.encoding == "utf-8" else "strict"
    with file.open() as stream:
        text = io.TextIOWrapper(stream, encoding=encoding, errors=errors, newline="")
        yield from _records(text, file, report)


def _records(text: io.TextIOWrapper, file: LogFile, report: Report) -> Iterator[Chunk]:
    first, before = text.readline(MAX_FIELD_CHARS), 0
    while first and not first.strip():
        first, before = text.readline(MAX_FIELD_CHARS), before + 1
    if not first:
        raise unreadable(file.name, "expected a header line, found an empty file")
    reader = csv.reader(_with_first(first, text), delimiter=delimiter_of(first, file.format), strict=True)
    try:
        header = names_of(next(reader), file.name, report)
    except csv.Error as error:
        raise unreadable(file.name, f"the header line is not valid {file.format.upper()}: {error}", 1) from None
    rows: list[list[str]] = []
    lines: list[int] = []
    for row, line in _rows(reader, header, file.name, report):
        rows.append(row)
        lines.append(line + before)
        if len(rows) >= CHUNK_ROWS:
            yield _chunk(header, rows, lines)
            rows, lines = [], []
    yield _chunk(header, rows, lines)


def _with_first(first: str, rest: io.TextIOWrapper) -> Iterator[str]:
    yield first
    yield from rest


def delimiter_of(header: str, kind: str) -> str:
    """The first usual delimiter that the header holds: a .csv of a European Excel has semicolons."""
    return next((mark for mark in _DELIMITERS[kind] if mark in header), _DELIMITERS[kind][0])


def names_of(cells: list[str], source: str, report: Report) -> list[str]:
    """The columns that the cells of a header line name. Raises IngestError for a header without, or with a gap."""
    names = [cell.strip() for cell in cells]
    while names and not names[-1]:
        names.pop()
    if not names:
        raise unreadable(source, "expected a header line, found one without names", 1)
    if "" in names:
        raise unreadable(source, f"expected a header with a name for each column, found none for column {names.index('') + 1}", 1)
    unique: dict[str, None] = {}
    for name in names:
        if name in unique:
            report.note(f"the header has the column {name!r} more than once; the others are kept as {name + '1'!r} and so on", source)
        unique[numbered(name, {*names, *unique}) if name in unique else name] = None
    return list(unique)


def _rows(reader: Any, header: list[str], source: str, report: Report) -> Iterator[tuple[list[str], int]]:
    width, rejoin, blank = len(header), _Rejoin(header), 0
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            rejoin.note(source, report)
            if blank:
                report.note(f"{blank} lines hold delimiters but no value, and are no records", source)
            return
        except csv.Error as error:
            report.error(_reason(error, reader.line_num > line), source, line)
            continue
        if len(row) > width and any(row[width:]):
            row = rejoin.row(row)
        if not any(row):
            blank += bool(row)
        elif len(row) == width:
            yield row, line
        elif len(row) > width and not any(row[width:]):
            yield row[:width], line
        else:
            report.error(f"expected {width} fields as in the header, found {len(row)}", source, line)


class _Rejoin:
    """Puts AdditionalExtensions of a CEF export together again that was written without quotes around its commas.

    Known from published exports of CommonSecurityLog: the pieces are `key=value` fields, and push what follows to the right.
    """

    _COLUMN = "AdditionalExtensions"
    _PIECE = re.compile(r"[\w.]+=")

    def __init__(self, header: list[str]) -> None:
        self._at = header.index(self._COLUMN) if self._COLUMN in header else -1
        self._width = len(header)
        self._count = 0

    def row(self, row: list[str]) -> list[str]:
        if self._at < 0:
            return row
        end = self._at + 1
        while end < len(row) and self._PIECE.match(row[end]):
            end += 1
        joined = [*row[: self._at], ",".join(row[self._at : end]), *row[end:]]
        if any(joined[self._width :]):
            return row
        self._count += 1
        return joined[: self._width] + [""] * (self._width - len(joined))

    def note(self, source: str, report: Report) -> None:
        if self._count:
            report.note(
                f"{self._COLUMN} was split at unquoted commas in {self._count} records and is put together again", source, "warning"
            )


def _reason(error: csv.Error, many_lines: bool) -> str:
    text = str(error)
    if "unexpected end of data" in text:
        return "a quote that this record opens is never closed, so the rest of the file could not be read"
    if "field larger" in text:
        return f"a field is longer than {MAX_FIELD_CHARS // 2**20} Mi characters; a quote may not be closed"
    return f"not valid CSV: {text}" + (" (a quote that this record opens may not be closed)" if many_lines else "")


def _chunk(header: list[str], rows: list[list[str]], lines: list[int]) -> Chunk:
    columns = dict(zip(header, map(list, zip(*rows, strict=True)), strict=True)) if rows else {name: [] for name in header}
    return Chunk(columns, lines, text_source=True)
