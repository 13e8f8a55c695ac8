"""Azure's control-plane log (AzureActivity): role assignments and the fetching of cluster credentials.

One operation writes two or three rows with the same CorrelationId (Start, sometimes Accept, then Success or Failure). What was requested
stands in the Start row as JSON text inside JSON text (`Properties.requestbody`), whether it succeeded stands in the last.
Old rows have display names ("Create role assignment", "Succeeded") in OperationName and ActivityStatus, and no `...Value` columns.
Columns: Azure Monitor reference, table AzureActivity.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from scripts.recorded_logs.kube import Json, at
from scripts.recorded_logs.shapes import CLUSTER, SUBSCRIPTION, WORKSPACE, Row, compact, ticks

OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
READER = "acdd72a7-4e5e-48ef-bd42-f606fba81ae7"
AKS_RBAC_CLUSTER_ADMIN = "b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b"
AKS_CLUSTER_ADMIN = "0ab0b1a8-8aac-4efd-b8c2-3ee1fb270be8"

ID_SPACE = uuid.UUID("00000000-0000-0000-0000-00000000a2c7")
_RG = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-aks"
_CLUSTER_SCOPE = f"{_RG}/providers/Microsoft.ContainerService/managedClusters/aks-prod"
_STORAGE_SCOPE = f"{_RG}/providers/Microsoft.Storage/storageAccounts/stlogs"
_ALICE = ("alice@contoso.com", "198.51.100.7")
_MALLORY = ("mallory@contoso.com", "203.0.113.40")
_LANDING_ZONE = ("00000000-0000-0000-0000-0000000000c7", "10.240.8.11")


@dataclass(frozen=True)
class Assignment:
    """One request for a role assignment. `caller` is (name, address); `outcome` is the status of its last row ("" = none was recorded)."""

    at: datetime
    caller: tuple[str, str]
    role: str
    scope: str
    principal: str
    outcome: str = "Success"
    keys: str = "Pascal"
    correlation: str = ""


def rows(assignment: Assignment) -> list[Row]:
    """The Start row and the last row, as today's connector writes them."""
    wanted = _wanted(assignment)
    start = {"requestbody": compact(wanted), "eventCategory": "Administrative", "entity": _entity(assignment)}
    result = [_row(assignment, assignment.at, "Start", start)]
    if assignment.outcome:
        end = {"statusCode": "Created" if assignment.outcome == "Success" else "Forbidden", "eventCategory": "Administrative"}
        result.append(_row(assignment, assignment.at + timedelta(seconds=1.4), assignment.outcome, end))
    return result


def legacy(assignment: Assignment) -> list[Row]:
    """The same as rows of the old connector: display names, and the new columns empty."""
    old = {"Start": "Started", "Success": "Succeeded", "Failure": "Failed"}
    result = []
    for row in rows(assignment):
        status = old[str(row.pop("ActivityStatusValue"))]
        row.pop("OperationNameValue")
        row.pop("CategoryValue")
        result.append({**row, "OperationName": "Create role assignment", "ActivityStatus": status, "Category": "Administrative"})
    return result


def benign_day() -> list[Row]:
    """Role assignments that give nobody power over a cluster, and other operations on the cluster."""
    reads = [
        Assignment(at("08:15:00.1"), _ALICE, READER, _CLUSTER_SCOPE, "e1"),
        Assignment(at("08:40:00.1"), _ALICE, OWNER, _STORAGE_SCOPE, "e2"),
        Assignment(at("16:05:00.1"), _LANDING_ZONE, READER, f"/subscriptions/{SUBSCRIPTION}", "e3"),
    ]
    result = [row for assignment in reads for row in rows(assignment)]
    operations = (
        ("08:20:11", "agentpools/write", "Start"),
        ("08:20:14", "agentpools/write", "Accept"),
        ("08:29:41", "agentpools/write", "Success"),
        ("09:29:30", "listClusterUserCredential/action", "Start"),
        ("09:29:31", "listClusterUserCredential/action", "Success"),
    )
    for clock, operation, status in operations:
        result.append(_cluster_operation(at(clock), operation, status, _ALICE))
    return sorted(result, key=lambda row: str(row["TimeGenerated"]))


def role_assignment() -> list[Row]:
    """Mallory becomes administrator of the cluster, in today's rows."""
    return rows(Assignment(at("10:00:01"), _MALLORY, AKS_RBAC_CLUSTER_ADMIN, _CLUSTER_SCOPE, "f1"))


def role_assignment_legacy() -> list[Row]:
    """Contributor on the cluster, in the rows of the old connector."""
    return legacy(Assignment(at("10:00:01"), _MALLORY, CONTRIBUTOR, _CLUSTER_SCOPE, "f1"))


def role_assignment_evasions() -> list[Row]:
    """Each has to alert: keys in the other case, a scope above the cluster, and two assignments of one deployment (one CorrelationId)."""
    deployment = "00000000-0000-0000-0000-00000000de01"
    requests = [
        Assignment(at("10:05:01"), _MALLORY, OWNER, _CLUSTER_SCOPE, "f2", keys="camel"),
        Assignment(at("10:06:01"), _MALLORY, OWNER, _RG, "f3"),
        Assignment(at("10:07:01"), _MALLORY, AKS_CLUSTER_ADMIN, _CLUSTER_SCOPE, "f4", correlation=deployment),
        Assignment(at("10:07:02"), _MALLORY, AKS_RBAC_CLUSTER_ADMIN, _CLUSTER_SCOPE, "f5", correlation=deployment),
    ]
    return [row for request in requests for row in rows(request)]


def role_assignment_failed() -> list[Row]:
    """Refused, and started but without an end: nothing was assigned as far as the log tells."""
    refused = Assignment(at("10:05:01"), _MALLORY, OWNER, _CLUSTER_SCOPE, "f6", outcome="Failure")
    pending = Assignment(at("10:06:01"), _MALLORY, OWNER, _CLUSTER_SCOPE, "f7", outcome="")
    return [*rows(refused), *rows(pending)]


def admin_credential() -> list[Row]:
    """Mallory fetches the cluster's admin certificate (`az aks get-credentials --admin`)."""
    moments = (("12:55:20", "Start"), ("12:55:21", "Success"))
    return [_cluster_operation(at(clock), "listClusterAdminCredential/action", status, _MALLORY) for clock, status in moments]


def _wanted(assignment: Assignment) -> Json:
    role = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{assignment.role}"
    fields = {
        "PrincipalId": f"00000000-0000-0000-0000-0000000000{assignment.principal}",
        "PrincipalType": "User",
        "RoleDefinitionId": role,
        "Scope": assignment.scope,
    }
    if assignment.keys == "camel":
        return {"id": _name(assignment), "properties": {key[0].lower() + key[1:]: value for key, value in fields.items()}}
    return {"Id": _name(assignment), "Properties": fields}


def _name(assignment: Assignment) -> str:
    return str(uuid.uuid5(ID_SPACE, f"{assignment.at.isoformat()}|{assignment.role}|{assignment.principal}"))


def _entity(assignment: Assignment) -> str:
    return f"{assignment.scope}/providers/Microsoft.Authorization/roleAssignments/{_name(assignment)}"


def _row(assignment: Assignment, moment: datetime, status: str, properties: dict[str, Json]) -> Row:
    action = "Microsoft.Authorization/roleAssignments/write"
    row = common(moment, action, status, assignment.caller, _entity(assignment).lower())
    correlation = assignment.correlation or str(uuid.uuid5(ID_SPACE, _name(assignment)))
    row["CorrelationId"] = correlation
    row["Authorization"] = compact({"action": action, "scope": _entity(assignment)})
    row["Properties"] = compact(properties)
    return row


def _cluster_operation(moment: datetime, operation: str, status: str, caller: tuple[str, str]) -> Row:
    action = f"Microsoft.ContainerService/managedClusters/{operation}"
    row = common(moment, action, status, caller, CLUSTER)
    row["CorrelationId"] = str(uuid.uuid5(ID_SPACE, f"{operation}|{caller[0]}"))
    row["Authorization"] = compact({"action": action, "scope": _CLUSTER_SCOPE})
    row["Properties"] = compact({"eventCategory": "Administrative", "entity": _CLUSTER_SCOPE})
    return row


def common(moment: datetime, action: str, status: str, caller: tuple[str, str], resource: str) -> Row:
    request = {"clientRequestId": str(uuid.uuid5(ID_SPACE, f"{moment}")), "clientIpAddress": caller[1], "method": "PUT"}
    return {
        "TenantId": WORKSPACE,
        "TimeGenerated": ticks(moment),
        # Today's connector writes the operation in capitals.
        "OperationNameValue": action.upper(),
        "ActivityStatusValue": status,
        "Level": "Information",
        "CategoryValue": "Administrative",
        "Caller": caller[0],
        "CallerIpAddress": caller[1],
        "ResourceGroup": "RG-AKS",
        "SubscriptionId": SUBSCRIPTION,
        "HTTPRequest": compact(request),
        "_ResourceId": resource,
        "SourceSystem": "Azure",
        "Type": "AzureActivity",
    }
