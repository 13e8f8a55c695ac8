"""Names and values of folders such as `date=2026-03-01/hour=05`: columns of the rows in the files below.

The folders that count are those directly above a file. A value is text in the file system; its type is that of the catalogue, or
the one of all values of the name: dates and times are datetimes, whole numbers are longs (`05` too), anything else is text. More
leading zeros make an id, which stays text.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from pathlib import Path

from toolkit.engine.ingest.logtime import looks_like_time
from toolkit.kql.types import ScalarType

NO_VALUE = "__HIVE_DEFAULT_PARTITION__"
"""What writers of such folders put where a value is null."""

_FOLDER = re.compile(r"(?P<key>[^=]+)=(?P<value>.+)", re.DOTALL)
_WHOLE = re.compile(r"-?(?:0|[1-9]\d{0,17})|0\d", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_CODED = re.compile(rb"%([0-9A-Fa-f]{2})")


def partition_of(path: Path) -> dict[str, str | None]:
    """The names and values of a file's folders, outermost first; none when a name occurs twice."""
    pairs: list[tuple[str, str | None]] = []
    for folder in reversed(path.resolve().parts[:-1]):
        match = _FOLDER.fullmatch(folder)
        if match is None:
            break
        pairs.append((match["key"], None if match["value"] == NO_VALUE else _decoded(match["value"])))
    return dict(reversed(pairs)) if len({key.lower() for key, _ in pairs}) == len(pairs) else {}


def _decoded(value: str) -> str:
    """A value without the %XX that stand for characters which a folder's name cannot have."""
    try:
        return _CODED.sub(lambda match: bytes.fromhex(match[1].decode()), value.encode("utf-8", "surrogateescape")).decode()
    except UnicodeDecodeError:
        return value


def partition_types(partitions: Iterable[Mapping[str, str | None]]) -> dict[str, ScalarType]:
    """The type of each name that no schema knows, from its values in all files."""
    values: dict[str, set[str]] = {}
    for found in partitions:
        for key, value in found.items():
            values.setdefault(key, set()).update(() if value is None else (value,))
    return {key: _type_of(texts) for key, texts in values.items()}


def _type_of(texts: Collection[str]) -> ScalarType:
    if texts and all(map(is_whole, texts)):
        return ScalarType.LONG
    if texts and all(is_date(text) or looks_like_time(text) for text in texts):
        return ScalarType.DATETIME
    return ScalarType.STRING


def is_whole(text: str) -> bool:
    return _WHOLE.fullmatch(text) is not None


def is_date(text: str) -> bool:
    """Whether a text is a day as ISO 8601 writes it."""
    try:
        return _DATE.fullmatch(text) is not None and bool(date.fromisoformat(text))
    except ValueError:
        return False
