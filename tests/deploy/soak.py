"""A large deployment through faults and kills, and what has to be true afterwards.

    python -m tests.deploy.soak            # the full size: 512 rules, 200 hunting queries, 100 functions, 20 watchlists, 30 workbooks

The workspace begins with an older revision of a fifth of the content, with content that is to be deleted, and with content of others. Then
every tenth request fails, and the process that deploys is killed in mid-apply several times and started again. The minimum is what the
same deployment asks of a server without faults.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.azure_server import AzureServer, Site
from tests.azure_server.faults import TRANSIENT
from tests.deploy.conftest import TABLES, project_file, rule_text
from toolkit import Workspace as Engine
from toolkit.azure import Address, StaticCredential
from toolkit.azure.resources import ALERT_RULE, SAVED_SEARCH
from toolkit.content.project import Project
from toolkit.deploy.connection import Connection

ROOT = Path(__file__).resolve().parent.parent.parent
_WAIT = 300.0


@dataclass(frozen=True)
class Size:
    """How much of everything, and how often the process is killed."""

    rules: int = 512
    hunting: int = 200
    functions: int = 100
    watchlists: int = 20
    workbooks: int = 30
    others: int = 40
    obsolete: int = 25
    kills: int = 3
    rate: float = 0.1


@dataclass(frozen=True)
class Soak:
    """What was measured: requests of both runs, seconds of the last plan (the process's own processor time), how many runs it took."""

    requests: int
    minimum: int
    faults: int
    runs: int
    plan_seconds: float
    problems: tuple[str, ...]

    @property
    def ratio(self) -> float:
        return self.requests / self.minimum


def content(size: Size, revision: int) -> dict[str, str]:
    """The project's files; revision 1 has the fifth part, in an older form, and obsolete rules."""
    part = 1 if revision == 2 else 5
    severity = "High" if revision == 2 else "Low"
    files: dict[str, str] = {}
    for number in range(0, size.watchlists, part):
        rows = "".join(f"user{row}@contoso.com,team{row % (3 + revision)}\n" for row in range(20 + 5 * revision))
        files[f"detections/w/watchlists/List{number}.yaml"] = f"alias: List{number}\ndisplayName: List {number}\nitemsSearchKey: User\n"
        files[f"detections/w/watchlists/List{number}.csv"] = "User,Team\n" + rows
    for number in range(0, size.functions, part):
        below = f"Function{number - 5}()" if number % 10 == 5 else "SigninLogs"
        query = f"{below}\n  | where UserPrincipalName in ((_GetWatchlist('List{number % size.watchlists // 5 * 5}') | project SearchKey))"
        files[f"detections/f/functions/Function{number}.yaml"] = (
            f"displayName: Function {number}\nfunctionAlias: Function{number}\ncategory: {severity}\nquery: |\n  {query}\n"
        )
    for number in range(0, size.rules, part):
        source = f"Function{number % size.functions // 5 * 5}()" if number % 4 == 0 else "SigninLogs"
        query = f"|\n  {source}\n  | where ResultType == '{number}'\n  | summarize Count = count() by UserPrincipalName, IPAddress"
        files[f"detections/r{number % 8}/rules/rule{number}.yaml"] = rule_text(number + 1, severity=severity, query=query)
    for number in range(0, size.hunting, part):
        files[f"detections/h/hunting/hunt{number}.yaml"] = (
            f"id: 22222222-2222-2222-2222-{number:012}\nname: Hunt {number}\ndescription: {severity}.\ntactics: [Discovery]\n"
            f"query: |\n  SigninLogs\n  | where IPAddress == '192.0.2.{number % 250}'\n  | count\n"
        )
    for number in range(0, size.workbooks, part):
        items = [{"type": 1, "name": f"text{item}", "content": {"json": f"# {severity} {item}"}} for item in range(20)]
        files[f"workbooks/book{number}.json"] = json.dumps({"version": "Notebook/1.0", "items": items}, indent=2)
    for number in range(size.obsolete if revision == 1 else 0):
        files[f"detections/o/rules/old{number}.yaml"] = rule_text(900_000 + number)
    return files


def write(folder: Path, server: AzureServer, files: Mapping[str, str], size: Size) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    for name, text in {"toolkit.yaml": project_file(server, f"deploy: {{maxDeletes: {size.obsolete}}}"), **files}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def seed(server: AzureServer, folder: Path, size: Size) -> None:
    """Content of others, then the older revision."""
    write(folder, server, content(size, 1), size)
    with Connection.open(Project.load(folder, folder), "local", StaticCredential("local")) as connection:
        properties = {"enabled": True, "severity": "Low", "query": "SigninLogs", "suppressionEnabled": False, "suppressionDuration": "PT5H"}
        for number in range(size.others):
            rule = {"kind": "NRT", "properties": {**properties, "displayName": f"Theirs {number}"}}
            connection.arm.put(Address(ALERT_RULE, connection.workspace, f"99999999-9999-9999-9999-{number:012}"), rule)
            search = {"properties": {"category": "Theirs", "displayName": f"Theirs {number}", "query": "SigninLogs"}}
            connection.arm.put(Address(SAVED_SEARCH, connection.workspace, f"theirs-{number}"), search)
    done = toolkit(folder, "deploy", "local", "--yes", "--skip-validation")
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


def toolkit(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(*arguments), cwd=folder, capture_output=True, text=True, timeout=_WAIT, stdin=subprocess.DEVNULL)


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "toolkit.cli", *arguments]


def deploy_and_kill(folder: Path, server: AzureServer, writes: int) -> bool:
    """Starts a deployment and kills it without notice after so many writes; False when it had ended by itself."""
    before = sum(server.log.writes.values())
    process = subprocess.Popen(
        command("deploy", "local", "--yes", "--skip-validation"), cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + _WAIT
    while process.poll() is None and sum(server.log.writes.values()) - before < writes and time.monotonic() < deadline:
        time.sleep(0.02)
    killed = process.poll() is None
    process.kill()
    process.wait()
    return killed


def run(size: Size) -> Soak:
    """The soak, with everything that is wrong in `problems`."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "project"
        minimum = _undisturbed(folder, size)
        with AzureServer(Site("soc", Engine(TABLES))) as server:
            return _disturbed(server, folder, size, minimum)


def _undisturbed(folder: Path, size: Size) -> int:
    with AzureServer(Site("soc", Engine(TABLES))) as server:
        seed(server, folder, size)
        write(folder, server, content(size, 2), size)
        start = len(server.log)
        done = toolkit(folder, "deploy", "local", "--yes", "--skip-validation")
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        return len(server.log) - start


def _disturbed(server: AzureServer, folder: Path, size: Size, minimum: int) -> Soak:
    seed(server, folder, size)
    write(folder, server, content(size, 2), size)
    start, before = len(server.log), dict(server.log.writes)
    theirs = {name for _, name in before if "9999-" in name or "theirs-" in name}
    server.faults.randomly(size.rate, seed=7, kinds=TRANSIENT)
    share = 2 * (size.rules + size.hunting) // (size.kills + 1)
    kills = sum(deploy_and_kill(folder, server, share) for _ in range(size.kills))
    runs, done = kills, toolkit(folder, "deploy", "local", "--yes", "--skip-validation")
    while done.returncode and runs < kills + 3:
        runs += 1
        done = toolkit(folder, "deploy", "local", "--yes", "--skip-validation")
    faults = sum(bool(record.fault) for record in list(server.log)[start:])
    requests = len(server.log) - start
    server.faults.clear()
    problems = [] if kills == size.kills else [f"killed {kills} times, not {size.kills}"]
    problems += [] if done.returncode == 0 else [f"the last run ended with {done.returncode}: {done.stdout[-1500:]}"]
    written = {key: count - before.get(key, 0) for key, count in server.log.writes.items()}
    problems += [f"written {count} times: {key}" for key, count in written.items() if count > 1]
    problems += [f"not ours and touched: {key}" for key, count in written.items() if count and key[1] in theirs]
    seconds, shown = planned(folder)
    problems += [] if shown.startswith("local: No changes; ") else [f"the plan afterwards: {shown}"]
    return Soak(requests, minimum, faults, runs + 1, seconds, tuple(problems))


def planned(folder: Path) -> tuple[float, str]:
    """The processor time of `toolkit plan` in a process of its own, and the last line that it shows."""
    before = os.times()
    done = toolkit(folder, "plan", "local")
    after = os.times()
    seconds = after.children_user - before.children_user + after.children_system - before.children_system
    return seconds, (done.stdout.strip().split("\n") or [""])[-1] + done.stderr[-500:]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="a part of the full size")
    scale = parser.parse_args().scale
    full = Size()
    size = Size(*(max(5, int(number * scale)) for number in (full.rules, full.hunting, full.functions, full.watchlists, full.workbooks)))
    started = time.monotonic()
    found = run(size)
    counts = f"{size.rules} rules, {size.hunting} hunting queries, {size.functions} functions"
    print(f"{counts}, {size.watchlists} watchlists, {size.workbooks} workbooks")
    print(f"{found.faults} faults, {size.kills} kills, {found.runs} runs in {time.monotonic() - started:.0f} s with the undisturbed one")
    print(f"requests: {found.requests}, undisturbed {found.minimum}: {found.ratio:.3f} of the minimum")
    print(f"plan afterwards: {found.plan_seconds:.2f} s of processor time")
    for problem in found.problems:
        print(f"WRONG: {problem}")
    return 1 if found.problems or found.ratio > 1.2 else 0


if __name__ == "__main__":
    sys.exit(main())
