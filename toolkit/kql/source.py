"""Text and positions in it: the smallest facts that every other stage refers to.

Only positions live here; what is said about a position is in `diagnostics`.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple


class Span(NamedTuple):
    """A half-open range of character offsets, [start, end)."""

    start: int
    end: int

    @property
    def length(self) -> int:
        return self.end - self.start

    def cover(self, other: Span) -> Span:
        """The smallest span that holds both."""
        return Span(min(self.start, other.start), max(self.end, other.end))


NOWHERE = Span(0, 0)


class Position(NamedTuple):
    """A place in a text as people count: line and column from 1."""

    line: int
    column: int


@dataclass(frozen=True)
class Source:
    """A text with a name to show for it (a path, or "query").

    `first_line` and `indent` place a text that was cut out of a larger file: the query of a YAML rule begins at line
    `first_line` of that file, and every one of its lines stands `indent` columns to the right.
    """

    text: str
    name: str = "query"
    first_line: int = 1
    indent: int = 0

    @cached_property
    def _line_starts(self) -> list[int]:
        starts = [0]
        find, at = self.text.find, self.text.find("\n")
        while at >= 0:
            starts.append(at + 1)
            at = find("\n", at + 1)
        return starts

    def position(self, offset: int) -> Position:
        """Line and column, in the file the text was taken from, of a character offset."""
        offset = max(0, min(offset, len(self.text)))
        row = bisect_right(self._line_starts, offset) - 1
        return Position(row + self.first_line, offset - self._line_starts[row] + 1 + self.indent)

    def line(self, number: int) -> str:
        """The text of a line by its number in the file; empty when there is none."""
        row = number - self.first_line
        if not 0 <= row < len(self._line_starts):
            return ""
        end = self._line_starts[row + 1] - 1 if row + 1 < len(self._line_starts) else len(self.text)
        return self.text[self._line_starts[row] : end].rstrip("\r")
