"""Recording from the local Azure: the shipped rules find in the recorded file what they find in the original."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.azure_server import AzureServer, Site
from tests.deploy.conftest import project_file
from toolkit import Workspace
from toolkit.cli.main import run
from toolkit.content.project import Project
from toolkit.testing.bench import Bench

_ROOT = Path(__file__).parents[3]
_SAMPLES = {
    "AzureDiagnostics": "aks/samples/AzureDiagnostics.cluster-admin.jsonl",
    "AzureActivity": "aks/samples/AzureActivity.role-assignment.jsonl",
    "AKSAudit": "aks/samples/AKSAudit.create-allowed.jsonl",
    "AWSCloudTrail": "aws/samples/AWSCloudTrail.root-create-user.jsonl",
}
_RULES = [
    ("aks/rules/cluster-admin-binding.yaml", "AzureDiagnostics", "2026-03-02T09:45:00"),
    ("aks/rules/azure-role-assignment.yaml", "AzureActivity", "2026-03-02T10:30:00"),
    ("aks/rules/sensitive-create-allowed.yaml", "AKSAudit", "2026-03-02T20:30:00"),
    ("aws/rules/root-created-iam-user.yaml", "AWSCloudTrail", "2026-03-02T11:20:00"),
]
_DAY = ("--start", "2026-03-02T00:00:00Z", "--end", "2026-03-03T00:00:00Z")


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
    for table, file in _SAMPLES.items():
        engine.ingest(table, _ROOT / "detections" / file)
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


@pytest.mark.parametrize(("rule", "table", "now"), _RULES)
def test_a_shipped_rule_finds_as_much_in_the_recorded_file(here: Here, rule: str, table: str, now: str) -> None:
    code, _, err = here.record(table)
    assert code == 0, err
    project = Project.load(_ROOT, _ROOT)
    bench = Bench(project, list(project.items("function")), list(project.items("watchlist")), None)
    found = [
        _alerts(bench, _ROOT / "detections" / rule, table, file, now)
        for file in (_ROOT / "detections" / _SAMPLES[table], here.folder / f"samples/{table}.scenario.jsonl")
    ]
    bench.close()
    assert found[0] > 0
    assert found[0] == found[1]


def _alerts(bench: Bench, rule: Path, table: str, file: Path, now: str) -> int:
    from toolkit.content.values import ItemQuery

    item = next(each for each in bench.project.items("rule") if each.path.resolve() == rule.resolve())
    query = ItemQuery(item, bench.project, None).render(item.collect())
    assert query is not None
    workspace = bench.base.fork()
    workspace.ingest(table, file)
    end = datetime.fromisoformat(now).replace(tzinfo=UTC)
    return len(workspace.query(query.text, now=end, start=end - timedelta(days=1), end=end))
