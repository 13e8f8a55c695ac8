"""Time to parse a query: ours beside duckdb-kql's parser, on the same queries in one run.

usage: python benchmarks/parse.py [QUERIES.jsonl] [--all]

Without a file: the 1,590 public queries beside the checkout when they are there, else the queries of the tests. Ours parses every
query; the other parser a tenth of them, spread evenly, unless --all is given. Both are measured on the same tenth for the ratio.
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

from toolkit.kql.parser import parse  # noqa: E402  # the checkout, not an installed package

PUBLIC = ROOT.parent / "shared" / "conformance" / "queries.jsonl"
BAR_MS = 2.0


def load(path: Path | None) -> list[str]:
    if path is None and PUBLIC.exists():
        path = PUBLIC
    if path is not None:
        return [json.loads(line)["query"] for line in path.read_text(encoding="utf-8").splitlines()]
    files = sorted((ROOT / "tests" / "kql" / "queries").glob("*.kql"))
    return [query for file in files for query in file.read_text(encoding="utf-8").split("//==\n")]


def milliseconds(work: Callable[[str], object], queries: Sequence[str]) -> list[float]:
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
    print(f"{name:12} {len(times):5} queries  median {statistics.median(times):8.3f} ms, p95 {p95:8.3f}, max {ordered[-1]:8.3f}")


def other_parser() -> Callable[[str], object] | None:
    try:
        import duckdb_kql
    except ImportError:
        return None

    def work(query: str) -> object:
        try:
            return duckdb_kql.parse(query)
        except Exception as error:  # noqa: BLE001  # whatever it raises, the time until then is its time
            return error

    return work


def main() -> int:
    arguments = [argument for argument in sys.argv[1:] if argument != "--all"]
    queries = load(Path(arguments[0]) if arguments else None)
    size = sum(map(len, queries)) / len(queries)
    print(f"{len(queries)} queries, {size:.0f} characters on average")
    ours = milliseconds(parse, queries)
    show("toolkit", ours)
    other = other_parser()
    if other is None:
        print("duckdb-kql is not installed: no comparison")
    else:
        step = 1 if "--all" in sys.argv else 10
        theirs = milliseconds(other, queries[::step])
        show("duckdb-kql", theirs)
        ratio = statistics.median(theirs) / statistics.median(ours[::step])
        print(f"the toolkit's parser takes 1/{ratio:.0f} of the time on these {len(theirs)} queries (medians)")
    return 0 if statistics.median(ours) <= BAR_MS else 1


if __name__ == "__main__":
    sys.exit(main())
