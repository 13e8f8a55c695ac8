"""From one audit event to a row of the table that Azure Monitor puts it in.

The two shapes differ in more than column names: AzureDiagnostics keeps the whole event as JSON *text* in `log_s` with the API server's
camelCase keys, AKSAudit and AKSAuditAdmin spread it over typed columns, rename some (`SourceIps`, `StageReceivedTime`) and have no column
for `impersonatedUser`. The admin variants (kube-audit-admin, AKSAuditAdmin) leave out get and list.
Columns: Azure Monitor reference, tables AzureDiagnostics (resource type managedClusters), AKSAudit, AKSAuditAdmin.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timedelta

from scripts.recorded_logs.kube import Call, Json, events

Row = dict[str, Json]

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
TENANT = "00000000-0000-0000-0000-0000000000aa"
WORKSPACE = "00000000-0000-0000-0000-0000000000bb"
CLUSTER = f"/subscriptions/{SUBSCRIPTION}/resourcegroups/rg-aks/providers/microsoft.containerservice/managedclusters/aks-prod"
_POD = "kube-apiserver-7c9d5b6f4-2xkqz"
_SHIPPING_DELAY = timedelta(milliseconds=101, microseconds=234)


def azure_diagnostics(calls: Iterable[Call], category: str = "kube-audit") -> list[Row]:
    """Rows of AzureDiagnostics, in the order of their TimeGenerated."""
    rows = [_diagnostics_row(moment, event, category) for call in calls if _collected(call, category) for moment, event in events(call)]
    return sorted(rows, key=_time)


def aks_audit(calls: Iterable[Call], table: str = "AKSAudit") -> list[Row]:
    """Rows of AKSAudit or AKSAuditAdmin, in the order of their TimeGenerated."""
    category = "kube-audit-admin" if table == "AKSAuditAdmin" else "kube-audit"
    rows = [_audit_row(moment, event, table) for call in calls if _collected(call, category) for moment, event in events(call)]
    return sorted(rows, key=_time)


def api_server_lines(lines: Iterable[tuple[datetime, str, str]]) -> tuple[list[Row], list[Row]]:
    """kube-apiserver's own log, (time, level, text), as rows of AzureDiagnostics and of AKSControlPlane."""
    diagnostics: list[Row] = []
    control_plane: list[Row] = []
    for moment, level, text in lines:
        diagnostics.append({**_envelope(moment, "kube-apiserver"), "log_s": text + "\n", "pod_s": _POD, "stream_s": "stderr"})
        control_plane.append(
            {
                "TenantId": WORKSPACE,
                "TimeGenerated": ticks(moment + _SHIPPING_DELAY),
                "Category": "kube-apiserver",
                "Level": level,
                "Message": text,
                "PodName": _POD,
                "Stream": "stderr",
                "_ResourceId": CLUSTER,
                "Type": "AKSControlPlane",
            }
        )
    return diagnostics, control_plane


def ticks(moment: datetime) -> str:
    """The time as Log Analytics prints it: UTC, seven fraction digits."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f") + "7Z"


def compact(value: Json) -> str:
    """JSON text without blanks, as the API server writes it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _collected(call: Call, category: str) -> bool:
    return category != "kube-audit-admin" or call.verb not in ("get", "list")


def _time(row: Row) -> str:
    return str(row["TimeGenerated"])


def _envelope(moment: datetime, category: str) -> Row:
    return {
        "TenantId": WORKSPACE,
        "TimeGenerated": ticks(moment + _SHIPPING_DELAY),
        "ResourceId": CLUSTER.upper(),
        "Category": category,
        "ResourceGroup": "RG-AKS",
        "SubscriptionId": SUBSCRIPTION,
        "ResourceProvider": "MICROSOFT.CONTAINERSERVICE",
        "Resource": "AKS-PROD",
        "ResourceType": "MANAGEDCLUSTERS",
        # Constant on every row of every AKS category: it names the permission to read the log, not what happened.
        "OperationName": "Microsoft.ContainerService/managedClusters/diagnosticLogs/Read",
        "SourceSystem": "Azure",
        "_ResourceId": CLUSTER,
        "Type": "AzureDiagnostics",
    }


def _diagnostics_row(moment: datetime, event: dict[str, Json], category: str) -> Row:
    return {**_envelope(moment, category), "log_s": compact(event), "pod_s": _POD, "stream_s": "stdout"}


def _audit_row(moment: datetime, event: dict[str, Json], table: str) -> Row:
    columns = {
        "Annotations": event.get("annotations"),
        "AuditId": event["auditID"],
        "Level": event["level"],
        "ObjectRef": event.get("objectRef"),
        "RequestObject": event.get("requestObject"),
        "RequestReceivedTime": event["requestReceivedTimestamp"],
        "RequestUri": event["requestURI"],
        "ResponseObject": event.get("responseObject"),
        "ResponseStatus": event.get("responseStatus"),
        "SourceIps": event["sourceIPs"],
        "Stage": event["stage"],
        "StageReceivedTime": event["stageTimestamp"],
        "User": event["user"],
        "UserAgent": event["userAgent"],
        "Verb": event["verb"],
    }
    known = {name: value for name, value in columns.items() if value is not None}
    envelope: Row = {"TenantId": WORKSPACE, "TimeGenerated": ticks(moment + _SHIPPING_DELAY), "PodName": _POD}
    return {**envelope, **known, "SourceSystem": "Azure", "_ResourceId": CLUSTER, "Type": table}
