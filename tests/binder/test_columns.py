"""What queries return: names, order and types of the columns, as data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from toolkit import Workspace

DATA: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "columns.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", DATA["cases"], ids=lambda case: str(case["query"]))
def test_columns(case: dict[str, Any]) -> None:
    analysis = Workspace(catalog=DATA["tables"]).analyze(case["query"])
    assert analysis.errors == ()
    assert list(analysis.columns) == list(case["columns"].items())


@pytest.mark.parametrize("case", [case for case in DATA["cases"] if case.get("runs", True)], ids=lambda case: str(case["query"]))
def test_empty_tables_give_the_same_columns(case: dict[str, Any]) -> None:
    """What analysis promises is what a run returns."""
    workspace = Workspace(catalog=DATA["tables"])
    try:
        assert workspace.query(case["query"], now="2026-01-01").columns == list(case["columns"].items())
    finally:
        workspace.close()
