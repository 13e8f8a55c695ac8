"""Azure Monitor log alert rules: rule file with `target: LogAlert` <-> body of Microsoft.Insights/scheduledQueryRules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from toolkit.content.models.rule import Rule
from toolkit.content.models.target import LogAlertTarget
from toolkit.deploy.mapping.defaults import CRITERION, DEFAULTS, LOG_ALERT_SEVERITIES, SUPPRESSION_DURATION, filled
from toolkit.deploy.mapping.places import EXTRA, Places, known_only, without_none
from toolkit.deploy.mapping.resources import ArmResource, Settings, UnmappableError
from toolkit.deploy.mapping.values import duration_of, iso, query_text, short

OPERATORS = {"gt": "GreaterThan", "lt": "LessThan", "eq": "Equals"}
_FROM_RULE = {"GreaterThan": "GreaterThan", "LessThan": "LessThan", "Equal": "Equals"}
_KEYS = (
    "id", "name", "kind", "description", "severity", "query", "queryFrequency", "queryPeriod", "triggerOperator", "triggerThreshold",
    "suppressionEnabled", "suppressionDuration", "enabled", "target",
)  # fmt: skip
_ENVELOPE = ("location", "kind", "tags", "identity", "properties", "id", "name", "type", "systemData", "etag")
READ_ONLY = ("createdWithApiVersion", "isLegacyLogAnalyticsRule", "isWorkspaceAlertsStorageConfigured")
_CRITERION: Mapping[str, Any] = {
    **dict.fromkeys("query timeAggregation metricMeasureColumn resourceIdColumn dimensions operator threshold".split()),
    "failingPeriods": dict.fromkeys(CRITERION["failingPeriods"]),
}
_KNOWN: Mapping[str, Any] = {
    **dict.fromkeys(
        "displayName description severity enabled scopes evaluationFrequency windowSize overrideQueryTimeRange targetResourceTypes "
        "muteActionsDuration autoMitigate checkWorkspaceAlertsStorageConfigured skipQueryValidation".split()
    ),
    "criteria": {"allOf": None},
    "actions": dict.fromkeys(("actionGroups", "customProperties", "actionProperties")),
    "resolveConfiguration": dict.fromkeys(("autoResolved", "timeToResolve")),
}


def log_alert_resource(model: Rule, target: LogAlertTarget, places: Places) -> ArmResource:
    if model.is_nrt:
        places.error(("kind",), "bad-value", "A log alert rule runs on a schedule; kind NRT has none.", "Remove kind, or target.")
    muted = (iso(model.suppression_duration) if model.suppression_duration else SUPPRESSION_DURATION) if model.suppression_enabled else None
    properties: dict[str, Any] = {
        "displayName": model.name,
        "description": places.description("description", model.description),
        "severity": target.severity if target.severity is not None else LOG_ALERT_SEVERITIES[model.severity or "Medium"],
        "enabled": places.settings.enabled if model.enabled is None else model.enabled,
        "scopes": list(target.scopes) or [places.settings.workspace_id],
        "evaluationFrequency": iso(model.query_frequency) if model.query_frequency is not None else None,
        "windowSize": iso(model.query_period) if model.query_period is not None else None,
        "overrideQueryTimeRange": iso(target.override_query_time_range) if target.override_query_time_range is not None else None,
        "targetResourceTypes": list(target.target_resource_types) or None,
        "criteria": {"allOf": [_criterion(model, target, places)]},
        "muteActionsDuration": muted,
        "autoMitigate": target.auto_mitigate,
        "actions": _actions(target),
        "checkWorkspaceAlertsStorageConfigured": target.check_workspace_alerts_storage_configured,
        "skipQueryValidation": target.skip_query_validation,
        "resolveConfiguration": _resolve(target),
    }
    body = {
        "location": target.location or places.settings.location,
        "kind": "LogAlert",
        "tags": dict(target.tags) or None,
        "identity": target.identity,
        "properties": places.with_extra(without_none(properties), model.arm_properties),
    }
    name = places.name(target.name or model.id, "logAlert", model.name, key=("target", "name") if target.name else ("id",))
    places.done()
    policy = ("properties.enabled",) if model.enabled is None else ()
    keys = _KEYS if model.suppression_enabled else tuple(key for key in _KEYS if key != "suppressionDuration")
    return ArmResource("logAlert", name, without_none(body), left_out=places.left_out(keys), by_policy=policy)


def _criterion(model: Rule, target: LogAlertTarget, places: Places) -> dict[str, Any]:
    operator = target.operator or _FROM_RULE.get(model.trigger_operator or "")
    if operator is None:
        message = "A log alert rule cannot compare with 'not equal'."
        places.error(("triggerOperator",), "bad-value", message, "Filter in the query and compare with gt 0.")
    periods = target.failing_periods
    return without_none(
        {
            "query": places.query(),
            "timeAggregation": target.time_aggregation,
            "metricMeasureColumn": target.metric_measure_column,
            "resourceIdColumn": target.resource_id_column,
            "dimensions": [{"name": d.name, "operator": d.operator, "values": list(d.values)} for d in target.dimensions] or None,
            "operator": operator,
            "threshold": float(target.threshold if target.threshold is not None else model.trigger_threshold or 0),
            "failingPeriods": {
                "numberOfEvaluationPeriods": periods.number_of_evaluation_periods if periods else 1,
                "minFailingPeriodsToAlert": periods.min_failing_periods_to_alert if periods else 1,
            },
        }
    )


def _actions(target: LogAlertTarget) -> dict[str, Any] | None:
    actions = {
        "actionGroups": list(target.action_groups) or None,
        "customProperties": dict(target.custom_properties) or None,
        "actionProperties": dict(target.action_properties) or None,
    }
    return without_none(actions) or None


def _resolve(target: LogAlertTarget) -> dict[str, Any] | None:
    after = target.auto_resolve_after
    return None if after is None else {"autoResolved": True, "timeToResolve": iso(after)}


def log_alert_document(resource: ArmResource, settings: Settings | None) -> dict[str, Any]:
    body = resource.body
    if unknown := [name for name in body if name not in _ENVELOPE and body[name] is not None]:
        raise UnmappableError(resource, unknown[0], "the property is not known")
    if body.get("kind", "LogAlert") != "LogAlert":
        raise UnmappableError(resource, "kind", f"expected LogAlert, found {body['kind']!r}")
    own, rest = known_only(body.get("properties") or {}, _KNOWN)
    rest = {name: value for name, value in rest.items() if name not in READ_ONLY}
    criteria = (own.get("criteria") or {}).get("allOf") or []
    if len(criteria) != 1:
        raise UnmappableError(resource, "properties.criteria.allOf", f"expected one criterion, found {len(criteria)}")
    criterion, unknown_here = known_only(criteria[0], _CRITERION)
    if unknown_here:
        raise UnmappableError(resource, f"properties.criteria.allOf.0.{next(iter(unknown_here))}", "the property is not known")
    criterion = filled(criterion, CRITERION)
    full = filled(own, DEFAULTS["logAlert"])
    severity = next((name for name, number in LOG_ALERT_SEVERITIES.items() if number == own.get("severity")), None)
    threshold = criterion.get("threshold")
    count = int(threshold) if isinstance(threshold, int | float) and abs(threshold) < 10**15 and threshold == int(threshold) else None
    operator = next((name for name, here in OPERATORS.items() if here == _equals(criterion.get("operator"))), None)
    muted = own.get("muteActionsDuration")
    document = {
        "id": resource.name,
        "name": own.get("displayName"),
        "description": own.get("description") or None,
        "severity": severity,
        "queryFrequency": _short(own.get("evaluationFrequency")),
        "queryPeriod": _short(own.get("windowSize")),
        "triggerOperator": operator,
        "triggerThreshold": count,
        "query": query_text(criterion.get("query") or ""),
        "suppressionEnabled": True if muted else None,
        "suppressionDuration": _short(muted) if muted else None,
        "enabled": full["enabled"],
        "kind": "Scheduled",
        "target": _target(body, full, criterion, settings)
        | without_none(
            {
                "severity": None if severity else own.get("severity"),
                "operator": None if operator else criterion.get("operator"),
                "threshold": None if count is not None else threshold,
            }
        ),
        EXTRA: rest or None,
    }
    return without_none(document)


def _target(body: Mapping[str, Any], full: Mapping[str, Any], criterion: Mapping[str, Any], settings: Settings | None) -> dict[str, Any]:
    here = (settings.workspace_id, settings.location) if settings and settings.environment else (None, None)
    scopes = full.get("scopes") or []
    actions = full.get("actions") or {}
    resolve = full.get("resolveConfiguration") or {}
    entries = {
        "location": None if body.get("location") == here[1] else body.get("location"),
        "scopes": None if [str(scope).lower() for scope in scopes] == [here[0]] else scopes,
        "timeAggregation": None if criterion["timeAggregation"] == "Count" else criterion["timeAggregation"],
        "metricMeasureColumn": criterion.get("metricMeasureColumn"),
        "resourceIdColumn": criterion.get("resourceIdColumn"),
        "dimensions": criterion.get("dimensions") or None,
        "failingPeriods": None if criterion["failingPeriods"] == CRITERION["failingPeriods"] else criterion["failingPeriods"],
        "overrideQueryTimeRange": _short(full.get("overrideQueryTimeRange")),
        "targetResourceTypes": full.get("targetResourceTypes") or None,
        "actionGroups": actions.get("actionGroups") or None,
        "customProperties": actions.get("customProperties") or None,
        "actionProperties": actions.get("actionProperties") or None,
        "autoMitigate": full["autoMitigate"] or None,
        "autoResolveAfter": _short(resolve.get("timeToResolve")) if resolve.get("autoResolved") else None,
        "checkWorkspaceAlertsStorageConfigured": full["checkWorkspaceAlertsStorageConfigured"] or None,
        "skipQueryValidation": full["skipQueryValidation"] or None,
        "tags": body.get("tags") or None,
        "identity": body.get("identity"),
    }
    return {"type": "LogAlert", **without_none(entries)}


def _equals(operator: Any) -> Any:
    """Some clients write Equal for the Equals of the service."""
    return "Equals" if operator == "Equal" else operator


def _short(value: Any) -> Any:
    return short(value) if isinstance(value, str) and duration_of(value) is not None else value
