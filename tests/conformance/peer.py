"""Asks duckdb-kql, an engine with an implementation of its own, the same query and compares what both answer.

The peer's types are DuckDB's, so cells are compared as values: times to the microsecond, dynamics as parsed JSON, numbers
by value. Rows are compared in order only where the last operator sorts them; sets and component numbers have no order.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb
import duckdb_kql
import yaml

from toolkit import Workspace
from toolkit.kql.diagnostics import ToolkitError

FUNCTIONS = Path(__file__).parent.parent / "functions"
UNKNOWN_TO_THE_PEER = ("geo_", "make_series", "parse_kv", "patterns", "plugins", "scan", "series")
_TYPES = {
    "long": "BIGINT",
    "int": "INTEGER",
    "real": "DOUBLE",
    "bool": "BOOLEAN",
    "string": "VARCHAR",
    "datetime": "TIMESTAMP",
    "timespan": "INTERVAL",
    "dynamic": "JSON",
}


def connection() -> duckdb.DuckDBPyConnection:
    """A database of the peer's, in UTC."""
    return duckdb_kql.connect()


def load(database: duckdb.DuckDBPyConnection, rows: list[dict[str, Any]], columns: dict[str, str]) -> None:
    """Table T as the peer wants it: JSON as text, and no null texts."""
    database.execute(f"CREATE TABLE T ({', '.join(f'{name} {_TYPES[kind]}' for name, kind in columns.items())})")
    values = [[_loaded(row.get(name), kind) for name, kind in columns.items()] for row in rows]
    database.executemany(f"INSERT INTO T VALUES ({', '.join('?' for _ in columns)})", values)


def _loaded(value: object, kind: str) -> object:
    if kind == "dynamic":
        return None if value is None else json.dumps(value)
    return "" if value is None and kind == "string" else value


def data_queries() -> Iterator[tuple[str, str]]:
    """Id and text of the queries of tests/functions, which bring their own rows.

    Left out: files of operators that the peer has not, queries that set the clock, queries with several results.
    """
    for path in sorted(path for path in FUNCTIONS.glob("*.yaml") if not path.stem.startswith(UNKNOWN_TO_THE_PEER)):
        for index, row in enumerate(yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader), 1):
            written_out = "let d = c + c" in row["query"]  # the peer writes every let out: megabytes of SQL, for minutes
            if not row.get("error") and "now" not in row and "others" not in row and not written_out:
                yield f"{path.stem}-{index}-{row['rule']}", row["query"]


def difference(workspace: Workspace, database: duckdb.DuckDBPyConnection, query: str) -> str | None:
    """What differs where both answer: '' for nothing, None where one of them does not answer."""
    try:
        relation = duckdb_kql.query(database, query)
        theirs, their_names = relation.fetchall(), relation.columns
    except (duckdb_kql.KqlError, duckdb.Error):
        return None
    try:
        result = workspace.query(query)
        ours, columns = list(result.rows()), result.columns
    except ToolkitError:
        return None
    names = [name for name, _ in columns]
    if names != their_names:
        return f"columns: {names}, peer {their_names}"
    kinds = [kind for _, kind in columns]
    sets = "make_set" in query
    left, right = (
        [tuple(_plain(cell, kind, sets) for cell, kind in zip(row, kinds, strict=True)) for row in rows] for rows in (ours, theirs)
    )
    if not _ordered(query):
        left.sort(key=_sortable)
        right.sort(key=_sortable)
    if len(left) != len(right):
        return f"{len(left)} rows, peer {len(right)}: {left[:3]}, peer {right[:3]}"
    for mine, other in zip(left, right, strict=True):
        if not all(map(_same, mine, other)):
            return f"{mine}, peer {other}"
    return ""


def _ordered(query: str) -> bool:
    """Whether the last operator fixes the order."""
    return query.rpartition("|")[2].split()[:1] in (["sort"], ["order"])


def _plain(cell: object, kind: str, sets: bool) -> object:
    if kind == "dynamic":
        value = _value(cell)
        return sorted(value, key=repr) if sets and isinstance(value, list) else value
    if cell is None and kind == "string":
        return ""  # the peer's texts may be null, in rows without a match for example
    if isinstance(cell, datetime):
        return cell.replace(tzinfo=None)
    if isinstance(cell, Decimal):
        return float(cell)
    return str(cell) if isinstance(cell, UUID) else cell


def _value(cell: object) -> object:
    """A dynamic: the peer gives JSON text, DuckDB lists or plain values, where this engine gives the parsed value."""
    if isinstance(cell, str):
        try:
            return json.loads(cell)
        except ValueError:
            return cell
    if isinstance(cell, Decimal):
        return float(cell)
    return cell


def _sortable(row: tuple[object, ...]) -> str:
    return repr([f"{cell:.9g}" if isinstance(cell, int | float) and not isinstance(cell, bool) else cell for cell in row])


def _same(mine: object, other: object) -> bool:
    if isinstance(mine, bool) or isinstance(other, bool):
        return mine is other
    if isinstance(mine, int | float) and isinstance(other, int | float):
        return (math.isnan(mine) and math.isnan(other)) or math.isclose(mine, other, rel_tol=1e-9)
    if isinstance(mine, list) and isinstance(other, list):
        return len(mine) == len(other) and all(map(_same, mine, other))
    if isinstance(mine, dict) and isinstance(other, dict):
        return mine.keys() == other.keys() and all(_same(mine[key], other[key]) for key in mine)
    if isinstance(mine, timedelta) and isinstance(other, timedelta):
        return abs(mine - other) <= timedelta(microseconds=1)
    return mine == other
