"""Metadata against the columns that the query gives."""

from __future__ import annotations

import pytest

from toolkit.checks.output_columns import check_output_columns
from toolkit.content.findings import Findings
from toolkit.content.models.rule import Rule
from toolkit.content.models.validate import validate_model
from toolkit.content.yaml import parse_yaml

_COLUMNS = [("TimeGenerated", "datetime"), ("Caller", "string"), ("CallerIpAddress", "string"), ("Tags", "dynamic"), ("Count", "long")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("entityMappings:\n- entityType: IP\n  fieldMappings:\n  - {identifier: Address, columnName: CallerIpAddress}\n", []),
        (
            "entityMappings:\n- entityType: IP\n  fieldMappings:\n  - {identifier: Address, columnName: CallerIPAddress}\n",
            [("column-case", "CallerIPAddress", "Write 'CallerIpAddress'")],
        ),
        (
            "entityMappings:\n- entityType: Account\n  fieldMappings:\n  - {identifier: FullName, columnName: Calller}\n",
            [("unknown-column", "Calller", "Did you mean 'Caller'")],
        ),
        (
            "entityMappings:\n- entityType: Account\n  fieldMappings:\n  - {identifier: FullName, columnName: Tags}\n",
            [("dynamic-column", "Tags", "mv-expand")],
        ),
        ("customDetails:\n  Who: Nobody\n  Number: Count\n  Tags: Tags\n", [("unknown-column", "Nobody", "Columns of the result")]),
        ("sentinelEntitiesMappings:\n- columnName: Entities\n", [("unknown-column", "Entities", "list of entities")]),
        (
            "alertDetailsOverride:\n  alertDisplayNameFormat: 'By {{ Caler }} from {{CallerIpAddress}}'\n",
            [("unknown-column", "Caler", "Did you mean 'Caller'")],
        ),
        (
            "alertDetailsOverride:\n  alertDescriptionFormat: |\n    First line\n    then {{count}} times\n",
            [("column-case", "count", "Write 'Count'")],
        ),
        (
            "alertDetailsOverride: {alertSeverityColumnName: Sev, alertDynamicProperties: [{alertProperty: AlertLink, value: Link}]}\n",
            [("unknown-column", "Sev", "alert's severity"), ("unknown-column", "Link", "AlertLink")],
        ),
    ],
)
def test_columns_of_the_metadata(text: str, expected: list[tuple[str, str, str]]) -> None:
    document, findings = parse_yaml(text, "rule.yaml")
    rule = validate_model(Rule, document, findings)
    assert rule is not None
    assert not findings.found
    check_output_columns(rule, document, _COLUMNS, findings)
    found = [(f.code, document.source.text[f.diagnostic.start : f.diagnostic.end]) for f in findings.found]
    assert found == [(code, underlined) for code, underlined, _ in expected]
    for finding, (_, _, words) in zip(findings.found, expected, strict=True):
        assert words in finding.render()


def test_nothing_is_said_about_columns_of_an_open_table() -> None:
    document, findings = parse_yaml("customDetails: {Who: Nobody}\n", "rule.yaml")
    rule = validate_model(Rule, document, Findings(document.source))
    assert rule is not None
    check_output_columns(rule, document, [("Known", "unknown")], findings)
    assert not findings.found
