"""Diagnostic records as Azure writes them to storage accounts and Event Hubs -> rows of AzureDiagnostics.

In the workspace the service has already unpacked them: `properties.log` is `log_s`, `category` is `Category`, the resource
id is upper-case and its parts are columns. Recorded envelopes become the same rows.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from toolkit.engine.ingest.scalars import compact_json

_NAMES = {
    "time": "TimeGenerated",
    "category": "Category",
    "operationName": "OperationName",
    "operationVersion": "OperationVersion",
    "resultType": "ResultType",
    "resultSignature": "ResultSignature",
    "resultDescription": "ResultDescription",
    "durationMs": "DurationMs",
    "callerIpAddress": "CallerIPAddress",
    "correlationId": "CorrelationId",
    "level": "Level",
    "Level": "Level",
    "tenantId": "TenantId",
}

_LOG = "log"
"""The audit event of Kubernetes: text in the workspace, even where an export has parsed it."""


def is_envelope(record: Mapping[str, Any]) -> bool:
    return record.get("time") is not None and record.get("properties") is not None and record.get("TimeGenerated") is None


def unpack(records: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The records with every envelope among them replaced by its row."""
    return [_row(record) if is_envelope(record) else record for record in records]


def _row(record: Mapping[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for key, value in record.items():
        if key.lower() == "resourceid" and isinstance(value, str):
            row |= _resource(value.upper())
        elif key == "properties":
            row |= _properties(value)
        elif key in _NAMES:
            row[_NAMES[key]] = value
        elif value is not None:
            row |= dict(_flat(key, value))
    return row


def _properties(value: Any) -> dict[str, Any]:
    """The properties, which are an object or the text of one."""
    if isinstance(value, str):
        try:
            parsed = json.loads(value)
        except (ValueError, RecursionError):
            parsed = None
        value = parsed if isinstance(parsed, dict) else value
    if isinstance(value, dict):
        return {name: item for key, nested in value.items() for name, item in _flat(key, nested)}
    return dict(_flat("properties", value)) if value is not None else {}


def _flat(name: str, value: Any) -> Iterable[tuple[str, Any]]:
    """(column, value) with the suffix of the value's type; an object's members are columns of their own."""
    if isinstance(value, dict) and value and name != _LOG:
        for key, nested in value.items():
            yield from _flat(f"{name}_{key}", nested)
    elif isinstance(value, bool):
        yield f"{name}_b", value
    elif isinstance(value, (int, float)):
        yield f"{name}_d", value
    elif isinstance(value, str):
        yield f"{name}_s", value
    elif value is not None:
        yield f"{name}_s", compact_json(value)


def _resource(resource_id: str) -> dict[str, str]:
    """The parts of `/SUBSCRIPTIONS/id/RESOURCEGROUPS/group/PROVIDERS/provider/type/name[/type/name]...`."""
    row = {"ResourceId": resource_id}
    parts = resource_id.strip("/").split("/")
    names = ("SUBSCRIPTIONS", "RESOURCEGROUPS", "PROVIDERS")
    for name, column, at in zip(names, ("SubscriptionId", "ResourceGroup", "ResourceProvider"), (0, 2, 4), strict=True):
        if len(parts) > at + 1 and parts[at] == name:
            row[column] = parts[at + 1]
    if len(row) == 4 and len(parts) >= 8 and len(parts) % 2 == 0:
        row["ResourceType"] = "/".join(parts[6::2])
        row["Resource"] = parts[-1]
    row["SubscriptionId"] = row.get("SubscriptionId", "").lower()
    return {key: value for key, value in row.items() if value}
