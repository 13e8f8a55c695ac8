"""The workspace's body with everything that means the same written as the file has it: what is left differs in meaning."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from toolkit.deploy.mapping import ArmResource, differences, normal
from toolkit.deploy.mapping.saved_searches import split_tags

CRITERIA = "properties.criteria.allOf"
_ORDERLESS = frozenset("tactics techniques subTechniques groupByEntities groupByAlertDetails groupByCustomDetails labels".split())


def aligned(desired: ArmResource, remote: ArmResource, kept: tuple[str, ...] = ()) -> ArmResource:
    """The remote resource; where it means the same as the desired one, or at the paths `kept`, in the desired one's words."""
    result = _level(desired.body, remote.body, normal(desired.kind, desired.body), normal(remote.kind, remote.body))
    properties = result.get("properties") or {}
    if properties.get("suppressionEnabled") is not True and desired.kind == "alertRule":
        result["properties"] = _with(properties, desired.body["properties"], ("suppressionDuration",))
    for path in kept:
        result = _with(result, desired.body, tuple(path.split(".")))
    return replace(remote, body=result, children=())


def with_desired(resource: ArmResource, desired: ArmResource, path: str) -> ArmResource:
    """The resource with the desired one's value at a path of its body; at that of a log alert's criteria only with its query."""
    if path == CRITERIA:
        query, *_ = (criterion.get("query") for criterion in desired.body["properties"]["criteria"]["allOf"])
        properties = resource.body["properties"]
        found = [{**criterion, "query": query} for criterion in properties["criteria"]["allOf"]]
        return replace(
            resource, body={**resource.body, "properties": {**properties, "criteria": {**properties["criteria"], "allOf": found}}}
        )
    return replace(resource, body=_with(resource.body, desired.body, tuple(path.split("."))))


def paths(desired: ArmResource, remote: ArmResource) -> frozenset[str]:
    return frozenset(difference.path for difference in differences(desired.kind, desired.body, remote.body))


def _with(body: Mapping[str, Any], source: Mapping[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    name, *rest = path
    result = dict(body)
    value = source.get(name)
    if rest:
        inner = _with(result.get(name) or {}, value if isinstance(value, Mapping) else {}, tuple(rest))
        value = inner or None
    if value is None:
        result.pop(name, None)
    else:
        result[name] = value
    return result


_MISSING = object()


def _level(desired: Any, remote: Any, desired_normal: Any, remote_normal: Any) -> dict[str, Any]:
    """One level of mappings. A key whose normal forms are equal is taken from the desired side, or left out where that has none."""
    result: dict[str, Any] = {}
    for name in [*(name for name in desired if name in remote), *(name for name in remote if name not in desired)]:
        here, there = desired.get(name), remote[name]
        if _key(desired_normal.get(name, _MISSING)) == _key(remote_normal.get(name, _MISSING)):
            if here is not None:
                result[name] = here
        elif isinstance(here, Mapping) and isinstance(there, Mapping):
            result[name] = _level(here, there, _mapping(desired_normal.get(name)), _mapping(remote_normal.get(name)))
        else:
            result[name] = _value(name, here, there)
    equal = (name for name in desired if name not in remote and _key(desired_normal.get(name)) == _key(remote_normal.get(name)))
    return result | {name: desired[name] for name in equal}


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _value(name: str, here: Any, there: Any) -> Any:
    if not isinstance(here, list) or not isinstance(there, list):
        return there
    if name == "tags":
        return _tags(here, there)
    if name == "entityMappings":
        return _in_order(here, there, _entity, lambda mapping: str(mapping.get("entityType")).lower())
    return _in_order(here, there, _key, _key) if name in _ORDERLESS else there


def _in_order(here: list[Any], there: list[Any], same: Callable[[Any], str], alike: Callable[[Any], str]) -> list[Any]:
    """`there` in the order of `here`: equal entries as they stand here, then alike ones in their place, the rest at the end."""
    waiting = list(there)
    found: list[Any] = [_MISSING] * len(here)
    for key in (same, alike):
        for number, entry in enumerate(here):
            if found[number] is not _MISSING:
                continue
            match = next((other for other in waiting if key(other) == key(entry)), _MISSING)
            if match is not _MISSING:
                waiting.remove(match)
                found[number] = entry if key is same else _called(entry, match)
    return [*(entry for entry in found if entry is not _MISSING), *waiting]


def _called(here: Any, there: Any) -> Any:
    """The remote entity mapping with its type and the order of its keys as they stand here."""
    if not isinstance(here, Mapping) or not isinstance(there, Mapping) or "entityType" not in here:
        return there
    order = [field.get("identifier") for field in here.get("fieldMappings") or [] if isinstance(field, Mapping)]
    fields = sorted(
        there.get("fieldMappings") or [], key=lambda one: order.index(name) if (name := one.get("identifier")) in order else len(order)
    )
    return {**there, "entityType": here["entityType"], "fieldMappings": fields}


def _entity(mapping: Any) -> str:
    """An entity mapping without the order of its fields and the case of its type."""
    if not isinstance(mapping, Mapping):
        return _key(mapping)
    fields = mapping.get("fieldMappings")
    return _key({**mapping, "entityType": str(mapping.get("entityType")).lower(), "fieldMappings": sorted(map(_key, fields or []))})


def _tags(here: list[Any], there: list[Any]) -> list[Any]:
    (our_lists, our_text, our_others), (lists, text, others) = split_tags(here), split_tags(there)
    result = [{"name": "description", "value": text}] if text else []
    if text and our_text and text.rstrip() == our_text.rstrip():
        result = [{"name": "description", "value": our_text}]
    if set(our_lists["techniques"]) >= set(lists["techniques"]) and set(our_lists["subTechniques"]) == set(lists["subTechniques"]):
        parents = {sub.partition(".")[0] for sub in lists["subTechniques"]}
        lists["techniques"] = [name for name in our_lists["techniques"] if name in lists["techniques"] or name in parents]
    for name, values in lists.items():
        ordered = _in_order(our_lists[name], list(dict.fromkeys(values)), _key, _key)
        result += [{"name": name, "value": ",".join(ordered)}] if ordered else []
    return result + _in_order(our_others, others, _key, lambda tag: str(tag.get("name")) if isinstance(tag, Mapping) else _key(tag))


def _key(value: Any) -> str:
    return "" if value is _MISSING else json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
