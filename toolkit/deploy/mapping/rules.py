"""Analytics rules, scheduled and near-real-time: rule file <-> body of Microsoft.SecurityInsights/alertRules."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from toolkit.content.models.rule import AlertDetailsOverride, EntityMapping, IncidentConfiguration, Rule
from toolkit.deploy.mapping.defaults import DEFAULTS, GROUPING, SUPPRESSION_DURATION, filled
from toolkit.deploy.mapping.places import EXTRA, Places, known_only, without_none
from toolkit.deploy.mapping.resources import ArmResource
from toolkit.deploy.mapping.values import iso, join_techniques, query_text, short, split_techniques

_SCHEDULE = ("queryFrequency", "queryPeriod", "triggerOperator", "triggerThreshold")
_COMMON = (
    "id", "name", "kind", "description", "severity", "query", "tactics", "relevantTechniques", "techniques", "subTechniques",
    "entityMappings", "sentinelEntitiesMappings", "customDetails", "alertDetailsOverride", "eventGroupingSettings",
    "incidentConfiguration", "suppressionEnabled", "suppressionDuration", "enabled",
)  # fmt: skip
_VERSION = re.compile(r"\d+\.\d+\.\d+")

_KNOWN_COMMON: Mapping[str, Any] = {
    **dict.fromkeys(
        "displayName description severity enabled query tactics techniques subTechniques entityMappings sentinelEntitiesMappings "
        "suppressionEnabled suppressionDuration customDetails alertRuleTemplateName templateVersion".split()
    ),
    "eventGroupingSettings": {"aggregationKind": None},
    "alertDetailsOverride": dict.fromkeys(
        "alertDisplayNameFormat alertDescriptionFormat alertTacticsColumnName alertSeverityColumnName alertDynamicProperties".split()
    ),
    "incidentConfiguration": {"createIncident": None, "groupingConfiguration": dict.fromkeys(GROUPING)},
}
KNOWN: Mapping[str, Mapping[str, Any]] = {
    "NRT": _KNOWN_COMMON,
    "Scheduled": {**_KNOWN_COMMON, **dict.fromkeys(_SCHEDULE), "startTimeUtc": None},
}
"""The properties of either kind that a rule file has keys for."""


def rule_resource(model: Rule, places: Places) -> ArmResource:
    techniques, subs = split_techniques([*model.relevant_techniques, *model.techniques, *model.sub_techniques])
    properties: dict[str, Any] = {
        "displayName": model.name,
        "description": places.description("description", model.description),
        "enabled": places.settings.enabled if model.enabled is None else model.enabled,
        "severity": model.severity,
        "query": places.query(),
        **({} if model.is_nrt else _schedule(model)),
        "suppressionEnabled": model.suppression_enabled,
        "suppressionDuration": iso(model.suppression_duration) if model.suppression_duration is not None else SUPPRESSION_DURATION,
        "tactics": list(dict.fromkeys(model.tactics)),
        "techniques": techniques,
        "subTechniques": subs,
        "entityMappings": [_entity(mapping) for mapping in model.entity_mappings] or None,
        "sentinelEntitiesMappings": [{"columnName": mapping.column_name} for mapping in model.sentinel_entities_mappings] or None,
        "customDetails": dict(model.custom_details) or None,
        "alertDetailsOverride": _override(model.alert_details_override),
        "eventGroupingSettings": {"aggregationKind": model.event_grouping_settings.aggregation_kind},
        "incidentConfiguration": _incident(model.incident_configuration),
        **_template(model, places),
    }
    full = places.with_extra(without_none(properties), model.arm_properties)
    name = places.name(model.id, "alertRule", model.name)
    mapped = (*_COMMON, *(() if model.is_nrt else (*_SCHEDULE, "startTimeUtc")), *_template_keys(full, model))
    policy = ("properties.enabled",) if model.enabled is None else ()
    places.done()
    return ArmResource("alertRule", name, {"kind": model.kind, "properties": full}, left_out=places.left_out(mapped), by_policy=policy)


def _schedule(model: Rule) -> dict[str, Any]:
    frequency, period = model.query_frequency, model.query_period
    return {
        "queryFrequency": None if frequency is None else iso(frequency),
        "queryPeriod": None if period is None else iso(period),
        "triggerOperator": model.trigger_operator,
        "triggerThreshold": model.trigger_threshold,
        "startTimeUtc": model.start_time_utc,
    }


def _entity(mapping: EntityMapping) -> dict[str, Any]:
    fields = [{"identifier": field.identifier, "columnName": field.column_name} for field in mapping.field_mappings]
    return {"entityType": mapping.entity_type, "fieldMappings": fields}


def _override(override: AlertDetailsOverride | None) -> dict[str, Any] | None:
    if override is None:
        return None
    dynamic = [{"alertProperty": entry.alert_property, "value": entry.value} for entry in override.alert_dynamic_properties]
    return (
        without_none(
            {
                "alertDisplayNameFormat": override.alert_display_name_format,
                "alertDescriptionFormat": override.alert_description_format,
                "alertTacticsColumnName": override.alert_tactics_column_name,
                "alertSeverityColumnName": override.alert_severity_column_name,
                "alertDynamicProperties": dynamic or None,
            }
        )
        or None
    )


def _incident(incident: IncidentConfiguration) -> dict[str, Any]:
    grouping = incident.grouping_configuration
    return {
        "createIncident": incident.create_incident,
        "groupingConfiguration": {
            "enabled": grouping.enabled,
            "reopenClosedIncident": grouping.reopen_closed_incident,
            "lookbackDuration": iso(grouping.lookback_duration),
            "matchingMethod": grouping.matching_method,
            "groupByEntities": list(grouping.group_by_entities),
            "groupByAlertDetails": list(grouping.group_by_alert_details),
            "groupByCustomDetails": list(grouping.group_by_custom_details),
        },
    }


def _template(model: Rule, places: Places) -> dict[str, Any]:
    """The link to the template: never a version without a name, which the service refuses. The file's own version is the template's
    where no other is given."""
    if places.settings.template_link == "strip":
        return {}
    name, version = model.alert_rule_template_name, model.template_version
    if name is None:
        if version is not None:
            message = "templateVersion is only allowed together with alertRuleTemplateName."
            places.error(("templateVersion",), "missing-key", message, "Add alertRuleTemplateName, or remove templateVersion.", key=True)
        return {}
    key = "templateVersion" if version is not None else "version"
    version = version if version is not None else model.version
    if version is not None and not _VERSION.fullmatch(version.strip()):
        message = f"The version of a template has three numbers, found {version!r}."
        places.error((key,), "bad-value", message, "Write for example 1.0.0.")
    return {"alertRuleTemplateName": name, "templateVersion": version.strip() if version is not None else None}


def _template_keys(properties: Mapping[str, Any], model: Rule) -> tuple[str, ...]:
    """The keys of the file that the link was made of; none when it was stripped."""
    if "alertRuleTemplateName" not in properties:
        return ()
    return ("alertRuleTemplateName", "templateVersion" if model.template_version is not None else "version")


def rule_document(resource: ArmResource) -> dict[str, Any]:
    """The keys of the rule file in the project's order; what has no key stands under `armProperties`."""
    kind = "NRT" if resource.body.get("kind") == "NRT" else "Scheduled"
    own, rest = known_only(resource.body.get("properties") or {}, KNOWN[kind])
    full = filled(own, DEFAULTS["alertRule"])
    suppressed = full["suppressionEnabled"] or short(full["suppressionDuration"]) != short(SUPPRESSION_DURATION)
    document = {
        "id": resource.name,
        "name": own.get("displayName"),
        "description": own.get("description") or None,
        "severity": own.get("severity"),
        **{key: _shortened(key, own.get(key)) for key in (*_SCHEDULE, "startTimeUtc")},
        "tactics": own.get("tactics") or None,
        "relevantTechniques": join_techniques(own.get("techniques") or [], own.get("subTechniques") or []) or None,
        "query": query_text(own.get("query") or ""),
        "entityMappings": own.get("entityMappings") or None,
        "sentinelEntitiesMappings": own.get("sentinelEntitiesMappings") or None,
        "customDetails": own.get("customDetails") or None,
        "alertDetailsOverride": without_none(own.get("alertDetailsOverride") or {}) or None,
        "eventGroupingSettings": _unless_default("eventGroupingSettings", full),
        "incidentConfiguration": _unless_default("incidentConfiguration", full),
        "suppressionEnabled": True if full["suppressionEnabled"] else None,
        "suppressionDuration": short(full["suppressionDuration"]) if suppressed else None,
        "enabled": full["enabled"],
        "alertRuleTemplateName": own.get("alertRuleTemplateName") or None,
        "templateVersion": own.get("templateVersion") or None,
        "kind": kind,
        EXTRA: rest or None,
    }
    return without_none(document)


OPERATORS = {"GreaterThan": "gt", "LessThan": "lt", "Equal": "eq", "NotEqual": "ne"}


def _shortened(key: str, value: Any) -> Any:
    if key in ("queryFrequency", "queryPeriod") and isinstance(value, str):
        return short(value)
    return OPERATORS.get(value, value) if key == "triggerOperator" and isinstance(value, str) else value


def _unless_default(key: str, full: Mapping[str, Any]) -> dict[str, Any] | None:
    value = full[key]
    default = DEFAULTS["alertRule"][key]
    if key != "incidentConfiguration" or not isinstance(value, Mapping):
        return None if value == default else value
    grouping = dict(value["groupingConfiguration"])
    grouping["lookbackDuration"] = short(grouping["lookbackDuration"])
    usual = {**GROUPING, "lookbackDuration": short(str(GROUPING["lookbackDuration"]))}
    if grouping == usual:
        return None if value["createIncident"] == default["createIncident"] else {"createIncident": value["createIncident"]}
    chosen = {name: entry for name, entry in grouping.items() if entry not in ([], None)}
    return {"createIncident": value["createIncident"], "groupingConfiguration": chosen}
