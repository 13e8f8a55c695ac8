"""Files: which format one has, how it is opened, and plain answers when it cannot be."""

from __future__ import annotations

import gzip
import io
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from toolkit.engine.ingest.findings import IngestError, unreadable
from toolkit.engine.ingest.text_logs import TextLog, is_text_log_name, log_of, log_of_name, text_logs

COMPRESSIONS = {".gz": "gzip", ".zst": "zstd"}
FORMATS = {".jsonl": "json", ".ndjson": "json", ".json": "json", ".csv": "csv", ".tsv": "tsv", ".parquet": "parquet"}
TEXT_LOG = "log"
SIDECAR = ".meta.json"
"""`x.csv.meta.json` beside `x.csv` says how its times are read: {"timestampFormat": "dd/MM/yyyy", "timeZone": "Europe/Berlin"}."""

_MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
_FOREIGN = {
    b"PK\x03\x04": "a zip archive (or an Excel workbook)",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"SQLite f": "an SQLite database",
}
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_PROBE = 4096


@dataclass(frozen=True)
class LogFile:
    """A file with its format ("json", "csv", "tsv", "parquet", or that of a text log) and encoding; compression is undone on opening."""

    path: Path
    format: str
    compression: str | None
    encoding: str

    @property
    def name(self) -> str:
        return str(self.path)

    @contextmanager
    def open(self) -> Iterator[IO[bytes]]:
        """The uncompressed bytes. Raises IngestError when the file vanishes or its compressed data is damaged."""
        try:
            with _open(self.path, self.compression) as stream:
                yield stream
        except UnicodeDecodeError as error:
            raise unreadable(self.path, f"expected {self.encoding} text, but at byte {error.start}: {error.reason}") from None
        except (OSError, EOFError, zlib.error) as error:
            if self.compression:
                raise unreadable(self.path, f"expected a complete {self.compression} file, but it is damaged or cut off: {error}") from None
            raise unreadable(self.path, f"cannot be read: {error}") from None


def _open(path: Path, compression: str | None) -> IO[bytes]:
    if compression == "gzip":
        return io.BufferedReader(gzip.GzipFile(path, "rb"))
    if compression == "zstd":
        import pyarrow as pa

        stream: IO[bytes] = io.BufferedReader(pa.CompressedInputStream(pa.OSFile(str(path)), "zstd"))
        return stream
    return path.open("rb")


def format_of(path: Path) -> tuple[str | None, str | None]:
    """(format, compression) by the file's name: `x.csv.gz` is ("csv", "gzip"); None for what the name does not say."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    compression = COMPRESSIONS.get(suffixes[-1]) if suffixes else None
    if compression:
        suffixes.pop()
    name = "".join(suffixes)
    if is_text_log_name(name):
        return TEXT_LOG, compression
    return (FORMATS.get(suffixes[-1]) if suffixes else None), compression


def log_file(path: Path) -> LogFile:
    """A file that can be read, with its format checked against its first bytes. Raises IngestError."""
    known, _ = format_of(path)
    if path.is_dir():
        raise unreadable(path, "expected a file, found a folder")
    if not path.exists():
        raise unreadable(path, "no such file")
    check_is_file(path)
    if known is None:
        raise unreadable(
            path,
            f"expected a file name that ends in {', '.join([*FORMATS, '.log'])} (or one of them with .gz or .zst), found {path.name!r}",
        )
    with LogFile(path, known, None, "utf-8").open() as raw:
        magic = raw.read(8)
    compression = next((name for start, name in _MAGIC.items() if magic.startswith(start)), None)
    with LogFile(path, known, compression, "utf-8").open() as stream:
        head = stream.read(_PROBE)
    encoding = _text_encoding(path, known, head)
    return LogFile(path, log_of(path, head).format if known == TEXT_LOG else known, compression, encoding)


def check_is_file(path: Path) -> None:
    """Raises IngestError for a pipe or a device: files are opened more than once, and a pipe may never answer."""
    if not path.is_file():
        raise unreadable(path, "expected a file, found a pipe or a device: write what it gives into a file")


def log_files_below(folder: Path) -> list[Path]:
    """Every log file of a folder at any depth, sorted. Raises IngestError for a folder that cannot be read, none is passed over."""

    def refuse(error: OSError) -> None:
        raise unreadable(error.filename, f"cannot be read: {error.strerror}")

    entries = (Path(place) / name for place, _, names in os.walk(folder, onerror=refuse) for name in names)
    return sorted(entry for entry in entries if entry.is_file() and is_log_file(entry))


def _text_encoding(path: Path, known: str, head: bytes) -> str:
    """Refuses a content that contradicts the name; a reader would only produce nonsense about it."""
    is_parquet = head.startswith(b"PAR1")
    if known == "parquet" and not is_parquet:
        raise unreadable(path, f"expected a Parquet file, found {'an empty file' if not head else 'other content'}")
    if known == "parquet":
        return "utf-8"
    foreign = "a Parquet file" if is_parquet else next((name for start, name in _FOREIGN.items() if head.startswith(start)), None)
    if foreign:
        raise unreadable(path, f"expected {known.upper()} text, found {foreign}")
    if head.startswith(_UTF16):
        return "utf-16"
    if b"\0" in head:
        raise unreadable(path, f"expected {known.upper()} text, found binary data")
    text = head.decode("utf-8", "replace").lstrip("\ufeff \t\r\n")
    if known in ("csv", "tsv") and text.startswith(('{"', "[{", "[\n", "[\r")):
        raise unreadable(path, f"expected {known.upper()} text, found JSON; the file name should end in .json or .jsonl")
    return "utf-8"


def is_log_file(path: Path) -> bool:
    """Whether a file of a data folder holds records: a known format, not hidden, not a sidecar, not any .log of anybody."""
    if path.name.startswith(".") or path.name.endswith(SIDECAR):
        return False
    known, _ = format_of(path)
    return known is not None and (known != TEXT_LOG or path.is_dir() or _text_log(path) is not None)


def _text_log(path: Path) -> TextLog | None:
    """The format of a .log file; None for one that is not known, or that cannot be read now."""
    named = log_of_name(path)
    if named is None:
        try:
            named = text_logs()[log_file(path).format]
        except IngestError:
            return None
    return named


def table_of(path: Path) -> str:
    """The table that a file of a data folder belongs to: what its name begins with, or the table of a device's log."""
    named = log_of_name(path)
    return named.table if named else path.name.partition(".")[0]


def discover(data_dir: Path | str) -> dict[str, list[Path]]:
    """Table name -> its files, for a folder of recorded logs, all sorted.

    A file belongs to the table that its name begins with, up to the first dot (`AKSAudit.attack.csv`); a folder named after a
    table holds files of that table, at any depth (`AKSAudit/2026/03.parquet`). A log that a device writes has its own name
    (`nsdebuglog.log`) and table. Raises IngestError for no such folder.
    """
    root = Path(data_dir)
    if not root.is_dir():
        raise unreadable(root, "expected a folder of recorded logs, found a file" if root.exists() else "no such folder")
    found: dict[str, list[Path]] = {}
    try:
        for entry in sorted(root.iterdir()):
            if entry.name.startswith("."):
                continue
            files = log_files_below(entry) if entry.is_dir() else [entry] if entry.is_file() and is_log_file(entry) else []
            if files:
                found.setdefault(table_of(entry), []).extend(files)
    except OSError as error:
        raise unreadable(root, f"cannot be read: {error}") from None
    return found
