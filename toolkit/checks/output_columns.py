"""Every column that a rule's metadata names has to be in the query's result.

Entity mappings, custom details, `{{column}}` in alert texts and the columns of overrides are filled from the result of
the query. A misspelt column, another case, or a column that a later `project` drops gives alerts without entities, and
the service does not say so. It is the most frequent defect of published rules.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from toolkit.content.findings import Findings
from toolkit.content.limits import PLACEHOLDER
from toolkit.content.models.rule import Described, Rule
from toolkit.content.yaml.nodes import Document, Path, Scalar
from toolkit.kql.diagnostics import did_you_mean
from toolkit.kql.source import Span


@dataclass(frozen=True)
class _Use:
    """One place where the metadata names a column: the value at `path`, or `offset` characters into it."""

    column: str
    path: Path
    purpose: str
    offset: int = 0
    scalar_only: bool = False


def check_output_columns(item: Described, document: Document, columns: Sequence[tuple[str, str]], findings: Findings) -> None:
    """Add a finding for every column that the metadata of `item` names and the query's result does not have."""
    types = dict(columns)
    for use in _uses(item):
        if "unknown" in types.values() and use.column not in types:
            continue
        if use.column not in types:
            _unknown(use, document, types, findings)
        elif use.scalar_only and types[use.column] == "dynamic":
            message = f"The column {use.column!r} is dynamic: the {use.purpose} holds its JSON text, a list is not taken apart."
            hints = ("Map a scalar: `extend` it with tostring(), or take the list apart with mv-expand.",)
            findings.add("dynamic-column", message, _span(use, document), hints=hints, severity="info")


def _uses(item: Described) -> Iterator[_Use]:
    for number, mapping in enumerate(item.entity_mappings):
        for index, field in enumerate(mapping.field_mappings):
            path = ("entityMappings", number, "fieldMappings", index, "columnName")
            yield _Use(field.column_name, path, f"entity {mapping.entity_type}", scalar_only=True)
    for key, column in item.custom_details.items():
        yield _Use(column, ("customDetails", key), f"custom detail {key}")
    if isinstance(item, Rule):
        for number, entity in enumerate(item.sentinel_entities_mappings):
            yield _Use(entity.column_name, ("sentinelEntitiesMappings", number, "columnName"), "list of entities")
        yield from _override_uses(item)


def _override_uses(rule: Rule) -> Iterator[_Use]:
    override = rule.alert_details_override
    if override is None:
        return
    base = "alertDetailsOverride"
    texts = (
        ("alertDisplayNameFormat", override.alert_display_name_format, "alert name"),
        ("alertDescriptionFormat", override.alert_description_format, "alert description"),
    )
    for key, text, purpose in texts:
        for match in PLACEHOLDER.finditer(text or ""):
            yield _Use(match[1], (base, key), purpose, match.start(1))
    columns = (
        ("alertTacticsColumnName", override.alert_tactics_column_name, "alert's tactics"),
        ("alertSeverityColumnName", override.alert_severity_column_name, "alert's severity"),
    )
    for key, column, purpose in columns:
        if column:
            yield _Use(column, (base, key), purpose)
    for number, dynamic in enumerate(override.alert_dynamic_properties):
        yield _Use(dynamic.value, (base, "alertDynamicProperties", number, "value"), f"alert's {dynamic.alert_property}")


def _unknown(use: _Use, document: Document, types: Mapping[str, str], findings: Findings) -> None:
    same = [name for name in types if name.lower() == use.column.lower()]
    if same:
        code, message = "column-case", f"The result has no column {use.column!r} for the {use.purpose}; the names differ in case."
        hints = (f"Write {same[0]!r}: column names are case-sensitive.",)
    else:
        code, message = "unknown-column", f"The result of the query has no column {use.column!r} for the {use.purpose}."
        near = did_you_mean(use.column, types)
        listed = ", ".join(types) if len(types) <= 30 else ", ".join([*list(types)[:30], "..."])
        hints = (f"Did you mean {' or '.join(map(repr, near))}?",) if near else (f"Columns of the result: {listed}.",)
    findings.add(code, message, _span(use, document), hints=hints)


def _span(use: _Use, document: Document) -> Span:
    node = document.node(use.path)
    if isinstance(node, Scalar) and (use.offset or node.style in ("|", ">")):
        start = document.text_offset(node, use.offset)
        return Span(start, start + max(1, len(use.column)))
    return document.span(use.path)
