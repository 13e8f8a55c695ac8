"""`toolkit serve` as a process: what it prints, what it refuses to start with, how it stops."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Toolkit
from tests.serve.conftest import SLOW

ROOT = Path(__file__).resolve().parents[2]
LOG = json.dumps({"TimeGenerated": "2026-03-02T09:00:00Z", "UserPrincipalName": "ana@contoso.com"}) + "\n"
FUNCTION = "id: 00000000-0000-0000-0000-000000000001\nFunction: {Title: Recent}\nCategory: x\nFunctionName: Recent\nFunctionAlias: Recent\n"


@contextmanager
def _serving(folder: Path, *args: str, **environment: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    command = [sys.executable, "-m", "toolkit.cli", "serve", "--port", "0", *args]
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **environment}
    with subprocess.Popen(command, cwd=folder, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            match = re.search(r" on http://127\.0\.0\.1:(\d+); Ctrl-C stops\.", line)
            assert match, line + (process.communicate()[1] if not line else "")
            yield process, int(match[1])
        finally:
            process.kill()


def _ask(port: int, query: str, headers: dict[str, str] | None = None) -> tuple[int, Any]:
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("POST", "/v1/workspaces/x/query", json.dumps({"query": query}), headers or {})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def test_a_folder_with_its_project_is_served_until_control_c(tmp_path: Path, write: Callable[..., Path]) -> None:
    write("toolkit.yaml", "parameters: {}\n")
    write("detections/a/samples/SigninLogs.jsonl", LOG)
    write("detections/a/functions/Recent.yaml", FUNCTION + "FunctionQuery: SigninLogs | where TimeGenerated > ago(2h)\n")
    with _serving(tmp_path, "--data", "detections/a/samples", "--now", "2026-03-02T10:00:00Z") as (process, port):
        assert _ask(port, "Recent | project UserPrincipalName")[1]["tables"][0]["rows"] == [["ana@contoso.com"]]
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (0, "")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ 127\.0\.0\.1 POST /v1/workspaces/x/query 200 \d+ ms, 1 row\n", err)


@pytest.mark.parametrize(
    ("places", "names", "rows"),
    [
        (["logs/SigninLogs.jsonl"], "logs", 1),
        (["logs/SigninLogs.jsonl", "logs/SigninLogs.later.jsonl"], "logs", 2),
        (["logs", "logs/SigninLogs.jsonl", "x=more"], "logs, x", 2),
        (["soc=logs/SigninLogs.jsonl", "SOC=more", "soc=logs/SigninLogs.jsonl"], "soc", 3),
        (["aks=more", "soc=logs", "aks=logs"], "aks, soc", 4),
    ],
)
def test_files_and_several_places_of_one_name(
    tmp_path: Path, write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, places: list[str], names: str, rows: int
) -> None:
    from toolkit.cli.serve import _database, _named

    monkeypatch.chdir(tmp_path)
    write("logs/SigninLogs.jsonl", LOG)
    write("logs/SigninLogs.later.jsonl", LOG)
    write("more/SigninLogs.jsonl", LOG * 2)
    databases = [_database(name, found, {"lenient": False, "in_place": False}) for name, found in _named(places)]
    assert ", ".join(each.name for each in databases) == names
    assert databases[0].workspace.query("SigninLogs | count").rows() == [(rows,)]


def test_a_query_that_runs_does_not_keep_the_server(tmp_path: Path) -> None:
    with _serving(tmp_path, "--quiet") as (process, port):
        connection = HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("POST", "/v1/workspaces/x/query", json.dumps({"query": SLOW}), {})
        time.sleep(1)  # so that the query runs; a signal before it only stops the server sooner
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
        connection.close()
    assert (process.returncode, err) == (0, "")


def test_a_token_from_the_environment(tmp_path: Path) -> None:
    with _serving(tmp_path, TOOLKIT_SERVE_TOKEN="open sesame") as (process, port):
        assert _ask(port, "print 1")[0] == 401
        assert _ask(port, "print 1", {"Authorization": "Bearer open sesame"})[0] == 200
        process.send_signal(signal.SIGTERM)
        assert "sesame" not in "".join(process.communicate(timeout=30))


def test_a_request_is_one_line_of_the_record(tmp_path: Path) -> None:
    with _serving(tmp_path) as (process, port):
        with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
            connection.sendall(b"GET /%0afaked%1b[31m" + b"a" * 5000 + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\nNONSENSE")
            assert b" 404 " in b"".join(iter(lambda: connection.recv(65536), b""))
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=30)
    (line,) = err.splitlines()
    assert " GET /%0Afaked%1B[31maaa" in line
    assert len(line) < 300


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_does_not_wait(tmp_path: Path, number: signal.Signals) -> None:
    with _serving(tmp_path, "--quiet") as (process, port):
        connections = [HTTPConnection("127.0.0.1", port, timeout=60) for _ in range(3)]
        for connection in connections:
            connection.request("POST", "/v1/workspaces/x/query", json.dumps({"query": SLOW}), {})
        time.sleep(1)  # so that the queries run; without it there is only less to stop
        process.send_signal(number)
        time.sleep(0.2)
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
        for connection in connections:
            connection.close()
    assert (process.returncode, out, err) == (0, "", "")


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (("--host", "0.0.0.0"), 3, "a token is required"),
        (("--data", "nowhere"), 3, "no such folder"),
        (("--data", "a/logs", "--data", "b/logs"), 3, "different names"),
        (("--token-file", "none"), 2, "--token-file none: cannot be read"),
        (("--token-file", "empty"), 2, "expected a token, found an empty file"),
        (("--port", "70000"), 2, "70000"),
        (("--now", "monday"), 2, "Expected a time such as"),
    ],
)
def test_what_it_does_not_start_with(toolkit: Toolkit, write: Callable[..., Path], args: tuple[str, ...], code: int, words: str) -> None:
    write("empty", " \n")
    write("a/logs/SigninLogs.jsonl", LOG)
    write("b/logs/SigninLogs.jsonl", LOG)
    ran = toolkit("serve", "--port", "0", *args)
    assert (ran.code, words in ran.err) == (code, True)


def test_without_the_extra_it_says_what_to_install(toolkit: Toolkit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    monkeypatch.delitem(sys.modules, "toolkit.serve.server", raising=False)
    ran = toolkit("serve")
    assert (ran.code, "pip install 'toolkit[serve]'" in ran.err) == (3, True)
