"""What one lowering shares among its parts: the clock, the stored tables, fresh column ids, and what was refused."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from toolkit.engine.select import TableExpression
from toolkit.engine.sql import Sql
from toolkit.kql.diagnostics import Diagnostic
from toolkit.kql.source import Span

if TYPE_CHECKING:
    from toolkit.engine.lower.block import Block

_FIRST_HIDDEN_ID = 1_000_000_000


@dataclass(frozen=True, slots=True)
class StoredColumn:
    """A column of a stored table: its physical name, and whether any stored value is NULL.

    A column of a file in place is read through `template`, which may call the Python function `udf`.
    `spans`: the paths of the files with the least and greatest ticks of the column in each, (1, 0) where there are none.
    """

    sql_name: str
    nullable: bool
    template: str = ""
    udf: str = ""
    spans: tuple[tuple[str, int, int], ...] = ()


class StoredPart(Protocol):
    """The rows of one ingest: a physical table, and its columns by KQL name."""

    @property
    def sql_name(self) -> str: ...

    @property
    def columns(self) -> Mapping[str, StoredColumn]: ...

    @property
    def rows(self) -> int: ...

    @property
    def in_place(self) -> bool:
        """Whether the rows are in files: they have no places."""
        ...


class Storage(Protocol):
    def stored(self, table: str) -> Sequence[StoredPart]:
        """Where the rows of a table are; empty when nothing was ingested into it."""
        ...


ONE_THREAD = 122_880
"""Rows of a table up to which DuckDB reads it in one thread, and therefore always in the same order."""


@dataclass
class Context:
    """`count` of readers per shared relation decides whether it is written once (WITH) or in place.

    `ordered`: whether anything above the relation that is being lowered asks for the order of its rows.
    """

    storage: Storage
    now_ticks: int
    settings: Mapping[str, object]
    readers: Mapping[int, int] = field(default_factory=dict)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    tables: list[TableExpression] = field(default_factory=list)
    shared_blocks: dict[int, tuple[str, Block]] = field(default_factory=dict)
    udfs: set[str] = field(default_factory=set)
    spans: dict[Sql, tuple[tuple[str, int, int], ...]] = field(default_factory=dict)
    threads_share: bool = False
    ordered: bool = True
    _ids: itertools.count[int] = field(default_factory=lambda: itertools.count(_FIRST_HIDDEN_ID))

    def fresh_id(self) -> int:
        """The id of a column that only the SQL knows."""
        return next(self._ids)

    @contextmanager
    def order_matters(self, matters: bool) -> Iterator[None]:
        """Says so for what is lowered inside."""
        before, self.ordered = self.ordered, matters
        try:
            yield
        finally:
            self.ordered = before

    def refuse(self, message: str, span: Span, hints: tuple[str, ...] = ()) -> None:
        """Notes a construct that cannot be run; all of a query's are reported together."""
        found = Diagnostic("unsupported", "error", "semantic", message, span.start, span.end, hints)
        if found not in self.diagnostics:
            self.diagnostics.append(found)
