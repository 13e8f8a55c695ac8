"""Completion: what may stand at a place. `^` is the cursor."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.jupyter.conftest import Notebook
from toolkit import Workspace
from toolkit.jupyter.completion import choices
from toolkit.jupyter.matcher import query_before

WORKSPACE = Workspace(
    {"Door": {"TimeGenerated": "datetime", "Badge": "string", "Open Now": "bool"}, "Desk": {"Badge": "string", "Room": "long"}}
)
WORKSPACE.define_function("Visits", "Door | project Badge", "")
WORKSPACE.define_function("VisitsOf", "Door | where Badge == b", "b:string")


def texts(before: str) -> list[str]:
    return [each.text for each in choices(before, WORKSPACE)[0]]


@pytest.mark.parametrize(
    ("before", "first"),
    [
        ("Do", ["Door"]),
        ("Vis", ["Visits", "VisitsOf()"]),
        ("Door | whe", ["where"]),
        ("Door | where Ba", ["Badge"]),
        ("Door | where O", ["['Open Now']"]),
        ("Door | where Badge == 'x' and Ti", ["TimeGenerated"]),
        ("Door | extend Hour = bin(TimeGenerated, 1h) | project Ho", ["Hour"]),
        ("Door | summarize Events = count() by Badge | where E", ["Events"]),
        ("Door | summarize dcounti", ["dcountif("]),
        ("Door | join kind=leftsem", ["leftsemi"]),
        ("Door | join kind=inner (De", ["Desk"]),
        ("Door | join kind=inner (Desk | where Ro", ["Room"]),
        ("Door | where Badge in (Vis", ["Visits", "VisitsOf()"]),
        ("Door | where strlen(Ba", ["Badge"]),
        ("union Do", ["Door"]),
        ("let Limit = 5; Door | take Li", ["Limit"]),
        ("let Late = Door | where Ba", ["Badge"]),
        ("let Late = Door; La", ["Late"]),
        ("Visits | where Ba", ["Badge"]),
        ("Door | render time", ["timechart"]),
        ("Door | evaluate bag_un", ["bag_unpack"]),
        ("Door\n// a | comment\n| where Ba", ["Badge"]),
        ("Door | where Badge has '|' | where Ti", ["TimeGenerated"]),
        ("Door | where Badge has 'Ba", []),
        ("Door // Ba", []),
    ],
)
def test_choices(before: str, first: list[str]) -> None:
    assert texts(before)[: len(first) or None] == first


def test_tables_with_rows_come_first() -> None:
    workspace = Workspace()
    workspace.ingest("SigninLogs", [{"ResultType": "0"}])
    assert next(each.text for each in choices("Si", workspace)[0]) == "SigninLogs"
    assert texts("Door | ")[:2] == ["as", "consume"]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("%%kql -o x\nDoor | whe^", ("Door | whe", True)),
        ("%%kql\nDoor\n| wh^ere x", ("Door\n| wh", True)),
        ("%%kql --da^", ("%%kql --da", False)),
        ("%kql Door | whe^", ("Door | whe", True)),
        ("found = %kql --env prod Door | whe^", ("Door | whe", True)),
        ("%kql --da^", ("--da", False)),
        ("print('%kql Door^')", None),
        ("x = Do^", None),
    ],
)
def test_where_the_query_is(cell: str, expected: tuple[str, bool] | None) -> None:
    before = cell[: cell.index("^")]
    text = cell.replace("^", "")
    assert query_before(text, before.count("\n"), len(before.rpartition("\n")[2])) == expected


def test_in_a_notebook(notebook: Notebook) -> None:
    notebook.run("%kql --data logs")
    assert notebook.complete("%%kql\nFailedSi") == ["FailedSignIns"]
    assert {"ResultType", "ResourceId"} <= set(notebook.complete("%%kql\nFailedSignIns | where Res"))
    assert notebook.complete("%kql --le") == ["--lenient", "--let"]
    assert "logs" not in notebook.complete("import o")


@given(st.text("Door|whre() =\"'/;,\n[]{}Badge", max_size=40))
@settings(max_examples=150, deadline=None)
def test_any_text_can_be_completed(before: str) -> None:
    found, length = choices(before, WORKSPACE)
    word = before[len(before) - length :]
    assert all(each.text.removeprefix("['").lower().startswith(word.lower()) for each in found)
    assert len({each.text for each in found}) == len(found)
