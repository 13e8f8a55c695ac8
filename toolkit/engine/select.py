"""SELECT statements as a small tree, printed once. Columns are plan ids; the printer names them c<id>."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Union

from toolkit.engine.sql import Sql, print_expression


@dataclass(frozen=True, slots=True)
class OrderKey:
    """One ORDER BY term."""

    value: Sql
    descending: bool = False
    nulls_first: bool = False


@dataclass(frozen=True, slots=True)
class NoRows:
    """No FROM clause: one row without columns."""


@dataclass(frozen=True, slots=True)
class Named:
    """A stored table or a common table expression, by the name the engine gave it (never a user's)."""

    name: str


@dataclass(frozen=True, slots=True)
class Nested:
    """A SELECT in FROM."""

    query: Query


@dataclass(frozen=True, slots=True)
class Joined:
    """`operator` is "JOIN", "LEFT JOIN", "SEMI JOIN", "CROSS JOIN" ...; `on` is None for a cross join."""

    operator: str
    left: Source
    right: Source
    on: Sql | None


@dataclass(frozen=True, slots=True)
class Generated:
    """Rows made by an expression: `VALUES` lists and table functions. `columns` are ids."""

    body: Sql
    columns: tuple[int, ...]


Source = Union[NoRows, Named, Nested, Joined, Generated]


@dataclass(frozen=True, slots=True)
class Select:
    """One SELECT. `groups` None: no grouping; (): one group. `distinct_on` keeps the first row per value."""

    items: tuple[tuple[int, Sql], ...]
    source: Source
    where: tuple[Sql, ...] = ()
    groups: tuple[Sql, ...] | None = None
    distinct_on: tuple[Sql, ...] | None = None
    order: tuple[OrderKey, ...] = ()
    limit: Sql | None = None


@dataclass(frozen=True, slots=True)
class UnionAll:
    """All rows of several SELECTs whose items agree by position."""

    selects: tuple[Query, ...]


@dataclass(frozen=True, slots=True)
class Recursion:
    """The rows of `first`, then those of `again`, which reads the rows of the round before under the name of its WITH entry.

    `keys`: a row replaces the one with the same values there; `again` may then read all rows so far as `recurring.<name>`.
    """

    first: Select
    again: Select
    keys: tuple[int, ...] = ()


Query = Union[Select, UnionAll, Recursion]


@dataclass(frozen=True, slots=True)
class TableExpression:
    """One WITH entry. `recursive`: a union of the first rows and of those that follow from the rows found last."""

    name: str
    query: Query
    materialized: bool = False
    recursive: bool = False


@dataclass(frozen=True)
class Statement:
    """A complete statement: shared expressions in dependency order, then the query.

    `constants`: result columns (by id) that have one value in all rows. They are not in the query: a table of 260
    columns of which a log has five would mostly be copies of ''.
    """

    query: Query
    tables: tuple[TableExpression, ...] = ()
    udfs: frozenset[str] = field(default_factory=frozenset)
    constants: Mapping[int, object] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return print_statement(self)


def print_statement(statement: Statement) -> str:
    head = ""
    if statement.tables:
        recursive = "RECURSIVE " if any(table.recursive or isinstance(table.query, Recursion) for table in statement.tables) else ""
        head = f"WITH {recursive}" + ",\n".join(map(_entry, statement.tables)) + "\n"
    return head + print_query(statement.query)


def _entry(table: TableExpression) -> str:
    body = print_query(table.query)
    if isinstance(table.query, Recursion):
        ids = [number for number, _ in table.query.first.items]
        keys = f" USING KEY ({_names(table.query.keys)})" if table.query.keys else ""
        return f"{table.name}({_names(ids)}){keys} AS ({body})"
    kept = "" if table.recursive else "MATERIALIZED " if table.materialized else "NOT MATERIALIZED "
    return f"{table.name} AS {kept}({body})"


def _names(ids: Sequence[int]) -> str:
    return ", ".join(f"c{number}" for number in ids)


def print_query(query: Query) -> str:
    if isinstance(query, Recursion):
        return f"{print_query(query.first)}\nUNION ALL\n{print_query(query.again)}"
    if isinstance(query, UnionAll):
        return "\nUNION ALL\n".join(f"({print_query(part)})" for part in query.selects)
    return " ".join(_clauses(query))


def _clauses(query: Select) -> Iterator[str]:
    distinct = f"DISTINCT ON ({_list(query.distinct_on)}) " if query.distinct_on is not None else ""
    items = ", ".join(_item(number, value) for number, value in query.items) or "1"
    yield f"SELECT {distinct}{items}"
    if not isinstance(query.source, NoRows):
        yield f"FROM {print_source(query.source)}"
    if query.where:
        yield "WHERE " + " AND ".join(f"({print_expression(part)})" for part in query.where)
    if query.groups:
        yield f"GROUP BY {_list(query.groups)}"
    if query.order:
        yield f"ORDER BY {print_order(query.order)}"
    if query.limit is not None:
        yield f"LIMIT {print_expression(query.limit)}"


def _item(number: int, value: Sql) -> str:
    text = print_expression(value)
    return text if text == f"c{number}" else f"{text} AS c{number}"


def print_order(keys: Sequence[OrderKey]) -> str:
    return ", ".join(map(_order_term, keys))


def _order_term(key: OrderKey) -> str:
    direction, nulls = "DESC" if key.descending else "ASC", "FIRST" if key.nulls_first else "LAST"
    return f"{print_expression(key.value)} {direction} NULLS {nulls}"


def print_source(source: Source) -> str:
    match source:
        case NoRows():
            return "(SELECT 1)"
        case Named(name=name):
            return name
        case Nested(query=query):
            return f"({print_query(query)})"
        case Joined(operator=operator, left=left, right=right, on=on):
            condition = "" if on is None else f" ON {print_expression(on)}"
            return f"{print_source(left)} {operator} {print_source(right)}{condition}"
        case Generated(body=body, columns=columns):
            return f"{print_expression(body)} g({', '.join(f'c{number}' for number in columns)})"


def _list(parts: Sequence[Sql]) -> str:
    return ", ".join(map(print_expression, parts))
