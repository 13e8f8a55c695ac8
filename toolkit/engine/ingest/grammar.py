"""Grammars of log lines: heads of typed parts, and messages of literals and fields. A line that fails says where.

Both are read in one pass without going back: a hostile line costs no more than a long one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

_FIELD = re.compile(r"\{(\w+)\}")
_SHOWN = 40


@dataclass(frozen=True)
class Mismatch:
    """Where a text stops to be what its grammar says. `at` counts characters from 0."""

    at: int
    expected: str
    found: str

    def __str__(self) -> str:
        return f"expected {self.expected}, found {self.found}"

    def moved(self, offset: int) -> Mismatch:
        """The same place in a text that has `offset` more characters in front."""
        return replace(self, at=self.at + offset)


def mismatch(text: str, at: int, expected: str) -> Mismatch:
    rest = text[at : at + _SHOWN]
    return Mismatch(at, expected, repr(rest) if rest else "the end of the line")


@dataclass(frozen=True)
class Part:
    """A part of a line's head: its name, what it looks like, and how that is called in a message."""

    name: str
    pattern: str
    expected: str


class Head:
    """The parts that every line of a log begins with."""

    def __init__(self, *parts: Part) -> None:
        self._parts = [(part, re.compile(part.pattern)) for part in parts]
        self._whole = re.compile("".join(f"(?P<{part.name}>{part.pattern})" for part in parts))

    def read(self, line: str) -> tuple[dict[str, str], int, Mismatch | None]:
        """The parts up to the first that does not fit, where the rest begins, and what is wrong."""
        whole = self._whole.match(line)
        if whole:
            return whole.groupdict(), whole.end(), None
        at, parts = 0, dict[str, str]()
        for part, pattern in self._parts:
            found = pattern.match(line, at)
            if found is None:
                return parts, at, mismatch(line, at, part.expected)
            parts[part.name], at = found[0], found.end()
        return parts, at, None


@dataclass(frozen=True)
class Form:
    """A form of message, `Bypassing connection from process: {Process}, host: {Host}`.

    A field reaches to the next literal, the last one to the end. `constants` are further columns of such messages. A message is
    of this form when it begins with the first literal.
    """

    event: str
    template: str
    constants: Mapping[str, str] = field(default_factory=dict)
    literals: Sequence[str] = field(init=False)
    fields: Sequence[str] = field(init=False)

    def __post_init__(self) -> None:
        pieces = _FIELD.split(self.template)
        object.__setattr__(self, "literals", tuple(pieces[::2]))
        object.__setattr__(self, "fields", tuple(pieces[1::2]))

    def begins(self, text: str, at: int = 0) -> bool:
        return text.startswith(self.literals[0], at)

    def read(self, text: str, at: int = 0) -> dict[str, tuple[str, int]] | Mismatch:
        """Each field's text and place."""
        at += len(self.literals[0])
        found: dict[str, tuple[str, int]] = {}
        for name, literal in zip(self.fields, self.literals[1:], strict=True):
            end = text.find(literal, at) if literal else len(text)
            if end < 0:
                return mismatch(text, len(text), f"{literal!r} after {name}")
            found[name] = (text[at:end], at)
            at = end + len(literal)
        return found if at == len(text) else mismatch(text, at, "the end of the line")


def whole_number(text: str, at: int, name: str, most: int) -> int | Mismatch:
    """A number from 0 to `most`, in the digits 0 to 9."""
    if text.isascii() and text.isdigit() and len(text) <= len(str(most)) and int(text) <= most:
        return int(text)
    return Mismatch(at, f"{name} as a number up to {most}", repr(text[:_SHOWN]) if text else "nothing")


def is_date(text: str) -> bool:
    """Whether `2026-02-30` and the like is a day of the calendar."""
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
