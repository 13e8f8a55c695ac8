"""Ten shapes of detection queries over many rows: this engine, hand-written DuckDB SQL, duckdb-kql.

usage: python benchmarks/shapes.py [--rows 100000 1000000 5000000] [--runs 3] [--only join parse]

The tables are made by the benchmark. Each engine has a process of its own, so that its peak memory can be told; the three take turns at
each shape, and the best of the runs counts. Answers must agree with the hand-written SQL's, row by row. Exit code 1: some do not.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

HERE = Path(__file__).parent
ENGINES = ("toolkit", "SQL", "duckdb-kql")
# Tables by shape: a shape's engine holds no others, so that peak memory is the shape's own.
USES = {
    "01-join": ("SigninLogs", "AuditLogs"),
    "04-parse": ("Syslog",),
    "05-mv-expand": ("AuditLogs",),
    "06-has-any": ("DeviceProcessEvents",),
    "08-extract": ("DeviceProcessEvents",),
}
JSON = {"AuditLogs": ("InitiatedBy", "TargetResources")}

# Seconds after which an engine is not asked again, and that a run may take by the size before: a peer needs most of a minute for one shape.
_SLOW, _PATIENCE = 10.0, 60.0

Run = Callable[[], pa.Table]


def terms(count: int = 1000) -> list[str]:
    """Names to look for in command lines: some occur, most do not."""
    return [f"tool{index * 7}" if index % 4 == 0 else f"implant{index}" for index in range(count)]


def write_tables(folder: Path, rows: int) -> None:
    """One Parquet file per table, for `rows` rows of the large ones: a week of events, each a function of its number."""
    connection = duckdb.connect()
    for path in sorted((HERE / "shapes" / "tables").glob("*.sql")):
        select = path.read_text(encoding="utf-8").replace("$rows", str(rows))
        connection.execute(f"COPY ({select}) TO '{folder / path.stem}.parquet' (FORMAT parquet, ROW_GROUP_SIZE 122880)")
    connection.close()


@dataclass
class Answer:
    """What a worker says of one run: seconds, rows in a comparable order, the process's peak memory in MiB; or why not."""

    seconds: float = math.inf
    rows: list[tuple[str, ...]] | None = None
    peak: float = 0.0
    error: str = ""


def text(shape: str, kind: str) -> str:
    """The query of a shape with its long list of terms written out."""
    raw = (HERE / "shapes" / f"{shape}.{kind}").read_text(encoding="utf-8")
    quote = '"' if kind == "kql" else "'"
    listed = ", ".join(f"{quote}{term}{quote}" for term in terms())
    return raw.replace("{terms}", listed).replace("{alternatives}", "|".join(terms()))


def comparable(table: pa.Table) -> list[tuple[str, ...]]:
    """Rows as sorted texts: engines differ in the order of columns and groups, in integer types and time zones."""
    columns = [table.column(name) for name in sorted(table.column_names)]
    texts = [[str(plain(value)) for value in column.to_pylist()] for column in columns]
    return sorted(zip(*texts, strict=True))


def plain(value: Any) -> Any:
    return value.replace(tzinfo=None) if isinstance(value, datetime) else value


# --- the three engines ---------------------------------------------------------------------------------------------------


def toolkit_engine(folder: Path, shape: str) -> Run:
    from toolkit import Workspace

    workspace = Workspace()
    for table in USES.get(shape, ("SigninLogs",)):
        workspace.ingest(table, pq.read_table(folder / f"{table}.parquet"))
    kql = text(shape, "kql")
    return lambda: workspace.query(kql).to_arrow()


def _duckdb(folder: Path, shape: str) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("SET enable_progress_bar = false")
    for table in USES.get(shape, ("SigninLogs",)):
        typed = ", ".join(f"CAST({name} AS JSON) AS {name}" for name in JSON.get(table, ()))
        replace = f" REPLACE ({typed})" if typed else ""
        connection.execute(f"CREATE TABLE {table} AS SELECT *{replace} FROM read_parquet('{folder / table}.parquet')")
    return connection


def sql_engine(folder: Path, shape: str) -> Run:
    connection, sql = _duckdb(folder, shape), text(shape, "sql")
    return lambda: connection.sql(sql).to_arrow_table()


def peer_engine(folder: Path, shape: str) -> Run:
    import duckdb_kql

    connection, kql = _duckdb(folder, shape), text(shape, "kql")
    return lambda: duckdb_kql.query(connection, kql).to_arrow_table()


STARTERS = {"toolkit": toolkit_engine, "SQL": sql_engine, "duckdb-kql": peer_engine}


def work(engine: str, folder: Path, channel: Connection) -> None:
    """A worker: ("load", shape) prepares, ("run", None) runs once, None ends."""
    run: Run | None = None
    while (order := channel.recv()) is not None:
        try:
            if order[0] == "load":
                run = None
                run = STARTERS[engine](folder, order[1])
                reset_peak()
                channel.send(Answer())
            else:
                assert run is not None
                start = time.perf_counter()
                rows = run()
                seconds = time.perf_counter() - start
                channel.send(Answer(seconds, comparable(rows), peak_memory()))
        except Exception as error:  # noqa: BLE001  # whatever an engine raises is its answer
            channel.send(Answer(error=f"{type(error).__name__}: {str(error).splitlines()[0][:90]}"))


def reset_peak() -> None:
    """Linux forgets the peak so far; elsewhere the peak is the process's whole life's."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return


def peak_memory() -> float:
    """The most memory that the process held, in MiB."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


# --- one run -------------------------------------------------------------------------------------------------------------


class Bench:
    """The three workers on one folder of tables."""

    def __init__(self, folder: Path) -> None:
        context = multiprocessing.get_context("spawn")
        self.channels: dict[str, Connection] = {}
        for engine in ENGINES:
            here, there = context.Pipe()
            context.Process(target=work, args=(engine, folder, there), daemon=True).start()
            self.channels[engine] = here

    def ask(self, engine: str, *order: str) -> Answer:
        self.channels[engine].send(order)
        found: Answer = self.channels[engine].recv()
        return found

    def shape(self, shape: str, runs: int, left_out: dict[str, str]) -> dict[str, Answer]:
        """The best answer of each engine; they take turns, so that a busy moment hits all of them."""
        best = {engine: self.ask(engine, "load", shape) for engine in ENGINES if engine not in left_out}
        best |= {engine: Answer(error=f"not asked: {why}") for engine, why in left_out.items()}
        for _ in range(runs):
            for engine, known in best.items():
                if known.error or _SLOW < known.seconds < math.inf:
                    continue
                found = self.ask(engine, "run")
                best[engine] = found if found.error or found.seconds < known.seconds else known
        return best

    def close(self) -> None:
        for channel in self.channels.values():
            channel.send(None)


def line(shape: str, best: dict[str, Answer]) -> str:
    mine, base = best["toolkit"], best["SQL"]
    cells = [f"{found.seconds * 1e3:9.0f} ms {found.peak:6.0f} MiB" if not found.error else f"{'refused':>23}" for found in best.values()]
    ratio = mine.seconds / base.seconds if not mine.error else math.nan
    other = best["duckdb-kql"]
    against = f"{mine.seconds / other.seconds:8.2f}" if not other.error and not mine.error else f"{'-':>8}"
    return f"{shape:16}" + "".join(cells) + f"{ratio:9.2f}{against}"


def disagreement(best: dict[str, Answer]) -> Iterator[str]:
    wanted = best["SQL"].rows
    for engine, found in best.items():
        if found.error:
            yield f"{engine}: {found.error}"
        elif found.rows != wanted and wanted is not None and found.rows is not None:
            missing = len(set(wanted) - set(found.rows))
            yield f"{engine}: {len(found.rows):,} rows, the SQL {len(wanted):,}; {missing:,} of them differ"


def main() -> int:
    arguments = argparse.ArgumentParser(description="Ten shapes of detection queries against hand-written SQL and duckdb-kql.")
    arguments.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000, 5_000_000])
    arguments.add_argument("--runs", type=int, default=3)
    arguments.add_argument("--only", nargs="+", default=[])
    options = arguments.parse_args()
    shapes = sorted(path.stem for path in (HERE / "shapes").glob("*.kql"))
    shapes = [shape for shape in shapes if not options.only or any(part in shape for part in options.only)]
    wrong = 0
    slow: dict[tuple[str, str], float] = {}
    for rows in options.rows:
        with tempfile.TemporaryDirectory() as folder:
            write_tables(Path(folder), rows)
            print(f"\n{rows:,} rows; DuckDB {duckdb.__version__}; best of {options.runs}; time and peak memory", flush=True)
            print(f"{'shape':16}" + "".join(f"{engine:>23}" for engine in ENGINES) + f"{'/SQL':>9}{'/kql':>8}")
            bench = Bench(Path(folder))
            ratios = []
            for shape in shapes:
                expected = {engine: slow[engine, shape] * rows for engine in ENGINES if (engine, shape) in slow}
                best = bench.shape(shape, options.runs, {e: f"it would take {s:.0f} s" for e, s in expected.items() if s > _PATIENCE})
                slow |= {(engine, shape): found.seconds / rows for engine, found in best.items() if _SLOW < found.seconds < math.inf}
                print(line(shape, best), flush=True)
                for finding in disagreement(best):
                    print(f"{'':16}{finding}", flush=True)
                    wrong += finding.startswith("toolkit")
                if not best["toolkit"].error and not best["SQL"].error:
                    ratios.append(best["toolkit"].seconds / best["SQL"].seconds)
            bench.close()
            if ratios:
                mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
                print(f"geometric mean of toolkit/SQL: {mean:.2f}, the largest {max(ratios):.2f}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
