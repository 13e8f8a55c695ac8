"""`python -m tests.azure_server`: a server of its own process, which prints an environment that the toolkit can use."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from toolkit.azure import Address, StaticCredential
from toolkit.azure.resources import ALERT_RULE
from toolkit.content.project import Project
from toolkit.deploy.connection import Connection

ROOT = Path(__file__).parents[2]
_RULE = {
    "kind": "Scheduled",
    "properties": {
        "displayName": "Rule",
        "enabled": True,
        "severity": "Low",
        "query": "T | where A == 1",
        "queryFrequency": "PT1H",
        "queryPeriod": "PT1H",
        "triggerOperator": "GreaterThan",
        "triggerThreshold": 0,
        "suppressionEnabled": False,
        "suppressionDuration": "PT1H",
    },
}


def _start(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.azure_server", *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_what_it_prints_is_an_environment(tmp_path: Path) -> None:
    tables = tmp_path / "tables.yaml"
    tables.write_text("T: {TimeGenerated: datetime, A: long}\n", encoding="utf-8")
    process = _start("--tables", str(tables), "--workspace", "lab")
    assert process.stdout is not None
    lines = [process.stdout.readline()]
    while "location" not in lines[-1]:
        assert lines[-1], process.communicate()[1]
        lines.append(process.stdout.readline())
    assert lines[0].startswith("# http://127.0.0.1:")
    (tmp_path / "toolkit.yaml").write_text("name: x\n" + "".join(lines), encoding="utf-8")
    with Connection.open(Project.load(tmp_path, tmp_path), "local", StaticCredential("local")) as connection:
        address = Address(ALERT_RULE, connection.workspace, "11111111-1111-1111-1111-000000000001")
        assert connection.arm.put(address, _RULE).created
        assert set(connection.logs.schema(connection.workspace_id).tables) == {"T"}
    process.terminate()
    rest, told = process.communicate(timeout=30)
    assert process.returncode == 0
    assert f"PUT    201 {address.id}" in told
    assert "2 requests, 1 resources written." in told
    assert rest == ""


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--tables", "tests/azure_server/test_main.py"], "Error: "),
        (["--faults", "2"], "2.0 is not in the range 0<=x<=1"),
        (["--data", "nowhere"], "'nowhere' does not exist"),
    ],
)
def test_what_it_refuses(arguments: list[str], says: str) -> None:
    process = _start(*arguments)
    _, told = process.communicate(timeout=30)
    assert process.returncode != 0
    assert says in told
    assert "Traceback" not in told
