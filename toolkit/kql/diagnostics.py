"""The one diagnostic type of the whole toolkit, and its rendering as text with a code frame.

Syntax, names and types, YAML schema, checks, cases and deployments all report through `Diagnostic`. Positions are
character offsets into the text that was analysed; a `Source` turns them into lines and columns of the user's file.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Literal

from toolkit.kql.source import Source, Span

Severity = Literal["error", "warning", "info"]
Stage = Literal["syntax", "semantic", "check"]

_FRAME_WIDTH = 160


@dataclass(frozen=True)
class Diagnostic:
    """One thing found in a text.

    `code` is ours (for example "unknown-name"); `alias` is Microsoft's code for the same finding ("KS142") where one
    exists. `start` and `end` are character offsets, end exclusive. `hints` are full sentences: what to do about it.
    """

    code: str
    severity: Severity
    stage: Stage
    message: str
    start: int
    end: int
    hints: tuple[str, ...] = ()
    alias: str | None = None

    @property
    def span(self) -> Span:
        return Span(self.start, self.end)

    def shifted(self, offset: int) -> Diagnostic:
        """The same finding in a text that has `offset` more characters in front."""
        return replace(self, start=self.start + offset, end=self.end + offset)

    def render(self, source: Source) -> str:
        """The finding as text: place, message, the line it stands on with the range underlined, and the hints."""
        place = source.position(self.start)
        label = f"{self.code}, {self.alias}" if self.alias else self.code
        head = f"{source.name}:{place.line}:{place.column}: {self.severity}: {self.message} [{label}]"
        frame = code_frame(source, self.start, self.end)
        return "\n".join([head, *([frame] if frame else []), *(f"  hint: {hint}" for hint in self.hints)])


def code_frame(source: Source, start: int, end: int) -> str:
    """The line on which `start` stands, numbered, with a row of carets under the range."""
    place = source.position(start)
    text = source.line(place.line)
    if not text.strip():
        return ""
    column = place.column - 1 - source.indent
    width = max(1, min(end - start, len(text) - column))
    cut = max(0, column - _FRAME_WIDTH // 2) if len(text) > _FRAME_WIDTH else 0
    shown = text[cut : cut + _FRAME_WIDTH].replace("\t", " ")
    carets = " " * (column - cut) + "^" * max(1, min(width, _FRAME_WIDTH - (column - cut)))
    gutter = str(place.line)
    blank = " " * len(gutter)
    return f"  {gutter} | {shown}\n  {blank} | {carets}"


def did_you_mean(found: str, known: Iterable[str], limit: int = 3) -> tuple[str, ...]:
    """Near names, best first: another case of the same letters, then small spelling distances."""
    names = list(dict.fromkeys(known))
    folded: dict[str, str] = {}
    for name in names:
        folded.setdefault(name.lower(), name)
    near = get_close_matches(found.lower(), folded, n=limit, cutoff=0.75)
    return tuple(folded[name] for name in near if folded[name] != found)


def suggestion(found: str, known: Iterable[str]) -> tuple[str, ...]:
    """A hint that names near candidates, or nothing."""
    near = did_you_mean(found, known)
    return (f"Did you mean {' or '.join(repr(name) for name in near)}?",) if near else ()


class ToolkitError(Exception):
    """The root of every error that the toolkit raises on purpose."""


class KqlError(ToolkitError):
    """A query that cannot be analysed or run. Its text is the rendered diagnostics.

    `diagnostics` holds every finding, `source` the query they point into.
    """

    def __init__(self, diagnostics: Sequence[Diagnostic], source: Source) -> None:
        self.diagnostics = tuple(diagnostics)
        self.source = source
        super().__init__("\n".join(found.render(source) for found in self.diagnostics))


class UnsupportedKqlError(KqlError):
    """Valid KQL that this engine does not run: the diagnostics name the construct, its place and the reason."""
