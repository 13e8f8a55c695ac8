"""Workspaces for the engine's tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from toolkit import Workspace

NOW = "2026-03-02T10:00:00Z"


@pytest.fixture(scope="session")
def empty() -> Workspace:
    """A workspace without tables: queries bring their own rows."""
    return Workspace({})


@pytest.fixture(scope="session")
def run(empty: Workspace) -> Callable[[str], list[tuple[Any, ...]]]:
    """The rows of a query that needs no tables."""
    return lambda kql: empty.query(kql, now=NOW).rows()
