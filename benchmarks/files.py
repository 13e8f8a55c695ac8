"""Files in place: the same questions by KQL on attached files and by DuckDB SQL on the same files, with the peak memory of each.

usage: python benchmarks/files.py [--gb 0.1] [--kinds parquet,jsonl,csv] [--folder DIR] [--memory-limit 2GB]

Writes `--gb` of Parquet, a fifth of that as JSON lines and a fifth as CSV into a folder of its own (in `--folder`, or a temporary one) and
removes it. Each side runs in a process of its own; `open` is what attaching costs, once. A question that takes less than five seconds is
asked twice, the second time counts. Exits with 1 when the two sides do not give the same rows.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

ROWS_PER_GB = {"parquet": 34_000_000, "jsonl": 4_600_000, "csv": 7_000_000}
PATIENCE = 5.0  # seconds
SHARE = {"parquet": 1.0, "jsonl": 0.2, "csv": 0.2}
FILES = 8
ROW = """
SELECT make_timestamp(1772323200000000 + i * 1000) AS "TimeGenerated", 'user' || (hash(i) % 5000) || '@contoso.com' AS "User",
  '192.0.2.' || (hash(i + 1) % 250) AS "Address", 'GET /' || md5(i::VARCHAR) || '/' || (i % 9973) AS "Request",
  (hash(i + 2) % 7)::BIGINT AS "Result", (hash(i + 3) % 100000)::DOUBLE / 4 AS "Duration" FROM range({start}, {end}) r(i)
"""
COLUMNS = {"TimeGenerated": "datetime", "User": "string", "Address": "string", "Request": "string", "Result": "long", "Duration": "real"}
TYPES = {"TimeGenerated": "TIMESTAMP", "Result": "BIGINT", "Duration": "DOUBLE"}
HOUR = "TimeGenerated between (datetime(2026-03-01 00:00:10) .. datetime(2026-03-01 00:00:40))"
HOUR_SQL = "TimeGenerated BETWEEN TIMESTAMP '2026-03-01 00:00:10' AND TIMESTAMP '2026-03-01 00:00:40'"
QUESTIONS = {
    "count": ("T | count", "SELECT count(*) FROM t"),
    "time range": (f"T | where {HOUR} | summarize count(), sum(Duration)", f"SELECT count(*), sum(Duration) FROM t WHERE {HOUR_SQL}"),
    "by user": ("T | summarize count(), sum(Duration) by User", "SELECT User, count(*), sum(Duration) FROM t GROUP BY User"),
    "by result": ("T | summarize count(), max(TimeGenerated) by Result", "SELECT Result, count(*), max(TimeGenerated) FROM t GROUP BY 1"),
    "text": ("T | where Request contains 'abc123' | count", "SELECT count(*) FROM t WHERE Request ILIKE '%abc123%'"),
    "many groups": ("T | summarize n = count() by User, Address, Result | summarize count(), max(n)",
                    "SELECT count(*), max(n) FROM (SELECT count(*) AS n FROM t GROUP BY User, Address, Result)"),
}  # fmt: skip


def generate(folder: Path, gb: float, kinds: list[str]) -> None:
    import duckdb

    connection = duckdb.connect()
    connection.execute("SET enable_progress_bar = false")
    for kind in kinds:
        rows = int(ROWS_PER_GB[kind] * gb * SHARE[kind])
        options = {"parquet": "FORMAT parquet, COMPRESSION zstd", "jsonl": "FORMAT json", "csv": "FORMAT csv, HEADER"}[kind]
        (folder / kind).mkdir()
        for part in range(FILES):
            source = ROW.format(start=rows * part // FILES, end=rows * (part + 1) // FILES)
            connection.execute(f"COPY ({source}) TO '{folder / kind / f'{part}.{kind}'}' ({options})")
        size = sum(file.stat().st_size for file in (folder / kind).iterdir())
        print(f"{kind}: {FILES} files, {size / 1e9:.2f} GB, {rows:,} rows")


def toolkit_side(folder: Path, limit: str) -> dict[str, Any]:
    from toolkit import Workspace

    workspace = Workspace({"T": COLUMNS}, memory_limit=limit)
    workspace.query("print 1")  # the engine has started
    start, used = time.perf_counter(), time.process_time()
    workspace.attach("T", folder)
    found: dict[str, Any] = {"open": (time.perf_counter() - start, time.process_time() - used, None)}
    for name, (kql, _) in QUESTIONS.items():
        found[name] = _timed(name, lambda kql=kql: workspace.query(kql).rows())
    workspace.close()
    return found


def duckdb_side(folder: Path, limit: str) -> dict[str, Any]:
    import duckdb

    kind = folder.name
    connection = duckdb.connect()
    connection.execute(f"SET memory_limit = '{limit}'; SET temp_directory = '{folder.parent}/spill'; SET enable_progress_bar = false")
    columns = ", ".join(f"'{name}': '{TYPES.get(name, 'VARCHAR')}'" for name in COLUMNS)
    readers = {"parquet": "read_parquet('{0}')", "jsonl": f"read_json('{{0}}', columns={{{{{columns}}}}}, format='newline_delimited')"}
    readers["csv"] = f"read_csv('{{0}}', columns={{{{{columns}}}}}, header=true)"
    start, used = time.perf_counter(), time.process_time()
    connection.execute(f"CREATE VIEW t AS SELECT * FROM {readers[kind].format(f'{folder}/*')}")
    found: dict[str, Any] = {"open": (time.perf_counter() - start, time.process_time() - used, None)}
    for name, (_, sql) in QUESTIONS.items():
        found[name] = _timed(name, lambda sql=sql: connection.execute(sql).fetchall())
    return found


def _timed(name: str, ask: Any) -> tuple[float, float, Any]:
    """Seconds, seconds of processor time, and the rows. A quick question is asked twice, the second time counts."""
    try:
        seconds, cpu, rows = _once(ask)
        if seconds < PATIENCE:
            seconds, cpu, rows = _once(ask)
    except Exception as error:  # noqa: BLE001  # the figure of a question that one side cannot answer is its message
        return 0.0, 0.0, f"{type(error).__name__}: {str(error).splitlines()[0][:100]}"
    print(f"    {name}: {seconds:.2f} s", file=sys.stderr, flush=True)  # what a long run has done so far
    return (
        seconds,
        cpu,
        sorted([[round(cell, 3) if isinstance(cell, float) else str(cell)[:19].replace("T", " ") for cell in row] for row in rows]),
    )


def _once(ask: Any) -> tuple[float, float, list[Any]]:
    start, used = time.perf_counter(), time.process_time()
    rows = list(ask())
    return time.perf_counter() - start, time.process_time() - used, rows


def child(side: str, folder: Path, limit: str) -> None:
    found = {"toolkit": toolkit_side, "duckdb": duckdb_side}[side](folder, limit)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"peak": peak, "found": found}))


def compare(folder: Path, limit: str, kinds: list[str]) -> bool:
    same = True
    for kind in kinds:
        sides = {}
        for side in ("toolkit", "duckdb"):
            command = [sys.executable, __file__, "--child", side, "--folder", str(folder / kind), "--memory-limit", limit]
            sides[side] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
        ours, theirs = sides["toolkit"], sides["duckdb"]
        print(f"\n{kind}: peak memory {ours['peak']:,.0f} MB, DuckDB SQL {theirs['peak']:,.0f} MB, limit {limit}")
        for name in ("open", *QUESTIONS):
            (seconds, cpu, rows), (other, other_cpu, expected) = ours["found"][name], theirs["found"][name]
            ratio = f"{seconds / other:6.2f} x, of processor time {cpu / other_cpu:6.2f} x" if min(other, other_cpu) > 0.0005 else ""
            print(f"  {name:12} {seconds:8.3f} s   DuckDB SQL {other:8.3f} s   {ratio}")
            if rows != expected:
                same = False
                print(f"  {name}: not the same rows: {str(rows)[:150]} and {str(expected)[:150]}")
    return same


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--gb", type=float, default=0.1)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--kinds", type=lambda text: text.split(","), default=list(SHARE))
    parser.add_argument("--memory-limit", default="2GB")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(options.child, options.folder, options.memory_limit)
        return 0
    with tempfile.TemporaryDirectory(dir=options.folder, prefix="files-") as folder:
        generate(Path(folder), options.gb, options.kinds)
        return 0 if compare(Path(folder), options.memory_limit, options.kinds) else 1


if __name__ == "__main__":
    sys.exit(main())
