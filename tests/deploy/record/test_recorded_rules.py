"""Recording from the local Azure: the shipped rules find in the recorded file what they find in the original."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.deploy.record.conftest import ROOT, SAMPLES, Here
from toolkit.content.project import Project
from toolkit.testing.bench import Bench

_RULES = [
    ("aks/rules/cluster-admin-binding.yaml", "AzureDiagnostics", "2026-03-02T09:45:00"),
    ("aks/rules/azure-role-assignment.yaml", "AzureActivity", "2026-03-02T10:30:00"),
    ("aks/rules/sensitive-create-allowed.yaml", "AKSAudit", "2026-03-02T20:30:00"),
    ("aws/rules/root-created-iam-user.yaml", "AWSCloudTrail", "2026-03-02T11:20:00"),
]


@pytest.mark.parametrize(("rule", "table", "now"), _RULES)
def test_a_shipped_rule_finds_as_much_in_the_recorded_file(here: Here, rule: str, table: str, now: str) -> None:
    code, _, err = here.record(table)
    assert code == 0, err
    project = Project.load(ROOT, ROOT)
    bench = Bench(project, list(project.items("function")), list(project.items("watchlist")), None)
    found = [
        _alerts(bench, ROOT / "detections" / rule, table, file, now)
        for file in (ROOT / "detections" / SAMPLES[table], here.folder / f"samples/{table}.scenario.jsonl")
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
