"""The seven published AKS queries, repaired, mean what they say: rows on the recorded logs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from toolkit import Workspace

ROOT = Path(__file__).resolve().parents[2]
QUERIES = sorted((ROOT / "benchmarks" / "aks").glob("*.kql"))
SAMPLES = ROOT / "detections" / "aks" / "samples"

EXPECTED = (
    ("1-nginx-pod", "AzureDiagnostics.api-server", 1),
    ("1-nginx-pod", "AzureDiagnostics.benign-day", 0),
    ("2-cluster-admin-binding", "AzureDiagnostics.cluster-admin", 1),
    ("2-cluster-admin-binding", "AzureDiagnostics.benign-day", 0),
    ("3-cronjob-created", "AzureDiagnostics.cronjob", 1),
    ("3-cronjob-created", "AzureDiagnostics.benign-day", 0),
    # They count stages, not requests: four requests, eight events.
    ("4-masterclient", "AzureDiagnostics.cluster-admin", 8),
    ("4-masterclient", "AzureDiagnostics.benign-day", 0),
    # A decision is logged when the request is answered: three creations, and a shell that is a get.
    ("6-rbac-allow", "AzureDiagnostics.create-allowed", 3),
    ("6-rbac-allow", "AzureDiagnostics.denied-burst", 0),
    # The role stands in the first of an assignment's rows.
    ("7-azure-role-assignment", "AzureActivity.role-assignment-legacy", 1),
    ("7-azure-role-assignment", "AzureActivity.role-assignment", 0),
)


def query(name: str) -> str:
    return (ROOT / "benchmarks" / "aks" / f"{name}.kql").read_text()


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    with closing(Workspace()) as opened:
        yield opened


def test_there_are_seven() -> None:
    assert len(QUERIES) == 7


@pytest.mark.parametrize(("name", "sample", "rows"), EXPECTED, ids=str)
def test_rows(workspace: Workspace, name: str, sample: str, rows: int) -> None:
    workspace.ingest(sample.split(".", maxsplit=1)[0], SAMPLES / f"{sample}.jsonl")
    assert len(list(workspace.query(query(name)).rows())) == rows


def test_one_address(workspace: Workspace) -> None:
    events = [{"sourceIPs": [first, "192.168.1.1"]} for first in ("192.168.1.1", "192.168.1.10")]
    logs = [{"TimeGenerated": "2026-03-02T10:00:00Z", "Category": "kube-audit", "log_s": json.dumps(event)} for event in events]
    workspace.ingest("AzureDiagnostics", logs)
    assert len(list(workspace.query(query("5-source-ip")).rows())) == 1
