"""What HTTP adds to the engine's own time: small answers, a million rows, many clients at once.

usage: python benchmarks/serve.py [--rows 1000000] [--runs 5] [--clients 64] [--seconds 20]

The server runs in a process of its own, as users run it. Ratios are to the engine's own time for the same query, measured in this
process in the same run. `--seconds 300` is the long run: no error, no wrong row, and memory that stays where it is.
Exits with 1 when a bar is missed: 10 ms for a small answer, 50 MB/s for many rows, memory that grows by more than a tenth.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from toolkit import Workspace  # noqa: E402  # the checkout, not an installed package

SMALL_MS, STREAM_MB, GROWTH = 10.0, 50.0, 0.10
SAMPLES = ROOT / "detections" / "aws" / "samples"
SMALL = ("print x = 1", "AWSCloudTrail | summarize count() by EventName", "AWSCloudTrail | where EventName == 'ConsoleLogin' | take 20")
MANY = (
    "range x from 1 to {rows} step 1 | extend User = strcat('user', x % 1000, '@contoso.com'), "
    "TimeGenerated = datetime(2026-03-01) + x * 1s, Score = x * 0.37, Bag = pack('id', x), Address = strcat('192.0.2.', x % 255)"
)


@dataclass(frozen=True)
class Served:
    """A running `toolkit serve`."""

    port: int
    pid: int

    def memory(self) -> float:
        """Resident megabytes."""
        fields = Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii").split()
        return int(fields[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20

    def cpu(self) -> float:
        """Seconds of processor time so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def server() -> Iterator[Served]:
    command = [sys.executable, "-m", "toolkit.cli", "serve", "--data", str(SAMPLES), "--port", "0", "--quiet"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"}) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        try:
            yield Served(int(line.split(";")[0].rpartition(":")[2]), process.pid)
        finally:
            process.terminate()


class Client:
    """One connection that is kept, as the clients keep theirs."""

    def __init__(self, served: Served) -> None:
        self._connection = HTTPConnection("127.0.0.1", served.port, timeout=600)

    def ask(self, csl: str) -> bytes:
        body = json.dumps({"db": "x", "csl": csl, "properties": {"Options": {"notruncation": True}}})
        self._connection.request("POST", "/v2/rest/query", body, {"Content-Type": "application/json"})
        answer = self._connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{answer.status}: {text[:200]!r}")
        return text

    def drain(self, csl: str) -> int:
        """Bytes of an answer, which is not kept."""
        body = json.dumps({"db": "x", "csl": csl, "properties": {"Options": {"notruncation": True}}})
        self._connection.request("POST", "/v2/rest/query", body, {"Content-Type": "application/json"})
        answer = self._connection.getresponse()
        size = 0
        while part := answer.read(1 << 20):
            size += len(part)
        return size


def milliseconds(work: Callable[[], object], runs: int) -> float:
    """The fastest run: what neighbours on a busy machine add is not counted."""
    work()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append((time.perf_counter() - start) * 1e3)
    return min(times)


def small(workspace: Workspace, served: Served, runs: int) -> bool:
    print(f"{'small answers':60}{'engine':>10}{'HTTP':>10}{'added':>10}{'ratio':>8}")
    client, good = Client(served), True
    for query in SMALL:
        engine = milliseconds(lambda query=query: workspace.query(query).to_json(), runs * 10)  # type: ignore[misc]
        http = milliseconds(lambda query=query: client.ask(query), runs * 10)  # type: ignore[misc]
        good &= http - engine <= SMALL_MS
        print(f"{query[:58]:60}{engine:7.1f} ms{http:7.1f} ms{http - engine:7.1f} ms{http / engine:8.2f}")
    return good


def many(workspace: Workspace, served: Served, rows: int, runs: int) -> bool:
    query, client = MANY.format(rows=rows), Client(served)
    engine = http = math.inf
    size, began = 0, served.cpu()
    for _ in range(runs):
        start = time.perf_counter()
        workspace.query(query)
        engine = min(engine, time.perf_counter() - start)
        start = time.perf_counter()
        size = client.drain(query)
        http = min(http, time.perf_counter() - start)
    used = (served.cpu() - began) / runs
    rate = size / 1e6 / http
    print(
        f"{rows:,} rows, {size / 1e6:.0f} MB: engine {engine:.2f} s, HTTP {http:.2f} s, ratio {http / engine:.2f}; "
        f"{rate:.0f} MB/s with the engine's time; {used:.2f} s of processor time per answer"
    )
    return rate >= STREAM_MB


@dataclass
class Load:
    """What the clients of the long run saw."""

    asked: int = 0
    errors: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


def worker(number: int, served: Served, until: float, load: Load) -> None:
    """Asks for rows that nobody else asks for, and reads every one."""
    client, turn = Client(served), 0
    while time.monotonic() < until:
        turn += 1
        rows = 1 + (number * 7 + turn) % 200
        mark = f"c{number}t{turn}"
        try:
            frames = json.loads(client.ask(f"range x from 1 to {rows} step 1 | extend who = '{mark}', y = x * {number}"))
            found = next(frame["Rows"] for frame in frames if frame.get("TableKind") == "PrimaryResult")
            if sorted(found) != [[x, mark, x * number] for x in range(1, rows + 1)]:
                load.errors.append(f"{mark}: wrong rows")
        except Exception as error:  # noqa: BLE001  # whatever it is, it is what is counted
            load.errors.append(f"{mark}: {type(error).__name__}: {error}")
            client = Client(served)
        with load.lock:
            load.asked += 1


def crowd(served: Served, clients: int, seconds: float) -> bool:
    load, began = Load(), time.monotonic()
    threads = [threading.Thread(target=worker, args=(number, served, began + seconds, load), daemon=True) for number in range(clients)]
    for thread in threads:
        thread.start()
    memory = []
    while any(thread.is_alive() for thread in threads):
        time.sleep(min(1.0, seconds / 10))
        memory.append(served.memory())
    settled = memory[len(memory) // 5 :]
    grown = statistics.mean(settled[-len(settled) // 4 :]) / statistics.mean(settled[: max(1, len(settled) // 4)]) - 1
    rate = load.asked / (time.monotonic() - began)
    print(
        f"{clients} clients for {seconds:g} s: {load.asked:,} queries ({rate:.0f}/s), {len(load.errors)} errors or wrong answers; "
        f"memory {settled[0]:.0f} MiB at first, {settled[-1]:.0f} MiB at last, {grown:+.1%}"
    )
    for text in load.errors[:5]:
        print(f"  {text}")
    return not load.errors and grown <= GROWTH


def main() -> int:
    arguments = argparse.ArgumentParser(description="What HTTP adds to the engine's own time.")
    arguments.add_argument("--rows", type=int, default=1_000_000)
    arguments.add_argument("--runs", type=int, default=5)
    arguments.add_argument("--clients", type=int, default=64)
    arguments.add_argument("--seconds", type=float, default=20)
    options = arguments.parse_args()
    workspace = Workspace()
    for path in sorted(SAMPLES.glob("AWSCloudTrail.*.jsonl")):
        workspace.ingest("AWSCloudTrail", path)
    with server() as served:
        good = small(workspace, served, options.runs)
        good &= many(workspace, served, options.rows, options.runs)
        good &= crowd(served, options.clients, options.seconds)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
