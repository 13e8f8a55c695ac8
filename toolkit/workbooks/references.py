"""References to parameters in a text, and the text with values in their place: every character knows where it came from."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass

from toolkit.kql.source import Span
from toolkit.workbooks.values import Target, Value, written

_REFERENCE = re.compile(r"\{(?P<name>[A-Za-z_][\w .\-]*?)(?::(?P<format>[^{}]*))?\}")
_LIKELY = re.compile(r"(?<![\\$])(?<!\\[pPxuX])\{(?P<name>[A-Za-z_]\w*)(?::(?P<format>[A-Za-z]+))?\}")


@dataclass(frozen=True)
class Reference:
    """`{name:format}` at [start, end) of a text."""

    name: str
    format: str
    start: int
    end: int


def references(text: str, known: Container[str]) -> Iterator[Reference]:
    """The references to known parameters."""
    for match in _REFERENCE.finditer(text):
        if match["name"] in known:
            yield Reference(match["name"], match["format"] or "", match.start(), match.end())


def dangling(text: str, known: Container[str]) -> Iterator[Reference]:
    """What looks like a reference to a parameter that does not exist. `{0}`, `{2,3}` and `\\p{L}` do not."""
    for match in _LIKELY.finditer(text):
        if match["name"] not in known:
            yield Reference(match["name"], match["format"] or "", match.start(), match.end())


@dataclass(frozen=True)
class _Piece:
    """[start, end) of the new text stands for [origin, origin_end) of the old one. `guess`: it is a made-up value."""

    start: int
    end: int
    origin: int
    origin_end: int
    pasted: bool = False
    guess: bool = False


@dataclass(frozen=True)
class Substituted:
    """A text with the values in place."""

    text: str
    pieces: tuple[_Piece, ...]

    def origin(self, start: int, end: int) -> Span:
        """The range of the original text that a range of the new one came from; a pasted value is its whole reference."""
        first, last = self._piece(start), self._piece(max(start, end - 1))
        begin = first.origin if first.pasted else first.origin + start - first.start
        stop = last.origin_end if last.pasted else last.origin + max(start, end) - last.start
        return Span(begin, max(begin, stop))

    def touches_guess(self, start: int, end: int) -> bool:
        """Whether a range of the new text lies in or next to a value that was made up."""
        return any(piece.guess and piece.start <= end and start <= piece.end for piece in self.pieces)

    @property
    def guesses(self) -> bool:
        return any(piece.guess for piece in self.pieces)

    def _piece(self, at: int) -> _Piece:
        starts = [piece.start for piece in self.pieces]
        return self.pieces[max(0, bisect_right(starts, at) - 1)]


Guess = Callable[[str, Reference, Value], str]


def substitute(text: str, values: Mapping[str, Value], target: Target, guess: Guess | None = None) -> Substituted:
    """The text with every known reference replaced. `guess` gives a stand-in for a value that nobody knows yet."""
    pieces: list[_Piece] = []
    out: list[str] = []
    at = length = 0

    def add(piece: str, origin: int, origin_end: int, *, pasted: bool = False, guessed: bool = False) -> None:
        nonlocal length
        pieces.append(_Piece(length, length + len(piece), origin, origin_end, pasted, guessed))
        out.append(piece)
        length += len(piece)

    for found in references(text, values):
        value = values[found.name]
        if found.start > at:
            add(text[at : found.start], at, found.start)
        made_up = value.guessed and guess is not None
        pasted = guess(text, found, value) if made_up and guess else written(value, found.format, target)
        add(pasted, found.start, found.end, pasted=True, guessed=made_up)
        at = found.end
    if at < len(text) or not pieces:
        add(text[at:], at, len(text))
    return Substituted("".join(out), tuple(pieces))
