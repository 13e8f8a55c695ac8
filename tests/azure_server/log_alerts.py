"""Microsoft.Insights/scheduledQueryRules: log alerts of Azure Monitor, for workspaces without Sentinel."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from tests.azure_server import query_errors
from tests.azure_server.arm import body_of, check_headers, page, parse_duration, properties_of, show_duration
from tests.azure_server.messages import Response, ServiceError, bad_request, not_found
from tests.azure_server.state import Call, Collection

TYPE = "Microsoft.Insights/scheduledQueryRules"
_NAME = re.compile(r"[^#<>%&:?/{}*\\]{1,260}")
_FREQUENCIES = frozenset(timedelta(minutes=m) for m in (1, 5, 10, 15, 30, 45, 60, 120, 180, 240, 300, 360, 1440))
_WINDOWS = _FREQUENCIES | {timedelta(days=2)}
_OPERATORS = ("Equals", "Equal", "GreaterThan", "GreaterThanOrEqual", "LessThan", "LessThanOrEqual")
_AGGREGATIONS = ("Count", "Average", "Minimum", "Maximum", "Total")
_DURATIONS = ("evaluationFrequency", "windowSize", "overrideQueryTimeRange", "muteActionsDuration")


def listing(call: Call) -> Response:
    return page(call, call.group.log_alerts, lambda rule: rule)


def list_by_subscription(call: Call) -> Response:
    merged = Collection()
    for group in call.account.groups.values():
        if group.subscription.casefold() == call.group.subscription.casefold():
            for rule in group.log_alerts:
                merged.put(rule["id"], rule)
    return page(call, merged, lambda rule: rule)


def get(call: Call) -> Response:
    return Response(200, _known(call))


def put(call: Call) -> Response:
    body = body_of(call)
    if not body.get("location"):
        raise ServiceError(400, "LocationRequired", "The location property is required for this definition.")
    return _store(call, body, properties_of(call))


def patch(call: Call) -> Response:
    known, body = _known(call), body_of(call)
    merged = {**{key: known.get(key) for key in ("location", "kind", "identity", "tags")}, **{k: v for k, v in body.items() if k == "tags"}}
    return _store(call, merged, {**known["properties"], **(body.get("properties") or {})})


def delete(call: Call) -> Response:
    rule = call.group.log_alerts.pop(call.names["name"])
    if rule is None:
        return Response(204)
    call.wrote("delete", rule)
    return Response(200)


def _known(call: Call) -> dict[str, Any]:
    found = call.group.log_alerts.get(call.names["name"])
    if found is None:
        raise not_found(TYPE, call.names["name"])
    return found


def _store(call: Call, body: dict[str, Any], properties: dict[str, Any]) -> Response:
    name = call.names["name"]
    known = call.group.log_alerts.get(name)
    check_headers(call, known)
    if not _NAME.fullmatch(name):
        raise bad_request(f"The name '{name}' is invalid. It should have 1 to 260 characters and none of #<>%&:?/{{}}*.")
    for problem in _problems(properties):
        raise bad_request(problem)
    if not properties.get("skipQueryValidation"):
        _check_queries(call, properties)
    rule: dict[str, Any] = {
        "id": f"{call.group.id}/providers/{TYPE}/{name}" if known is None else known["id"],
        "name": name if known is None else known["name"],
        "type": TYPE,
        "location": str(body["location"]).replace(" ", "").lower(),
        "tags": body.get("tags") or {},
        "etag": call.account.etag(),
        "systemData": call.system_data(known),
        **{key: body[key] for key in ("kind", "identity") if body.get(key)},
        "properties": _normalised(call, properties),
    }
    created = call.group.log_alerts.put(name, rule)
    call.wrote("create" if created else "update", rule)
    return Response(201 if created else 200, rule)


def _normalised(call: Call, given: dict[str, Any]) -> dict[str, Any]:
    properties = {key: value for key, value in given.items() if value is not None}
    for key in _DURATIONS:
        if parsed := parse_duration(properties.get(key)):
            properties[key] = show_duration(parsed)
    periods = {"numberOfEvaluationPeriods": 1, "minFailingPeriodsToAlert": 1}
    conditions = [{"dimensions": [], "failingPeriods": periods, **condition} for condition in properties["criteria"]["allOf"]]
    return {
        "enabled": True,
        "autoMitigate": "muteActionsDuration" not in properties,
        "checkWorkspaceAlertsStorageConfigured": False,
        "skipQueryValidation": False,
        **properties,
        "criteria": {"allOf": conditions},
        "createdWithApiVersion": call.request.api_version,
        "isLegacyLogAnalyticsRule": False,
    }


def _problems(rule: dict[str, Any]) -> Iterator[str]:
    for name in ("severity", "evaluationFrequency", "windowSize", "scopes", "criteria"):
        if rule.get(name) is None:
            yield f"The property '{name}' is required."
    if rule["severity"] not in range(5):
        yield f"The severity '{rule['severity']}' is invalid. It should be 0 to 4."
    if not isinstance(rule["scopes"], list) or len(rule["scopes"]) != 1:
        yield "A log alert rule should have exactly one scope."
    frequency, window = parse_duration(rule["evaluationFrequency"]), parse_duration(rule["windowSize"])
    if frequency not in _FREQUENCIES or frequency is None:
        yield f"The evaluation frequency '{rule['evaluationFrequency']}' is not supported."
        return
    if window not in _WINDOWS or window is None:
        yield f"The window size '{rule['windowSize']}' is not supported."
        return
    minute = timedelta(minutes=1)
    if window == minute and frequency != minute:
        yield "A window size of PT1M is supported only with an evaluation frequency of PT1M."
    override = parse_duration(rule.get("overrideQueryTimeRange"))
    if frequency > max(window, override or window):
        yield "The evaluation frequency should not be longer than the window size."
    mute = parse_duration(rule.get("muteActionsDuration"))
    if mute is not None and frequency > mute:
        yield "The evaluation frequency should not be longer than the mute actions duration."
    if mute is not None and rule.get("autoMitigate"):
        yield "The properties 'autoMitigate' and 'muteActionsDuration' cannot be used together."
    for condition in rule["criteria"].get("allOf") or ():
        yield from _condition(condition, window)


def _condition(condition: dict[str, Any], window: timedelta) -> Iterator[str]:
    if not condition.get("query"):
        yield "The property 'query' is required."
    if condition.get("operator") not in _OPERATORS:
        yield f"The operator '{condition.get('operator')}' is not supported."
    if condition.get("threshold") is None:
        yield "The property 'threshold' is required."
    if condition.get("timeAggregation") not in _AGGREGATIONS:
        yield f"The time aggregation '{condition.get('timeAggregation')}' is not supported."
    if condition["timeAggregation"] != "Count" and not condition.get("metricMeasureColumn"):
        yield "The property 'metricMeasureColumn' is required unless the time aggregation is Count."
    periods = condition.get("failingPeriods") or {}
    number, least = periods.get("numberOfEvaluationPeriods", 1), periods.get("minFailingPeriodsToAlert", 1)
    if not 1 <= number <= 6 or not 1 <= least <= number:
        yield "The number of evaluation periods should be 1 to 6, and not below the minimum of failing periods."
    if window * number > timedelta(hours=48):
        yield "The window size times the number of evaluation periods should not be longer than 48 hours."


def _check_queries(call: Call, rule: dict[str, Any]) -> None:
    """A query that does not run: the message of the error is the JSON text of another error."""
    scope = str(rule["scopes"][0]).casefold()
    site = next((site for site in call.account.sites if site.id.casefold() == scope), None)
    engine = site.view() if site else None
    for condition in rule["criteria"]["allOf"] if engine else ():
        assert engine is not None, "the loop is empty without an engine"
        if found := query_errors.first_error(engine.analyze(condition["query"]).diagnostics):
            inner = {**query_errors.bad_argument(found, condition["query"]), "correlationId": call.account.guid()}
            raise bad_request(json.dumps({"error": inner}))
