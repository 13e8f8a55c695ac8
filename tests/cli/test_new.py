"""`toolkit init` and `toolkit new`: what they write validates at once, and they overwrite nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Toolkit


def test_a_new_project_is_clean_at_once(toolkit: Toolkit, tmp_path: Path) -> None:
    ran = toolkit("init", "mine")
    assert ran.code == 0
    assert "Next: `cd mine && toolkit validate`." in ran.out
    assert (tmp_path / "mine" / "toolkit.yaml").is_file()
    ran = toolkit("validate", "mine", "--strict")
    assert ran.out.endswith("1 rule; cases: 2 passed; no findings.\n")


def test_a_second_project_overwrites_nothing(toolkit: Toolkit, tmp_path: Path) -> None:
    assert toolkit("init").code == 0
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    ran = toolkit("init")
    assert ran.code == 2
    assert "exists already; nothing was written" in ran.err
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    "table", ["SigninLogs", "AWSCloudTrail", "AzureActivity", "SecurityEvent", "AzureDiagnostics", "Syslog", "DeviceProcessEvents"]
)
def test_a_new_rule_is_clean_at_once(toolkit: Toolkit, tmp_path: Path, table: str) -> None:
    ran = toolkit("new", "rule", "A rule: with 'quotes' & \"more\"", "--system", "My system", "--table", table)
    assert ran.code == 0
    rule = tmp_path / "detections/my-system/rules/a-rule-with-quotes-more.yaml"
    assert rule.is_file()
    ran = toolkit("validate", "--strict")
    assert ran.out.endswith("1 rule; cases: 2 passed; no findings.\n"), ran.out


def test_two_rules_of_one_name_get_ids_of_their_own(toolkit: Toolkit, tmp_path: Path) -> None:
    for system in ("a", "b"):
        assert toolkit("new", "rule", "Same", "--system", system).code == 0
    assert toolkit("validate", "--strict").code == 0
    assert toolkit("new", "rule", "Same", "--system", "a").code == 2


def test_a_folder_that_cannot_be_written(toolkit: Toolkit, tmp_path: Path) -> None:
    (tmp_path / "detections").write_text("a file")
    ran = toolkit("new", "rule", "x")
    assert ran.code == 2
    assert "cannot be written" in ran.err
