"""Laws of every query: the optimiser, the number of ingests and the number of threads change no row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest
from hypothesis import given, settings

from tests.engine.pipelines import COLUMNS, queries, rows
from toolkit import Workspace
from toolkit.engine.errors import QueryFailed
from toolkit.kql.diagnostics import UnsupportedKqlError

ROWS = rows()


def _made(batches: int = 1, **settings: Any) -> Workspace:
    workspace = Workspace({"T": COLUMNS}, **settings)
    size = -(-len(ROWS) // batches)
    for start in range(0, len(ROWS), size):
        workspace.ingest("T", ROWS[start : start + size])
    return workspace


@pytest.fixture(scope="module")
def workspaces() -> Iterator[dict[str, Workspace]]:
    with ExitStack() as stack:
        made = {
            "as usual": _made(),
            "without the optimiser": _made(optimize=False),
            "in seven batches": _made(7),
            "one thread": _made(threads=1),
        }
        yield {name: stack.enter_context(closing(workspace)) for name, workspace in made.items()}


def _answer(workspace: Workspace, query: str) -> object:
    """The rows as a bag; what the query is refused or fails for, without the words."""
    try:
        return Counter(repr(row) for row in workspace.query(query, now="2026-03-05").rows())
    except UnsupportedKqlError:
        return "refused"
    except QueryFailed:
        return "failed"


@settings(max_examples=150)
@given(queries())
def test_rows_depend_on_the_query_and_the_data_alone(workspaces: dict[str, Workspace], query: str) -> None:
    answers = {name: _answer(workspace, query) for name, workspace in workspaces.items()}
    expected = answers["as usual"]
    assert {name for name, answer in answers.items() if answer != expected} == set()
