"""The rows of a watchlist: the .csv beside its .yaml, or a .csv alone whose name is the alias."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from toolkit.content.files import read_text
from toolkit.content.findings import ContentError, Findings
from toolkit.content.items import Item
from toolkit.content.models.function import WatchlistFile
from toolkit.kql.diagnostics import suggestion
from toolkit.kql.source import Source, Span

MAX_CSV = 3_800_000
_MAX_LINE = 10_240


@dataclass(frozen=True)
class Watchlist:
    """`rows` are columns by name, every value text. `search_key` is None when no file says which column it is."""

    alias: str
    columns: list[str]
    rows: list[dict[str, str]]
    search_key: str | None


def read_watchlist(item: Item) -> Watchlist | None:
    """The rows of a watchlist item; None when they cannot be read, with the reason among the item's findings."""
    model = item.model
    if not isinstance(model, WatchlistFile):
        return None
    alias = model.watchlist_alias or model.alias or item.name
    if model.raw_content is not None:
        return _rows(model, alias, Source(model.raw_content, item.shown), item.collect())
    path = item.path if item.path.suffix == ".csv" else item.path.with_name(model.file or f"{item.name}.csv")
    shown = str(Path(item.shown).with_name(path.name))
    try:
        text = read_text(path, shown, MAX_CSV)
    except ContentError as error:
        item.findings.extend(error.findings)
        return None
    return _rows(model, alias, Source(text, shown), Findings(Source(text, shown), item.findings))


def _rows(model: WatchlistFile, alias: str, source: Source, findings: Findings) -> Watchlist | None:
    lines = source.text.splitlines(keepends=True)[model.number_of_lines_to_skip :]
    delimiter = "\t" if model.content_type == "text/tsv" else ","
    reader = csv.reader(io.StringIO("".join(lines), newline=""), delimiter=delimiter, strict=True)
    try:
        header = next(reader, None)
        if not header:
            findings.add("empty-file", "The watchlist has no header line.", Span(0, 0))
            return None
        rows = [_row(header, cells, reader.line_num + model.number_of_lines_to_skip, source, findings) for cells in reader if cells]
    except csv.Error as error:
        span = _line(source, reader.line_num + model.number_of_lines_to_skip)
        findings.add("broken-csv", f"The line is not CSV: {error}.", span)
        return None
    if model.key is not None and model.key not in header:
        findings.add(
            "unknown-column",
            f"The search key {model.key!r} is no column of the watchlist.",
            _line(source, 1),
            hints=suggestion(model.key, header) or (f"Columns: {', '.join(header)}.",),
        )
        return None
    return Watchlist(alias, header, [row for row in rows if row is not None], model.key or header[0])


def _row(header: list[str], cells: list[str], line: int, source: Source, findings: Findings) -> dict[str, str] | None:
    if len(cells) != len(header):
        message = f"The line has {len(cells)} values; the header names {len(header)} columns."
        findings.add("broken-csv", message, _line(source, line))
        return None
    return dict(zip(header, cells, strict=True))


def _line(source: Source, number: int) -> Span:
    lines = source.text.split("\n")
    start = sum(len(line) + 1 for line in lines[: number - 1])
    return Span(start, start + len(lines[number - 1]) if number <= len(lines) else start)
