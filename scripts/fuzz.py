"""Looks for input that crashes or hangs the toolkit: mutated queries, from lexer to engine.

usage: python scripts/fuzz.py [--minutes 30] [--seed 1] [--workers 2] [--save DIR]

Queries come from the tests' data, and from the public ones beside the checkout when they are there. They are cut, spliced and
filled with extreme values, analysed and run. A finding is an exception that is not one of the toolkit's own, a query that takes
longer than its time limit allows, or a worker process that dies. Exit code 1: there were some.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from toolkit import Workspace  # noqa: E402  # the checkout, not an installed package
from toolkit.kql.diagnostics import ToolkitError  # noqa: E402
from toolkit.kql.lexer import tokenize  # noqa: E402

SHARED = ROOT.parent / "shared" / "conformance"
QUERY_LIMIT = 5.0
GRACE = 25.0
STALLED = 300.0
EXTREMES = [
    *("9223372036854775807", "-9223372036854775808", "1e308", "real(nan)", "long(null)", "0", "-1", "2147483648", "int(7)"),
    *("''", "'\\u0000'", "@'\\'", "'[[]'", "h'x'", "dynamic(null)", 'dynamic({"a":[1,{"b":null}]})', "dynamic([])", "'(a+)+$'", "'{0}'"),
    *("datetime(9999-12-31 23:59:59.9999999)", "datetime(null)", "datetime(0001-01-01)", "time(10675199.02:48:05.4775807)", "1tick", "-1d"),
    *(
        "guid(null)",
        "true",
        "decimal(1e-30)",
        "now()",
        "*",
        "$left",
        "$right",
        "_",
        "''''",
        "(",
        ")",
        "[",
        "]",
        "|",
        ";",
        "//",
        "\u202e",
        "ß",
        "İ",
    ),
]


def corpus() -> list[str]:
    """Queries that mean something."""
    found: list[str] = []
    for path in sorted((ROOT / "tests" / "functions").glob("*.yaml")):
        found += [case["query"] for case in yaml.safe_load(path.read_text(encoding="utf-8")) if "query" in case]
    for path in sorted((ROOT / "tests" / "kql" / "queries").glob("*.kql")):
        found += path.read_text(encoding="utf-8").split("//==\n")
    for name in ("examples", "traps", "queries"):
        with suppress(OSError):
            found += [json.loads(line)["query"] for line in (SHARED / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]
    return found


class Mutator:
    """Makes queries out of queries."""

    def __init__(self, queries: list[str], seed: int) -> None:
        self._random = random.Random(seed)
        self._queries = queries
        self._stages = [stage for query in queries for stage in query.split("|")[1:]]

    def __iter__(self) -> Iterator[str]:
        while True:
            query = self._random.choice(self._queries)
            for _ in range(self._random.choice((0, 1, 1, 2, 3, 6))):
                change = self._random.choice((self._tokens, self._tokens, self._tokens, self._stage, self._characters, self._blow_up))
                query = change(query)[:200_000]
            yield query

    def _tokens(self, query: str) -> str:
        """Tokens left out, doubled, swapped, or replaced by extreme values and tokens of other queries."""
        tokens = tokenize(query)
        spans = [(start, end) for start, end in zip(tokens.starts, tokens.ends, strict=True) if end > start]
        if not spans:
            return query
        start, end = self._random.choice(spans)
        match self._random.randrange(5):
            case 0:
                return query[:start] + query[end:]
            case 1:
                return query[:end] + " " + query[start:end] + query[end:]
            case 2:
                other = self._random.choice(spans)
                (start, end), (low, high) = sorted(((start, end), other))
                return query if end > low else query[:start] + query[low:high] + query[end:low] + query[start:end] + query[high:]
            case 3:
                return query[:start] + self._random.choice(EXTREMES) + query[end:]
            case _:
                words = self._random.choice(self._queries).split()
                return query[:start] + (self._random.choice(words) if words else "") + query[end:]

    def _stage(self, query: str) -> str:
        """Another query's operator somewhere in the pipeline, or a part of the pipeline left out."""
        stages = query.split("|")
        at = self._random.randrange(len(stages)) + 1
        if self._random.random() < 0.3:
            return "|".join(stages[: at - 1] + stages[at:])
        return "|".join([*stages[:at], self._random.choice(self._stages), *stages[at:]])

    def _characters(self, query: str) -> str:
        at = self._random.randrange(len(query) + 1)
        if self._random.random() < 0.5:
            return query[:at]
        return (
            query[:at]
            + self._random.choice(["'", '"', "`", "\\", "\x00", "\n", "(", "{", "[", "\ud800", "\u2028", "/*", "@", "#"])
            + query[at:]
        )

    def _blow_up(self, query: str) -> str:
        """Deep nesting and long repetition."""
        count = self._random.choice((10, 100, 3000))
        match self._random.randrange(4):
            case 0:
                return "print " + "(" * count + "1" + ")" * count
            case 1:
                return query + f"\n|{self._random.choice(self._stages)}" * min(count, 60)
            case 2:
                return query + " | where " + " and ".join(f"x{index} == {index}" for index in range(count))
            case _:
                return query + " | extend y = " + "strcat(" * count + "'a'" + ")" * count


def work(channel: Connection) -> None:
    """A worker: answers each query with what went wrong, or ''."""
    workspace = Workspace(memory_limit="1GB", threads=1)
    while (query := channel.recv()) is not None:
        try:
            workspace.analyze(query)
            workspace.query(query, now="2026-03-05", timeout=QUERY_LIMIT).to_arrow()
            channel.send("")
        except ToolkitError as error:
            text = str(error)
            channel.send(
                f"internal words: {text[:300]}" if any(word in text for word in ("INTERNAL Error", "Traceback", "Binder Error")) else ""
            )
        except Exception:  # noqa: BLE001  # anything else is what this script looks for
            channel.send(traceback.format_exc(limit=-4))


def cpu_seconds(process: int | None) -> float:
    """What a process has spent so far, so that a busy machine is not taken for a hang; 0 where the system does not tell."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / 100
    except OSError:
        return 0.0


class Worker:
    """One process, started again when it has died or hangs."""

    def __init__(self) -> None:
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.channel, there = context.Pipe()
        self.process = context.Process(target=work, args=(there,), daemon=True)
        self.process.start()
        there.close()
        self.query = ""
        self.since = self.spent = 0.0

    def give(self, query: str) -> None:
        self.query, self.since, self.spent = query, time.monotonic(), cpu_seconds(self.process.pid)
        self.channel.send(query)

    def finding(self) -> str | None:
        """What is wrong with the query that it was given; None while it is still at work."""
        try:
            if self.channel.poll(0.002):
                found: str = self.channel.recv()
                return found
        except EOFError:
            code = self.process.exitcode
            self._restart()
            return f"the process died ({code})"
        if cpu_seconds(self.process.pid) - self.spent > QUERY_LIMIT + GRACE or time.monotonic() - self.since > STALLED:
            self._restart()
            return f"no answer in {QUERY_LIMIT + GRACE:.0f} s of CPU or {STALLED:.0f} s"
        return None

    def _restart(self) -> None:
        query = self.query
        self.process.kill()
        self._start()
        self.query = query


def report(number: int, query: str, finding: str, folder: Path | None) -> None:
    shown = query if len(query) < 2000 else f"{query[:1000]} ... {len(query)} characters"
    print(f"--- finding {number}\n{shown.encode('utf-8', 'backslashreplace').decode()}\n{finding}", flush=True)
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number}.kql").write_text(query, encoding="utf-8", errors="surrogatepass")


def main() -> int:
    arguments = argparse.ArgumentParser(description="Looks for queries that crash or hang the toolkit.")
    arguments.add_argument("--minutes", type=float, default=30)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--workers", type=int, default=2)
    arguments.add_argument("--save", type=Path)
    options = arguments.parse_args()
    end = time.monotonic() + options.minutes * 60
    mutations = iter(Mutator(corpus(), options.seed))
    workers = [Worker() for _ in range(options.workers)]
    for worker in workers:
        worker.give(next(mutations))
    tried = findings = 0
    shown = time.monotonic()
    while time.monotonic() < end:
        for worker in workers:
            query, found = worker.query, worker.finding()
            if found is None:
                continue
            tried += 1
            if found:
                findings += 1
                report(findings, query, found, options.save)
            worker.give(next(mutations))
        if time.monotonic() - shown > 60:
            shown = time.monotonic()
            print(f"{tried:,} queries, {findings} findings, {(end - shown) / 60:.0f} minutes to go", flush=True)
    for worker in workers:
        worker.process.kill()
    print(f"{tried:,} queries in {options.minutes:g} minutes: {findings} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
