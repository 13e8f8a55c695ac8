"""`toolkit validate`, as a newcomer meets it: a fresh project is clean, and then something in it is broken."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Toolkit

Write = Callable[..., Path]

_LOG = [
    {"TimeGenerated": "2026-03-02T09:10:00Z", "UserPrincipalName": "alice@contoso.com", "IPAddress": "198.51.100.7", "ResultType": "0"},
    {"TimeGenerated": "2026-03-02T09:20:00Z", "UserPrincipalName": "bob@contoso.com", "IPAddress": "203.0.113.40", "ResultType": "0"},
    {"TimeGenerated": "2026-03-02T09:30:00Z", "UserPrincipalName": "bob@contoso.com", "IPAddress": "203.0.113.40", "ResultType": "50126"},
    {"TimeGenerated": "2026-03-02T08:30:00Z", "UserPrincipalName": "bob@contoso.com", "IPAddress": "203.0.113.40", "ResultType": "0"},
]
_RULE = """\
id: 00000000-0000-0000-0000-000000000001
name: Sign-in from a watched address
version: 1.0.0
kind: Scheduled
description: Sign-ins from addresses on the list
severity: Medium
queryFrequency: 1h
queryPeriod: 1h
triggerOperator: gt
triggerThreshold: 0
tactics: [InitialAccess]
relevantTechniques: [T1078]
parameters:
  addresses: {type: list, default: [203.0.113.40]}
query: |
  SigninLogs
  | where ResultType == "0"
  | where IPAddress == "203.0.113.40"
  | project TimeGenerated, UserPrincipalName, IPAddress
entityMappings:
  - entityType: Account
    fieldMappings:
      - identifier: FullName
        columnName: UserPrincipalName
  - entityType: IP
    fieldMappings:
      - identifier: Address
        columnName: IPAddress
customDetails:
  Address: IPAddress
alertDetailsOverride:
  alertDisplayNameFormat: "Sign-in of {{UserPrincipalName}}"
"""
_TESTS = """\
cases:
  - name: bob signs in
    now: 2026-03-02T10:00:00Z
    logs:
      SigninLogs: [../samples/SigninLogs.jsonl]
    expect:
      alerts: 1
      rows:
        - {UserPrincipalName: bob@contoso.com, TimeGenerated: 2026-03-02T09:20:00Z}
      exact: true
      entities:
        - {type: Account, Name: bob, UPNSuffix: contoso.com}
        - {type: IP, Address: 203.0.113.40}
      details: {Address: 203.0.113.40}
      title: Sign-in of bob@contoso.com
  - name: alice does not count
    now: 2026-03-02T10:00:00Z
    logs:
      SigninLogs:
        - {file: ../samples/SigninLogs.jsonl, where: {UserPrincipalName: alice@contoso.com}}
    expect: none
"""
_FOLDER = "detections/entra/"


@pytest.fixture
def project(write: Write) -> dict[str, Path]:
    return {
        "config": write("toolkit.yaml", "environments: {prod: {}}\n"),
        "rule": write(_FOLDER + "rules/signin.yaml", _RULE),
        "tests": write(_FOLDER + "rules/signin.tests.yaml", _TESTS),
        "log": write(_FOLDER + "samples/SigninLogs.jsonl", "".join(json.dumps(row) + "\n" for row in _LOG)),
    }


def test_a_project_in_order(toolkit: Toolkit, project: dict[str, Path]) -> None:
    ran = toolkit("validate")
    assert ran.out == "ok detections/entra/rules/signin.yaml  2 cases\n\n1 rule; cases: 2 passed; no findings.\n"
    assert (ran.code, ran.err) == (0, "")


@pytest.mark.parametrize("path", ["detections", _FOLDER + "rules/signin.yaml", _FOLDER + "rules/signin.tests.yaml", _FOLDER])
def test_by_path(toolkit: Toolkit, project: dict[str, Path], path: str) -> None:
    ran = toolkit("validate", path)
    assert (ran.code, ran.out.splitlines()[-1]) == (0, "1 rule; cases: 2 passed; no findings.")


def test_by_name(toolkit: Toolkit, project: dict[str, Path]) -> None:
    assert toolkit("validate", "-k", "alice").out.endswith("1 rule; cases: 1 passed; no findings.\n")
    assert toolkit("validate", "-k", "watched address").out.endswith("1 rule; cases: 2 passed; no findings.\n")
    assert toolkit("validate", "-k", "nothing").out.endswith("Nothing; cases: 0 passed; no findings.\n")


_BROKEN: list[tuple[str, str, str, int, list[str]]] = [
    # file, what is replaced, by what, exit code, lines of the report
    (
        "rule",
        "severity: Medium",
        "severty: Medium",
        1,
        ["signin.yaml:6:1: error: The key 'severty' is not known here.", "Did you mean 'severity'?"],
    ),
    ("rule", 'where ResultType == "0"', 'where ResultTyp == "0"', 1, ["signin.yaml:17:11: error:", "Did you mean 'ResultType'"]),
    ("rule", "  SigninLogs\n", "  SigninLog\n", 1, ["signin.yaml:16:3: error:", "SigninLogs"]),
    ("rule", "| where IPAddress ==", "| where IPAddress = ", 1, ["signin.yaml:18:"]),
    ("rule", "columnName: IPAddress", "columnName: IpAddress", 1, ["signin.yaml:28:21: error:", "column names are case-sensitive"]),
    ("rule", "Address: IPAddress\nalert", "Address: Adress\nalert", 1, ["signin.yaml:30:12: error:", "custom detail Address"]),
    ("rule", "{{UserPrincipalName}}", "{{User}}", 1, ["signin.yaml:32:41: error:", "alert name"]),
    ("rule", 'IPAddress == "203.0.113.40"', "IPAddress in ({{ adresses }})", 1, ["signin.yaml:18:28: error:", "Did you mean 'addresses'?"]),
    ("rule", 'IPAddress == "203.0.113.40"', "IPAddress in ({{ addresses }})", 0, ["2 passed"]),
    ("rule", 'IPAddress == "203.0.113.40"', "IpAddress in ({{ addresses }})", 1, ["signin.yaml:18:11: error"]),
    (
        "rule",
        "triggerThreshold: 0",
        "triggerThreshold: 5",
        1,
        ["tests.yaml:7:15: error: bob signs in: Expected 1 alert, found 0", "GreaterThan 5"],
    ),
    (
        "rule",
        'IPAddress == "203.0.113.40"',
        'IPAddress == "203.0.113.41"',
        1,
        ["> 0  line 18: | where IPAddress ==", "all 2 rows are lost here"],
    ),
    ("rule", "queryPeriod: 1h", "queryPeriod: 20m", 1, ["is shorter than the frequency (1h)"]),
    ("tests", "now: 2026-03-02T10:00:00Z", "now: 2026-03-03T10:00:00Z", 1, ["4 rows without the window, none inside it"]),
    (
        "tests",
        "UserPrincipalName: bob@",
        "UserPrincipalName: rob@",
        1,
        ["  - UserPrincipalName: rob@contoso.com", "  + UserPrincipalName: bob@contoso.com"],
    ),
    (
        "tests",
        "{UserPrincipalName: bob@",
        "{UserPrincipalNam: bob@",
        1,
        ["tests.yaml:9:", "has no column 'UserPrincipalNam'", "Did you mean"],
    ),
    (
        "tests",
        "Name: bob",
        "Name: rob",
        1,
        ["The alert has no such entity", "  - type: Account, Name: rob", "  + type: Account, FullName: bob@contoso.com"],
    ),
    ("tests", "title: Sign-in of bob", "title: Sign-in of rob", 1, ["  - Sign-in of rob@contoso.com", "  + Sign-in of bob@contoso.com"]),
    ("tests", "{Address: 203.0.113.40}", "{Address: 203.0.113.41}", 1, ["  - Address: 203.0.113.41", "  + Address: 203.0.113.40"]),
    ("tests", "expect: none", "expect: {alerts: 2}", 1, ["alice does not count: Expected 2 alerts, found 0", "the last row is lost here"]),
    (
        "tests",
        "where: {UserPrincipalName: alice@contoso.com}",
        "where: {}",
        1,
        ["alice does not count: Expected no alert, found 1 alert (1 row)."],
    ),
    ("tests", "SigninLogs.jsonl]", "Signin.jsonl]", 1, ["tests.yaml:5:20: error: The logs of SigninLogs cannot be read", "no such file"]),
    ("tests", "SigninLogs: [..", "SigninLog: [..", 1, ["SigninLog"]),
    ("tests", "cases:", "cass:", 1, ["Did you mean 'cases'?"]),
    ("tests", "    expect: none\n", "", 1, ["The key 'expect' is missing"]),
    ("log", '{"TimeGenerated": "2026-03-02T09:20:00Z"', '{"TimeGenerated": "2026-03-02T09:20:00Z', 1, ["SigninLogs.jsonl:2: error:"]),
    ("log", "2026-03-02T09:20:00Z", "yesterday", 1, ["SigninLogs.jsonl:2: error:", "yesterday"]),
    ("config", "environments", "environmnts", 3, ["toolkit.yaml:1:1: error:", "Did you mean 'environments'"]),
]


@pytest.mark.parametrize("broken", _BROKEN, ids=lambda broken: f"{broken[0]}: {broken[2]}"[:60])
def test_something_broken(toolkit: Toolkit, project: dict[str, Path], broken: tuple[str, str, str, int, list[str]]) -> None:
    file, old, new, code, lines = broken
    text = project[file].read_text()
    assert old in text
    project[file].write_text(text.replace(old, new))
    ran = toolkit("validate")
    for line in lines:
        assert line in ran.out
    assert ran.code == code
    assert "Traceback" not in ran.out + ran.err
    assert "defect" not in ran.out + ran.err


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("rules/x.yaml", b"", "The file is empty."),
        ("rules/x.yaml", b"id: x\n\tname: y\n", "A tab stands where YAML allows only spaces."),
        ("rules/x.yaml", b"name: a\nname: b\n", "The key 'name' stands here a second time"),
        ("rules/x.yaml", b"\0\1\2", "The file holds binary data"),
        ("rules/x.yaml", b"name: \xff\xfe\n", "The file is not UTF-8"),
        ("rules/x.yaml", b"query: |\n" + b"  T | where x == 1\n" * 600_000, "at most 4.2 MB are read"),
        ("rules/x.yaml", b"a: &a [b]\nc: &c [*a, *a]\n" + b"- x\n", "The YAML cannot be read"),
        (
            "rules/x.yaml",
            _RULE.replace("Sign-in from", "Another").encode(),
            "The id '00000000-0000-0000-0000-000000000001' is already that of",
        ),
        ("rules/x.tests.yaml", b"cases: []\n", "There is no x.yaml that these tests are about."),
        ("rules/x.yaml", _RULE.replace("0001", "0002").encode(), "The rule has no cases: nothing shows that it works."),
        ("functions/f.yaml", b"FunctionAlias: F\nFunctionQuery: Nothing | take 1\n", "f.yaml:2:16: error:"),
        ("functions/f.yaml", b"FunctionQuery: print 1\n", "The function has no name: FunctionAlias is missing."),
        ("watchlists/w.yaml", b"alias: w\nitemsSearchKey: Key\n", "w.csv:1:1: error: The file cannot be read"),
        ("watchlists/w.csv", b"A,B\n1\n", "The line has 1 values; the header names 2 columns."),
    ],
)
def test_a_bad_file_beside_a_good_rule(
    toolkit: Toolkit, project: dict[str, Path], write: Write, name: str, data: bytes, words: str
) -> None:
    write(_FOLDER + name, data)
    ran = toolkit("validate", "--strict")
    assert words in ran.out
    assert ran.code == 1
    assert "2 passed" in ran.out
    assert "Traceback" not in ran.out + ran.err


def test_a_broken_function_is_named_also_when_only_a_rule_is_validated(toolkit: Toolkit, project: dict[str, Path], write: Write) -> None:
    write(_FOLDER + "functions/f.yaml", "FunctionAlias: F\nFunctionQuery: 'SigninLogs | take {{ nothing }}'\n")
    ran = toolkit("validate", _FOLDER + "rules/signin.yaml")
    assert ran.code == 1
    assert "functions/f.yaml:2:38: error: The parameter 'nothing' has no value." in ran.out


def test_warnings_count_as_errors_only_when_asked(toolkit: Toolkit, project: dict[str, Path]) -> None:
    project["tests"].unlink()
    ran = toolkit("validate")
    assert (ran.code, ran.out.splitlines()[-1]) == (0, "1 rule; cases: 0 passed; 1 warning.")
    assert toolkit("validate", "--strict").code == 1


@pytest.mark.parametrize(("kept", "code"), [("bob signs in", "no-negative-case"), ("alice does not count", "no-positive-case")])
def test_a_rule_needs_a_positive_and_a_negative_case(toolkit: Toolkit, project: dict[str, Path], kept: str, code: str) -> None:
    head, *cases = project["tests"].read_text().split("  - name: ")
    project["tests"].write_text(head + "".join("  - name: " + case for case in cases if case.startswith(kept)))
    assert f"[{code}]" in toolkit("validate").out


def test_json(toolkit: Toolkit, project: dict[str, Path]) -> None:
    project["rule"].write_text(_RULE.replace("severity: Medium", "severity: Mediun"))
    ran = toolkit("validate", "--format", "json")
    data = json.loads(ran.out)
    assert ran.code == 1
    assert data["summary"] == {"clean": False, "content": {"rule": 1}, "cases": {"passed": 2, "skipped": 0}, "findings": {"error": 1}}
    assert data["content"][0]["cases"][0] == {
        "name": "bob signs in",
        "status": "passed",
        "file": "detections/entra/rules/signin.tests.yaml",
        "line": 2,
    }
    finding = data["findings"][0]
    assert {key: finding[key] for key in ("file", "line", "column", "endLine", "endColumn", "severity", "code")} == {
        "file": "detections/entra/rules/signin.yaml",
        "line": 6,
        "column": 11,
        "endLine": 6,
        "endColumn": 17,
        "severity": "error",
        "code": "bad-value",
    }
    assert finding["hints"][0] == "Did you mean 'Medium'?"


def test_github_annotations(toolkit: Toolkit, project: dict[str, Path]) -> None:
    project["rule"].write_text(_RULE.replace("severity: Medium", "severity: Mediun"))
    ran = toolkit("validate", "--format", "github")
    assert ran.out.startswith(
        "::error file=detections/entra/rules/signin.yaml,line=6,col=11,title=bad-value,endColumn=17::'Mediun' is not a severity.%0A"
    )


def test_the_same_run_gives_the_same_bytes(toolkit: Toolkit, project: dict[str, Path]) -> None:
    project["rule"].write_text(_RULE.replace('ResultType == "0"', 'ResultType == "1"'))
    assert toolkit("validate").out == toolkit("validate").out


def test_an_unknown_path_and_environment(toolkit: Toolkit, project: dict[str, Path]) -> None:
    assert toolkit("validate", "nosuch").code == 3
    ran = toolkit("validate", "--env", "prd")
    assert ran.code == 3
    assert "Did you mean 'prod'?" in ran.out


def test_an_empty_folder(toolkit: Toolkit) -> None:
    ran = toolkit("validate")
    assert ran.code == 1
    assert "There is no content here." in ran.out


def test_a_query_that_would_run_for_hours_is_stopped(toolkit: Toolkit, project: dict[str, Path]) -> None:
    slow = (
        "  range A from 1 to 100000 step 1 | extend K = 1\n"
        "  | join kind=inner (range B from 1 to 100000 step 1 | extend K = 1) on K\n"
        "  | join kind=inner (range C from 1 to 100000 step 1 | extend K = 1) on K\n"
        "  | summarize N = sum(A * B * C)\n"
    )
    text = _RULE.split("query: |\n", maxsplit=1)[0] + "query: |\n" + slow
    project["rule"].write_text(text)
    ran = toolkit("validate", "--time-limit", "0.2", "-k", "bob")
    assert ran.code == 1
    assert "The query of the case ran longer than 0.2 s and was stopped. [case-timeout]" in ran.out
