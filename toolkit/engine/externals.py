"""Files that stand for the URIs of externaldata: read by the schema, format and options that the query declares (R-215)."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from toolkit.kql.external import External

if TYPE_CHECKING:
    from toolkit.engine.ingest.sources import Ingested

_SEPARATORS = {"csv": ",", "tsv": "\t", "tsve": "\t", "psv": "|", "scsv": ";", "sohsv": "\x01"}


def read_external(external: External, files: Mapping[str, Path], table: str) -> Ingested:
    """The rows of all its URIs' files. Raises IngestError for a file that cannot be read as the query declares it."""
    from toolkit.engine.ingest import read_source
    from toolkit.engine.ingest.findings import unreadable

    rows: list[dict[str, Any]] = []
    for uri in external.uris:
        try:
            with _opened(files[uri]) as text:
                rows += _rows(external, text)
        except (OSError, ValueError, csv.Error) as error:
            raise unreadable(str(files[uri]), f"the file cannot be read as {external.format}: {error}") from None
    return read_source(rows, table, external.schema(table))


def _opened(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _rows(external: External, text: TextIO) -> Iterator[dict[str, Any]]:
    names = [name for name, _ in external.columns]
    if external.format in ("json", "multijson"):
        yield from _objects(external.format, text, names)
        return
    records: Iterator[Sequence[str]]
    if external.format in ("txt", "raw"):
        records = ([line.rstrip("\r\n")] for line in text) if external.format == "txt" else iter([[text.read()]])
    else:
        records = iter(csv.reader(text, delimiter=_SEPARATORS[external.format], strict=True))
    if external.skip_first:
        next(records, None)
    for record in records:
        # columns are the fields by position; a short record leaves the last ones empty
        if record:
            yield {name: record[index] if index < len(record) else None for index, name in enumerate(names)}


def _objects(kind: str, text: TextIO, names: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Columns are the members of the same name."""
    if kind == "json":
        found = [json.loads(line) for line in text if line.strip()]
    else:
        whole = json.loads(text.read())
        found = whole if isinstance(whole, list) else [whole]
    for value in found:
        if not isinstance(value, dict):
            raise ValueError("expected JSON objects")
        yield {name: value.get(name) for name in names}
