"""The semantic normal form of bodies: two that mean the same to the service have the same one, whatever wrote them.

Durations count as time, sets are ordered, null is absent, defaults are filled in, what the service alone writes is dropped. Everything
else stays as it is, so that a property nobody knows is still compared.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Any

from toolkit.catalog.entities import ENTITY_TYPES
from toolkit.content.models.rule import SEVERITIES, TACTICS
from toolkit.deploy.mapping.defaults import CRITERION, DEFAULTS, filled
from toolkit.deploy.mapping.resources import Body, ResourceKind
from toolkit.deploy.mapping.saved_searches import split_tags
from toolkit.deploy.mapping.values import description_text, duration_of, iso, query_text, signature_text

_ENVELOPE_READ_ONLY = frozenset({"id", "name", "type", "systemData", "etag"})
_READ_ONLY: Mapping[ResourceKind, frozenset[str]] = {
    "alertRule": frozenset({"lastModifiedUtc"}),
    "savedSearch": frozenset(),
    "watchlist": frozenset(
        "watchlistId created updated createdBy updatedBy tenantId isDeleted watchlistType uploadStatus provisioningState sasUri "
        "rawContent contentType numberOfLinesToSkip".split()
    ),
    "watchlistItem": frozenset(
        "watchlistItemId watchlistItemType tenantId isDeleted created updated createdBy updatedBy entityMapping".split()
    ),
    "workbook": frozenset({"timeModified", "userId", "revision"}),
    "logAlert": frozenset({"createdWithApiVersion", "isLegacyLogAnalyticsRule", "isWorkspaceAlertsStorageConfigured"}),
}
"""Properties that only the service writes, and those of a watchlist that it takes at creation and never gives back."""

_LEAVES = (str, int, float)
Properties = dict[str, Any]
Change = Callable[[Any], Any]


def normal(kind: ResourceKind, body: Body) -> dict[str, Any]:
    """The normal form of a body, made of JSON values. Never fails: a value of an unexpected type stays as it is."""
    envelope = {name: value for name, value in _plain(body).items() if name not in _ENVELOPE_READ_ONLY}
    properties = envelope.pop("properties", None)
    own = {name: value for name, value in (properties or {}).items() if name not in _READ_ONLY[kind]}
    own = filled(own, DEFAULTS[kind])
    _change(own, "description", _description)
    _KINDS[kind](own, envelope)
    result = _pruned({**envelope, "properties": own})
    return result if isinstance(result, dict) else {}


def _plain(value: Any) -> Any:
    """A deep copy without nulls."""
    if isinstance(value, _LEAVES):
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items() if entry is not None}
    return [_plain(entry) for entry in value] if isinstance(value, list | tuple) else value


def _pruned(value: Any) -> Any:
    """Without empty lists and mappings: the service gives them back for absent ones."""
    if isinstance(value, _LEAVES):
        return value
    if isinstance(value, list):
        return [_pruned(entry) for entry in value]
    if not isinstance(value, dict) or isinstance(value, _Whole):
        return value
    inner = {key: _pruned(entry) for key, entry in value.items()}
    return {key: entry for key, entry in inner.items() if entry is not None and entry != {} and entry != []}


def _change(properties: Properties, path: str, change: Change) -> None:
    """Replace the value at a dotted path, if there is one."""
    *parents, last = path.split(".")
    here: Any = properties
    for step in parents:
        here = here.get(step) if isinstance(here, dict) else None
    if isinstance(here, dict) and here.get(last) is not None:
        here[last] = change(here[last])


def _duration(value: Any) -> Any:
    return _duration_text(value) if isinstance(value, str) else value


@lru_cache(maxsize=1024)
def _duration_text(text: str) -> str:
    time = duration_of(text)
    return text if time is None else iso(time)


def _description(value: Any) -> Any:
    return (description_text(value, "") or None) if isinstance(value, str) else value


def _query(value: Any) -> Any:
    return query_text(value) if isinstance(value, str) else value


def _moment(value: Any) -> Any:
    """A time of day and date in UTC."""
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return value
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).isoformat()


def _key(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)


def _set(value: Any) -> Any:
    """A list whose order and repetitions mean nothing."""
    if not isinstance(value, list):
        return value
    if all(isinstance(entry, str) for entry in value):
        return sorted(set(value), key=encode_basestring)  # the order of their JSON, which the marks of deployments are made of
    return [json.loads(entry) for entry in sorted({_key(entry) for entry in value})]


def _bag(value: Any) -> Any:
    """A list whose order means nothing."""
    return sorted(value, key=_key) if isinstance(value, list) else value


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _one_of(names: Iterable[str]) -> Change:
    """The service's spelling of a name that may come in another case."""
    known = {name.lower(): name for name in names}
    return lambda value: known.get(value.lower(), value) if isinstance(value, str) else value


def _each(change: Change) -> Change:
    return lambda value: [change(entry) for entry in value] if isinstance(value, list) else value


def _blank(value: Any) -> Any:
    return None if value == "" else value


_ENTITY = _one_of(ENTITY_TYPES)
_KIND = _one_of(("Scheduled", "NRT"))
_SEVERITY = _one_of(SEVERITIES)
_OPERATOR = _one_of(("GreaterThan", "LessThan", "Equal", "NotEqual"))
_TACTIC = _one_of(TACTICS)
_GROUPING = "incidentConfiguration.groupingConfiguration"


def _rule(own: Properties, envelope: Properties) -> None:
    envelope["kind"] = _KIND(envelope.get("kind", "Scheduled"))
    for path in ("queryFrequency", "queryPeriod", "suppressionDuration", f"{_GROUPING}.lookbackDuration"):
        _change(own, path, _duration)
    _change(own, "query", _query)
    _change(own, "startTimeUtc", _moment)
    _change(own, "severity", _SEVERITY)
    _change(own, "triggerOperator", _OPERATOR)
    _change(own, "tactics", _each(_TACTIC))
    _change(own, f"{_GROUPING}.groupByEntities", _each(_ENTITY))
    _with_parents(own)
    for path in ("tactics", "techniques", "subTechniques"):
        _change(own, path, _set)
    for name in ("groupByEntities", "groupByAlertDetails", "groupByCustomDetails"):
        _change(own, f"{_GROUPING}.{name}", _set)
    _change(own, "entityMappings", _entities)
    _change(own, "sentinelEntitiesMappings", _set)
    _change(own, "alertDetailsOverride.alertDynamicProperties", _bag)
    for path in ("alertRuleTemplateName", "templateVersion"):
        _change(own, path, _blank)
    for name in ("alertDisplayNameFormat", "alertDescriptionFormat", "alertTacticsColumnName", "alertSeverityColumnName"):
        _change(own, f"alertDetailsOverride.{name}", _blank)
    if own.get("suppressionEnabled") is False:
        own.pop("suppressionDuration", None)


def _with_parents(own: Properties) -> None:
    """A sub-technique says its technique as well."""
    subs = own.get("subTechniques")
    techniques = own.get("techniques") or []
    if isinstance(subs, list) and isinstance(techniques, list):
        own["techniques"] = [*techniques, *(sub.partition(".")[0] for sub in subs if isinstance(sub, str))]


def _entities(value: Any) -> Any:
    """Entity mappings as a map: the type with its identifiers -> the columns of every such mapping."""
    if not isinstance(value, list) or not all(map(_is_mapping, value)):
        return value
    result: dict[str, list[dict[str, Any]]] = {}
    for mapping in value:
        fields = sorted(mapping["fieldMappings"], key=_key)
        name = f"{_ENTITY(mapping['entityType'])}[{','.join(field['identifier'] for field in fields)}]"
        columns = {field["identifier"]: field["columnName"] for field in sorted(fields, key=lambda field: field["identifier"])}
        result.setdefault(name, []).append(columns)
    return {name: _bag(columns) for name, columns in sorted(result.items())}


def _is_mapping(value: Any) -> bool:
    """Whether an entity mapping has the usual form, with each identifier once; any other is compared as it stands."""
    if not isinstance(value, dict) or set(value) != {"entityType", "fieldMappings"} or not isinstance(value["fieldMappings"], list):
        return False
    fields = value["fieldMappings"]
    if not all(isinstance(field, dict) and set(field) == {"identifier", "columnName"} for field in fields):
        return False
    names = [field["identifier"] for field in fields]
    return all(isinstance(name, str) for name in [value["entityType"], *names]) and len(set(names)) == len(names)


def _saved_search(own: Properties, envelope: Properties) -> None:
    _change(own, "query", _query)
    _change(own, "functionParameters", lambda value: signature_text(value) or None if isinstance(value, str) else value)
    _change(own, "functionAlias", _blank)
    tags = own.get("tags")
    if not isinstance(tags, list):
        return
    lists, description, others = split_tags(tags)
    techniques = {*lists["techniques"], *(sub.partition(".")[0] for sub in lists["subTechniques"])}
    own["tags"] = {
        "description": _description(description),
        "tactics": sorted({_TACTIC(tactic) for tactic in lists["tactics"]}),
        "techniques": sorted(techniques),
        "subTechniques": sorted(set(lists["subTechniques"])),
        "others": _bag(others),
    }


def _watchlist(own: Properties, envelope: Properties) -> None:
    _change(own, "defaultDuration", _duration)
    _change(own, "labels", _set)
    if own.get("watchlistAlias"):
        own.setdefault("source", f"{own['watchlistAlias']}.csv")


def _watchlist_item(own: Properties, envelope: Properties) -> None:
    values = own.get("itemsKeyValue")
    if isinstance(values, dict):
        own["itemsKeyValue"] = {name: value for name, value in values.items() if value != ""}


def _workbook(own: Properties, envelope: Properties) -> None:
    envelope["kind"] = envelope.get("kind", "shared")
    _change(envelope, "location", _location)
    _change(own, "sourceId", _lower)
    _change(own, "serializedData", _json)


def _json(value: Any) -> Any:
    try:
        content = json.loads(value)
    except (TypeError, ValueError, RecursionError):
        return value
    # Inside a workbook an empty list may mean something else than none: nothing of it is pruned.
    return _Whole(_plain(content)) if isinstance(content, dict) else value


class _Whole(dict[str, Any]):
    """A mapping that is compared as it is."""


def _location(value: Any) -> Any:
    """`West Europe` and `westeurope` are one place."""
    return value.replace(" ", "").lower() if isinstance(value, str) else value


def _log_alert(own: Properties, envelope: Properties) -> None:
    envelope["kind"] = envelope.get("kind", "LogAlert")
    _change(envelope, "location", _location)
    for path in (
        "evaluationFrequency",
        "windowSize",
        "overrideQueryTimeRange",
        "muteActionsDuration",
        "resolveConfiguration.timeToResolve",
    ):
        _change(own, path, _duration)
    _change(own, "scopes", lambda value: _set(_each(_lower)(value)))
    _change(own, "targetResourceTypes", lambda value: _set(_each(_lower)(value)))
    _change(own, "actions.actionGroups", lambda value: _set(_each(_lower)(value)))
    _change(own, "criteria.allOf", _each(_criterion))
    if isinstance(own.get("resolveConfiguration"), dict) and own["resolveConfiguration"].get("autoResolved") is False:
        own.pop("resolveConfiguration")


def _criterion(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    own = filled(value, CRITERION)
    _change(own, "query", _query)
    _change(own, "operator", lambda operator: "Equals" if operator == "Equal" else operator)
    _change(own, "dimensions", lambda found: _bag(_each(_dimension)(found)))
    _change(own, "threshold", lambda number: float(number) if isinstance(number, int) else number)
    return own


def _dimension(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {"operator": "Include", **value, "values": _set(value.get("values"))}


_KINDS: Mapping[ResourceKind, Callable[[Properties, Properties], None]] = {
    "alertRule": _rule,
    "savedSearch": _saved_search,
    "watchlist": _watchlist,
    "watchlistItem": _watchlist_item,
    "workbook": _workbook,
    "logAlert": _log_alert,
}
