"""Time to parse and to analyse (parse and bind) a query, beside duckdb-kql's parser and translation, in one run.

usage: python benchmarks/analysis.py [QUERIES.jsonl] [--all]

Without a file: the 1,590 public queries beside the checkout when they are there, else the queries of the tests. Ours takes every
query; the peer a tenth of them, spread evenly, unless --all is given. Both are measured on the same tenth for the ratio.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from toolkit import Workspace  # noqa: E402  # the checkout, not an installed package
from toolkit.kql.parser import parse  # noqa: E402

PUBLIC = ROOT.parent / "shared" / "conformance" / "queries.jsonl"
# What is asked of us: medians and the 95th percentile in milliseconds, and how many times faster than the peer.
PARSE_MS, MEDIAN_MS, P95_MS, TIMES = 2.0, 5.0, 20.0, 3.0

Work = Callable[[str], object]


def load(path: Path | None) -> list[str]:
    if path is None and PUBLIC.exists():
        path = PUBLIC
    if path is not None:
        return [json.loads(line)["query"] for line in path.read_text(encoding="utf-8").splitlines()]
    files = sorted((ROOT / "tests" / "kql" / "queries").glob("*.kql"))
    return [query for file in files for query in file.read_text(encoding="utf-8").split("//==\n")]


def milliseconds(work: Work, queries: Sequence[str]) -> list[float]:
    """Best of three per query, so that a busy neighbour is not counted."""
    found = []
    for query in queries:
        best = float("inf")
        for _ in range(3):
            start = time.perf_counter()
            work(query)
            best = min(best, time.perf_counter() - start)
        found.append(best * 1000)
    return found


def show(name: str, times: list[float]) -> None:
    ordered = sorted(times)
    p95 = ordered[int(len(ordered) * 0.95)]
    print(f"{name:18} {len(times):5} queries  median {statistics.median(times):8.3f} ms, p95 {p95:8.3f}, max {ordered[-1]:8.3f}")


def peers(tables: dict[str, list[str]]) -> tuple[Work, Work] | None:
    """duckdb-kql's parser and its translation to SQL, which reads names and columns as binding does."""
    try:
        import duckdb_kql
    except ImportError:
        return None
    return quietly(duckdb_kql.parse), quietly(lambda query: duckdb_kql.to_sql(query, schema=tables))


def quietly(work: Work) -> Work:
    """Whatever a peer raises, the time until then is its time."""

    def run(query: str) -> object:
        try:
            return work(query)
        except Exception as error:  # noqa: BLE001  # see above
            return error

    return run


def compared(name: str, ours: Work, theirs: Work | None, queries: list[str], step: int) -> tuple[list[float], float]:
    """Ours over all queries beside the peer over every `step`-th of them; the ratio of the medians on the same ones."""
    mine = milliseconds(ours, queries)
    show(f"toolkit {name}", mine)
    if theirs is None:
        return mine, float("nan")
    other = milliseconds(theirs, queries[::step])
    show(f"duckdb-kql {name}", other)
    ratio = statistics.median(other) / statistics.median(mine[::step])
    print(f"{name}: the toolkit takes 1/{ratio:.1f} of the time on these {len(other)} queries (medians)")
    return mine, ratio


def main() -> int:
    arguments = [argument for argument in sys.argv[1:] if argument != "--all"]
    queries = load(Path(arguments[0]) if arguments else None)
    print(f"{len(queries)} queries, {sum(map(len, queries)) / len(queries):.0f} characters on average")
    workspace = Workspace()
    tables = {name: list(schema.columns) for name in workspace.catalog.names() if (schema := workspace.schema(name)) is not None}
    found = peers(tables)
    if found is None:
        print("duckdb-kql is not installed: no comparison")
    step = 1 if "--all" in sys.argv else 10
    parsed, _ = compared("parse", parse, found and found[0], queries, step)
    analysed, ratio = compared("analyse", lambda query: Workspace(workspace.catalog).analyze(query), found and found[1], queries, step)
    ordered = sorted(analysed)
    good = statistics.median(parsed) <= PARSE_MS and statistics.median(ordered) <= MEDIAN_MS and ordered[int(len(ordered) * 0.95)] <= P95_MS
    return 0 if good and not ratio < TIMES else 1


if __name__ == "__main__":
    sys.exit(main())
