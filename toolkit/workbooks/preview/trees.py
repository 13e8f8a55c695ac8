"""A table as a tree: rows in groups by the values of columns, or rows under the row that they name as their parent."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from toolkit.workbooks.numbers import cell_text, number_of
from toolkit.workbooks.preview.grids import Column, View
from toolkit.workbooks.tables import Row, Table

PARENTS, GROUPS = 0, 1
GROUP_COLUMN = "Group"
_MOST_LEVELS = 8

_AGGREGATIONS: Mapping[str, Callable[[Sequence[Any]], Any]] = {
    "Sum": lambda values: sum(_numbers(values)) if _numbers(values) else None,
    "Average": lambda values: sum(_numbers(values)) / len(_numbers(values)) if _numbers(values) else None,
    "Max": lambda values: max(_numbers(values), default=None),
    "Min": lambda values: min(_numbers(values), default=None),
    "Count": len,
    "Unique": lambda values: len(set(map(cell_text, values))),
}


def _numbers(values: Sequence[Any]) -> list[float]:
    return [number for value in values if (number := number_of(value)) is not None]


@dataclass(frozen=True)
class Grid:
    """A grid that is drawn already: its table, the rows in their order, the columns that are shown, and titles by name."""

    table: Table
    rows: Sequence[Row]
    columns: Sequence[Column]
    titles: Mapping[str, Any]


def as_tree(view: View, grid: Grid, settings: Mapping[str, Any]) -> None:
    """Puts the tree into the view of a grid: {"column": n, "entries": [...]}.

    An entry is {"parent": number of an entry or -1, "depth": n, "open": bool}, with "row", the number of a row, or with "cells" of
    its own. Parents come before their children. A grid stays as it is when its settings name no column that there is.
    """
    expanded = settings.get("expandTopLevel") is True
    if settings.get("treeType") == GROUPS:
        given = settings.get("groupBy")
        names = given[:_MOST_LEVELS] if isinstance(given, list) else []
        by = [index for name in names if (index := grid.table.index(str(name))) is not None]
        if by:
            entries = _Groups(grid, by, expanded=expanded).entries()
            _group_column(view, grid, str(settings.get("finalBy") or ""))
            view["tree"] = {"column": 0, "entries": entries}
        return
    ids, parents = (grid.table.index(str(settings.get(key) or "")) for key in ("idColumn", "parentColumn"))
    if ids is not None and parents is not None and grid.columns:
        shown = [column.name for column in grid.columns]
        name = str(settings.get("expanderColumn") or "")
        entries = _children(grid.rows, ids, parents, expanded=expanded)
        view["tree"] = {"column": shown.index(name) if name in shown else 0, "entries": entries}


# --- groups ------------------------------------------------------------------------------------------------------------


def _group_column(view: View, grid: Grid, leaf: str) -> None:
    """The column before all others: in a group its value, in a row that of the column `leaf`."""
    title = grid.titles.get(GROUP_COLUMN) or grid.titles.get("$gen_group") or GROUP_COLUMN
    view["columns"].insert(0, {"name": GROUP_COLUMN, "title": str(title), "right": False, "type": "string"})
    index = grid.table.index(leaf)
    for cells, row in zip(view["rows"], grid.rows, strict=True):
        cells.insert(0, cell_text(row[index]) if index is not None else "")


Group = tuple[str, ...]
"""The values that the rows of a group have, from the outermost one."""


class _Groups:
    """The rows of a grid in groups by the values of columns."""

    def __init__(self, grid: Grid, by: Sequence[int], *, expanded: bool) -> None:
        self.grid = grid
        self.depth = len(by)
        self.expanded = expanded
        self.members: dict[Group, list[int]] = {}
        self.inner: dict[Group, dict[Group, None]] = {}
        for number, row in enumerate(grid.rows):
            path = tuple(cell_text(row[index]) or "(empty)" for index in by)
            for length in range(1, len(path) + 1):
                self.members.setdefault(path[:length], []).append(number)
                self.inner.setdefault(path[: length - 1], {})[path[:length]] = None

    def entries(self) -> list[View]:
        found: list[View] = []
        for group in self.inner.get((), ()):
            self.add(group, -1, found)
        return found

    def add(self, group: Group, parent: int, found: list[View]) -> None:
        own = len(found)
        inside = self.members[group]
        rows = [self.grid.rows[number] for number in inside]
        cells = [{"t": group[-1], "count": len(inside)}, *(_summary(column, rows, self.grid.table) for column in self.grid.columns)]
        found.append({"parent": parent, "depth": len(group) - 1, "open": len(group) == 1 and self.expanded, "cells": cells})
        for longer in self.inner.get(group, ()):
            self.add(longer, own, found)
        if len(group) == self.depth:
            found.extend({"parent": own, "depth": len(group), "open": False, "row": number} for number in inside)


def _summary(column: Column, rows: Sequence[Row], table: Table) -> Any:
    """The cell of a group: what its column adds up to, where the workbook says how."""
    found = _AGGREGATIONS.get(str(column.options.get("aggregation") or ""))
    index = table.index(column.name)
    if found is None or index is None:
        return ""
    value = found([row[index] for row in rows])
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if value is None else column.cell(value, table, rows[0])


# --- parents -----------------------------------------------------------------------------------------------------------


def _children(rows: Sequence[Row], ids: int, parents: int, *, expanded: bool) -> list[View]:
    """Rows under their parents. A row whose parent is not among the rows, or that is its own ancestor, stands at the top."""
    numbers: dict[str, int] = {}
    for number, row in enumerate(rows):
        numbers.setdefault(cell_text(row[ids]), number)
    children: dict[int | None, list[int]] = {}
    for number, row in enumerate(rows):
        parent = numbers.get(cell_text(row[parents])) if cell_text(row[parents]) else None
        children.setdefault(None if parent == number else parent, []).append(number)
    entries: list[View] = []
    placed: set[int] = set()

    def place(roots: Sequence[int]) -> None:
        waiting = [(number, -1, 0) for number in reversed(roots)]
        while waiting:
            number, parent, depth = waiting.pop()
            if number in placed:
                continue
            placed.add(number)
            own = len(entries)
            entries.append({"parent": parent, "depth": depth, "open": depth == 0 and expanded, "row": number})
            waiting += [(child, own, depth + 1) for child in reversed(children.get(number, []))]

    place(children.get(None, []))
    place([number for number in range(len(rows)) if number not in placed])  # circles
    return entries
