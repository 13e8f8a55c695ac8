"""Merges: tables that other steps of the workbook gave, joined, put under one another or shown again.

The query of such a step is {"version": "Merge/1.0", "merges": [...], "projectRename": [...]}. The joins are made one after the
other, each on what the ones before gave. `projectRename` keeps, renames and orders columns: an entry without `mergedName` takes its
column away, one with `isNewItem` adds a column, and a column that it does not name comes after the others.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from toolkit.kql.diagnostics import ToolkitError
from toolkit.workbooks.conditions import holds
from toolkit.workbooks.defaults import as_text
from toolkit.workbooks.expressions import value_of
from toolkit.workbooks.numbers import cell_text, number_of
from toolkit.workbooks.tables import Row, Table, kind_of, mapping, objects

UNION, TABLE = "union", "table"
_SEMI, _ANTI = ("leftsemi", "rightsemi"), ("leftanti", "rightanti")
JOINS = ("innerunique", "inner", "outer", "leftouter", "rightouter", *_SEMI, *_ANTI)
MERGE_TYPES = (*JOINS, UNION, TABLE)
MOST_ROWS = 100_000
"""Rows of a merge. Two keys that come often on both sides give very many."""


class MergeError(ToolkitError):
    """A merge that cannot be made. `at` is its number among the merges, `key` the setting that is wrong."""

    def __init__(self, message: str, at: int | None = None, key: str = "") -> None:
        super().__init__(message)
        self.at = at
        self.key = key


@dataclass(frozen=True)
class Join:
    """One entry of `merges`: two tables by the names of their steps, and the columns that have to be equal."""

    kind: str
    left: str
    right: str
    left_column: str
    right_column: str

    @property
    def tables(self) -> tuple[str, ...]:
        return (self.left,) if self.kind == TABLE else (self.left, self.right)


@dataclass(frozen=True)
class Merge:
    """A whole merge. `columns` are the entries of `projectRename` as they stand."""

    joins: tuple[Join, ...]
    columns: tuple[Mapping[str, Any], ...]

    @property
    def tables(self) -> tuple[str, ...]:
        """The steps whose tables are merged, each once."""
        return tuple(dict.fromkeys(name for join in self.joins for name in join.tables))


def read_merge(text: str) -> Merge:
    """The merge that a query is. Raises MergeError."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MergeError(f"The merge is no JSON: {error}.") from None
    joins = [_join(number, item) for number, item in enumerate(objects(mapping(data).get("merges")))]
    if not joins:
        raise MergeError("The merge names no tables (merges).")
    return Merge(tuple(joins), tuple(objects(mapping(data).get("projectRename"))))


def _join(number: int, item: Mapping[str, Any]) -> Join:
    join = Join(*(as_text(item.get(key)) for key in ("mergeType", "leftTable", "rightTable", "leftColumn", "rightColumn")))
    if join.kind not in MERGE_TYPES:
        raise MergeError(f"The merge type {join.kind!r} is not known; {', '.join(MERGE_TYPES)} are.", number, "mergeType")
    for key, table in zip(("leftTable", "rightTable"), join.tables, strict=False):
        if not table:
            raise MergeError(f"The merge names no table ({key}).", number, key)
    return join


@dataclass(frozen=True)
class _Column:
    """A column of what was merged so far. `table` is the step that it is from; of a union, the first one."""

    table: str
    name: str
    kind: str


@dataclass
class _Merged:
    columns: list[_Column]
    rows: list[list[Any]]
    tables: set[str]

    def index(self, table: str, name: str) -> int | None:
        found = [number for number, column in enumerate(self.columns) if column.name == name]
        return next((number for number in found if self.columns[number].table == table), found[0] if found else None)


def merged(merge: Merge, tables: Mapping[str, Table], fill: Callable[[str], str] = str) -> Table:
    """The table that a merge gives. `tables` has all tables that it names, `fill` puts parameters into the values of new columns.

    Tables without rows give the columns. Raises MergeError, and ExpressionError for a new column that is not supported.
    """
    first = merge.joins[0]
    found = _whole(first.left, tables[first.left])
    for number, join in enumerate(merge.joins):
        found = _joined(found, join, tables, number)
    return _projected(found, merge, fill)


def _whole(name: str, table: Table) -> _Merged:
    return _Merged([_Column(name, *column) for column in table.columns], [list(row) for row in table.rows], {name})


def _joined(found: _Merged, join: Join, tables: Mapping[str, Table], number: int) -> _Merged:
    if join.kind == TABLE:
        if join.left not in found.tables:
            raise MergeError("A table that is shown again cannot follow another merge.", number, "mergeType")
        return found
    if join.left in found.tables:
        left, right = found, _whole(join.right, tables[join.right])
    elif join.right in found.tables:
        left, right = _whole(join.left, tables[join.left]), found
    else:
        raise MergeError(f"Neither {join.left!r} nor {join.right!r} is among the tables that are merged before.", number, "leftTable")
    both = left.tables | right.tables
    if join.kind == UNION:
        return _union(left, right, both)
    ends = []
    for side, table, column, key in (
        (left, join.left, join.left_column, "leftColumn"),
        (right, join.right, join.right_column, "rightColumn"),
    ):
        index = side.index(table, column)
        if index is None:
            listed = ", ".join(dict.fromkeys(one.name for one in side.columns))
            raise MergeError(f"The table {table!r} has no column {column!r}; it has {listed or 'none'}.", number, key)
        ends.append(index)
    rows = list(islice(_rows(join.kind, left, right, ends[0], ends[1]), MOST_ROWS + 1))
    if len(rows) > MOST_ROWS:
        raise MergeError(f"The merge gives more than {MOST_ROWS:,} rows: the keys come often on both sides.", number)
    return _Merged(_columns(join.kind, left, right), rows, both)


def _union(left: _Merged, right: _Merged, both: set[str]) -> _Merged:
    names = {column.name: number for number, column in reversed(list(enumerate(left.columns)))}
    added = [column for column in right.columns if column.name not in names]
    places = {column.name: number for number, column in reversed(list(enumerate(right.columns)))}
    own = [places.get(column.name) for column in left.columns]
    more = [number for number, column in enumerate(right.columns) if column.name not in names]
    rows = [[*row, *([None] * len(added))] for row in left.rows]
    rows += [[None if place is None else row[place] for place in (*own, *more)] for row in right.rows]
    return _Merged([*left.columns, *added], rows, both)


def _columns(kind: str, left: _Merged, right: _Merged) -> list[_Column]:
    if kind in _SEMI or kind in _ANTI:
        return (left if kind.startswith("left") else right).columns
    return [*left.columns, *right.columns]


def _rows(kind: str, left: _Merged, right: _Merged, at: int, other: int) -> Iterator[list[Any]]:
    if kind in _SEMI or kind in _ANTI:
        kept, by, here, there = (left, right, at, other) if kind.startswith("left") else (right, left, other, at)
        keys = {_key(row[there]) for row in by.rows} - {None}
        yield from (row for row in kept.rows if (_key(row[here]) in keys) == (kind in _SEMI))
        return
    matches: dict[str, list[int]] = {}
    for number, row in enumerate(right.rows):
        if (key := _key(row[other])) is not None:
            matches.setdefault(key, []).append(number)
    used: set[int] = set()
    for row in _distinct(left.rows, at) if kind == "innerunique" else left.rows:
        key = _key(row[at])
        found = matches.get(key, []) if key is not None else []
        for number in found:
            used.add(number)
            yield [*row, *right.rows[number]]
        if not found and kind in ("leftouter", "outer"):
            yield [*row, *([None] * len(right.columns))]
    if kind in ("rightouter", "outer"):
        yield from ([*([None] * len(left.columns)), *row] for number, row in enumerate(right.rows) if number not in used)


def _distinct(rows: Sequence[list[Any]], at: int) -> Iterator[list[Any]]:
    """The first row of every key, as KQL's innerunique takes one."""
    seen: set[str | None] = set()
    for row in rows:
        if _key(row[at]) not in seen:
            seen.add(_key(row[at]))
            yield row


def _key(value: Any) -> str | None:
    """What has to be equal: a number is equal to its text; nothing is equal to an empty cell."""
    number = number_of(value) if isinstance(value, int | float) else None
    return None if value is None else cell_text(value) if number is None else f"{number:.15g}"


# --- columns -----------------------------------------------------------------------------------------------------------


def _projected(found: _Merged, merge: Merge, fill: Callable[[str], str]) -> Table:
    """The columns that the settings keep, with the names that they give them, then the new ones in their places."""
    chosen: list[tuple[str, str, int | Mapping[str, Any]]] = []
    taken: set[int] = set()
    for item in merge.columns:
        name = as_text(item.get("mergedName"))
        if item.get("isNewItem") is True:
            chosen.append((name or "[Added column]", "", item))
            continue
        place = _place(found, as_text(item.get("originalName")), taken)
        if place is None:  # of a table that is no longer merged, or a column that its query no longer gives
            continue
        taken.add(place)
        if name:
            chosen.append((name, found.columns[place].kind, place))
    chosen += [(column.name, column.kind, place) for place, column in enumerate(found.columns) if place not in taken]
    names = _unique([name for name, _, _ in chosen])
    rows = [_row(row, chosen, names, fill) for row in found.rows]
    kinds = [kind or (kind_of([row[number] for row in rows]) if rows else "dynamic") for number, (_, kind, _) in enumerate(chosen)]
    return Table(list(zip(names, kinds, strict=True)), rows)


def _place(found: _Merged, original: str, taken: set[int]) -> int | None:
    """The column that `[table].column` or `column` names."""
    for number, column in enumerate(found.columns):
        if number not in taken and original in (f"[{column.table}].{column.name}", column.name):
            return number
    return None


def _unique(names: Sequence[str]) -> list[str]:
    """Names that come again get a number, as the portal numbers them."""
    found: dict[str, None] = {}
    for name in names:
        free, number = name, 0
        while free in found:
            number += 1
            free = f"{name}{number}"
        found[free] = None
    return list(found)


def _row(
    row: Row, chosen: Sequence[tuple[str, str, int | Mapping[str, Any]]], names: Sequence[str], fill: Callable[[str], str]
) -> list[Any]:
    """A row of the result; a new column may use those beside it, also new ones that stand before it."""
    known = {name: row[place] for name, (_, _, place) in zip(names, chosen, strict=True) if isinstance(place, int)}
    for name, (_, _, item) in zip(names, chosen, strict=True):
        if not isinstance(item, int):
            known[name] = _added(item, known, fill)
    return [known[name] for name in names]


def _added(item: Mapping[str, Any], row: Mapping[str, Any], fill: Callable[[str], str]) -> Any:
    for data in objects(item.get("newItemData")):
        context = mapping(data.get("criteriaContext")) or mapping(data.get("newColumnContext"))
        left = row.get(as_text(context.get("leftOperand") or context.get("leftColumn")))
        right: Any = as_text(context.get("rightVal"))
        right = row.get(right) if context.get("rightValType") == "column" else fill(right)
        outcome = holds(as_text(context.get("operator")) or "Default", left, right)
        if outcome is None:
            raise MergeError(f"The comparison {as_text(context.get('operator'))!r} of a new column is not supported.")
        if outcome:
            result = as_text(context.get("resultVal"))
            if context.get("resultValType") == "expression":
                return value_of(fill(result), row)
            return row.get(result) if context.get("resultValType") == "column" else fill(result)
    return None
