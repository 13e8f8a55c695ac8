"""A bound relation once more: under ids of its own, and with other places."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import cache
from operator import attrgetter
from typing import Any, Final

from toolkit.kql import plan
from toolkit.kql.discovery import Discover
from toolkit.kql.source import Span


class NotCopied(Exception):
    """The relation reads columns of another one, holds more than a plan (a graph), or is nested too deeply."""


def copied(rel: plan.Rel, ids: tuple[int, int], first: int, place: Span, given: Mapping[int, plan.Expr]) -> plan.Rel:
    """The relation with its columns, `ids` (the last id before them, and their number), renumbered from `first` on.

    Whatever is at a place is now at `place`. `given`: expressions by the identity of those that they stand for.
    Raises NotCopied.
    """
    try:
        copy: plan.Rel = _Copy(ids, first - ids[0], place, given).of(rel)
    except RecursionError:
        raise NotCopied from None
    return copy


_NODES: Final = frozenset(
    {
        *(plan.Const, plan.Ref, plan.Call, plan.DynamicPath, plan.Now, plan.ScalarSubquery, plan.InTable, plan.AggregateCall),
        *(plan.Scan, plan.Values, plan.RangeRows, plan.Filter, plan.Extend, plan.Narrow, plan.RowExtreme, plan.Aggregate),
        *(plan.SortKey, plan.Sort, plan.Limit, plan.Serialize, plan.Window, plan.MatchStep, plan.MatchSteps, plan.Join),
        *(plan.UnionLeg, plan.Union_, plan.ExpandItem, plan.Expand, plan.ParseText, plan.ParseStar, plan.ParseCapture, plan.Parse),
        *(plan.Gather, plan.Walk, plan.Reuse, plan.Unsupported, Discover),
    }
)


@cache
def _reader(kind: type) -> Callable[[Any], tuple[Any, ...]]:
    """What gives the values of a node's fields, in the order in which they are given to make one."""
    names = [item.name for item in fields(kind)]
    if not names:
        return lambda node: ()
    read = attrgetter(*names)
    return read if len(names) > 1 else lambda node: (read(node),)


class _Copy:
    """One copying. Parts that are the same object stay one object, shared relations above all."""

    def __init__(self, ids: tuple[int, int], shift: int, place: Span, given: Mapping[int, plan.Expr]) -> None:
        self._low, self._high = ids[0], ids[0] + ids[1]
        self._shift, self._place = shift, place
        self._done: dict[int, Any] = dict(given)

    def of(self, value: Any) -> Any:
        """The copy of a node, a tuple, a column; anything else is itself."""
        kind = type(value)
        if kind is tuple or kind is plan.Column or kind in _NODES or kind is plan.Shared:
            done = self._done.get(id(value))
            if done is None:
                done = self._done[id(value)] = self._made(value, kind)
            return done
        if kind is Span:
            return self._place
        if hasattr(kind, "__dataclass_fields__"):
            raise NotCopied
        return value

    def _made(self, value: Any, kind: type) -> Any:
        if kind is tuple:
            if value and type(value[0]) is plan.Column and type(value[-1]) is plan.Column:
                return self._columns(value)
            return tuple([self.of(part) for part in value])
        if kind is plan.Column:
            return self._column(value)
        return kind(*[self.of(part) for part in _reader(kind)(value)])

    def _columns(self, columns: tuple[plan.Column, ...]) -> tuple[plan.Column, ...]:
        """Most of a plan over wide tables are these: hundreds of columns after each operator."""
        known, made = self._done.get, self.of
        return tuple([known(id(column)) or made(column) for column in columns])

    def _column(self, column: plan.Column) -> plan.Column:
        if not self._low < column.id <= self._high:
            raise NotCopied
        return plan.Column(column.id + self._shift, column.name, column.type) if self._shift else column
