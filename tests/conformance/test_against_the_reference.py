"""The engine against recorded answers: what it answers is right, what must be refused is refused.

The answers are not part of this repository; without them the tests skip and say so.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from toolkit import KqlError, Workspace

KNOWN: dict[str, dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "known_differences.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def comparison(shared: Path) -> ModuleType:
    """The module that compares cells as the documentation prints them."""
    spec = importlib.util.spec_from_file_location("conformance", shared / "tools" / "conformance.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def workspace() -> Iterator[Workspace]:
    made = Workspace(dry_runs=False)  # external data that is not at hand is refused, not empty
    yield made
    made.close()


def cases(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def verdict(case: dict[str, Any], workspace: Workspace, comparison: ModuleType) -> str:
    """One of match and refused, or what is wrong."""
    try:
        result = workspace.query(case["query"])
        columns, rows = result.columns, list(result.rows())
    except KqlError:
        return "match" if case.get("error") else "refused"
    if case.get("error"):
        return f"must be refused: {case['error']}"
    wrong = comparison.compare(case, [name for name, _ in columns], rows)
    if wrong is None and "rule" in case and [kind for _, kind in columns] != case["types"]:
        return f"types: expected {case['types']}, found {columns}"
    return wrong or "match"


def test_traps(shared: Path, workspace: Workspace, comparison: ModuleType) -> None:
    """Every trap that runs is right in values and types, and every required refusal is one."""
    verdicts = {case["id"]: verdict(case, workspace, comparison) for case in cases(shared / "conformance" / "traps.jsonl")}
    assert {name: found for name, found in verdicts.items() if found not in ("match", "refused")} == {}
    assert sum(found == "match" for found in verdicts.values()) >= 985


def test_documented_examples(shared: Path, workspace: Workspace, comparison: ModuleType) -> None:
    """Nine in ten match; each of the others has a reason in known_differences.yaml."""
    verdicts = {case["id"]: verdict(case, workspace, comparison) for case in cases(shared / "conformance" / "examples.jsonl")}
    others = {name: found for name, found in verdicts.items() if found != "match"}
    assert {name: found for name, found in others.items() if name not in KNOWN} == {}
    assert [name for name in KNOWN if name in verdicts and name not in others] == []
    assert [name for name, found in others.items() if (found == "refused") is not bool(KNOWN[name].get("refused"))] == []
    assert sum(found == "match" for found in verdicts.values()) >= 0.92 * len(verdicts)


def test_public_queries(shared: Path) -> None:
    """Verdicts and result columns of Microsoft's analyzer on 1,590 public queries."""
    workspace = Workspace(catalog=json.loads((shared / "catalog" / "tables.json").read_text(encoding="utf-8")))
    rejected, accepted, bad, clean, same, compared = 0, 0, 0, 0, 0, 0
    for case in cases(shared / "conformance" / "queries.jsonl"):
        analysis = workspace.analyze(case["query"])
        if case["syntax_errors"]:
            bad += 1
            rejected += any(found.stage == "syntax" for found in analysis.errors)
        elif not case["semantic_errors"]:
            clean += 1
            accepted += not analysis.errors
            if not analysis.errors and case["columns"]:
                compared += 1
                same += _same(analysis.columns, case["columns"])
    assert rejected / bad >= 0.95
    assert accepted / clean >= 0.995
    assert same / compared >= 0.96


def _same(have: tuple[tuple[str, str], ...], want: list[list[str]]) -> bool:
    return len(have) == len(want) and all(h[0] == w[0] and w[1] in (h[1], "unknown") for h, w in zip(have, want, strict=True))
