"""What Sentinel writes about itself: runs of analytic rules (SentinelHealth), the alerts and incidents that came of them.

A day and a half in which eleven rules run every hour. One rule fails for five hours, because its table is not there; one loses
entities to its mappings; two never raise an alert; people close some incidents as false positives and leave others open.
SecurityIncident has a row per change of an incident, not per incident.
Columns: Azure Monitor reference, tables SentinelHealth, SecurityAlert and SecurityIncident.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from scripts.recorded_logs.kube import Json, at
from scripts.recorded_logs.shapes import SUBSCRIPTION, TENANT, WORKSPACE, Row, compact, ticks

_ID_SPACE = uuid.UUID("00000000-0000-0000-0000-00000000ea17")
_WORKSPACE_ID = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-sentinel/providers/Microsoft.OperationalInsights/workspaces/log-sentinel"
_START, _RUNS, _HOUR = at("12:00:00", "2026-03-01"), 36, timedelta(hours=1)
_PEOPLE = {"alice@contoso.com": "Alice", "bob@contoso.com": "Bob"}


@dataclass(frozen=True)
class Rule:
    """An analytic rule. `alerts` are the numbers of the runs that raise one."""

    id: str
    name: str
    severity: str
    tactics: tuple[str, ...]
    technique: str
    alerts: tuple[int, ...] = ()
    kind: str = "Scheduled"


RULES = (
    Rule("4997926b-e073-5e5a-b3ba-50a34abefff6", "AKS - administrator role bound in a cluster", "High",
         ("Persistence", "PrivilegeEscalation"), "T1098", (21, 22), "NRT"),
    Rule("5677c662-fbf3-5e28-b732-f92e53f51d5e", "AKS - CronJob created or changed", "Medium", ("Execution", "Persistence"), "T1053",
         (3, 9, 15, 22, 27, 33)),
    Rule("21967cb8-e29f-5ce5-b46f-69bc7f0f8293", "AKS - local administrator account used", "Medium", ("InitialAccess", "Persistence"),
         "T1078", (5, 20, 21, 22, 23)),
    Rule("019c7df8-8661-58ae-b82e-1b22b70dd3ea", "AKS - many permissions refused in a short time", "Medium", ("Discovery",),
         "T1613", (22,)),
    Rule("c28b92c6-32d0-57d2-b228-e04b61fb4172", "AKS - request from a watched address", "Medium", ("InitialAccess", "Discovery"), "T1078"),
    Rule("6544c4c1-0451-5828-a91f-586497ee5075", "AKS - creation of a sensitive object allowed", "Low", ("Persistence", "Execution"),
         "T1610", (2, 4, 7, 10, 12, 14, 18, 20, 22, 25, 26, 30, 34)),
    Rule("01f70b50-991f-582f-adc9-97dfd34f7ca5", "AKS - Azure role with power over a cluster assigned", "Medium", ("Persistence",), "T1098",
         (22, 28)),
    Rule("9f5f3a3e-9d6c-5b0a-8a55-1c6f0a3f9d01", "AWS - root signed in to the console", "High", ("InitialAccess",), "T1078", (23, 33)),
    Rule("9f5f3a3e-9d6c-5b0a-8a55-1c6f0a3f9d02", "AWS - root created an IAM user", "High", ("Persistence", "PrivilegeEscalation"), "T1136",
         (23, 33), "NRT"),
    Rule("9f5f3a3e-9d6c-5b0a-8a55-1c6f0a3f9d03", "AWS - root created an access key", "High", ("Persistence",), "T1098", (33,)),
    Rule("9f5f3a3e-9d6c-5b0a-8a55-1c6f0a3f9d04", "Zscaler ZPA - client from two countries", "Low", ("InitialAccess",), "T1078"),
)  # fmt: skip
_FAILING, _FAILS = RULES[-1], range(14, 19)
_DROPPING = RULES[2]

# Classification and hours until an incident is closed, by the severity of its rule and its number; None stays open.
_CLOSED: tuple[tuple[str, str, float] | None, ...] = (
    ("BenignPositive", "SuspiciousButExpected", 2.5),
    ("FalsePositive", "IncorrectAlertLogic", 0.75),
    ("TruePositive", "SuspiciousActivity", 4.0),
    None,
    ("FalsePositive", "InaccurateData", 1.25),
    ("BenignPositive", "SuspiciousButExpected", 6.5),
    ("TruePositive", "SuspiciousActivity", 1.5),
)


def runs() -> list[Row]:
    """Thirty-six hourly runs of eleven analytic rules: one fails for five hours, one drops entities, two raise nothing."""
    rows = [_run(rule, number) for rule in RULES for number in range(_RUNS)]
    return sorted(rows, key=lambda row: str(row["TimeGenerated"]))


def alerts() -> list[Row]:
    """The alerts that these runs raised."""
    return sorted((_alert(rule, number) for rule in RULES for number in rule.alerts), key=lambda row: str(row["TimeGenerated"]))


def incidents() -> list[Row]:
    """An incident per alert, a row for each of its changes: created, taken, closed with a classification."""
    raised = sorted((number, rule.name, rule) for rule in RULES for number in rule.alerts)
    rows = [row for index, (number, _, rule) in enumerate(raised) for row in _incident(rule, number, index)]
    return sorted(rows, key=lambda row: (str(row["TimeGenerated"]), str(row["IncidentNumber"])))


def _moment(rule: Rule, number: int) -> datetime:
    return _START + number * _HOUR + timedelta(seconds=40 + 7 * RULES.index(rule))


def _id(*parts: object) -> str:
    return str(uuid.uuid5(_ID_SPACE, "|".join(map(str, parts))))


def _run(rule: Rule, number: int) -> Row:
    moment, raised = _moment(rule, number), int(number in rule.alerts)
    failed = rule is _FAILING and number in _FAILS
    dropped = 2 * raised if rule is _DROPPING else 0
    table = {"Code": "TableDoesNotExist", "Description": "The table ZPA_CL does not exist in the workspace."}
    issues: list[Json] = [table] if failed else []
    if dropped:
        issues.append({"Code": "EntitiesDropped", "Description": "Entities without a value of a strong identifier were dropped."})
    details: Json = {
        "RuleId": rule.id,
        "TriggerType": "NrtRun" if rule.kind == "NRT" else "Scheduled",
        "QueryStartTimeUTC": ticks(moment - _HOUR),
        "QueryEndTimeUTC": ticks(moment),
        "QueryFrequency": "01:00:00",
        "QueryPeriod": "01:00:00",
        "QueryResultAmount": 0 if failed else 3 * raised,
        "AlertsGeneratedAmount": 0 if failed else raised,
        "EntitiesGeneratedAmount": 4 * raised - dropped,
        "EntitiesDroppedDueToMappingIssuesAmount": dropped,
        "Issues": issues,
    }
    return {
        "TenantId": WORKSPACE,
        "TimeGenerated": ticks(moment),
        "OperationName": f"{'NRT' if rule.kind == 'NRT' else 'Scheduled'} analytics rule run",
        "SentinelResourceId": f"{_WORKSPACE_ID}/providers/Microsoft.SecurityInsights/alertRules/{rule.id}",
        "SentinelResourceName": rule.name,
        "SentinelResourceType": "Analytic Rule",
        "SentinelResourceKind": rule.kind,
        "Status": "Failure" if failed else "Success",
        "Description": "Rule failed to run. A table in the query does not exist." if failed else "Rule executed successfully",
        "Reason": "The analytics rule query references a table that does not exist." if failed else "",
        "ExtendedProperties": details,
        "Type": "SentinelHealth",
    }


def _alert(rule: Rule, number: int) -> Row:
    moment = _moment(rule, number)
    details: Json = {
        "Query Period": "01:00:00",
        "Query Start Time UTC": f"{moment - _HOUR:%Y-%m-%d %H:%M:%S}Z",
        "Query End Time UTC": f"{moment:%Y-%m-%d %H:%M:%S}Z",
        "Analytic Rule Ids": compact([rule.id]),
        "Analytic Rule Name": rule.name,
        "Search Query Results Overall Count": "3",
        "ProcessedBySentinel": "True",
    }
    return {
        "TenantId": WORKSPACE,
        "TimeGenerated": ticks(moment + timedelta(seconds=20)),
        "DisplayName": rule.name,
        "AlertName": rule.name,
        "AlertSeverity": rule.severity,
        "AlertType": f"{WORKSPACE}_{rule.id}",
        "ProductName": "Azure Sentinel",
        "ProductComponentName": "NRT Alerts" if rule.kind == "NRT" else "Scheduled Alerts",
        "ProviderName": "ASI NRT Alerts" if rule.kind == "NRT" else "ASI Scheduled Alerts",
        "VendorName": "Microsoft",
        "StartTime": ticks(moment - _HOUR),
        "EndTime": ticks(moment),
        "ProcessingEndTime": ticks(moment + timedelta(seconds=20)),
        "Status": "New",
        "SystemAlertId": _id("alert", rule.id, number),
        "Tactics": ", ".join(rule.tactics),
        "Techniques": compact([rule.technique]),
        "ExtendedProperties": compact(details),
        "Type": "SecurityAlert",
    }


def _incident(rule: Rule, number: int, index: int) -> list[Row]:
    created = _moment(rule, number) + timedelta(seconds=45)
    base: Row = {
        "TenantId": TENANT,
        "IncidentName": _id("incident", rule.id, number),
        "IncidentNumber": 1001 + index,
        "Title": rule.name,
        "Severity": rule.severity,
        "CreatedTime": ticks(created),
        "FirstActivityTime": ticks(created - _HOUR),
        "LastActivityTime": ticks(created),
        "AlertIds": [_id("alert", rule.id, number)],
        "RelatedAnalyticRuleIds": [rule.id],
        "AdditionalData": {"alertsCount": 1, "alertProductNames": ["Azure Sentinel"], "tactics": list(rule.tactics)},
        "ProviderName": "Azure Sentinel",
        "ModifiedBy": "Incident created from alert",
        "Classification": "",
        "ClassificationReason": "",
        "Owner": {"objectId": None, "email": None, "assignedTo": None, "userPrincipalName": None},
        "Type": "SecurityIncident",
    }
    rows = [{**base, **_change(created, created, "New")}]
    end = _CLOSED[index % len(_CLOSED)] if rule.severity != "Low" else _CLOSED[index % 2]
    mail = list(_PEOPLE)[index % 2]
    taken = {"Owner": {"objectId": _id(mail), "email": mail, "assignedTo": _PEOPLE[mail], "userPrincipalName": mail}, "ModifiedBy": mail}
    if end is None:
        return rows if index % 2 else [*rows, {**base, **taken, **_change(created, created + timedelta(minutes=25), "Active")}]
    classification, reason, hours = end
    closed = created + timedelta(hours=hours)
    if closed > _START + _RUNS * _HOUR:
        return rows
    active = {**base, **taken, **_change(created, created + timedelta(hours=hours / 4), "Active")}
    final = {"Classification": classification, "ClassificationReason": reason, "ClosedTime": ticks(closed)}
    return [*rows, active, {**base, **taken, **_change(created, closed, "Closed"), **final}]


def _change(created: datetime, moment: datetime, status: str) -> Row:
    first = ticks(created + timedelta(minutes=5))
    return {"TimeGenerated": ticks(moment), "LastModifiedTime": ticks(moment), "FirstModifiedTime": first, "Status": status}
