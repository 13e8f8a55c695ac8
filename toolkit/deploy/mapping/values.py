"""Single values on their way to Azure and back: durations, queries, descriptions, techniques, parameter lists."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from toolkit.content.durations import parse_duration

_FRACTION = re.compile(r"(P[^.,]*?T[^.,]*?\d+)[.,](\d{1,7})S", re.IGNORECASE)
_SHORT = re.compile(r"P(\d+)(D)|PT(\d+)([HM])")
_MULTILINE_LITERAL = ("```", "~~~")
_PART = re.compile(r"""('(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")|\s*([,:=()\[\]])\s*|\s+""")


def duration_of(text: object) -> timedelta | None:
    """The time that a duration of the service or of a file says (ISO 8601 with fractions, `5m`, `1.00:00:00`); None for other things."""
    if not isinstance(text, str):
        return None
    extra = timedelta()
    if fraction := _FRACTION.fullmatch(text.strip()):
        text = fraction[1] + "S"
        extra = timedelta(microseconds=int(fraction[2].ljust(7, "0")) // 10)
    found = parse_duration(text)
    return None if found is None else found + extra


def iso(value: timedelta) -> str:
    """A duration in the ISO form that the service writes: PT5M, P1D, P2DT1H30M."""
    hours, rest = divmod(value.seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    fraction = f".{value.microseconds:06}".rstrip("0") if value.microseconds else ""
    clock = f"{hours}H" * (hours > 0) + f"{minutes}M" * (minutes > 0) + f"{seconds}{fraction}S" * bool(seconds or fraction)
    days = f"{value.days}D" * (value.days > 0)
    return f"P{days}T{clock}" if clock else f"P{days}" if days else "PT0S"


def short(text: str) -> str:
    """A duration as rule files write it: `5m`, `1h`, `14d` where that says it in one number, else ISO in upper case."""
    value = duration_of(text)
    if value is None:
        return text
    exact = iso(value)
    match = _SHORT.fullmatch(exact)
    return f"{match[1] or match[3]}{(match[2] or match[4]).lower()}" if match else exact


def query_text(text: str) -> str:
    """A query without what differs by editor only: line ends, and white space at the end of lines and of the query.

    White space at the end of a line is kept where a multi-line string literal may hold it.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").rstrip()
    if any(mark in text for mark in _MULTILINE_LITERAL):
        return text
    return "\n".join(line.rstrip() for line in text.split("\n"))


def description_text(text: str, style: str) -> str:
    """A description as the service gets it: without white space at its end and, in a block, without one pair of quotes around it.

    Many rules carry quotes inside a `|` block, left over from a format that needed them.
    """
    text = text.replace("\r\n", "\n").rstrip()
    if style in ("|", ">") and len(text) >= 2 and text[0] == text[-1] and text[0] in "'\"" and not _closes_early(text):
        return text[1:-1].rstrip()
    return text


def _closes_early(text: str) -> bool:
    """Whether the quote at the beginning ends before the text does: `'a' or 'b'`. Apostrophes and quoted words inside do not end it."""
    quote, inner = text[0], text[1:-1]
    for at, char in enumerate(inner):
        before, after = inner[at - 1 : at], inner[at + 1 : at + 2]
        if char != quote or (before.isalnum() and after.isalnum()):
            continue
        return bool(before) and not before.isspace() and before not in "([{"
    return False


def split_techniques(texts: Iterable[str]) -> tuple[list[str], list[str]]:
    """Techniques (`T1078`) and sub-techniques (`T1078.004`), each once, in their order; a sub-technique brings its technique along."""
    techniques: dict[str, None] = {}
    subs: dict[str, None] = {}
    for text in texts:
        name = text.strip()
        techniques[name.partition(".")[0]] = None
        if "." in name:
            subs[name] = None
    return list(techniques), list(subs)


def join_techniques(techniques: Iterable[Any], subs: Iterable[Any]) -> list[Any]:
    """One list that `split_techniques` takes apart into the same two again. What a sub-technique implies is said only for order."""
    waiting = list(dict.fromkeys(techniques))
    joined: list[Any] = []
    for sub in dict.fromkeys(subs):
        parent = str(sub).partition(".")[0]
        if parent in waiting:
            at = waiting.index(parent)
            joined += waiting[:at]
            del waiting[: at + 1]
        joined.append(sub)
    return joined + waiting


def signature_text(text: str) -> str:
    """A function's parameters without the white space around their marks: `a:long=5,b:string="x y"`."""
    return _PART.sub(lambda match: match[1] or match[2] or " ", text.strip())
