"""The optional file beside a log file that says how its times are to be read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path
from typing import Any

from toolkit.engine.ingest.files import SIDECAR
from toolkit.engine.ingest.findings import unreadable
from toolkit.engine.ingest.logtime import zone_of

_KEYS = ("timestampFormat", "timeZone")


@dataclass(frozen=True)
class Sidecar:
    """`day_first` is None when the file leaves it open; `zone` is that of times without offset, None for UTC; `has_zone`: it is stated."""

    day_first: bool | None = None
    zone: tzinfo | None = None
    has_zone: bool = False


def read_sidecar(path: Path) -> Sidecar:
    """What `<file>.meta.json` says; an empty Sidecar when there is none. Raises IngestError for one with mistakes."""
    beside = path.with_name(path.name + SIDECAR)
    if not beside.is_file():
        return Sidecar()
    try:
        given = json.loads(beside.read_text(encoding="utf-8-sig"))
    except (ValueError, OSError, RecursionError) as error:
        raise unreadable(beside, f"expected a JSON object with {' and '.join(_KEYS)}: {error}") from None
    if not isinstance(given, dict) or not set(given) <= set(_KEYS):
        found = sorted(set(given) - set(_KEYS)) if isinstance(given, dict) else type(given).__name__
        raise unreadable(beside, f"expected a JSON object with the keys {' and '.join(_KEYS)}, found {found}")
    return Sidecar(
        _day_first(given.get("timestampFormat"), beside), _zone(given.get("timeZone"), beside), given.get("timeZone") is not None
    )


def _day_first(given: Any, beside: Path) -> bool | None:
    if given is None:
        return None
    day, month = (str(given).find(letter) for letter in ("d", "M"))
    if not isinstance(given, str) or day < 0 or month < 0:
        raise unreadable(beside, f"timestampFormat: expected a format such as dd/MM/yyyy or M/d/yyyy, found {given!r}")
    return day < month and not given.lstrip().startswith("y")


def _zone(given: Any, beside: Path) -> tzinfo | None:
    if given is None:
        return None
    zone = zone_of(given) if isinstance(given, str) else None
    if zone is None:
        raise unreadable(beside, f"timeZone: expected the name of a time zone such as Europe/Berlin, found {given!r}")
    return None if str(zone) == "UTC" else zone
