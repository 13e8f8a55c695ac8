"""The workspaces that are served, by name: databases to Kusto's clients, workspaces to those of Log Analytics."""

from __future__ import annotations

import re
import threading
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

from toolkit.engine.neighbours import Neighbour, Neighbours
from toolkit.engine.session import Workspace
from toolkit.kql.analysis import SavedFunction
from toolkit.kql.diagnostics import ToolkitError
from toolkit.kql.types import TableSchema

_ANY_DATABASE = "netdefaultdb"  # what clients say when nobody told them a name
_TENANT = "TenantId"
_GUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_SPACE = uuid.UUID(int=0)
_RESOURCE = re.compile(r"/?(?:subscriptions/.+/)?workspaces/", re.IGNORECASE)


class DatabaseError(ToolkitError):
    """Databases that cannot be served together."""


@dataclass(frozen=True)
class Database:
    """One workspace under a name. It does not change while it is served.

    `aliases`: what else it is called. `every_table`: tables that hold no rows are listed too, as a real workspace does it.
    """

    name: str
    workspace: Workspace
    aliases: tuple[str, ...] = ()
    every_table: bool = False

    @cached_property
    def id(self) -> str:
        """A workspace id: the same name has the same one everywhere."""
        return str(uuid.uuid5(_SPACE, self.name.casefold()))

    @property
    def tenant(self) -> str:
        """What TenantId is in rows that do not say it: the workspace's id."""
        return next((alias for alias in self.aliases if _GUID.fullmatch(alias)), self.id)

    @cached_property
    def tables(self) -> tuple[TableSchema, ...]:
        """The tables that hold rows, by name; all that are known where none does."""
        held, known = self.workspace.tables(), self.workspace.catalog.names()
        names = sorted({*held, *known}) if self.every_table else sorted(held) or known
        return tuple(schema for name in names if (schema := self.workspace.schema(name)) is not None)

    @property
    def functions(self) -> Sequence[SavedFunction]:
        return self.workspace.functions()

    def answers_to(self, name: str) -> bool:
        return name.casefold() in (self.name.casefold(), self.id, *map(str.casefold, self.aliases))


class Databases:
    """All that are served, the first one being the default. Raises DatabaseError when names are not unique.

    `by_name`: a name that is not known is refused even when there is only one database.
    """

    def __init__(self, databases: Iterable[Database], *, by_name: bool = False) -> None:
        self.all = tuple(databases)
        self._by_name = by_name or len(self.all) > 1
        names = [database.name.casefold() for database in self.all]
        if not names or len(set(names)) != len(names):
            raise DatabaseError("Expected one or more databases with different names.")
        self._ready: dict[tuple[str, ...], Workspace] = {}
        self._lock = threading.Lock()

    def find(self, name: str) -> Database | None:
        """By name, alias, id or the path of a workspace's resource. When there is only one, every name means it."""
        if not self._by_name or not name or name.casefold() == _ANY_DATABASE:
            return self.all[0]
        wanted = _RESOURCE.sub("", name)
        return next((database for database in self.all if database.answers_to(wanted)), None)

    def together(self, found: Sequence[Database]) -> Workspace:
        """The workspace that a query runs on: one database, or several in one, in which every table has the rows of all.

        TenantId tells the rows of several apart, where they do not say it themselves. Functions and watchlists of several are
        the first one's. Where databases are called by name, queries reach the others as `database("b").T` or `workspace("b").T`.
        """
        several = list(dict.fromkeys(found))
        if len(several) == 1 and not self._by_name:
            return several[0].workspace
        key = tuple(database.name for database in several)
        with self._lock:
            if key not in self._ready:
                self._ready[key] = self._made(several)
            return self._ready[key]

    def _made(self, several: Sequence[Database]) -> Workspace:
        made = several[0].workspace.fork()
        if len(several) > 1:
            made.fill(_TENANT, several[0].tenant)
        for database in several[1:]:
            made.include(database.workspace, {_TENANT: database.tenant})
        if self._by_name:
            made.reach(Neighbours([each.name for each in self.all], partial(self._neighbour, several[0] if len(several) == 1 else None)))
        return made

    def _neighbour(self, here: Database | None, name: str) -> Neighbour | None:
        found = self.find(name)
        if found is None:
            raise KeyError(name)
        return None if found is here else Neighbour(found.name, found.workspace)
