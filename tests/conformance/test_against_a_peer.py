"""Two engines that know nothing of each other: where this one and duckdb-kql both answer, they agree, or a rule says who is right."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings

from tests.engine.pipelines import COLUMNS, queries, rows
from toolkit import Workspace

pytest.importorskip("duckdb_kql", reason="duckdb-kql, the peer, is not installed (it is in the extras dev and bench)")
from tests.conformance import peer

DIFFERENCES: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "peer_differences.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def workspace() -> Iterator[Workspace]:
    with closing(Workspace({"T": COLUMNS})) as made:
        made.ingest("T", rows())
        yield made


class Listed:
    """The differences that are listed for one kind of query, and which of them were seen."""

    def __init__(self, kind: str) -> None:
        self._unseen = {pattern for row in DIFFERENCES for pattern in row.get(kind, [])}
        self._patterns = sorted(self._unseen)

    def knows(self, query: str) -> bool:
        matching = {pattern for pattern in self._patterns if re.search(pattern, query)}
        self._unseen -= matching
        return bool(matching)

    @property
    def unseen(self) -> set[str]:
        return self._unseen


def test_written_queries(workspace: Workspace) -> None:
    """The queries of tests/functions that bring their own rows."""
    listed, compared, unknown = Listed("data"), 0, {}
    with closing(peer.connection()) as database:
        for name, query in peer.data_queries():
            found = peer.difference(workspace, database, query)
            compared += found is not None
            if found and not listed.knows(query):
                unknown[name] = found
    assert unknown == {}
    assert listed.unseen == set()
    assert compared > 100


def test_random_queries(workspace: Workspace) -> None:
    listed = Listed("random")
    verdicts: list[str | None] = []

    @settings(max_examples=60)
    @given(queries(longest=4))
    def compare(query: str) -> None:
        found = peer.difference(workspace, database, query)
        verdicts.append(found)
        assert not found or listed.knows(query), f"{query}\n{found}"

    with closing(peer.connection()) as database:
        peer.load(database, rows(), COLUMNS)
        compare()
    assert listed.unseen == set()
    assert sum(found is not None for found in verdicts) > len(verdicts) / 2
