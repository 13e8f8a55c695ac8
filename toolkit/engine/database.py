"""The embedded DuckDB: locked down, interruptible, shared by all workspaces that are forks of one another.

Nothing that a query can say reaches a file or the network (design, decision 10). SQL comes only from the lowering.
"""

from __future__ import annotations

import inspect
import shutil
import sys
import tempfile
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from toolkit.engine.budget import Budget
from toolkit.engine.errors import ANSWER_TOO_LARGE, EngineError, QueryCancelled, QueryTimeout
from toolkit.engine.functions import load_families
from toolkit.engine.functions.registry import REGISTRY
from toolkit.engine.lower.context import StoredColumn
from toolkit.engine.progress import switch_bar_off

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa


_UNBOUNDED = Budget()
_BATCH = 65_536
_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB")
_CALL_WITH_NULL: Any = "special"  # the stub asks for an enum that is not exported; the text is what it stands for


class EngineFailure(EngineError):
    """DuckDB's own message about a statement that failed; `Workspace` turns it into terms of the query."""


@dataclass(eq=False)
class Part:
    """The rows of one ingest: a physical table that lives as long as a workspace refers to it; or files in place."""

    sql_name: str
    columns: dict[str, StoredColumn]
    rows: int
    files: FileScan | None = None
    origin: Part | None = None  # the part whose physical table this one reads, too: it lives as long

    @property
    def in_place(self) -> bool:
        return self.files is not None


@dataclass(frozen=True)
class FileScan:
    """Files that DuckDB reads where they are: their absolute paths without links, and the table function that reads them.

    `stamps`: by which each file is known to be the one that was attached.
    """

    paths: tuple[str, ...]
    sql: str
    stamps: tuple[tuple[int, int], ...] = ()


class Database:
    """One in-memory DuckDB. Safe to use from several threads: each statement has a cursor of its own.

    `memory_limit` as DuckDB writes it ("4GB"), `threads` a number; by default DuckDB's own choice (80% of the memory,
    all cores). What does not fit into memory spills into a temporary directory, which vanishes with the database.
    """

    def __init__(self, memory_limit: str | None = None, threads: int | None = None) -> None:
        load_families()
        self._lock = threading.RLock()
        self._spill = tempfile.mkdtemp(prefix="toolkit-")
        self._cleanup = weakref.finalize(self, shutil.rmtree, self._spill, ignore_errors=True)
        self._limits = (memory_limit, threads)
        self._connection = self._open(())
        self._most_bytes = _memory_limit(self._connection) // 2
        self._functions: set[str] = set()
        self._jobs: set[_Job] = set()
        self._dropped: list[str] = []
        self._attached: weakref.WeakValueDictionary[str, Part] = weakref.WeakValueDictionary()
        self._count = 0

    def _open(self, paths: Sequence[str]) -> duckdb.DuckDBPyConnection:
        """An engine that reaches these files and no others. They have to be named before it is locked."""
        import duckdb

        memory_limit, threads = self._limits
        connection = duckdb.connect(":memory:")
        switch_bar_off(connection)
        settings: dict[str, object] = {
            "temp_directory": self._spill,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "allow_community_extensions": False,
            "python_enable_replacements": False,
            **({"memory_limit": memory_limit} if memory_limit else {}),
            **({"threads": threads} if threads else {}),
            "TimeZone": "UTC",
            **({"allowed_paths": list(paths)} if paths else {}),
            "enable_external_access": False,
            "lock_configuration": True,
        }
        for name, value in settings.items():
            try:
                connection.execute(f"SET {name} = $value", {"value": value})
            except duckdb.Error as error:
                raise EngineError(f"{name} = {value!r} is not a setting of the engine: {str(error).splitlines()[0]}") from None
        return connection

    # --- stored rows --------------------------------------------------------------------------------------------------

    def store(self, table: pa.Table) -> Part:
        """Copies an Arrow table into the engine. Columns are known by position: KQL's names differ by case (R-002)."""
        names = list(table.column_names)
        columns = {name: StoredColumn(f"k{index}", bool(table.column(index).null_count)) for index, name in enumerate(names)}
        with self._lock:
            self._drop_unused()
            self._count += 1
            sql_name = f"t{self._count}"
            incoming = table.rename_columns([f"k{index}" for index in range(len(names))])
            self._connection.register("incoming", incoming)
            try:
                self._connection.execute(
                    f"CREATE TABLE {sql_name} AS SELECT * FROM incoming" if names else f"CREATE TABLE {sql_name} (k0 INTEGER)"
                )
            finally:
                self._connection.unregister("incoming")
        part = Part(sql_name, columns, table.num_rows)
        # the list, not the database, is what the finalizer holds: it may run in any thread, at any time
        weakref.finalize(part, self._dropped.append, sql_name).atexit = False
        return part

    def attach(self, scans: Sequence[tuple[FileScan, dict[str, StoredColumn], int]]) -> list[Part]:
        """Files that are read when a statement names them, with their columns and how many rows they have.

        What an engine may reach is settled before it is locked. So a new one takes over, with the stored tables; statements
        that are running end in the old one. Attaching before ingesting copies nothing.
        """
        with self._lock:
            self._drop_unused()
            parts = []
            for scan, columns, rows in scans:
                self._count += 1
                parts.append(Part(f"f{self._count}", columns, rows, scan))
            attached = {**self._attached, **{part.sql_name: part for part in parts}}
            self._take_over(attached)
            for name, part in attached.items():
                self._attached[name] = part
        return parts

    def _take_over(self, attached: Mapping[str, Part]) -> None:
        import duckdb

        scans = {name: part.files for name, part in attached.items() if part.files is not None}
        old, new = self._connection, self._open([path for scan in scans.values() for path in scan.paths])
        try:
            for name, scan in scans.items():
                new.execute(f"CREATE VIEW {name} AS SELECT * FROM {scan.sql}")
        except duckdb.Error as error:
            new.close()
            raise EngineFailure(str(error)) from None
        idle = not self._jobs
        for (name,) in old.execute("SELECT table_name FROM duckdb_tables() ORDER BY table_oid").fetchall():
            new.register("incoming", old.cursor().sql(f"SELECT * FROM {name}").to_arrow_reader(_BATCH))
            new.execute(f"CREATE TABLE {name} AS SELECT * FROM incoming")
            new.unregister("incoming")
            if idle:
                old.execute(f"DROP TABLE {name}")
        self._connection = new
        self._functions = set()
        old.close()

    def _drop_unused(self) -> None:
        while self._dropped:
            self._connection.execute(f"DROP TABLE IF EXISTS {self._dropped.pop()}")

    def stored(self, part: Part) -> pa.Table:
        """The rows of an ingest, as `store` took them."""
        with self._lock:
            rows = self._connection.cursor().sql(f"SELECT * FROM {part.sql_name}").to_arrow_table()
        return rows.rename_columns(list(part.columns))

    # --- statements ---------------------------------------------------------------------------------------------------

    def run(
        self,
        sql: str,
        functions: Iterable[str] = (),
        timeout: float | None = None,
        budget: Budget = _UNBOUNDED,
        rows: int | None = None,
    ) -> pa.Table:
        """The rows of a statement. `timeout` in seconds; of more than `rows` rows the first ones.

        Raises QueryTimeout, QueryCancelled (Ctrl-C, `budget.cancel`) and EngineFailure, also for rows that take more than half of
        the memory limit: the engine itself spills to disk, what it hands over does not. DuckDB does not look for signals
        while it works, therefore it works in a thread of its own and the caller's thread waits.
        """
        left = budget.left()
        with self._lock:
            self._drop_unused()
            self._register(functions)
            cursor = self._connection.cursor()
            job = _Job(cursor, sql, (rows, self._most_bytes), guarded=bool(self._attached))
            self._jobs.add(job)
        worker = threading.Thread(target=job.run, name="kql", daemon=True)
        worker.start()
        try:
            with budget.wakes(job.woken):
                in_time = job.woken.wait(min((limit for limit in (left, timeout) if limit is not None), default=None))
            if not job.finished.is_set():
                job.stop()
                if in_time:
                    raise QueryCancelled("the query was stopped")
                if timeout is None or (left is not None and left < timeout):
                    raise budget.timeout()
                raise QueryTimeout(f"the query was stopped after {timeout:g} seconds, its time limit")
        except KeyboardInterrupt:
            job.stop()
            raise QueryCancelled("the query was stopped") from None
        finally:
            worker.join()
            self._jobs.discard(job)
            cursor.close()
        return job.result()

    def interrupt(self) -> None:
        """Stops every statement that is running; the threads that wait for them get QueryCancelled."""
        for job in list(self._jobs):
            job.stop()

    def _register(self, functions: Iterable[str]) -> None:
        for name in functions:
            if name in self._functions:
                continue
            row = REGISTRY.python[name]
            # DuckDB's own NULL handling takes a NULL result for an error
            function = _strict(row.function, len(row.arguments)) if row.strict and not row.vectorized else row.function
            kind: Any = "arrow" if row.vectorized else "native"
            self._connection.create_function(
                name, function, list(row.arguments), row.result, type=kind, null_handling=_CALL_WITH_NULL, side_effects=False
            )
            self._functions.add(name)

    def close(self) -> None:
        """Frees the memory at once; afterwards no workspace on this database can run anything."""
        with self._lock:
            self._connection.close()
            self._cleanup()


def _strict(function: Callable[..., Any], arity: int) -> Callable[..., Any]:
    """The function, not called for a NULL argument. DuckDB counts parameters by the signature."""

    def call(*args: Any) -> Any:
        return None if None in args else function(*args)

    places = [inspect.Parameter(f"p{index}", inspect.Parameter.POSITIONAL_ONLY) for index in range(arity)]
    call.__signature__ = inspect.Signature(places)  # type: ignore[attr-defined]  # the documented way to state a signature
    return call


def _memory_limit(connection: duckdb.DuckDBPyConnection) -> int:
    """In bytes. DuckDB gives "18.4 GiB", and "0 bytes" for no limit."""
    ((limit,),) = connection.execute("SELECT current_setting('memory_limit')").fetchall()
    number, unit = limit.split()
    return int(float(number) * 1024 ** _UNITS.index(unit)) or sys.maxsize


def _fetched(relation: Any, most_rows: int | None, most_bytes: int) -> pa.Table:
    """The rows of a statement, or the first ones; it stops as soon as there are enough of them."""
    import pyarrow as pa

    try:
        reader = relation.to_arrow_reader(_BATCH)
        batches = list(_until(reader, most_rows, most_bytes))
        reader.close()
    except (OSError, pa.ArrowException) as error:  # DuckDB's own errors, once the first rows have come
        raise (QueryCancelled("the query was stopped") if "INTERRUPT Error" in str(error) else EngineFailure(str(error))) from None
    table = pa.Table.from_batches(batches, reader.schema)
    return table if most_rows is None else table.slice(0, most_rows)


def _until(batches: Iterable[pa.RecordBatch], most_rows: int | None, most_bytes: int) -> Iterator[pa.RecordBatch]:
    rows = size = 0
    for batch in batches:
        yield batch
        rows += batch.num_rows
        size += batch.nbytes
        if most_rows is not None and rows >= most_rows:
            return
        if size > most_bytes:
            raise EngineFailure(ANSWER_TOO_LARGE)


class _Job:
    """One statement. `finished` says that it is over, `woken` that whoever waits for it has to look."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, sql: str, most: tuple[int | None, int], *, guarded: bool) -> None:
        """`most`: how many rows, and how many bytes."""
        self.finished = threading.Event()
        self.woken = threading.Event()
        self._cursor = cursor
        self._sql = sql
        self._most = most
        self._guarded = guarded
        self._table: pa.Table | None = None
        self._error: BaseException | None = None

    def run(self) -> None:
        try:
            relation: Any = self._cursor.sql(self._only_select() if self._guarded else self._sql)
            self._table = _fetched(relation, *self._most)
        except BaseException as error:  # noqa: BLE001  # whatever it is, the waiting thread has to hear of it
            self._error = error
        finally:
            self.finished.set()
            self.woken.set()

    def _only_select(self) -> Any:
        """The statement, which must be a SELECT: an engine that may read files could else be made to write them."""
        import duckdb

        statements = self._cursor.extract_statements(self._sql)
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            raise EngineFailure("only a SELECT runs in this engine")
        return statements[0]

    def stop(self) -> None:
        """Interrupts until it is heard: an interrupt before the statement has begun is lost."""
        while not self.finished.wait(0.05):
            self._cursor.interrupt()

    def result(self) -> pa.Table:
        import duckdb

        if self._error is None:
            return self._table
        if isinstance(self._error, duckdb.InterruptException):
            raise QueryCancelled("the query was stopped") from None
        if isinstance(self._error, duckdb.Error):
            raise EngineFailure(str(self._error)) from None
        raise self._error
