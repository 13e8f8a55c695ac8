"""What every reader yields: some thousand records as columns, with the line of each record."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

CHUNK_ROWS = 16_384
"""Records per chunk: small enough that Python's garbage collector does not notice the dictionaries of JSON records."""


@dataclass(frozen=True)
class Chunk:
    """`columns`: key of the source -> values, a list of Python values or an Arrow array, all `len(lines)` long.

    `text_source`: the values are fields of a text format that has no types (CSV). `ready`: keys whose values are already an
    array of the physical type of their column.
    """

    columns: Mapping[str, Any]
    lines: Sequence[int]
    text_source: bool = False
    ready: frozenset[str] = frozenset()

    @property
    def rows(self) -> int:
        return len(self.lines)


def chunk_of_records(records: Sequence[Mapping[str, Any]], lines: Sequence[int]) -> Chunk:
    """Records as columns, in the order in which the keys first appear; a missing key is None."""
    keys = dict.fromkeys(chain.from_iterable(records))
    return Chunk({key: [record.get(key) for record in records] for key in keys}, lines)


def numbered(name: str, taken: Container[str]) -> str:
    """A name for the second column of the same name: `Type1`, as the service names columns of that kind."""
    number = 1
    while f"{name}{number}" in taken:
        number += 1
    return f"{name}{number}"
