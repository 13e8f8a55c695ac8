"""`toolkit backtest` as a user runs it."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.azure_server import FORBIDDEN, AzureServer
from tests.deploy.conftest import rule_text, write_project
from toolkit.cli.main import run

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
RULE = "detections/iam/rules/failed.yaml"
UNTIL = ["--until", "2026-03-02T10:00:00Z"]


@pytest.fixture
def here(server: AzureServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AzureServer:
    """A project in the current folder, and sign-ins 2 and 30 hours before NOW."""
    write_project(tmp_path, server, {RULE: rule_text(queryFrequency="1h", queryPeriod="1h")})
    engine = server.site().engine
    assert engine is not None
    engine.ingest(
        "SigninLogs", [{"TimeGenerated": NOW - timedelta(hours=hours), "ResultType": "50126"} for hours in (2.5, 30.5, 30.6, 31.5)]
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "60")
    return server


TEXT = """\
Failed sign-ins 1 on local

2026-02-28                                            0
2026-03-01  █████████████████████████████████████████████  2
2026-03-02  ██████████████████████▌                        1

expected alerts a day  1.5
alerts                 3 in 3 runs, of 48 runs
busiest day            2026-03-01, 2 alerts
windows                1h every 1h
not known              0 failed, 0 partial
"""


def test_the_report(here: AzureServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["backtest", RULE, "local", "--days", "2", *UNTIL]) == 0
    out, err = capsys.readouterr()
    assert [line.split() for line in out.splitlines()] == [line.split() for line in TEXT.splitlines()]
    assert max(map(len, out.splitlines())) <= 60
    assert err == "48 runs from 2026-02-28 10:00 to 2026-03-02 10:00 UTC, windows of 1h every 1h: 48 queries in 1 request.\n"


@pytest.mark.parametrize("named", ["failed", "Failed sign-ins 1", "11111111-1111-1111-1111-000000000001", RULE])
def test_a_rule_is_found_by_what_people_call_it(here: AzureServer, capsys: pytest.CaptureFixture[str], named: str) -> None:
    assert run(["backtest", named, "local", "--days", "1", "--format", "json", *UNTIL]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["rule"], found["runs"], found["alerts"]) == ("Failed sign-ins 1", 24, 1)


def test_unknown_windows_are_findings_and_named(here: AzureServer, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    query = "|\n  SigninLogs\n  | where assert(now() != datetime(2026-03-02T09:00), 'no')"
    write_project(tmp_path, here, {RULE: rule_text(queryFrequency="1h", queryPeriod="1h", query=query)})
    assert run(["backtest", "failed", "local", "--days", "1", *UNTIL]) == 1
    out = capsys.readouterr().out
    assert "not known              1 failed, 0 partial" in out
    assert "failed: 1 run, 2026-03-02 09:00\n  POST " in out
    assert "  1+  1 of 11 runs unknown" in out


def test_days_without_any_answer_are_no_zeros(here: AzureServer, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    write_project(tmp_path, here, {RULE: rule_text(queryFrequency="1h", queryPeriod="1h", query="|\n  Nonsense")})
    assert run(["backtest", "failed", "local", "--days", "1", *UNTIL]) == 1
    out = capsys.readouterr().out
    assert "  ?  13 of 13 runs unknown" in out
    assert "expected alerts a day  unknown" in out
    assert "failed: 24 runs, 2026-03-01 11:00 to 2026-03-02 10:00\n" in out
    assert "named 'Nonsense'" in out


def test_nothing_but_the_missing_package_is_blamed(
    here: AzureServer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "azure.monitor.query", None)
    assert run(["backtest", "failed", "local", "--days", "1", *UNTIL]) == 3
    assert "pip install 'toolkit[azure]'" in capsys.readouterr().err


WRONG = [
    (["failed", "local", "--days", "10", "--max-queries", "100"], 2, "--step 3h looks at one run in 3"),
    (["failed", "local", "--days", "1", "--step", "90m"], 2, "expected a multiple of 1h"),
    (["failed", "local", "--days", "1", "--step", "often"], 2, "Expected a duration such as"),
    (["failed", "local", "--days", "1", "--until", "3000-01-01"], 2, "is not over"),
    (["faild", "local", "--days", "1"], 2, "Did you mean 'failed'?"),
    (["failed", "nowhere", "--days", "1"], 3, "There is no environment 'nowhere'"),
    (["rules/none.yaml", "local", "--days", "1"], 1, "There is no such file"),
]


@pytest.mark.parametrize(("arguments", "code", "text"), WRONG, ids=[row[2] for row in WRONG])
def test_wrong_wishes_say_what_to_do(
    here: AzureServer, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, text: str
) -> None:
    assert run(["backtest", *arguments]) == code
    out, err = capsys.readouterr()
    assert text in " ".join((out + err).split())
    assert not len(here.log)


def test_a_workspace_that_cannot_be_asked(here: AzureServer, capsys: pytest.CaptureFixture[str]) -> None:
    here.faults.add(FORBIDDEN, times=None)
    assert run(["backtest", "failed", "local", "--days", "1", *UNTIL]) == 3
    out, err = capsys.readouterr()
    assert not out
    assert "Assign Log Analytics Reader" in err
