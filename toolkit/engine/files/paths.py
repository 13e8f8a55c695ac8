"""Which files a table in place has, and what their folders' names say (`.../date=2026-03-01/hour=05/x.parquet`)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from toolkit.engine.ingest.files import format_of, is_log_file
from toolkit.engine.ingest.findings import unreadable
from toolkit.engine.ingest.partitions import partition_of

Paths = str | Path | Sequence[str | Path]

_GLOB = re.compile(r"[*?\[\]{}]")


@dataclass(frozen=True)
class PlacedFile:
    """`path` is absolute, without links. `partition`: the names and values of its folders."""

    path: str
    format: str
    compression: str | None
    partition: Mapping[str, str | None]


def placed_files(source: Paths) -> list[PlacedFile]:
    """The files of a file, a folder (at any depth), a pattern with `*`, or a list of these. Raises IngestError."""
    items = [source] if isinstance(source, (str, Path)) else list(source)
    found = [file for item in items for file in _files_of(Path(item))]
    if not found:
        raise unreadable(str(source), "there is no file to read in place")
    return [_placed(file) for file in found]


def _files_of(path: Path) -> list[Path]:
    if path.is_dir():
        found = sorted(entry for entry in path.rglob("*") if entry.is_file() and is_log_file(entry))
        if not found:
            raise unreadable(path, "expected a folder with log files, found one without any")
        return found
    if not path.exists() and "*" in str(path):
        anchor = Path(path.anchor or ".")
        matches = sorted(anchor.glob(str(path.relative_to(path.anchor) if path.anchor else path)))
        found = [file for match in matches for file in (_files_of(match) if match.is_dir() else [match])]
        if not found:
            raise unreadable(path, "no file fits this pattern")
        return found
    if not path.exists():
        raise unreadable(path, "there is no such file or folder")
    return [path]


def _placed(path: Path) -> PlacedFile:
    known, compression = format_of(path)
    real = str(path.resolve())
    if _GLOB.search(real):
        raise unreadable(path, "a path with one of the characters * ? [ ] { } cannot be read in place: rename it, or ingest the file")
    if known not in ("parquet", "json", "csv", "tsv"):
        raise unreadable(path, "expected a file name that ends in .parquet, .jsonl, .ndjson, .json, .csv or .tsv: ingest the file")
    return PlacedFile(real, known, compression, partition_of(path))


def sql_text(text: str) -> str:
    """A text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


def sql_name(name: str) -> str:
    """A column's name as SQL writes it, inside a template."""
    return '"' + name.replace('"', '""').replace("{", "{{").replace("}", "}}") + '"'
