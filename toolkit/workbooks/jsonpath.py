"""JSONPath as workbooks use it: `$.a.b`, `['a b']`, `[0]`, `[*]`, `.*`. Filters, slices, unions and `..` are refused by name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from toolkit.kql.diagnostics import ToolkitError

Segment = str | int | None
"""A key, an index, or None for every value."""

_LONGEST = 1_000
_SEGMENT = re.compile(
    r"""\.?\*|\[\s*\*\s*\]"""
    r"""|\.?(?P<name>[^\s.\[\]*'"()?@,:]+)"""
    r"""|\[\s*(?P<index>\d{1,9})\s*\]"""
    r"""|\[\s*(?P<quote>['"])(?P<key>(?:(?!(?P=quote)).)*)(?P=quote)\s*\]"""
)
_OTHERS = (("[?", "a filter"), ("..", "a search of all levels"), ("[(", "a script"))


class PathError(ToolkitError):
    """A path that is not supported; the message says which part of it."""


def segments(path: str) -> tuple[Segment, ...]:
    """The steps of a path; a `$` at its beginning may be left out. Raises PathError for what is not supported."""
    text = path.strip()
    if len(text) > _LONGEST:
        raise PathError(f"The JSON path has {len(text):,} characters; {_LONGEST:,} are the most.")
    at = 1 if text.startswith("$") else 0
    found: list[Segment] = []
    while at < len(text):
        match = _SEGMENT.match(text, at)
        if match is None or text.startswith("..", at):
            raise PathError(f"The JSON path {path!r} has {_part(text[at:])}, which is not supported; keys, [0] and [*] are.")
        index = match["index"]
        found.append(int(index) if index is not None else match["key"] if match["key"] is not None else match["name"])
        at = match.end()
    return tuple(found)


def _part(rest: str) -> str:
    return next((what for sign, what in _OTHERS if rest.startswith(sign)), f"{rest[:20]!r}")


def select(value: Any, path: str) -> list[Any]:
    """Every value that the path leads to, in order. Raises PathError."""
    found = [value]
    for segment in segments(path):
        found = [inner for outer in found for inner in _step(outer, segment)]
    return found


def _step(value: Any, segment: Segment) -> Iterator[Any]:
    if segment is None:
        yield from value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    elif isinstance(value, dict):
        if str(segment) in value:
            yield value[str(segment)]
    elif isinstance(value, list):
        number = int(segment) if isinstance(segment, int) or segment.isdigit() else -1
        if 0 <= number < len(value):
            yield value[number]
