"""Reading text files safely: size, permission, encoding and binary content are answered, never raised through."""

from __future__ import annotations

import codecs
from pathlib import Path

from toolkit.content.findings import ContentError, file_finding

MAX_BYTES = 4 * 1024 * 1024
"""Largest YAML file that is read. A rule's query may hold 10,000 characters; recorded logs belong in files of their own."""

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_text(path: Path, shown: str | None = None, max_bytes: int = MAX_BYTES) -> str:
    """The text of a UTF-8 file without byte order mark. Raises ContentError with one finding that says what is wrong."""
    name = shown or str(path)
    try:
        size = path.stat().st_size
        if size > max_bytes:
            raise _refusal(
                name,
                "file-too-large",
                f"The file has {size / 1e6:.1f} MB; at most {max_bytes / 1e6:.1f} MB are read.",
                "Keep recorded logs in .jsonl or .csv files and refer to them by path.",
            )
        data = path.read_bytes()
    except OSError as error:
        raise _refusal(name, "file-unreadable", f"The file cannot be read: {error.strerror or error}.") from error
    return decode(data, name)


def decode(data: bytes, name: str) -> str:
    """Bytes of a UTF-8 file as text with LF or CRLF kept; raises ContentError for binary data and other encodings."""
    if data[:2] in _UTF16:
        raise _refusal(name, "not-utf8", "The file is UTF-16 text; UTF-8 is expected.", "Save the file as UTF-8.")
    if b"\0" in data:
        raise _refusal(name, "binary-file", "The file holds binary data; UTF-8 text is expected.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = f"The file is not UTF-8: byte 0x{data[error.start]:02X} on line {line} does not belong to any character."
        raise _refusal(name, "not-utf8", message, "Save the file as UTF-8.") from error


def _refusal(name: str, code: str, message: str, *hints: str) -> ContentError:
    return ContentError([file_finding(name, code, message, hints=hints)])
