"""The seven AKS queries on recorded events multiplied to many: this engine, hand-written DuckDB SQL, duckdb-kql.

usage: python benchmarks/aks.py [--events 500000] [--runs 5]

The events are the project's own recorded logs, repeated with new audit ids and times. All three run on the same rows in
one process, interleaved; the best of the runs is shown, with the ratio to the hand-written SQL. Row counts must agree.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import duckdb_kql
import pyarrow as pa

from toolkit import Workspace

HERE = Path(__file__).parent
SAMPLES = HERE.parent / "detections" / "aks" / "samples"
TABLES = ("AzureDiagnostics", "AzureActivity")
NOW = datetime(2026, 3, 3, tzinfo=UTC)


def recorded(table: str) -> list[dict[str, Any]]:
    """Every recorded row of a table, benign day and attacks alike."""
    rows = []
    for path in sorted(SAMPLES.glob(f"{table}.*.jsonl")):
        rows += [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return rows


def multiplied(rows: list[dict[str, Any]], count: int, attack_every: int = 50) -> Iterator[dict[str, Any]]:
    """Rows in turn with new ids and times; a row of an attack comes up once in `attack_every` rounds."""
    start = datetime(2026, 3, 2, tzinfo=UTC)
    made = turn = 0
    while made < count:
        for row in rows:
            if made == count:
                return
            if "cluster-admin" in row.get("log_s", "") and turn % attack_every:
                continue
            copy = dict(row)
            copy["TimeGenerated"] = (start + timedelta(microseconds=made * 172_800)).strftime("%Y-%m-%dT%H:%M:%S.%f") + "0Z"
            if "log_s" in copy:
                copy["log_s"] = copy["log_s"].replace('"auditID":"', f'"auditID":"{made:08x}', 1)
            made += 1
            yield copy
        turn += 1


def arrow(rows: Iterator[dict[str, Any]]) -> pa.Table:
    """Columns as text: what a log file holds."""
    listed = list(rows)
    names = list(dict.fromkeys(name for row in listed for name in row))

    def text(value: object) -> str:
        return "" if value is None else value if isinstance(value, str) else json.dumps(value)

    return pa.table({name: pa.array([text(row.get(name)) for row in listed], pa.string()) for name in names})


def sql_connection(tables: dict[str, pa.Table]) -> duckdb.DuckDBPyConnection:
    """Plain DuckDB with the same rows: text columns, TimeGenerated as a timestamp."""
    connection = duckdb.connect()
    for name, rows in tables.items():
        connection.register("incoming", rows)
        connection.execute(
            f"CREATE TABLE {name} AS SELECT * REPLACE (CAST(left(TimeGenerated, 26) AS TIMESTAMP) AS TimeGenerated) FROM incoming"
        )
        connection.unregister("incoming")
    return connection


def best(run: Callable[[], int], times: int) -> tuple[float, int]:
    """The fastest of several runs in milliseconds, and the number of rows."""
    fastest, rows = math.inf, 0
    for _ in range(times):
        start = time.perf_counter()
        rows = run()
        fastest = min(fastest, (time.perf_counter() - start) * 1e3)
    return fastest, rows


def attempt(run: Callable[[], int], times: int) -> tuple[float, int] | str:
    """A peer's figure, or why it has none."""
    try:
        return best(run, times)
    except Exception as error:  # noqa: BLE001  # whatever a peer raises is its result
        return f"{type(error).__name__}: {str(error).splitlines()[0][:60]}"


def main() -> int:
    arguments = argparse.ArgumentParser(description="The seven AKS queries against hand-written SQL and duckdb-kql.")
    arguments.add_argument("--events", type=int, default=500_000)
    arguments.add_argument("--runs", type=int, default=5)
    options = arguments.parse_args()
    tables = {name: arrow(multiplied(recorded(name), options.events)) for name in TABLES}
    size = sum(rows.nbytes for rows in tables.values()) / 2**20
    print(f"{options.events:,} events per table, {size:,.0f} MiB; DuckDB {duckdb.__version__}, duckdb-kql; best of {options.runs}")
    workspace = Workspace()
    for name, rows in tables.items():
        start = time.perf_counter()
        workspace.ingest(name, rows)
        print(f"ingest {name}: {time.perf_counter() - start:.1f} s")
    plain = sql_connection(tables)
    peer = sql_connection(tables)
    del tables
    print(f"{'query':28}{'rows':>9}{'toolkit':>11}{'SQL':>11}{'duckdb-kql':>12}{'toolkit/SQL':>13}")
    ratios: list[float] = []
    wrong = 0
    for path in sorted((HERE / "aks").glob("*.kql")):
        kql, sql = path.read_text(encoding="utf-8"), path.with_suffix(".sql").read_text(encoding="utf-8")

        def ours(kql: str = kql) -> int:
            return int(workspace.query(kql, now=NOW).to_arrow().num_rows)

        def written(sql: str = sql) -> int:
            return int(plain.sql(sql).to_arrow_table().num_rows)

        def theirs(kql: str = kql) -> int:
            return int(duckdb_kql.query(peer, kql).to_arrow_table().num_rows)

        mine, base, other = best(ours, options.runs), best(written, options.runs), attempt(theirs, max(1, options.runs // 2))
        ratios.append(mine[0] / base[0])
        wrong += mine[1] != base[1]
        shown = f"{other[0]:9.0f} ms" if not isinstance(other, str) else "refused"
        print(f"{path.stem:28}{mine[1]:9,}{mine[0]:8.0f} ms{base[0]:8.0f} ms{shown:>12}{ratios[-1]:13.2f}")
        if isinstance(other, str):
            print(f"{'':28}duckdb-kql: {other}")
        elif other[1] != mine[1]:
            print(f"{'':28}duckdb-kql finds {other[1]:,} rows")
        if mine[1] != base[1]:
            print(f"{'':28}the SQL finds {base[1]:,} rows")
    mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"geometric mean of toolkit/SQL: {mean:.2f}; peak memory of the whole process {peak:.1f} GiB")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
