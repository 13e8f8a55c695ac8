"""New files: a rule with its cases and a recorded log, and a whole project. They validate as they are written."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from toolkit.kql.types import ScalarType, TableSchema

_MARK = "replace-me"
_NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
_NOT_TELLING = frozenset({"TenantId", "SourceSystem", "Type", "MG", "ManagementGroupName", "Category", "ResourceId"})
_ENTITIES: Mapping[str, tuple[str, str]] = {
    "UserPrincipalName": ("Account", "FullName"),
    "Account": ("Account", "FullName"),
    "UserIdentityArn": ("Account", "FullName"),
    "Caller": ("Account", "FullName"),
    "Computer": ("Host", "FullName"),
    "DeviceName": ("Host", "FullName"),
    "IPAddress": ("IP", "Address"),
    "SourceIpAddress": ("IP", "Address"),
    "CallerIpAddress": ("IP", "Address"),
    "SourceIP": ("IP", "Address"),
    "Url": ("URL", "Url"),
}
_EXAMPLES = {"Account": "bob@contoso.com", "Host": "web01.contoso.com", "IP": "203.0.113.40", "URL": "https://www.contoso.com/"}


def slug(name: str) -> str:
    """A file name of a rule's name: lower-case words joined by dashes."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "rule"


def new_rule(name: str, table: TableSchema, identity: UUID) -> dict[str, str]:
    """Path below the system's folder -> text: the rule (with this id), its tests and one recorded log."""
    stem = slug(name)
    column, entities = _marked_column(table), _entity_columns(table)
    sample = f"{table.name}.{stem}.jsonl"
    return {
        f"rules/{stem}.yaml": _rule(name, identity, table.name, column, entities),
        f"rules/{stem}.tests.yaml": _tests(sample, column, entities),
        f"samples/{sample}": _sample(column, entities),
    }


def _marked_column(table: TableSchema) -> str:
    """The column that the example looks at: the first telling text column."""
    texts = [name for name, kind in table.columns.items() if kind is ScalarType.STRING]
    telling = [name for name in texts if not name.startswith("_") and name not in _NOT_TELLING and name not in _ENTITIES]
    preferred = [name for name in ("OperationName", "EventName", "OperationNameValue", "Activity", "ActionType") if name in telling]
    return next(iter([*preferred, *telling, *texts, "TimeGenerated"]))


def _entity_columns(table: TableSchema) -> list[tuple[str, str, str]]:
    """(entity type, identifier, column) for well-known columns, one of each type."""
    found: dict[str, tuple[str, str, str]] = {}
    for column, (kind, identifier) in _ENTITIES.items():
        if table.columns.get(column) is ScalarType.STRING:
            found.setdefault(kind, (kind, identifier, column))
    return list(found.values())


def _rule(name: str, identity: UUID, table: str, column: str, entities: Sequence[tuple[str, str, str]]) -> str:
    columns = ", ".join(["TimeGenerated", column, *(entity[2] for entity in entities)])
    lines = [
        f"id: {identity}",
        f"name: {json.dumps(name, ensure_ascii=False)}",
        "version: 1.0.0",
        "kind: Scheduled",
        "description: |",
        "  What the rule looks for, why that is suspicious, and which harmless activity looks the same.",
        "severity: Medium",
        "requiredDataConnectors: []",
        "queryFrequency: 1h",
        "queryPeriod: 1h",
        "triggerOperator: gt",
        "triggerThreshold: 0",
        "tactics:",
        "  - InitialAccess",
        "relevantTechniques:",
        "  - T1078",
        "query: |",
        f"  {table}",
        f'  | where {column} == "{_MARK}"',
        f"  | project {columns}",
    ]
    if entities:
        lines.append("entityMappings:")
    for kind, identifier, source in entities:
        lines += [f"  - entityType: {kind}", "    fieldMappings:", f"      - identifier: {identifier}", f"        columnName: {source}"]
    return "\n".join([*lines, "eventGroupingSettings:", "  aggregationKind: SingleAlert", ""])


def _tests(sample: str, column: str, entities: Sequence[tuple[str, str, str]]) -> str:
    shown = [f"        - {{type: {kind}, {identifier}: {json.dumps(_EXAMPLES[kind])}}}" for kind, identifier, _ in entities]
    table = sample.split(".", maxsplit=1)[0]
    lines = [
        "cases:",
        "  - name: the suspicious event is found",
        f"    now: {_moment(_NOW)}",
        "    logs:",
        f"      {table}:",
        f"        - ../samples/{sample}",
        "    expect:",
        "      alerts: 1",
        "      rows:",
        f"        - {{{column}: {_MARK}}}",
        *(["      entities:", *shown] if shown else []),
        "  - name: the same event with another value is not",
        f"    now: {_moment(_NOW)}",
        "    logs:",
        f"      {table}:",
        f"        - {{file: ../samples/{sample}, set: {{{column}: harmless}}}}",
        "    expect: none",
        "",
    ]
    return "\n".join(lines)


def _sample(column: str, entities: Sequence[tuple[str, str, str]]) -> str:
    row = {"TimeGenerated": _moment(_NOW - timedelta(minutes=20)), column: _MARK}
    row |= {source: _EXAMPLES[kind] for kind, _, source in entities}
    return json.dumps(row) + "\n"


def _moment(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def new_project(name: str, table: TableSchema, identity: UUID) -> dict[str, str]:
    """Path -> text of a project with one example rule."""
    example = {f"detections/example/{path}": text for path, text in new_rule("Example - suspicious operation", table, identity).items()}
    return {"toolkit.yaml": _PROJECT, "README.md": _README.format(name=name), **example}


_PROJECT = """\
# What the toolkit knows about this project. Every key is optional.
content:
  rules: ["detections/*/rules/*.yaml"]
  hunting: ["detections/*/hunting/*.yaml"]
  functions: ["detections/*/functions/*.yaml"]
  watchlists: ["detections/*/watchlists/*.yaml", "detections/*/watchlists/*.csv"]

# Values for the template parameters of all rules; `environments` override them.
parameters: {}

environments:
  dev:
    parameters: {}
  prod:
    parameters: {}

# Custom tables, and columns that a workspace adds to known ones.
catalog:
  tables: {}
    # MyApp_CL: {TimeGenerated: datetime, Message: string}
  columns: {}
    # AzureDiagnostics: {myField_s: string}
"""

_README = """\
# {name}

Detection rules for Microsoft Sentinel, proven on recorded logs.

    toolkit validate                 check everything and run all cases
    toolkit new rule "A new rule"    write a rule with its cases and a sample log
    toolkit render RULE --env prod   print the KQL of a rule as it is deployed

A rule lies in `detections/<system>/rules/x.yaml`, its cases beside it in `x.tests.yaml`, recorded logs in
`detections/<system>/samples/`.
"""
