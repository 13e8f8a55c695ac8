"""Microsoft.SecurityInsights/alertRules: etags, tombstones, kinds that only preview versions know, normalised read-back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.azure_server import query_errors
from tests.azure_server.arm import body_of, check_headers, page, parse_duration, properties_of, same_etag, show_duration
from tests.azure_server.messages import Response, ServiceError, bad_request, not_found
from tests.azure_server.rule_validation import REQUIRED, validate
from tests.azure_server.state import Call

TYPE = "Microsoft.SecurityInsights/alertRules"
_PREVIEW_ONLY = ("subTechniques", "sentinelEntitiesMappings")
_STABLE_KINDS = ("Scheduled", "MicrosoftSecurityIncidentCreation", "Fusion")
_GROUPING = {
    "enabled": False,
    "reopenClosedIncident": False,
    "lookbackDuration": "PT5H",
    "matchingMethod": "AllEntities",
    "groupByEntities": [],
    "groupByAlertDetails": [],
    "groupByCustomDetails": [],
}
_NULLS = {
    "Scheduled": "eventGroupingSettings startTimeUtc",
    "NRT": "eventGroupingSettings",
}
_QUERY_NULLS = (
    "description customDetails entityMappings sentinelEntitiesMappings alertDetailsOverride alertRuleTemplateName templateVersion"
)


def listing(call: Call) -> Response:
    return page(call, call.site.rules, lambda rule: _public(call, rule) if _visible(call, rule) else None)


def get(call: Call) -> Response:
    rule = call.site.rules.get(call.names["name"])
    if rule is None or not _visible(call, rule):
        raise not_found(TYPE, call.names["name"])
    return Response(200, _public(call, rule), {"ETag": rule["etag"]})


def put(call: Call) -> Response:
    site, name = call.site, call.names["name"]
    body, properties = body_of(call), dict(properties_of(call))
    kind = _kind(call, body.get("kind"))
    known = site.rules.get(name)
    _check_tombstone(call, name)
    _check_etag(call, name, body.get("etag"), known)
    _check_kind(call, name, kind, known)
    if not call.request.is_preview:
        properties = {key: value for key, value in properties.items() if key not in _PREVIEW_ONLY}
    properties.pop("lastModifiedUtc", None)
    validate(kind, properties)
    _check_start(call, properties.get("startTimeUtc"), known)
    _check_count(call, kind, properties, known)
    if properties.get("enabled") or call.account.behaviour.disabled_rule_checked:
        _check_query(call, properties.get("query"))
    rule: dict[str, Any] = {
        "id": f"{site.sentinel}/alertRules/{name}" if known is None else known["id"],
        "name": name if known is None else known["name"],
        "type": TYPE,
        "kind": kind,
        "etag": call.account.etag(),
        "systemData": call.system_data(known),
        "properties": _normalised(kind, properties) | {"lastModifiedUtc": call.account.now()},
    }
    site.rules.put(name, rule)
    call.wrote("update" if known else "create", rule)
    shown = _public(call, rule)
    if known is None:  # the service orders the keys of a new rule differently
        shown = dict(reversed(shown.items())) | {"properties": dict(sorted(shown["properties"].items()))}
    return Response(200 if known else 201, shown, {"ETag": rule["etag"]})


def delete(call: Call) -> Response:
    name = call.names["name"]
    known = call.site.rules.get(name)
    if known is None or not _visible(call, known):
        return Response(204)
    check_headers(call, known)
    call.site.rules.pop(name)
    call.site.actions.pop(name.casefold(), None)
    call.site.tombstones[name.casefold()] = call.account.clock.now() + call.account.behaviour.tombstone
    call.wrote("delete", known)
    return Response(200)


def _visible(call: Call, rule: dict[str, Any]) -> bool:
    """Stable versions do not know rules of the newer kinds."""
    return call.request.is_preview or rule["kind"] in _STABLE_KINDS


def _public(call: Call, rule: dict[str, Any]) -> dict[str, Any]:
    if call.request.is_preview:
        return rule
    shown = {key: value for key, value in rule["properties"].items() if key not in _PREVIEW_ONLY}
    return {**rule, "properties": shown}


def _kind(call: Call, kind: Any) -> str:
    allowed = REQUIRED if call.request.is_preview or call.account.behaviour.stable_accepts_nrt else _STABLE_KINDS
    if kind not in allowed:
        raise bad_request(f"The value '{kind}' of 'kind' is invalid. The possible values are: {', '.join(allowed)}.")
    return str(kind)


def _check_tombstone(call: Call, name: str) -> None:
    until = call.site.tombstones.get(name.casefold())
    if until is None:
        return
    if call.account.clock.now() >= until:
        del call.site.tombstones[name.casefold()]
        return
    message = (
        f"The rule with id '{name}' was recently deleted. You need to allow some time before re-using the same id. Please try again later."
    )
    status = call.account.behaviour.tombstone_status
    raise ServiceError(status, "BadRequest" if status == 400 else "Conflict", message)


def _check_etag(call: Call, name: str, given: Any, known: dict[str, Any] | None) -> None:
    check_headers(call, known)
    if given in (None, "", "*") or (known is not None and same_etag(str(given), known["etag"])):
        return
    message = f"Newer instance of rule '{name}' exists for workspace '{call.site.name}' (Etag does not match). Data was not saved."
    status = call.account.behaviour.etag_status
    raise ServiceError(status, "Conflict" if status == 409 else "PreconditionFailed", message)


def _check_kind(call: Call, name: str, kind: str, known: dict[str, Any] | None) -> None:
    if known is None:
        return
    if kind == "MLBehaviorAnalytics":
        template = known["properties"]["alertRuleTemplateName"]
        raise bad_request(f"Analytics rule template '{template}' is already installed for workspace '{call.site.name}'")
    if known["kind"] != kind and call.account.behaviour.kind_change_rejected:
        raise bad_request(f"The kind of the rule '{name}' cannot be changed from '{known['kind']}' to '{kind}'.")


def _check_start(call: Call, given: Any, known: dict[str, Any] | None) -> None:
    """A first run is 10 minutes to 30 days ahead when it is set; one that was set before may lie in the past by now."""
    if given is None or (known is not None and known["properties"].get("startTimeUtc") == given):
        return
    try:
        ahead = datetime.fromisoformat(str(given)).replace(tzinfo=UTC) - call.account.clock.now()
    except ValueError:
        raise bad_request(f"The value '{given}' of 'startTimeUtc' is not a valid datetime.") from None
    if not timedelta(minutes=10) <= ahead <= timedelta(days=30):
        raise bad_request("Invalid data model. [: 'startTimeUtc' should be between 10 minutes and 30 days from now.]")


def _check_count(call: Call, kind: str, properties: dict[str, Any], known: dict[str, Any] | None) -> None:
    most = {"Scheduled": call.account.behaviour.max_scheduled, "NRT": call.account.behaviour.max_nrt}.get(kind)
    if most is None or not properties["enabled"] or len(call.site.rules) < most:
        return
    enabled = sum(1 for rule in call.site.rules if rule is not known and rule["kind"] == kind and rule["properties"]["enabled"])
    if enabled >= most:
        raise bad_request(f"The maximum number of enabled '{kind}' alert rules ({most}) was reached for workspace '{call.site.name}'.")


def _check_query(call: Call, query: str | None) -> None:
    engine = call.site.view()
    if engine is None or not query:
        return
    diagnostics = engine.analyze(query).diagnostics
    if found := query_errors.first_error(diagnostics):
        raise bad_request(query_errors.rule_error(found, query))
    alias = query_errors.missing_watchlist(diagnostics)
    if alias is not None and call.account.behaviour.missing_watchlist_rejected:
        text = f"SemanticError: Watchlist '{alias}' does not exist in workspace '{call.site.name}'"
        raise bad_request(f"Failed to run the analytics rule query. {text}")


def _normalised(kind: str, given: dict[str, Any]) -> dict[str, Any]:
    """What a rule reads like afterwards: durations in .NET's form, defaults written out, absent parts as null."""
    rule = {key: _duration(value) if key in _DURATIONS else value for key, value in given.items()}
    if kind in ("Fusion", "MLBehaviorAnalytics"):
        return {"displayName": "Advanced Multistage Attack Detection", "severity": "High", "tactics": [], **rule}
    if kind == "MicrosoftSecurityIncidentCreation":
        nulls = "description alertRuleTemplateName displayNamesFilter displayNamesExcludeFilter severitiesFilter"
        return {**dict.fromkeys(nulls.split()), **rule}
    empty: dict[str, Any] = {
        **dict.fromkeys(f"{_QUERY_NULLS} {_NULLS[kind]}".split()),
        "tactics": [],
        "techniques": [],
        "subTechniques": [],
    }
    rule = {**empty, **rule}
    for name in ("tactics", "techniques", "subTechniques"):
        rule[name] = rule[name] or []
    rule["incidentConfiguration"] = _incident(rule.get("incidentConfiguration") or {"createIncident": True})
    if override := rule["alertDetailsOverride"]:
        names = "alertDisplayNameFormat alertDescriptionFormat alertTacticsColumnName alertSeverityColumnName alertDynamicProperties"
        rule["alertDetailsOverride"] = {name: override.get(name) for name in names.split()}
    return rule


_DURATIONS = ("queryFrequency", "queryPeriod", "suppressionDuration")


def _duration(value: Any) -> Any:
    parsed = parse_duration(value)
    return value if parsed is None else show_duration(parsed)


def _incident(given: dict[str, Any]) -> dict[str, Any]:
    grouping = {key: value for key, value in (given.get("groupingConfiguration") or {}).items() if value is not None}
    merged = {**_GROUPING, **grouping}
    merged["lookbackDuration"] = _duration(merged["lookbackDuration"])
    return {"createIncident": given["createIncident"], "groupingConfiguration": merged}
