"""The engine that looks through text files while they are attached."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from toolkit.engine.files.values import register
from toolkit.engine.ingest.scanner import scanner

if TYPE_CHECKING:
    import duckdb

_BATCH = 8192


class Looker:
    """Begins with the first statement, ends with the block that it is the context of."""

    def __init__(self) -> None:
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._functions: set[str] = set()

    def __enter__(self) -> Looker:
        return self

    def __exit__(self, *_: object) -> None:
        if self._connection is not None:
            self._connection.close()

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        if self._connection is None:
            self._connection = scanner()
        return self._connection.cursor()

    def rows(self, sql: str, functions: Sequence[str] = ()) -> list[Any]:
        """`functions`: those of Python that the statement calls."""
        with self._cursor() as cursor:
            for name in dict.fromkeys(functions):
                if name not in self._functions:
                    register(cursor, name)
                    self._functions.add(name)
            rows: list[Any] = cursor.sql(sql).fetchall()
            return rows

    def texts(self, sql: str) -> Iterator[Any]:
        """The first column, in arrays of some thousand texts."""
        import pyarrow as pa

        with self._cursor() as cursor:
            for batch in cursor.sql(sql).to_arrow_reader(_BATCH):
                yield batch.column(0).cast(pa.string())
