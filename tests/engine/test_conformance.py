"""The engine against measured and documented answers, where the conformance data is at hand."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from toolkit import ToolkitError, Workspace


@pytest.fixture(scope="module")
def scorer(shared: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("conformance", shared / "tools" / "conformance.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def cases(shared: Path, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (shared / "conformance" / name).read_text(encoding="utf-8").splitlines()]


def test_every_trap_that_runs_is_right(shared: Path, scorer: ModuleType) -> None:
    """Values and types; what the service refuses is refused."""
    workspace = Workspace()
    wrong: dict[str, str] = {}
    right = 0
    for case in cases(shared, "traps.jsonl"):
        try:
            result = workspace.query(case["query"])
            rows = result.rows()
        except ToolkitError:
            right += bool(case.get("error"))
            continue
        problem = (
            f"should be refused: {case['error']}" if case.get("error") else scorer.compare(case, [name for name, _ in result.columns], rows)
        )
        if problem is None and [kind for _, kind in result.columns] != case["types"]:
            problem = f"types: expected {case['types']} got {result.columns}"
        if problem is None:
            right += 1
        else:
            wrong[case["id"]] = problem
    assert wrong == {}
    assert right >= 920


def test_the_documentations_examples(shared: Path, scorer: ModuleType) -> None:
    """At least 40% of Microsoft's printed answers. Others are refused, or differ in print (see the notes in the data)."""
    workspace = Workspace()
    listed = cases(shared, "examples.jsonl")
    matches = 0
    for case in listed:
        try:
            result = workspace.query(case["query"])
        except ToolkitError:
            continue
        matches += scorer.compare(case, [name for name, _ in result.columns], result.rows()) is None
    assert matches >= 0.4 * len(listed)
