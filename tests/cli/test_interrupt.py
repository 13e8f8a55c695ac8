"""Ctrl-C and closed pipes, on the real process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

_ENDLESS = (
    "range A from 1 to 1000000 step 1 | extend K = 1 | join kind=inner (range B from 1 to 1000000 step 1 | extend K = 1) on K "
    "| join kind=inner (range C from 1 to 1000000 step 1 | extend K = 1) on K | summarize sum(A * B * C)"
)


def _start(folder: Path, *args: str) -> subprocess.Popen[str]:
    root = Path(__file__).resolve().parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "toolkit.cli", *args]
    return subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


# Several times what the start takes; and how long a busy machine may take for it, in seconds of the clock.
_INSIDE, _PATIENCE = 6.0, 180.0


def _interrupt_inside(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Control-C once the process is inside its endless query: exit code, output and messages.

    That is known by the processor time that it has used. Beside others that are busy the clock says nothing: the start alone then
    takes many seconds, and a signal in it would prove less.
    """
    deadline = time.monotonic() + _PATIENCE
    while _processor_seconds(process.pid, deadline) < _INSIDE and time.monotonic() < deadline:
        assert process.poll() is None, "it ended by itself"
        time.sleep(0.05)
    assert process.poll() is None, "it ended by itself"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=_PATIENCE)
    return process.returncode, out, err.strip()


def _processor_seconds(number: int, deadline: float) -> float:
    """What a process has used; where the system does not tell (it has no /proc), the clock since the start counts."""
    try:
        fields = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return time.monotonic() - (deadline - _PATIENCE)
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_control_c_stops_a_query(tmp_path: Path, write: Callable[..., Path]) -> None:
    write("data/SigninLogs.jsonl", json.dumps({"TimeGenerated": "2026-03-02T09:00:00Z"}) + "\n")
    process = _start(tmp_path, "query", _ENDLESS, "--data", "data")
    assert _interrupt_inside(process) == (130, "", "Interrupted.")


def test_control_c_stops_a_validation(tmp_path: Path, write: Callable[..., Path]) -> None:
    rule = f"id: 00000000-0000-0000-0000-000000000001\nname: a\nkind: NRT\nseverity: Low\nquery: {_ENDLESS}\n"
    write("detections/a/rules/x.yaml", rule)
    cases = "".join(f"- {{name: case {number}, now: 2026-03-02T10:00:00Z, expect: none}}\n" for number in range(20))
    write("detections/a/rules/x.tests.yaml", f"cases:\n{cases}")
    process = _start(tmp_path, "validate")
    assert _interrupt_inside(process) == (130, "", "Interrupted.")


def test_a_reader_that_goes_away(tmp_path: Path, write: Callable[..., Path]) -> None:
    write(
        "data/SigninLogs.jsonl",
        "".join(json.dumps({"TimeGenerated": "2026-03-02T09:00:00Z", "ResultType": str(number)}) + "\n" for number in range(20_000)),
    )
    with _start(tmp_path, "query", "SigninLogs", "--data", "data", "--format", "csv") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(timeout=_PATIENCE) == 0
