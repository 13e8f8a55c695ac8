"""Saved functions that call one another, as normalising parsers do: names, defaults, and cycles."""

from __future__ import annotations

import pytest

from toolkit import Workspace

PARAMETERS = "start:datetime=datetime(null), targets:dynamic=dynamic([]), disabled:bool=False"
FUNCTIONS = {
    "vimLogonEmpty": ("let none = datatable(TimeGenerated:datetime, Dvc:string, EventType:string)[]; none", ""),
    "vimLogonT": (
        (
            "T | where (isnull(start) or t >= start) and (array_length(targets) == 0 or s in (targets)) and not(disabled)"
            " | project TimeGenerated = t, Dvc = s"
        ),
        PARAMETERS,
    ),
    "_Im_Logon": ("union isfuzzy=true vimLogonEmpty, vimLogonT(start=start, targets=targets, disabled=disabled)", PARAMETERS),
    "imLogon": ("_Im_Logon(start, targets)", "start:datetime=datetime(null), targets:dynamic=dynamic([])"),
    "a": ("b | take 1", ""),
    "b": ("c() | take 1", ""),
    "c": ("union a, T", ""),
    "plus": ("minus(x) + 1", "x:long"),
    "minus": ("plus(x)", "x:long"),
    "wrong": ("T | where Nope == 1", ""),
}


@pytest.fixture
def workspace() -> Workspace:
    found = Workspace(catalog={"T": {"t": "datetime", "s": "string"}})
    for name, (body, parameters) in FUNCTIONS.items():
        found.define_function(name, body, parameters)
    return found


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("imLogon", ["TimeGenerated", "Dvc", "EventType"]),
        ("imLogon(targets=dynamic(['x'])) | where EventType == 'Logon' | project Dvc", ["Dvc"]),
        ("_Im_Logon(start=ago(1d), disabled=true) | summarize n = count() by Dvc", ["Dvc", "n"]),
        ("let imLogon = T | project s; imLogon", ["s"]),
    ],
)
def test_parsers_call_one_another(workspace: Workspace, query: str, names: list[str]) -> None:
    found = workspace.analyze(query)
    assert found.diagnostics == ()
    assert [name for name, _ in found.columns] == names


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("a", "In c(): The function 'a' calls itself."),
        ("c()", "In b(): The function 'c' calls itself."),
        ("print plus(1)", "In minus(): The function 'plus' calls itself."),
        ("print minus(1)", "In plus(): The function 'minus' calls itself."),
        ("union isfuzzy=true a, T", "In c(): The function 'a' calls itself."),
        ("union isfuzzy=true wrong, T", "In wrong(): The name 'Nope' does not refer to any known column, table, variable or function."),
        ("imLogon(none=1)", "The name 'none' does not refer to any known parameter of 'imLogon'."),
    ],
)
def test_what_is_wrong_in_a_function_is_said_at_its_call(workspace: Workspace, query: str, message: str) -> None:
    assert [finding.message for finding in workspace.analyze(query).errors] == [message]


@pytest.mark.parametrize(
    ("query", "messages"),
    [
        ("deep1", []),
        ("deep0", ["In deep63(): The function 'deep64' is the 65th inside one another; at most 64 are followed."]),
        ("print n1()", []),
        ("print n0()", ["In n63(): The function 'n64' is the 65th inside one another; at most 64 are followed."]),
    ],
)
def test_functions_that_call_one_another_too_deeply_do_not_call_themselves(query: str, messages: list[str]) -> None:
    workspace = Workspace(catalog={"T": {"t": "datetime"}})
    for number in range(64):
        workspace.define_function(f"deep{number}", f"deep{number + 1}() | take 1", "")
        workspace.define_function(f"n{number}", f"n{number + 1}() + 1", "")
    workspace.define_function("deep64", "T", "")
    workspace.define_function("n64", "1", "")
    assert [finding.message for finding in workspace.analyze(query).errors] == messages
