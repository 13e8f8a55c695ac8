"""What every node of the tree has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields

from toolkit.kql.source import NOWHERE, Span


@dataclass(frozen=True, slots=True)
class Node:
    """The root of all syntax. Positional fields of a subclass come before `span`, which is keyword-only."""

    span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)

    def children(self) -> Iterator[Node]:
        """The nodes directly below this one, in the order of their fields."""
        for part in fields(self):
            value = getattr(self, part.name)
            if isinstance(value, Node):
                yield value
            elif isinstance(value, tuple):
                yield from _nodes(value)


def _nodes(values: tuple[object, ...]) -> Iterator[Node]:
    for value in values:
        if isinstance(value, Node):
            yield value
        elif isinstance(value, tuple):
            yield from _nodes(value)
