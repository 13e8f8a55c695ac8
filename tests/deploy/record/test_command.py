"""`toolkit record` against the local Azure: what is written, what is said, what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.azure_server import AzureServer
from tests.deploy.record.conftest import Here
from toolkit.cli.main import run

_QUERY = "AzureActivity | project TimeGenerated, Caller, CallerIpAddress, Where = 'x', _ResourceId"


def test_a_query_is_recorded_and_listed(here: Here) -> None:
    code, out, err = here.record(
        "AzureActivity", "--query", "AzureActivity | where Caller has 'mallory'", "--limit", "1", "--report", "report.json"
    )
    assert (code, out) == (0, ""), err
    (row,) = here.rows("AzureActivity")
    assert row["TimeGenerated"] == "2026-03-02T10:00:01.0000007Z"
    assert "mallory" not in json.dumps(row)
    report = json.loads(Path("report.json").read_text(encoding="utf-8"))
    assert {"path": "Caller", "kind": "email", "values": 1, "distinct": 1} in report["replaced"]
    assert (report["table"], report["rows"]) == ("AzureActivity", 1)
    assert "mallory" not in err + json.dumps(report)
    assert "0f0f0f" not in err + json.dumps(report)
    assert "look at it before you commit it" in err


def test_a_column_that_the_table_does_not_have_is_a_finding(here: Here) -> None:
    code, _, err = here.record("AzureActivity", "--query", _QUERY)
    assert code == 1
    assert "AzureActivity has no column Where." in err
    columns = list(here.rows("AzureActivity")[0])
    assert columns.index("Caller") < columns.index("TimeGenerated") < columns.index("Where")


def test_a_dry_run_writes_nothing(here: Here) -> None:
    code, out, err = here.record("AWSCloudTrail", "--dry-run")
    assert code == 0, err
    assert 1 <= len([json.loads(line) for line in out.splitlines()]) <= 3
    assert "would be written" in err
    assert not Path("samples").exists()


def test_a_file_that_is_there_stays_without_force(here: Here) -> None:
    path = Path("samples/AzureActivity.scenario.jsonl")
    path.parent.mkdir()
    path.write_text("mine", encoding="utf-8")
    code, _, err = here.record("AzureActivity")
    assert (code, path.read_text(encoding="utf-8")) == (3, "mine")
    assert "--force" in err
    assert here.record("AzureActivity", "--force")[0] == 0
    assert len(here.rows("AzureActivity")) == 2
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_a_part_of_the_answer_is_refused(here: Here, azure: AzureServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(azure.behaviour, "row_limit", 1)
    code, _, err = here.record("AzureActivity")
    assert code == 3
    assert "--allow-partial" in err
    assert not Path("samples").exists()
    code, _, err = here.record("AzureActivity", "--allow-partial")
    assert code == 0
    assert "1 row (a part of the answer) written" in err


def test_two_tables_join_on_pseudonyms(here: Here) -> None:
    for table in ("AzureActivity", "AzureDiagnostics"):
        assert here.record(table)[0] == 0
    clusters = {str(row["_ResourceId"]).lower() for row in here.rows("AzureDiagnostics")}
    assert any(str(row["_ResourceId"]).lower().startswith(cluster) for row in here.rows("AzureActivity") for cluster in clusters)


@pytest.mark.parametrize(
    ("more", "code", "words"),
    [
        (("--last", "1d"), 2, "--last stands for --start and --end"),
        (("--keep", "Nothing"), 3, "--keep Nothing: expected a column of the answer"),
        (("--query", "AzureActivity | where"), 3, "columns and functions of the query"),
        (("--limit", "0"), 2, "--limit"),
        (("--key-file", "key-in-the-project"), 3, "outside of every repository"),
    ],
)
def test_refusals(here: Here, more: tuple[str, ...], code: int, words: str) -> None:
    found, _, err = here.record("AzureActivity", *more)
    assert found == code
    assert words in err
    assert not Path("samples").exists()


def test_an_unknown_table(here: Here) -> None:
    code, _, err = here.record("AzureActivty")
    assert code == 2
    assert "AzureActivity" in err


def test_the_key_of_the_environment_and_a_new_one(here: Here, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def first(name: str) -> str:
        assert run(["record", "local", "--table", "AzureActivity", "-o", name, "--start", "2026-03-02", "--end", "2026-03-03"]) == 0
        return Path(name).read_text(encoding="utf-8")

    assert here.record("AzureActivity")[0] == 0
    given = Path("samples/AzureActivity.scenario.jsonl").read_text(encoding="utf-8")
    monkeypatch.setenv("TOOLKIT_RECORD_KEY", "0f" * 32)
    assert first("a.jsonl") == given
    monkeypatch.delenv("TOOLKIT_RECORD_KEY")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home" / "config"))
    monkeypatch.setenv("APPDATA", str(tmp_path / "home" / "config"))
    monkeypatch.setattr("click.get_app_dir", lambda name: str(tmp_path / "home" / "config" / name))
    made = first("b.jsonl")
    assert made != given
    assert made == first("c.jsonl")
    assert "a new key" in here.capture.readouterr().err
