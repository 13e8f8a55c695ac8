"""Rows in memory, pseudonymised; and a project beside a local Azure that has the shipped samples."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.azure_server import AzureServer, Site
from tests.deploy.conftest import project_file
from toolkit import Workspace
from toolkit.azure.tables import results_of
from toolkit.cli.main import run
from toolkit.deploy.record import Key, Recording, Shape, pseudonymise
from toolkit.engine.result import Result

ROOT = Path(__file__).parents[3]
SAMPLES = {
    "AzureDiagnostics": "aks/samples/AzureDiagnostics.cluster-admin.jsonl",
    "AzureActivity": "aks/samples/AzureActivity.role-assignment.jsonl",
    "AKSAudit": "aks/samples/AKSAudit.create-allowed.jsonl",
    "AWSCloudTrail": "aws/samples/AWSCloudTrail.root-create-user.jsonl",
}
_DAY = ("--start", "2026-03-02T00:00:00Z", "--end", "2026-03-03T00:00:00Z")
KEY = Key(bytes(range(32)))
OTHER = Key(bytes(range(1, 33)))


def result_of(columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> Result:
    """These rows as the answer of a workspace."""
    described = [{"name": name, "type": kind} for name, kind in columns.items()]
    cells = [[_cell(row.get(name), kind) for name, kind in columns.items()] for row in rows]
    return results_of([{"name": "PrimaryResult", "columns": described, "rows": cells}], None)


def _cell(value: Any, kind: str) -> Any:
    return json.dumps(value) if kind == "dynamic" and value is not None else value


def recording_of(columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]], key: Key = KEY, **shape: Any) -> Recording:
    return pseudonymise(result_of(columns, rows), key, Shape("T", **shape))


def texts(field: str, *values: str, key: Key = KEY) -> list[str]:
    """These texts of one column, pseudonymised in one recording."""
    lines = recording_of({field: "string"}, [{field: value} for value in values], key).lines
    return [json.loads(line).get(field, "") for line in lines]


def text(field: str, value: str, key: Key = KEY) -> str:
    return texts(field, value, key=key)[0]


@dataclass(frozen=True)
class Here:
    """A folder with a project, and a key beside it."""

    folder: Path
    key: Path
    capture: pytest.CaptureFixture[str]

    def record(self, table: str, *more: str, name: str = "scenario") -> tuple[int, str, str]:
        output = f"samples/{table}.{name}.jsonl"
        code = run(["record", "local", "--table", table, "-o", output, "--key-file", str(self.key), *_DAY, *more])
        captured = self.capture.readouterr()
        return code, captured.out, captured.err

    def rows(self, table: str, name: str = "scenario") -> list[dict[str, object]]:
        text = (self.folder / f"samples/{table}.{name}.jsonl").read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()]


@pytest.fixture(scope="module")
def azure() -> Iterator[AzureServer]:
    engine = Workspace()
    for table, file in SAMPLES.items():
        engine.ingest(table, ROOT / "detections" / file)
    with AzureServer(Site("soc", engine)) as found:
        yield found


@pytest.fixture
def here(azure: AzureServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Here:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "toolkit.yaml").write_text(project_file(azure), encoding="utf-8")
    key = tmp_path / "record.key"
    key.write_text("0f" * 32, encoding="ascii")
    key.chmod(0o600)
    monkeypatch.chdir(folder)
    return Here(folder, key, capsys)
