"""Workspaces that a query reaches into from another one: `workspace("b").T`, `database("b").F()`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from toolkit.engine.database import Database, Part
from toolkit.engine.lower.context import StoredColumn
from toolkit.kql.passes.time_scope import WATCHLIST_PREFIX
from toolkit.kql.types import TableSchema

if TYPE_CHECKING:
    from toolkit.engine.session import Workspace


def copied(source: Database, target: Database, part: Part) -> Part:
    """The same rows in another engine; files are read where they are."""
    if source is target:
        return part
    if part.files is not None:
        return target.attach([(part.files, part.columns, part.rows)])[0]
    return target.store(source.stored(part))


def filled(part: Part, column: str, text: str) -> Part:
    """The same rows, with `text` in a column of texts where they have none. `text` has no quotes."""
    found = part.columns.get(column, StoredColumn("''", nullable=True))
    template = f"coalesce(nullif({found.template or '{0}'}, ''), '{text}')"
    return replace(part, columns={**part.columns, column: replace(found, template=template)}, origin=part)


@dataclass(frozen=True)
class Neighbour:
    """A workspace under the name that its tables have in plans: `database('b').T`."""

    name: str
    workspace: Workspace

    def key(self, table: str) -> str:
        return f"database('{self.name}').{table}"

    def schema(self, table: str) -> TableSchema | None:
        found = self.workspace.schema(table)
        return None if found is None else replace(found, name=self.key(table))

    def watchlists(self) -> Mapping[str, TableSchema]:
        return {alias: replace(schema, name=self.key(alias)) for alias, schema in self.workspace.watchlists().items()}


class Neighbours:
    """Finds workspaces by what a query calls them, and keeps the rows that queries asked for.

    `find` gives None for the workspace at hand and raises KeyError for a name that nobody has.
    """

    def __init__(self, names: Sequence[str], find: Callable[[str], Neighbour | None]) -> None:
        self.names = tuple(names)
        self.find = find
        self._parts: dict[str, tuple[Part, ...]] = {}
        self._lock = threading.Lock()

    def stored(self, table: str, target: Database) -> Sequence[Part] | None:
        """The rows of a neighbour's table; None for a table that is nobody's."""
        prefix = WATCHLIST_PREFIX if table.startswith(WATCHLIST_PREFIX) else ""
        plain = table.removeprefix(prefix)
        if not plain.startswith("database('"):
            return None
        name, _, own = plain.removeprefix("database('").partition("').")
        found = self.find(name)
        if found is None:
            return None
        with self._lock:
            if table not in self._parts:
                parts = found.workspace.stored(prefix + own)
                self._parts[table] = tuple(map(partial(copied, found.workspace.database, target), parts))
            return self._parts[table]
