"""The queries of published rules and hunting queries, each in a file of its own: to Azure and back without loss."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.mapping.content import SETTINGS, file_to_arm, item_of
from toolkit.deploy.mapping import differences, from_arm, to_arm
from toolkit.deploy.mapping.values import query_text

QUERIES = Path(__file__).parents[4] / "shared" / "conformance" / "queries.jsonl"
_MARKERS = ("{{", "{%", "{#")


def _queries(kind: str) -> Iterator[dict[str, Any]]:
    for line in QUERIES.read_text(encoding="utf-8").splitlines():
        if (query := json.loads(line))["kind"] == kind:
            yield query


def _block(text: str) -> str:
    """A literal block: lines as they are, four deep; the digit lets the first line begin with blanks."""
    return "query: |2-\n" + "".join(f"  {line}\n" if line else "\n" for line in text.replace("\r\n", "\n").split("\n"))


def _file(query: dict[str, Any]) -> str:
    """A rule or hunting query around a published query. Text that looks like a template is marked as plain."""
    text = query["query"].rstrip()
    text = "{% raw %}" + text + "{% endraw %}" if any(marker in text for marker in _MARKERS) else text
    head = f"id: {uuid.uuid5(uuid.NAMESPACE_URL, query['id'])}\nname: Rule {query['id']}\ndescription: |\n  From {query['source']}\n"
    if query["kind"] == "hunting":
        return f"{head}tactics:\n  - Discovery\nrelevantTechniques:\n  - T1078.004\n{_block(text)}"
    schedule = "queryFrequency: 1d\nqueryPeriod: 7d\ntriggerOperator: gt\ntriggerThreshold: 0\n"
    grouping = "eventGroupingSettings:\n  aggregationKind: AlertPerResult\n"
    return f"{head}severity: Medium\n{schedule}tactics:\n  - Execution\n{_block(text)}{grouping}version: 1.0.0\nkind: Scheduled\n"


@pytest.mark.skipif(not QUERIES.exists(), reason="the reference folder is not here")
@pytest.mark.parametrize(("kind", "least"), [("rule", 300), ("hunting", 200)])
def test_there_and_back(kind: str, least: int) -> None:
    lost: list[str] = []
    count = 0
    for query in _queries(kind):
        first = to_arm(item_of(_file(query), kind), SETTINGS)
        again = file_to_arm(from_arm(first, SETTINGS), SETTINGS)
        assert first.body["properties"]["query"] == query_text(query["query"])
        same = (again.name, again.body) == (first.name, first.body) and not differences(first.kind, again.body, first.body)
        lost += [] if same else [query["source"]]
        count += 1
    assert not lost
    assert count >= least
