"""Rule files: what is refused, where the finding stands, and what has to load unchanged."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.content.sections import Section, check, parameters
from toolkit.content.items import load_item, sniff
from toolkit.content.models.rule import Rule

_BASE = {
    "id": "id: 00000000-0000-0000-0000-000000000001",
    "name": "name: A rule",
    "version": "version: 1.0.0",
    "kind": "kind: Scheduled",
    "description": "description: What it finds",
    "severity": "severity: Medium",
    "queryFrequency": "queryFrequency: 1h",
    "queryPeriod": "queryPeriod: 1h",
    "triggerOperator": "triggerOperator: gt",
    "triggerThreshold": "triggerThreshold: 0",
    "tactics": "tactics: [Persistence]",
    "relevantTechniques": "relevantTechniques: [T1098]",
    "query": "query: T",
}


def with_keys(text: str) -> str:
    """The base rule, with the top-level keys of `text` in place of its own."""
    chunks = re.split(r"^(?=\S)", text, flags=re.MULTILINE)
    own = {chunk.partition(":")[0]: chunk.rstrip("\n") for chunk in chunks if chunk.strip()}
    return "\n".join({**_BASE, **own}.values()) + "\n"


@pytest.mark.parametrize("section", parameters("rules.txt"))
def test_findings(section: Section, tmp_path: Path) -> None:
    path = tmp_path / "rule.yaml"
    path.write_text(with_keys(section.text), encoding="utf-8")
    item = load_item(path, "rule.yaml", "rule")
    assert item is not None
    check(item.findings, section.expected)


def test_a_ten_megabyte_rule_is_refused_by_its_size(tmp_path: Path) -> None:
    path = tmp_path / "rule.yaml"
    path.write_text(with_keys("query: |\n" + "  T | where x == 1\n" * 600_000), encoding="utf-8")
    item = load_item(path, "rule.yaml", "rule")
    assert item is not None
    assert [finding.code for finding in item.findings] == ["file-too-large"]


def test_a_query_longer_than_the_service_takes(tmp_path: Path) -> None:
    path = tmp_path / "rule.yaml"
    path.write_text(with_keys("query: |\n" + "  | where x == 1\n" * 1_000), encoding="utf-8")
    item = load_item(path, "rule.yaml", "rule")
    assert item is not None
    assert [(finding.code, finding.position.line) for finding in item.findings] == [("limit", 13)]


def test_text_stays_as_written(tmp_path: Path) -> None:
    path = tmp_path / "rule.yaml"
    path.write_text(with_keys("name: 0123\nversion: 1.10.0\ndescription: 1e3\nquery: true"), encoding="utf-8")
    item = load_item(path, "rule.yaml", "rule")
    assert item is not None
    assert isinstance(item.model, Rule)
    assert (item.model.name, item.model.version, item.model.description, item.model.query) == ("0123", "1.10.0", "1e3", "true")


_EVERY_KEY = """\
id: 00000000-0000-0000-0000-000000000001
name: Every key that published rules have
version: 1.0.3
kind: Scheduled
description: |
  'A description in quotes'
severity: Medium
status: Available
author: {name: Somebody}
tags: [a, {b: c}]
metadata: {source: {kind: Community}, categories: {domains: [Identity]}}
requiredDataConnectors:
  - connectorId: AzureActiveDirectory
    dataTypes: [SigninLogs]
queryFrequency: 1d
queryPeriod: 14d
triggerOperator: gt
triggerThreshold: 0
startTimeUtc: null
tactics: [CredentialAccess]
relevantTechniques: [T1110, T1110.003]
query: SigninLogs
entityMappings:
  - entityType: Account
    fieldMappings:
      - identifier: FullName
        columnName: UserPrincipalName
sentinelEntitiesMappings:
  - columnName: Entities
customDetails: {Ip: IPAddress}
alertDetailsOverride:
  alertDisplayNameFormat: "{{UserPrincipalName}} signed in"
  alertDescriptionFormat: "from {{ IPAddress }}"
  alertTacticsColumnName: Tactic
  alertSeverityColumnName: Severity
  alertDynamicProperties:
    - alertProperty: AlertLink
      value: Link
eventGroupingSettings: {aggregationKind: AlertPerResult}
incidentConfiguration:
  createIncident: true
  groupingConfiguration:
    enabled: true
    reopenClosedIncident: false
    lookbackDuration: PT5H
    matchingMethod: Selected
    groupByEntities: [Account]
    groupByAlertDetails: [DisplayName]
    groupByCustomDetails: [Ip]
suppressionEnabled: false
suppressionDuration: PT5H
enabled: true
"""


def test_every_key_of_published_rules_is_accepted(tmp_path: Path) -> None:
    path = tmp_path / "rule.yaml"
    path.write_text(_EVERY_KEY, encoding="utf-8")
    item = load_item(path, "rule.yaml", None)
    assert item is not None
    assert not item.findings
    assert isinstance(item.model, Rule)
    assert item.model.query_period is not None
    assert item.model.query_period.days == 14
    assert item.model.alert_details_override is not None
    assert item.model.alert_details_override.alert_description_format == "from {{ IPAddress }}"


def test_rules_of_kinds_without_a_query_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "rule.yaml"
    path.write_text("id: x\nkind: Fusion\nname: Fusion\nseverity: High\n", encoding="utf-8")
    item = load_item(path, "rule.yaml", None)
    assert item is not None
    assert [(finding.severity, finding.code) for finding in item.findings] == [("info", "unmanaged-kind")]


@pytest.mark.parametrize(
    ("keys", "kind"),
    [
        ("id name query severity queryFrequency", "rule"),
        ("id name query kind", "rule"),
        ("id name description query tactics", "hunting"),
        ("FunctionQuery FunctionAlias", "function"),
        ("ParserName ParserQuery", "function"),
        ("watchlistAlias itemsSearchKey", "watchlist"),
        ("on jobs name", None),
        ("query", None),
    ],
)
def test_the_kind_of_a_file_outside_a_project(keys: str, kind: str | None) -> None:
    assert sniff(keys.split()) == kind


def test_a_name_longer_than_the_service_takes(tmp_path: Path) -> None:
    path = tmp_path / "rule.yaml"
    path.write_text(with_keys(f"name: {'a' * 257}"), encoding="utf-8")
    item = load_item(path, "rule.yaml", "rule")
    assert item is not None
    assert [(finding.code, finding.position.line) for finding in item.findings] == [("limit", 2)]
