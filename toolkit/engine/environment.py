"""What the binder may ask of a workspace, and of the others that a query reaches."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from typing import TYPE_CHECKING

from toolkit.engine.neighbours import Neighbour
from toolkit.engine.values import parameter
from toolkit.kql.analysis import SavedFunction
from toolkit.kql.discovery import Discovered
from toolkit.kql.types import TableSchema

if TYPE_CHECKING:
    from toolkit.engine.session import Workspace


class WorkspaceEnvironment:
    """What the binder may ask of a workspace."""

    def __init__(
        self,
        workspace: Workspace,
        functions: Mapping[str, SavedFunction],
        watchlists: Mapping[str, TableSchema],
        parameters: Mapping[str, object],
        discovered: Discovered | None,
        externals: Container[str],
    ) -> None:
        self._workspace = workspace
        self.functions = functions
        self.watchlists = watchlists
        self.parameters = {name: parameter(value, name) for name, value in parameters.items()}
        self.discovered = discovered or {}
        self.externals = externals
        self.dry = workspace.is_dry

    def table(self, name: str) -> TableSchema | None:
        return self._workspace.schema(name)

    def table_names(self) -> Iterable[str]:
        return dict.fromkeys([*self._workspace.tables(), *self._workspace.catalog.names()])

    def has_rows(self, table: str) -> bool:
        return table in self._workspace.tables()

    def other_names(self) -> Iterable[str]:
        return self._workspace.neighbours.names if self._workspace.neighbours is not None else ()

    def elsewhere(self, name: str) -> WorkspaceEnvironment:
        neighbours = self._workspace.neighbours
        found = neighbours.find(name) if neighbours is not None else None
        return self if found is None else _Elsewhere(self, found)


class _Elsewhere(WorkspaceEnvironment):
    """What the binder may ask of another workspace, which a query names."""

    def __init__(self, here: WorkspaceEnvironment, there: Neighbour) -> None:
        functions = {function.name: function for function in there.workspace.functions()}
        super().__init__(there.workspace, functions, there.watchlists(), {}, here.discovered, ())
        self._here, self.there = here, there
        self.dry = here.dry

    def table(self, name: str) -> TableSchema | None:
        return self.there.schema(name)

    def other_names(self) -> Iterable[str]:
        return self._here.other_names()

    def elsewhere(self, name: str) -> WorkspaceEnvironment:
        found = self._here.elsewhere(name)
        return self if isinstance(found, _Elsewhere) and found.there == self.there else found
