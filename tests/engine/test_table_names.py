"""What `withsource` calls a table that lets rename and pipes lead in (R-234)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from toolkit import Workspace


@pytest.fixture(scope="module")
def workspace() -> Iterator[Workspace]:
    with closing(Workspace({"Signin": {"User": "string"}, "Audit": {"User": "string"}})) as made:
        made.ingest("Signin", [{"User": "ada"}])
        made.ingest("Audit", [{"User": "bob"}])
        yield made


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("union withsource=T Signin, Audit", {"Signin", "Audit"}),
        ("Signin | union withsource=T Audit", {"Signin", "Audit"}),
        ("let A = Signin; let B = A; union withsource=T B, Audit", {"Signin", "Audit"}),
        ("let A = Signin; A | union withsource=T Audit", {"Signin", "Audit"}),
        ("Signin | where User == 'ada' | union withsource=T Audit", {"union_arg0", "Audit"}),
        ("let A = Signin | where User != ''; union withsource=T A, Audit", {"union_arg0", "Audit"}),
        ("let A = Signin; A | search 'ada' | project T = $table, User", {"Signin"}),
    ],
)
def test_labels(workspace: Workspace, query: str, names: set[str]) -> None:
    result = workspace.query(query)
    place = [name for name, _ in result.columns].index("T")
    assert {row[place] for row in result.rows()} == names
