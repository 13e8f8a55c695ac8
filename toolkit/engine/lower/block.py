"""A SELECT under construction: filters, computed columns and an order collect in it until something needs a new level."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from toolkit.engine.lower.expressions import is_plain
from toolkit.engine.lower.extraction import share_extractions
from toolkit.engine.select import Named, Nested, NoRows, OrderKey, Select, Source
from toolkit.engine.sql import ColumnName, Form, Literal, Lowered, Sql
from toolkit.kql.types import ScalarType


@dataclass(frozen=True, slots=True)
class Ordering:
    """One key of the order that the rows of a block have, by column id. `unique`: the row's place, which no two share.

    `implicit`: nobody asked for this order. It is the place of the row in its stored table, which settles what several
    threads would else decide (the order in a list, the one of equal rows that is taken) and is never sorted by otherwise.
    """

    column: int
    type: ScalarType
    descending: bool
    nulls_first: bool
    unique: bool = False
    implicit: bool = False


@dataclass
class Block:
    """`columns`: each visible or hidden column in terms of the source; `order` is emitted where it matters (LIMIT, result).

    `parts`: what a source that is a union is made of, while nothing but plain names of it is in `columns`.
    """

    source: Source
    columns: dict[int, Lowered]
    where: list[Sql] = field(default_factory=list)
    order: tuple[Ordering, ...] = ()
    parts: tuple[Block, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether this is a source without rows: its columns and tests are never computed."""
        return isinstance(self.source, NoRows) and any(isinstance(test, Literal) and test.value is False for test in self.where)

    def select(self, ids: Iterable[int], *, ordered: bool = False, limit: Sql | None = None) -> Select:
        """This block as a SELECT of some of its columns."""
        wanted = list(dict.fromkeys(ids))
        items = tuple(zip(wanted, share_extractions([self.columns[number].sql for number in wanted]), strict=True))
        return Select(items, self.source, tuple(self.where), order=self.order_keys() if ordered else (), limit=limit)

    def order_keys(self, *, implicit: bool = False) -> tuple[OrderKey, ...]:
        """R-238: NaN stands beside null, null outermost; DuckDB puts it above every number."""
        keys: list[OrderKey] = []
        for part in self.order:
            if part.implicit and not implicit:
                continue
            value = self.columns[part.column]
            if value.nullable and part.type is ScalarType.REAL:
                keys.append(OrderKey(Form("({0} IS NULL)", (value.sql,)), part.nulls_first))
            if part.type is ScalarType.REAL:
                keys.append(OrderKey(Form("isnan({0})", (value.sql,)), part.nulls_first, part.nulls_first))
            keys.append(OrderKey(value.sql, part.descending, part.nulls_first))
        return tuple(keys)

    @property
    def place(self) -> Sql | None:
        """The row's place in its stored table, where that is needed to settle what threads would else decide."""
        return next((self.columns[part.column].sql for part in self.order if part.implicit), None)

    def sealed(self, ids: Iterable[int] | None = None) -> Block:
        """The same rows one level up, where every column is a plain name."""
        if isinstance(self.source, (Named, Nested)) and not self.where and ids is None and self._is_plain_everywhere():
            return self
        kept = dict.fromkeys([*(self.columns if ids is None else ids), *(part.column for part in self.order)])
        return Block(Nested(self.select(kept)), plain_columns({number: self.columns[number] for number in kept}), [], self.order)

    def _is_plain_everywhere(self) -> bool:
        return all(value.sql == ColumnName(number) for number, value in self.columns.items())

    def ready_for(self, ids: Iterable[int]) -> Block:
        """This block, or a level above it when one of the columns is computed and would be computed again."""
        if all(is_plain(self.columns[number].sql) for number in ids if number in self.columns):
            return self
        return self.sealed()

    def nested(self, select: Select) -> Block:
        """A new level over a SELECT of this block's columns; the order is still known."""
        return Block(Nested(select), plain_columns({number: self.columns[number] for number, _ in select.items}), [], self.order)


def plain_columns(columns: Mapping[int, Lowered]) -> dict[int, Lowered]:
    """The columns as a level above sees them."""
    return {number: Lowered(ColumnName(number), value.nullable) for number, value in columns.items()}
