"""Which files a table in place has, and what their folders' names say (`.../date=2026-03-01/hour=05/x.parquet`)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolkit.engine.files.stamps import Stamp, stamp_of
from toolkit.engine.ingest.files import check_is_file, format_of, log_files_below
from toolkit.engine.ingest.findings import unreadable
from toolkit.engine.ingest.partitions import partition_of

Paths = str | Path | Sequence[str | Path]

_GLOB = re.compile(r"[*?\[\]{}]")


@dataclass(frozen=True)
class PlacedFile:
    """`path` is absolute, without links. `partition`: the names and values of its folders. `stamp`: what it is before anybody looks."""

    path: str
    format: str
    compression: str | None
    partition: Mapping[str, str | None]
    stamp: Stamp


def placed_files(source: Paths) -> list[PlacedFile]:
    """The files of a file, a folder (at any depth), a pattern with `*`, or a list of these. Raises IngestError."""
    items: Sequence[Any] = [source] if isinstance(source, (str, Path)) or not isinstance(source, Sequence) else source
    odd = next((item for item in items if not isinstance(item, (str, Path))), None)
    if odd is not None:
        raise unreadable("files", f"expected paths of files or folders to read in place, found {type(odd).__name__}: ingest it")
    found = [file for item in items for file in _files_of(Path(item))]
    if not found:
        raise unreadable(str(source), "there is no file to read in place")
    return [_placed(file) for file in found]


def _files_of(path: Path) -> list[Path]:
    if path.is_dir():
        found = log_files_below(path)
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
    check_is_file(path)
    return [path]


def _placed(path: Path) -> PlacedFile:
    known, compression = format_of(path)
    real = str(path.resolve())
    if _GLOB.search(real):
        raise unreadable(path, "a path with one of the characters * ? [ ] { } cannot be read in place: rename it, or ingest the file")
    if known not in ("parquet", "json", "csv", "tsv"):
        raise unreadable(path, "expected a file name that ends in .parquet, .jsonl, .ndjson, .json, .csv or .tsv: ingest the file")
    return PlacedFile(real, known, compression, partition_of(path), stamp_of(real))


def sql_text(text: str) -> str:
    """A text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


def sql_name(name: str) -> str:
    """A column's name as SQL writes it, inside a template."""
    return '"' + name.replace('"', '""').replace("{", "{{").replace("}", "}}") + '"'
