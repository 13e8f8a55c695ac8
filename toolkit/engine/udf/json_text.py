"""JSON text taken apart and put together without touching its scalars.

Numbers keep their spelling (1.0 stays 1.0, 20-digit integers stay exact): only the borders between elements are found,
by the scanner of the standard library.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable

_scan: Callable[[str, int], tuple[object, int]] = json.JSONDecoder(strict=False).scan_once  # type: ignore[attr-defined]  # not in typeshed
_FLAT = re.compile(r"\[[^\s\"\[\]{}]*\]")
_SPACE = re.compile(r"[ \t\n\r]*")


def _skip(text: str, index: int) -> int:
    """Dynamic values are compact, so that there is nearly always nothing to skip."""
    if text[index] > " ":
        return index
    match = _SPACE.match(text, index)
    return match.end() if match else index


def array_elements(text: str | None) -> list[str] | None:
    """The JSON text of each element; None when the value is no array."""
    if text is None or not text.startswith("["):
        return None
    if _FLAT.fullmatch(text):  # numbers and words only, as in a series: no comma but those between elements
        return text[1:-1].split(",") if len(text) > 2 else []
    found: list[str] = []
    index = _skip(text, 1)
    if text[index] == "]":
        return found
    while True:
        _, end = _scan(text, index)
        found.append(text[index:end])
        index = _skip(text, end)
        if text[index] == "]":
            return found
        index = _skip(text, index + 1)


def bag_members(text: str | None) -> dict[str, str] | None:
    """Name -> JSON text of the value, in order; None when the value is no bag. The last of equal names counts."""
    if text is None or not text.startswith("{"):
        return None
    found: dict[str, str] = {}
    index = _skip(text, 1)
    if text[index] == "}":
        return found
    while True:
        name, end = _scan(text, index)
        index = _skip(text, _skip(text, end) + 1)
        _, end = _scan(text, index)
        found[str(name)] = text[index:end]
        index = _skip(text, end)
        if text[index] == "}":
            return found
        index = _skip(text, index + 1)


def array_text(elements: Iterable[str]) -> str:
    return "[" + ",".join(elements) + "]"


def bag_text(members: Iterable[tuple[str, str]]) -> str:
    return "{" + ",".join(f"{quoted(name)}:{value}" for name, value in members) + "}"


def quoted(value: str) -> str:
    """A string as JSON, non-ASCII characters as themselves."""
    return json.dumps(value, ensure_ascii=False)


def scalar(text: str) -> object:
    """The Python value of a JSON text; integers and reals stay apart."""
    return json.loads(text, strict=False)


def key_of(text: str) -> str:
    """The same text for equal elements: a whole real is the integer of its value, `1.0` and `1` are one element."""
    if text[0] in "-0123456789" and any(letter in text for letter in ".eE"):
        value = float(text)
        if value.is_integer() and abs(value) < 2**53:
            return str(int(value))
        return repr(value)
    return text
