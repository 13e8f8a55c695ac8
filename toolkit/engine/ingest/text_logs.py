"""Logs of lines with a grammar of their own: which they are, and their lines as typed records.

Nothing is lost: what does not fit is a record too, with the whole text in RawData and the place and the reason in
ParseError. Secrets are replaced before anything else looks at a line.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.engine.ingest.chunks import CHUNK_ROWS, Chunk
from toolkit.engine.ingest.findings import Report, unreadable
from toolkit.engine.ingest.grammar import Mismatch
from toolkit.engine.ingest.secrets import without_secrets
from toolkit.kql.types import ScalarType, TableSchema

if TYPE_CHECKING:
    from toolkit.engine.ingest.files import LogFile

MAX_LINE_CHARS = 16 * 1024 * 1024
_PROBED_LINES = 20
_MOST_PLACES = 20

_COMMON: Mapping[str, ScalarType] = {
    "LineNumber": ScalarType.LONG,
    "ParseError": ScalarType.STRING,
    "RawData": ScalarType.STRING,
}
_ROTATED = re.compile(r"\.log(\.\d+)?$", re.IGNORECASE)


@dataclass(frozen=True)
class TextLog:
    """A log format.

    `names`: what its files are called before the first dot, in lower case. `starts`: what the first line of a record begins
    with; lines that begin otherwise continue the record before them. `read`: the columns of a record's first line, and what is
    wrong with it.
    """

    format: str
    title: str
    table: str
    names: tuple[str, ...]
    starts: re.Pattern[str]
    columns: Mapping[str, ScalarType]
    read: Callable[[str], tuple[dict[str, Any], Mismatch | None]]

    @property
    def schema(self) -> TableSchema:
        """The columns in order: the time, those of the format, those of every text log."""
        return TableSchema(self.table, {"TimeGenerated": ScalarType.DATETIME, **self.columns, **_COMMON}, open_suffixes=True)


@cache
def text_logs() -> Mapping[str, TextLog]:
    """All formats by name."""
    from toolkit.engine.ingest import netskope_client, zscaler_bridge

    return {log.format: log for log in (netskope_client.LOG, zscaler_bridge.LOG)}


def is_text_log_name(name: str) -> bool:
    """`x.log`, and the older ones that a device keeps as `x.log.1`."""
    return _ROTATED.search(name) is not None


def log_of_name(path: Path) -> TextLog | None:
    """The format whose files have this name: `nsdebuglog.log`, `nsdebuglog.1.log`, `zbridge.log.2`."""
    if not is_text_log_name(path.name.removesuffix(".gz").removesuffix(".zst")):
        return None
    stem = path.name.partition(".")[0].lower()
    return next((log for log in text_logs().values() if stem in log.names), None)


def log_of_content(text: str) -> TextLog | None:
    """The format that one of the first lines has."""
    lines = text.splitlines()[:_PROBED_LINES]
    return next((log for log in text_logs().values() if any(log.starts.match(line) and log.read(line)[1] is None for line in lines)), None)


def log_of(path: Path, head: bytes) -> TextLog:
    """The format of a file by its first bytes, or by its name when these tell nothing. Raises IngestError."""
    text = head.decode("utf-16" if head[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig", "replace")
    found = log_of_content(text) or log_of_name(path)
    if found is None:
        known = " or a ".join(log.title for log in text_logs().values())
        raise unreadable(path, f"expected a {known}, found other lines", 1)
    return found


def read_text_log(file: LogFile, report: Report) -> Iterator[Chunk]:
    """The records of a file. A record that does not fit the grammar is a note of the report, never left out."""
    log = text_logs()[file.format]
    columns = list(log.schema.columns)
    rows: list[list[Any]] = []
    lines: list[int] = []
    wrong = 0
    for number, line, more in _records(file, log):
        values = _record(log, number, line, more)
        if values["ParseError"]:
            wrong += 1
            if wrong <= _MOST_PLACES:
                report.note(f"{values['ParseError']}; kept as text", file.name, "warning", number)
        rows.append([values.get(name) for name in columns])
        lines.append(number)
        if len(rows) >= CHUNK_ROWS:
            yield _chunk(columns, rows, lines)
            rows, lines = [], []
    if wrong > _MOST_PLACES:
        report.note(f"{wrong} records do not fit the grammar of a {log.title}: see the column ParseError", file.name, "warning")
    yield _chunk(columns, rows, lines)


def _record(log: TextLog, number: int, line: str, more: list[str]) -> dict[str, Any]:
    safe = without_secrets(line)
    values, failure = log.read(safe)
    rest = "".join(f"\n{without_secrets(text)}" for text in more)
    if rest and "Message" in values:
        values["Message"] += rest
    error = ""
    if failure is not None:
        exact = failure if safe == line else log.read(line)[1] or failure
        error = f"column {exact.at + 1}: {failure}"
    return {**values, "LineNumber": number, "ParseError": error, "RawData": safe + rest}


def _records(file: LogFile, log: TextLog) -> Iterator[tuple[int, str, list[str]]]:
    """Each record's line number, first line and further lines. A line before the first record stands for itself."""
    first, number, more, blank = "", 0, list[str](), 0
    for at, line in _lines(file):
        if not line.strip():
            blank += 1  # part of a record only when more of it follows
        elif log.starts.match(line) or not log.starts.match(first):
            if first:
                yield number, first, more
            first, number, more, blank = line, at, [], 0
        else:
            more += [*[""] * blank, line]
            blank = 0
    if first:
        yield number, first, more


def _lines(file: LogFile) -> Iterator[tuple[int, str]]:
    """Lines without their ends; bytes that are no text stay visible as \\xNN."""
    encoding = "utf-8-sig" if file.encoding == "utf-8" else file.encoding
    with file.open() as stream:
        text = io.TextIOWrapper(stream, encoding=encoding, errors="backslashreplace", newline="\n")
        number = 0
        while line := text.readline(MAX_LINE_CHARS):
            number += 1
            if len(line) == MAX_LINE_CHARS:
                raise unreadable(file.name, f"a line is longer than {MAX_LINE_CHARS // 2**20} Mi characters", number)
            yield number, line.rstrip("\r\n")


def _chunk(columns: list[str], rows: list[list[Any]], lines: list[int]) -> Chunk:
    values = map(list, zip(*rows, strict=True)) if rows else ([] for _ in columns)
    return Chunk(dict(zip(columns, values, strict=True)), lines)
