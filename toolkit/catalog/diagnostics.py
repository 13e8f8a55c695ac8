"""AzureDiagnostics by category: the columns that the services' own logs bring into the shared table.

The published schema of AzureDiagnostics lists what some services happened to send; Kubernetes' `log_s`, for one, is
not in it. Columns with a type suffix are accepted anyway (`open_suffixes`); the lists here put them into completion
and `getschema`, and hold the ones that have no suffix. Types are KQL names.
Source: Microsoft's monitoring references of the services (AKS, Logic Apps, API Management, PostgreSQL).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

AZURE_DIAGNOSTICS = "AzureDiagnostics"

_COMMON = {"RawData": "string", "Resource": "string", "ResourceId": "string", "SubscriptionId": "string", "Computer": "string"}
_AKS = _COMMON | {
    "attrs_s": "string",
    "ccpNamespace_s": "string",
    "Cloud_s": "string",
    "containerID_s": "string",
    "Environment_s": "string",
    "log_s": "string",
    "pod_s": "string",
    "stream_s": "string",
}
_AKS_CATEGORIES = (
    "kube-audit",
    "kube-audit-admin",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "cluster-autoscaler",
    "cloud-controller-manager",
    "guard",
)
_WORKFLOW_RUNTIME = _COMMON | {
    "resource_workflowName_s": "string",
    "resource_triggerName_s": "string",
    "resource_actionName_s": "string",
    "resource_runId_s": "string",
    "status_s": "string",
    "code_s": "string",
    "error_code_s": "string",
    "error_message_s": "string",
    "startTime_t": "datetime",
    "endTime_t": "datetime",
    "correlation_clientTrackingId_s": "string",
    "fired_b": "bool",
}
_GATEWAY_LOGS = _COMMON | {
    "method_s": "string",
    "url_s": "string",
    "responseCode_d": "real",
    "lastError_source_s": "string",
    "lastError_reason_s": "string",
}
_POSTGRESQL_LOGS = _COMMON | {
    "errorLevel_s": "string",
    "processId_d": "real",
    "sqlerrcode_s": "string",
    "LogicalServerName_s": "string",
    "Detail": "string",
}

CATEGORY_COLUMNS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    dict.fromkeys(_AKS_CATEGORIES, _AKS)
    | {"WorkflowRuntime": _WORKFLOW_RUNTIME, "GatewayLogs": _GATEWAY_LOGS, "PostgreSQLLogs": _POSTGRESQL_LOGS}
)
"""Category -> {column: KQL type}, besides the columns that the published schema has."""


def with_category_columns(columns: Mapping[str, str]) -> dict[str, str]:
    """The published columns, then those of the categories that it lacks, in alphabetical order."""
    extra = {name: kind for category in CATEGORY_COLUMNS.values() for name, kind in category.items() if name not in columns}
    return {**columns, **dict(sorted(extra.items()))}
