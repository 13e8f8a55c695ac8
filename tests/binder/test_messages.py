"""Findings of the binder exactly as they are shown. `python -m tests.binder.test_messages` rewrites the golden file."""

from __future__ import annotations

from pathlib import Path

from toolkit import Workspace

HERE = Path(__file__).parent
TABLES = {
    "T": {"s": "string", "i": "int", "l": "long", "r": "real", "b": "bool", "t": "datetime", "ts": "timespan", "g": "guid", "d": "dynamic"},
    "U": {"s": "string", "n": "long", "t": "datetime"},
}


def rendered() -> str:
    """Every bad query with what is said about it."""
    workspace = Workspace(catalog=TABLES)
    parts = []
    for query in (HERE / "bad.kql").read_text(encoding="utf-8").splitlines():
        analysis = workspace.analyze(query)
        parts.append("\n".join([f"### {query}", *(found.render(analysis.source) for found in analysis.diagnostics)]))
    return "\n\n".join(parts) + "\n"


def test_messages() -> None:
    assert rendered() == (HERE / "messages.txt").read_text(encoding="utf-8")


def test_every_bad_query_is_found() -> None:
    workspace = Workspace(catalog=TABLES)
    accepted = [q for q in (HERE / "bad.kql").read_text(encoding="utf-8").splitlines() if not workspace.analyze(q).errors]
    assert accepted == []


if __name__ == "__main__":
    (HERE / "messages.txt").write_text(rendered(), encoding="utf-8")
