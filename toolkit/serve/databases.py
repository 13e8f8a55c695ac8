"""The workspaces that are served, by name: databases to Kusto's clients, workspaces to those of Log Analytics."""

from __future__ import annotations

import re
import threading
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from toolkit.engine.session import Workspace
from toolkit.kql import syntax
from toolkit.kql.analysis import SavedFunction
from toolkit.kql.diagnostics import ToolkitError
from toolkit.kql.parser import parse
from toolkit.kql.types import TableSchema

_ANY_DATABASE = "netdefaultdb"  # what clients say when nobody told them a name
_SPACE = uuid.UUID(int=0)
_REMOTE = frozenset({"workspace", "database", "app", "resource"})
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

    @cached_property
    def tables(self) -> tuple[TableSchema, ...]:
        """The tables that hold rows, by name; all that are known where none does."""
        held, known = self.workspace.tables(), self.workspace.catalog.names()
        names = sorted({*held, *known}) if self.every_table else sorted(held) or known
        return tuple(schema for name in names if (schema := self.workspace.schema(name)) is not None)

    @property
    def functions(self) -> Sequence[SavedFunction]:
        return self.workspace.functions()

    @cached_property
    def bodies(self) -> dict[str, syntax.Node]:
        """What the saved functions say, by name."""
        return {function.name: parse(function.body).query for function in self.functions}

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
        self._joined: dict[tuple[str, ...], Workspace] = {}
        self._lock = threading.Lock()

    def find(self, name: str) -> Database | None:
        """By name, alias, id or the path of a workspace's resource. When there is only one, every name means it."""
        if not self._by_name or not name or name.casefold() == _ANY_DATABASE:
            return self.all[0]
        wanted = _RESOURCE.sub("", name)
        return next((database for database in self.all if database.answers_to(wanted)), None)

    def together(self, found: Sequence[Database]) -> Workspace:
        """One workspace in which every table has the rows of all; functions and watchlists are the first one's."""
        several = list(dict.fromkeys(found))
        if len(several) == 1:
            return several[0].workspace
        key = tuple(database.name for database in several)
        with self._lock:
            if key not in self._joined:
                joined = several[0].workspace.fork()
                for database in several[1:]:
                    joined.include(database.workspace)
                self._joined[key] = joined
            return self._joined[key]

    def elsewhere(self, here: Database, query: syntax.Node) -> str | None:
        """The name of another database that a query reads, as in `workspace("b").T`, also inside a saved function.

        The engine takes such a table for the one at hand. That is right while there is only one; otherwise it would be
        an answer from the wrong rows.
        """
        waiting = [query] if self._by_name else []
        bodies = dict(here.bodies) if waiting else {}
        while waiting:
            node = waiting.pop()
            waiting += node.children()
            if isinstance(node, syntax.Name) and node.text in bodies:
                waiting.append(bodies.pop(node.text))
            if isinstance(node, syntax.NameRef) and node.name in bodies:
                waiting.append(bodies.pop(node.name))
            if isinstance(node, syntax.Call) and node.name.text in _REMOTE and len(node.arguments) == 1:
                (argument,) = node.arguments
                name = argument.value if isinstance(argument, syntax.Literal) and isinstance(argument.value, str) else None
                if name is None or self.find(name) is not here:
                    return f"{node.name.text}('{name}')" if name is not None else f"{node.name.text}(...)"
        return None
