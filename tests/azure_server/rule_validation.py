"""The service's validators of analytics rules, with its messages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from tests.azure_server.arm import parse_duration
from tests.azure_server.messages import ServiceError, bad_request

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
_COMMON = "displayName enabled severity query suppressionDuration suppressionEnabled".split()
REQUIRED = {
    "Scheduled": [*_COMMON, *"queryFrequency queryPeriod triggerOperator triggerThreshold".split()],
    "NRT": _COMMON,
    "Fusion": ["alertRuleTemplateName", "enabled"],
    "MLBehaviorAnalytics": ["alertRuleTemplateName", "enabled"],
    "MicrosoftSecurityIncidentCreation": ["displayName", "enabled", "productFilter"],
}
READ_ONLY = {
    "Fusion": "displayName description severity tactics techniques subTechniques lastModifiedUtc".split(),
    "MLBehaviorAnalytics": "displayName description severity tactics techniques lastModifiedUtc".split(),
}
_SEVERITIES = ("High", "Medium", "Low", "Informational")
_OPERATORS = ("GreaterThan", "LessThan", "Equal", "NotEqual")
_TACTICS = (
    "Reconnaissance ResourceDevelopment InitialAccess Execution Persistence PrivilegeEscalation DefenseEvasion CredentialAccess Discovery "
    "LateralMovement Collection Exfiltration CommandAndControl Impact PreAttack ImpairProcessControl InhibitResponseFunction"
).split()
_ALERT_PROPERTIES = (
    "AlertLink ConfidenceLevel ConfidenceScore ExtendedLinks ProductName ProviderName ProductComponentName RemediationSteps Techniques "
    "SubTechniques"
).split()
_IDENTIFIERS = {
    "Account": "FullName|Sid|Name|AadUserId|PUID|ObjectGuid",
    "Host": "FullName|HostName|NetBiosName|AzureID|OMSAgentID",
    "IP": "Address",
    "URL": "Url",
    "File": "Name",
    "FileHash": "Algorithm+Value",
    "Process": "CommandLine|ProcessId",
    "DNS": "DomainName",
    "AzureResource": "ResourceId",
    "CloudApplication": "AppId|Name",
    "Mailbox": "MailboxPrimaryAddress",
    "MailCluster": "Query|Source",
    "MailMessage": "NetworkMessageId|Recipient",
    "Malware": "Name",
    "RegistryKey": "Key|Hive",
    "RegistryValue": "Name",
    "SecurityGroup": "DistinguishedName|SID|ObjectGuid",
    "SubmissionMail": "SubmissionId|NetworkMessageId|Recipient|Submitter",
}
_COLUMN = re.compile(r"[a-zA-Z_]\w*")
_KEY = re.compile(r"[a-zA-Z]\w*")
_PLACEHOLDER = re.compile(r"\{\{[^{}]+\}\}")
_GROUPING = "enabled reopenClosedIncident lookbackDuration matchingMethod".split()


def validate(kind: str, properties: dict[str, Any]) -> None:
    """Raises the service's answer to the first problem of a rule's properties."""
    for name in READ_ONLY.get(kind, ()):
        if properties.get(name) is not None:
            raise bad_request(f"Read-only property '{name}' cannot be assigned")
    for problem in _problems(kind, properties):
        raise invalid(problem)


def invalid(text: str) -> ServiceError:
    return bad_request(f"Invalid data model. [: {text}]")


_TYPES: dict[str, type] = {
    **dict.fromkeys("displayName description severity query queryFrequency queryPeriod suppressionDuration".split(), str),
    **dict.fromkeys("tactics techniques subTechniques entityMappings sentinelEntitiesMappings".split(), list),
    **dict.fromkeys("customDetails alertDetailsOverride eventGroupingSettings incidentConfiguration".split(), dict),
}


def _problems(kind: str, rule: dict[str, Any]) -> Iterator[str]:
    yield from (f"The {name} field is required." for name in REQUIRED[kind] if rule.get(name) in (None, ""))
    for name, type_ in _TYPES.items():
        if rule.get(name) is not None and not isinstance(rule[name], type_):
            yield f"Error converting value of '{name}'. Path 'properties.{name}'."
    if not isinstance(rule.get("enabled"), bool):
        yield "The value of 'enabled' should be a boolean."
    yield from _one_of(rule, "severity", _SEVERITIES)
    if rule.get("templateVersion") and not rule.get("alertRuleTemplateName"):
        yield "Invalid Properties for alert rule: 'templateVersion' can only be used if 'alertRuleTemplateName' is not empty."
    if rule.get("templateVersion") and not re.fullmatch(r"\d+\.\d+\.\d+", str(rule["templateVersion"])):
        yield f"The template version '{rule['templateVersion']}' is invalid. The expected format is 'a.b.c', where a, b and c are numbers."
    if kind in ("Scheduled", "NRT"):
        yield from _texts(rule)
        yield from _schedule(rule) if kind == "Scheduled" else _no_schedule(rule)
        yield from _attack(rule)
        yield from _mappings(rule.get("entityMappings"))
        yield from _details(rule.get("customDetails") or {})
        yield from _override(rule.get("alertDetailsOverride") or {})
        yield from _one_of(rule.get("eventGroupingSettings") or {}, "aggregationKind", ("SingleAlert", "AlertPerResult"))
        yield from _incident(rule)


def _one_of(rule: dict[str, Any], name: str, allowed: tuple[str, ...]) -> Iterator[str]:
    if rule.get(name) is not None and rule[name] not in allowed:
        yield f"The value '{rule[name]}' of '{name}' is invalid. The possible values are: {', '.join(allowed)}."


def _length(name: str, size: int, least: int, most: int) -> Iterator[str]:
    if not least <= size <= most:
        yield f"Invalid length of '{size}' for '{name}'. '{name}' length should be between '{least}' and '{most}'"


def _texts(rule: dict[str, Any]) -> Iterator[str]:
    yield from _length("DisplayName", len(rule["displayName"]), 1, 256)
    yield from _length("Description", len(rule.get("description") or ""), 0, 5000)
    yield from _length("Query", len(rule["query"]), 1, 10_000)
    if re.match(r"\s*(search|union)\s+\*", rule["query"], re.IGNORECASE):
        yield "Invalid Properties for alert rule: 'query' cannot contain 'search *' or 'union *'."
    yield from _between(rule, "suppressionDuration", 5 * MINUTE, DAY)
    if not isinstance(rule["suppressionEnabled"], bool):
        yield "The value of 'suppressionEnabled' should be a boolean."


def _between(rule: dict[str, Any], name: str, least: timedelta, most: timedelta) -> Iterator[str]:
    value = parse_duration(rule[name])
    if value is None:
        yield f"The value '{rule[name]}' of '{name}' is not a valid ISO 8601 duration."
    elif not least <= value <= most:
        yield f"Invalid Properties for alert rule: '{name}' should be between '{least}' and '{most}'"


def _schedule(rule: dict[str, Any]) -> Iterator[str]:
    head = "Invalid Properties for Scheduled alert rule:"
    yield from _between(rule, "queryFrequency", 5 * MINUTE, 14 * DAY)
    yield from _between(rule, "queryPeriod", 5 * MINUTE, 14 * DAY)
    frequency, period = parse_duration(rule["queryFrequency"]), parse_duration(rule["queryPeriod"])
    if frequency is None or period is None:
        return  # reported above
    if period < frequency:
        yield f"{head} 'queryPeriod' should be greater than or equal to 'queryFrequency'"
    if period >= 2 * DAY and frequency < HOUR:
        yield (
            f"{head} When 'queryPeriod' greater than or equal to 2 days, the 'queryFrequency' should be greater than or equal to 1 hour."
        )
    yield from _one_of(rule, "triggerOperator", _OPERATORS)
    threshold = rule["triggerThreshold"]
    if isinstance(threshold, bool) or not isinstance(threshold, int) or not 0 <= threshold <= 10_000:
        yield f"{head} 'triggerThreshold' should be between '0' and '10000'"


def _no_schedule(rule: dict[str, Any]) -> Iterator[str]:
    for name in ("queryFrequency", "queryPeriod", "triggerOperator", "triggerThreshold", "startTimeUtc"):
        if rule.get(name) is not None:
            yield f"Could not find member '{name}' on object of type 'NrtAlertRuleProperties'."


def _attack(rule: dict[str, Any]) -> Iterator[str]:
    for tactic in rule.get("tactics") or ():
        if tactic not in _TACTICS:
            yield f"The value '{tactic}' of 'tactics' is invalid. The possible values are: {', '.join(_TACTICS)}."
    for technique in rule.get("techniques") or ():
        if not re.fullmatch(r"T\d{4}", technique):
            yield f"The technique '{technique}' is invalid. The expected format is 'T####', where '#' represents a digit."
    for technique in rule.get("subTechniques") or ():
        if not re.fullmatch(r"T\d{4}\.\d{3}", technique):
            yield f"The sub technique '{technique}' is invalid. The expected format is 'T####.###', where '#' represents a digit."
        elif technique[:5] not in (rule.get("techniques") or ()):
            yield f"The technique of the sub technique '{technique}' is missing in 'techniques'."


def _mappings(mappings: list[dict[str, Any]] | None) -> Iterator[str]:
    if mappings is None:
        return
    yield from _length("EntityMappings", len(mappings), 1, 10)
    for mapping in mappings:
        kind, fields = mapping.get("entityType"), mapping.get("fieldMappings") or []
        if kind not in _IDENTIFIERS:
            yield f"The value '{kind}' of 'entityType' is invalid. The possible values are: {', '.join(_IDENTIFIERS)}."
        yield from _length("FieldMappings", len(fields), 1, 3)
        names = [field.get("identifier") for field in fields]
        if len(names) != len(set(names)):
            yield f"Duplicate identifiers in the entity mapping of type '{kind}'."
        for column in (str(field.get("columnName")) for field in fields):
            if not _COLUMN.fullmatch(column) or len(column) > 500:
                yield f"Invalid column name '{column}' in the entity mapping of type '{kind}'."
        ways = [set(way.split("+")) for way in _IDENTIFIERS[str(kind)].split("|")]
        if not any(way <= set(names) for way in ways):
            yield f"Missing required identifiers in the entity mapping of type '{kind}'. One of: {_IDENTIFIERS[str(kind)]}."


def _details(details: dict[str, str]) -> Iterator[str]:
    yield from _length("CustomDetails", len(details), 0, 20)
    for key, column in details.items():
        if not _KEY.fullmatch(key) or len(key) > 20:
            yield f"Invalid key '{key}' in 'CustomDetails'."
        if not _COLUMN.fullmatch(str(column)) or len(str(column)) > 500:
            yield f"Invalid column name '{column}' in 'CustomDetails'."


def _override(override: dict[str, Any]) -> Iterator[str]:
    for name, most in (("alertDisplayNameFormat", 256), ("alertDescriptionFormat", 5000)):
        text = override.get(name)
        if text is not None:
            yield from _length(name, len(text), 1, most)
            if len(_PLACEHOLDER.findall(text)) > 3:
                yield f"'{name}' can have 3 parameters at most."
    for dynamic in override.get("alertDynamicProperties") or ():
        yield from _one_of(dynamic, "alertProperty", tuple(_ALERT_PROPERTIES))


def _incident(rule: dict[str, Any]) -> Iterator[str]:
    configuration = rule.get("incidentConfiguration")
    if configuration is None:
        return
    if not isinstance(configuration.get("createIncident"), bool):
        yield "The CreateIncident field is required."
    grouping = configuration.get("groupingConfiguration")
    if grouping is None:
        return
    yield from (f"The {name} field is required." for name in _GROUPING if grouping.get(name) is None)
    yield from _between(grouping, "lookbackDuration", 5 * MINUTE, 7 * DAY)
    yield from _one_of(grouping, "matchingMethod", ("AllEntities", "AnyAlert", "Selected"))
    lists = [grouping.get(name) or [] for name in ("groupByEntities", "groupByAlertDetails", "groupByCustomDetails")]
    if grouping["matchingMethod"] == "Selected" and not any(lists):
        yield "Invalid grouping configuration: 'matchingMethod' is 'Selected', at least one of the groupBy lists should not be empty."
    mapped = {mapping["entityType"] for mapping in rule.get("entityMappings") or ()}
    unknown = [name for name in lists[0] if name not in mapped] + [n for n in lists[2] if n not in (rule.get("customDetails") or {})]
    if unknown:
        yield f"Invalid grouping configuration: '{unknown[0]}' is not mapped in the rule."
    if any(name not in ("DisplayName", "Severity") for name in lists[1]):
        yield "Invalid grouping configuration: 'groupByAlertDetails' takes DisplayName and Severity."
