"""Whatever a content file holds, reading it ends in findings, never in an exception."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit.content.findings import ContentError, Findings
from toolkit.content.items import load_item
from toolkit.content.project import Project
from toolkit.content.values import ItemQuery
from toolkit.testing.cases import load_cases

_RULE = """\
id: 00000000-0000-0000-0000-000000000001
name: "A rule"
kind: Scheduled
severity: Medium
queryFrequency: 1h
queryPeriod: PT1H
triggerOperator: gt
triggerThreshold: 0
tactics: [InitialAccess]
relevantTechniques: [T1078.004]
query: |
  T
  | where a in ({{ names }})
parameters:
  names: {type: list, default: [a]}
entityMappings:
  - entityType: Account
    fieldMappings:
      - {identifier: FullName, columnName: User}
customDetails: {User: User}
alertDetailsOverride:
  alertDisplayNameFormat: "{{User}} did it"
incidentConfiguration:
  groupingConfiguration: {enabled: true, lookbackDuration: 5h, matchingMethod: Selected, groupByEntities: [Account]}
"""
_CASES = """\
logs: {T: [a.jsonl, {file: b.csv, where: {a: 1}, set: {b.c: 2}}, {a: x}]}
cases:
  - name: one
    now: 2026-03-02T10:00:00Z
    parameters: {names: [a]}
    watchlists: {W: [{SearchKey: x}]}
    expect: {alerts: 1, rows: [{a: null}], entities: [{type: IP, Address: x}], details: {A: [x]}, title: t}
  - {name: two, expect: none}
"""
_PIECES = st.sampled_from([":", "- ", "{", "}", "[", "]", "{{", "}}", "{% for x in y %}", "&a", "*a", "!!int", "|", ">", '"', "'", "\t", "\n", "\n  ", "null", "~", "#", "-1", "1e400", "é", "\U0001f600"])  # fmt: skip  # noqa: E501


@st.composite
def _damaged(draw: st.DrawFn, text: str) -> str:
    """The text with a few pieces put in and a few stretches taken out."""
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        length = draw(st.integers(0, 12))
        text = text[:start] + draw(_PIECES) + text[start + length :]
    return text


def _read_rule(data: bytes) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "rule.yaml")
        path.write_bytes(data)
        item = load_item(path, "rule.yaml", "rule")
        assert item is not None
        for finding in item.findings:
            assert finding.render()
        findings = Findings(item.source)
        ItemQuery(item, Project(Path(folder), Path(folder))).render(findings)
        for finding in findings.found:
            assert finding.render()


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    _read_rule(data)


@settings(max_examples=300)
@given(_damaged(_RULE))
def test_a_damaged_rule(text: str) -> None:
    _read_rule(text.encode())


@settings(max_examples=300)
@given(_damaged(_CASES))
def test_a_damaged_tests_file(text: str) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "x.tests.yaml")
        path.write_bytes(text.encode())
        for finding in load_cases(path, "x.tests.yaml").findings:
            assert finding.render()


@settings(max_examples=100)
@given(
    _damaged(
        "parameters: {a: 1}\nrules: {r: {b: [1]}}\nenvironments: {prod: {parameters: {a: 2}, workspace: {name: x}}}\nexclude: ['a/*']\n"
    )
)
def test_a_damaged_project_file(text: str) -> None:
    with TemporaryDirectory() as folder:
        Path(folder, "toolkit.yaml").write_bytes(text.encode())
        try:
            Project.find(Path(folder), Path(folder))
        except ContentError as error:
            assert str(error)  # noqa: PT017  # either outcome is right; what matters is that it is one of these two
