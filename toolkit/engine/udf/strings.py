"""String functions whose meaning SQL cannot express. Texts are never None; arrays are compact JSON text or None."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any


def json_array(text: str | None) -> list[Any] | None:
    """The elements of a dynamic array, None for anything else."""
    if not text or text[0] != "[":
        return None
    value = json.loads(text)
    return value if isinstance(value, list) else None


def json_text(value: object) -> str:
    """Compact JSON, as dynamics are stored."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def reverse(text: str) -> str:
    return text[::-1]


def count_overlapping(text: str, needle: str) -> int:
    """Occurrences that may overlap (R-135)."""
    if not needle:
        return 0
    count, at = 0, text.find(needle)
    while at >= 0:
        count += 1
        at = text.find(needle, at + 1)
    return count


def has_border(text: str) -> bool:
    """Whether some proper prefix is also a suffix, so that occurrences can overlap."""
    return any(text.startswith(text[index:]) for index in range(1, len(text)))


def indexof(text: str, needle: str, start: int, length: int, occurrence: int) -> int | None:
    """0-based position (R-132): the occurrence must lie within `length` characters of where its search starts."""
    if length < -1 or occurrence < 0:
        return None
    at = max(len(text) + start, 0) if start < 0 else start
    found = -1
    for _ in range(max(occurrence, 1)):
        found = text.find(needle, at, len(text) if length < 0 else at + length) if at <= len(text) else -1
        if found < 0:
            return -1
        at = found + max(len(needle), 1)
    return found


def replace_strings(text: str, lookups: str | None, rewrites: str | None) -> str:
    """R-139: an earlier entry wins wherever matches overlap, even over one that begins further left; nothing is replaced twice."""
    from_items, to_items = json_array(lookups), json_array(rewrites)
    if from_items is None or to_items is None:
        return text
    pieces: list[tuple[str, bool]] = [(text, False)]  # text, and whether it is final
    for old, new in zip(from_items, to_items, strict=False):
        if not isinstance(old, str) or not old:
            continue
        split: list[tuple[str, bool]] = []
        for piece, final in pieces:
            parts = [piece] if final else piece.split(old)
            for index, part in enumerate(parts):
                split += [(new if isinstance(new, str) else old, True)] * bool(index) + [(part, final)]
        pieces = split
    return "".join(piece for piece, _ in pieces)


def translate(search: str, replacement: str, text: str) -> str:
    """R-147: the last character of a short replacement list repeats; an empty list deletes."""
    table: dict[int, str | None] = {}
    for index, char in enumerate(search):
        table.setdefault(ord(char), (replacement[min(index, len(replacement) - 1)] if replacement else None))
    return text.translate(table)


def format_bytes(size: float, precision: int, unit: str) -> str:
    """R-148: steps of 1024, rounded to `precision` digits without trailing zeros; '' for an unknown unit."""
    units = ["Bytes", "KB", "MB", "GB", "TB", "PB", "EB"]
    if unit:
        if unit not in units:
            return ""
        power = units.index(unit)
    else:
        power = 0
        while abs(size) >= 1024 ** (power + 1) and power < len(units) - 1:
            power += 1
    text = f"{size / 1024**power:.{min(max(precision, 0), 15)}f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) + " " + units[power]


def is_term_character(char: str) -> bool:
    """R-111: letters and digits of any script; the underscore is not one."""
    return char.isalnum()


def has_term(text: str, needle: str, at_start: bool = True, at_end: bool = True) -> bool:
    """Whether a text holds a needle between borders of terms, as written (R-111 to R-113, R-115)."""
    at = text.find(needle)
    while at >= 0 and needle:
        end = at + len(needle)
        inside_left = at_start and at > 0 and is_term_character(needle[0]) and is_term_character(text[at - 1])
        inside_right = at_end and end < len(text) and is_term_character(needle[-1]) and is_term_character(text[end])
        if not inside_left and not inside_right:
            return True
        at = text.find(needle, at + 1)
    return not needle


def has_any_term(text: str, needles: str, at_start: bool, at_end: bool, ignore_case: bool) -> bool:
    """`has` and its relatives for the rows that SQL leaves over: those with characters beyond ASCII.

    `needles`: a JSON array, folded already when `ignore_case`.
    """
    text = text.translate(_ASCII_FOLD) if ignore_case else text
    return any(has_term(text, needle, at_start, at_end) for needle in _needles(needles))


@lru_cache(maxsize=64)
def _needles(needles: str) -> tuple[str, ...]:
    return tuple(json.loads(needles))


_ASCII_FOLD = {code: code + 32 for code in range(65, 91)}


def has_any_index(text: str, needles: str | None) -> int:
    """R-134: the position in the array of its first element that is a term of the text, or -1."""
    folded = text.translate(_ASCII_FOLD)
    for index, needle in enumerate(json_array(needles) or []):
        if needle is not None and has_term(folded, (needle if isinstance(needle, str) else json_text(needle)).translate(_ASCII_FOLD)):
            return index
    return -1


def codepoints_from_string(text: str) -> str:
    return json_text([ord(char) for char in text])


def codepoints_to_string(values: str) -> str:
    """Numbers and arrays of numbers; '' when one of them is no character (R-152)."""
    flat: list[object] = []
    for value in json_array(values) or []:
        flat.extend(value if isinstance(value, list) else [value])
    if not all(type(code) is int and 0 <= code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF for code in flat):
        return ""
    return "".join(chr(code) for code in flat if isinstance(code, int))
