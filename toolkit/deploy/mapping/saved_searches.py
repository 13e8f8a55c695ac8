"""Hunting queries and functions: content file <-> body of Microsoft.OperationalInsights/workspaces/savedSearches.

A saved search is a function when it has an alias, whatever its category says. Description and ATT&CK of a hunting query are tags.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from toolkit.content.models.function import FunctionFile, ParserFile, SavedFunctionFile
from toolkit.content.models.rule import HuntingQuery
from toolkit.deploy.mapping.defaults import DEFAULTS, FUNCTION_CATEGORY, HUNTING_CATEGORY
from toolkit.deploy.mapping.places import EXTRA, Places, known_only, without_none
from toolkit.deploy.mapping.resources import ArmResource
from toolkit.deploy.mapping.values import join_techniques, query_text, split_techniques

LISTS = {"tactics": "tactics", "techniques": "techniques", "relevanttechniques": "techniques", "subtechniques": "subTechniques"}
"""Tags that hold names separated by commas: the name in lower case -> the name that is sent. Older converters write the second spelling."""
_KNOWN = dict.fromkeys(("category", "displayName", "query", "functionAlias", "functionParameters", "tags", "version"))
_HUNTING = ("id", "name", "displayName", "description", "query", "tactics", "relevantTechniques", "techniques", "subTechniques", "kind")


def hunting_resource(model: HuntingQuery, places: Places) -> ArmResource:
    techniques, subs = split_techniques([*model.relevant_techniques, *model.techniques, *model.sub_techniques])
    tags = [
        *_tag("description", places.description("description", model.description)),
        *_tag("tactics", ",".join(dict.fromkeys(model.tactics))),
        *_tag("techniques", ",".join(techniques)),
        *_tag("subTechniques", ",".join(subs)),
    ]
    title = model.display_name or model.name
    properties = {"category": HUNTING_CATEGORY, "displayName": title, "query": places.query()}
    return _resource(places, properties, tags, model.arm_properties, (model.id, "hunting", title), _HUNTING)


def function_resource(model: FunctionFile, places: Places) -> ArmResource:
    properties: dict[str, Any] = {
        "category": FUNCTION_CATEGORY,
        "displayName": model.name,
        "query": places.query(),
        "functionAlias": model.name,
        "functionParameters": model.signature or None,
    }
    identity = None
    tags: list[dict[str, str]] = []
    mapped: tuple[str, ...] = ("id", model.name_key, model.query_key)
    if isinstance(model, ParserFile):
        title = model.function.get("Title") if isinstance(model.function, Mapping) else None
        properties |= {"category": model.category or FUNCTION_CATEGORY, "displayName": str(title) if title else model.name}
        tags += _tag("description", places.description("Description", model.description))
        identity = model.id
        mapped += ("Function", "Category", "Description", "FunctionName", "FunctionParameters", "ParserParams")
    elif isinstance(model, SavedFunctionFile):
        properties |= {
            "category": model.category or FUNCTION_CATEGORY,
            "displayName": model.display_name or model.saved_name or model.name,
        }
        tags += [*_tag("description", places.description("description", model.description)), *_own_tags(model.tags, places)]
        identity = model.id
        mapped += ("displayName", "name", "category", "description", "functionParameters", "tags")
    resource = _resource(places, properties, tags, model.arm_properties, (identity, "function", model.name), mapped)
    inside = model.function if isinstance(model, ParserFile) and isinstance(model.function, Mapping) else {}
    return replace(resource, left_out=(*resource.left_out, *(f"Function.{key}" for key in inside if key != "Title")))


def _tag(name: str, value: str | None) -> list[dict[str, str]]:
    return [{"name": name, "value": value}] if value else []


def _own_tags(given: object, places: Places, path: tuple[str, ...] = ("tags",)) -> list[dict[str, str]]:
    """Tags as a mapping, or as the service writes them."""
    if given is None:
        return []
    if isinstance(given, Mapping):
        return [{"name": str(name), "value": str(value)} for name, value in given.items()]
    if isinstance(given, list) and all(isinstance(tag, Mapping) and set(tag) == {"name", "value"} for tag in given):
        return [{"name": str(tag["name"]), "value": str(tag["value"])} for tag in given]
    places.error(path, "wrong-type", "Expected tags as a mapping, or as a list of mappings with name and value.")
    return []


def _resource(
    places: Places,
    properties: dict[str, Any],
    tags: list[dict[str, str]],
    extra: object,
    identity: tuple[str | None, str, str],
    mapped: Iterable[str],
) -> ArmResource:
    """`identity`: the id of the file, and the kind and name that stand for it where there is none."""
    given = dict(extra) if isinstance(extra, Mapping) else extra
    if isinstance(given, dict):
        tags = [*tags, *_own_tags(given.pop("tags", None), places, (EXTRA, "tags"))]
        for name in ("category", "version"):
            if name in given:
                properties[name] = given.pop(name)
    defaults = DEFAULTS["savedSearch"]
    full = {**defaults, **without_none(properties), "tags": tags or None}
    body = {"properties": places.with_extra(without_none(full), given)}
    name = places.name(identity[0], "savedSearch", *identity[1:])
    places.done()
    return ArmResource("savedSearch", name, body, left_out=places.left_out(mapped))


def saved_search_document(resource: ArmResource) -> dict[str, Any]:
    own, rest = known_only(resource.body.get("properties") or {}, _KNOWN)
    lists, description, others = split_tags(own.get("tags") or [])
    kept: dict[str, Any] = dict(rest)
    if own.get("version", 2) != 2:
        kept["version"] = own["version"]
    if own.get("functionAlias"):
        others = [*({"name": name, "value": ",".join(values)} for name, values in lists.items() if values), *others]
        return without_none(
            {
                "id": resource.name,
                "displayName": own.get("displayName"),
                "description": description,
                "category": own.get("category"),
                "functionAlias": own["functionAlias"],
                "functionParameters": own.get("functionParameters") or None,
                "query": query_text(own.get("query") or ""),
                "tags": others or None,
                EXTRA: kept or None,
            }
        )
    if own.get("category") != HUNTING_CATEGORY:
        kept["category"] = own.get("category")
    if others:
        kept["tags"] = others
    return without_none(
        {
            "id": resource.name,
            "name": own.get("displayName"),
            "description": description,
            "tactics": lists["tactics"] or None,
            "relevantTechniques": join_techniques(lists["techniques"], lists["subTechniques"]) or None,
            "query": query_text(own.get("query") or ""),
            EXTRA: kept or None,
        }
    )


def split_tags(tags: Sequence[Any]) -> tuple[dict[str, list[str]], str | None, list[dict[str, Any]]]:
    """Tags as (tactics, techniques and sub-techniques; the description; all others)."""
    lists: dict[str, list[str]] = {"tactics": [], "techniques": [], "subTechniques": []}
    description: str | None = None
    others: list[dict[str, Any]] = []
    for tag in tags:
        if not isinstance(tag, Mapping) or set(tag) != {"name", "value"} or not all(isinstance(part, str) for part in tag.values()):
            others.append(tag)
            continue
        name, value = str(tag["name"]), str(tag["value"])
        if name.lower() in LISTS:
            for part in filter(None, map(str.strip, value.split(","))):
                target = LISTS[name.lower()]
                lists["subTechniques" if target == "techniques" and "." in part else target].append(part)
        elif name.lower() == "description" and description is None:
            description = value or None
        else:
            others.append(dict(tag))
    return lists, description, others
