"""Both directions for every kind: content -> resource, resource -> content."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from toolkit.content.findings import ContentError
from toolkit.content.items import Item, Kind, read_item
from toolkit.content.models.function import FunctionFile, WatchlistFile
from toolkit.content.models.rule import HuntingQuery, Rule
from toolkit.content.project import Project
from toolkit.content.template.render import is_template
from toolkit.content.watchlists import Watchlist, read_watchlist
from toolkit.content.workbooks import WorkbookSource
from toolkit.content.yaml.loader import parse_yaml
from toolkit.content.yaml.nodes import Mapping as MappingNode
from toolkit.content.yaml.nodes import Node, Sequence
from toolkit.content.yaml.nodes import plain as plain_node
from toolkit.deploy.mapping.differences import differences
from toolkit.deploy.mapping.limits import check
from toolkit.deploy.mapping.log_alerts import log_alert_document, log_alert_resource
from toolkit.deploy.mapping.places import Places
from toolkit.deploy.mapping.resources import (
    ArmResource,
    ContentFile,
    MappingError,
    ResourceKind,
    Settings,
    UnmappableError,
    refuse_if_errors,
)
from toolkit.deploy.mapping.rules import rule_document, rule_resource
from toolkit.deploy.mapping.saved_searches import function_resource, hunting_resource, saved_search_document
from toolkit.deploy.mapping.watchlists import watchlist_document, watchlist_resource
from toolkit.deploy.mapping.workbooks import workbook_document, workbook_resource
from toolkit.deploy.mapping.yaml_text import yaml_text
from toolkit.kql.source import Source

_ORDER = (
    "id", "name", "alias", "displayName", "description", "description-detailed", "category", "provider", "source", "sourceType",
    "itemsSearchKey", "labels", "defaultDuration", "functionAlias", "functionParameters", "severity", "status", "requiredDataConnectors",
    "queryFrequency", "queryPeriod", "startTimeUtc", "triggerOperator", "triggerThreshold", "tactics", "relevantTechniques", "query",
    "entityMappings", "sentinelEntitiesMappings", "customDetails", "alertDetailsOverride", "eventGroupingSettings",
    "incidentConfiguration", "suppressionEnabled", "suppressionDuration", "enabled", "alertRuleTemplateName", "templateVersion",
    "version", "kind", "target", "tags", "metadata", "author", "armProperties",
)  # fmt: skip


def to_arm(item: Item | WorkbookSource, settings: Settings, rows: Watchlist | None = None) -> ArmResource:
    """The resource that an item is in Azure, its query rendered for the environment of `settings`.

    `rows` are those of a watchlist's CSV file; without them a watchlist has to hold its rows itself. Raises MappingError with every error
    at its place in the file: what reading the file found, what has no form in Azure, and limits of the service that the body violates.
    """
    resource = _mapped(item, settings, rows)
    found = check(resource, item)
    refuse_if_errors(found)
    return resource


def _mapped(item: Item | WorkbookSource, settings: Settings, rows: Watchlist | None) -> ArmResource:
    if isinstance(item, WorkbookSource):
        return workbook_resource(item, settings)
    places = Places.of(item, settings)
    model = item.model
    if isinstance(model, Rule):
        return rule_resource(model, places) if model.target is None else log_alert_resource(model, model.target, places)
    if isinstance(model, HuntingQuery):
        return hunting_resource(model, places)
    if isinstance(model, FunctionFile):
        return function_resource(model, places)
    if isinstance(model, WatchlistFile):
        rows = rows or (read_watchlist(item) if model.raw_content is not None else None)
        if rows is not None:
            return watchlist_resource(model, rows, places)
        refuse_if_errors(item.findings)
        places.error((), "missing-rows", "The rows of the watchlist are not known.")
    else:
        places.error(("kind",), "unmanaged-kind", "Rules of this kind are not deployed from files.")
    raise MappingError(places.findings.found)


def from_arm(resource: ArmResource, settings: Settings | None = None, kept: Mapping[str, Any] | None = None) -> ContentFile:
    """The content file of a resource: what `to_arm` makes of it means the same again.

    `settings` say for which environment the file is, so that its location and workspace need not stand in it; `kept` are keys of an
    older file that have no place in Azure (`kept_keys`). Raises UnmappableError for a resource that no file says exactly.
    """
    beside: dict[str, str] = {}
    if resource.kind == "alertRule":
        if resource.body.get("kind") not in ("Scheduled", "NRT"):
            raise UnmappableError(resource, "kind", f"rules of kind {resource.body.get('kind')!r} are not kept in files")
        document = rule_document(resource)
    elif resource.kind == "savedSearch":
        document = saved_search_document(resource)
    elif resource.kind == "watchlist":
        document, beside = watchlist_document(resource)
    elif resource.kind == "workbook":
        document, beside = workbook_document(resource, settings)
    elif resource.kind == "logAlert":
        document = log_alert_document(resource, settings)
    else:
        raise UnmappableError(resource, "", "a row is no file of its own; it belongs to its watchlist")
    document = _ordered({**document, **{key: value for key, value in (kept or {}).items() if key not in document}})
    query = document.get("query")
    if query and is_template(query):
        document["query"] = _raw(resource, query)
    # The line end that a block has anyway; it means nothing to the service.
    document |= {key: f"{document[key]}\n" for key in ("description", "query") if _is_block(key, document.get(key))}
    file = ContentFile(resource.kind, document, yaml_text(document), beside)
    _verify(resource, file, settings)
    return file


def _ordered(document: Mapping[str, Any]) -> dict[str, Any]:
    known = [key for key in _ORDER if key in document]
    return {key: document[key] for key in [*known, *(key for key in document if key not in _ORDER)]}


def _is_block(key: str, value: object) -> bool:
    return isinstance(value, str) and (key == "query" or "\n" in value)


def _raw(resource: ArmResource, query: str) -> str:
    """A query that looks like a template, marked as plain text."""
    if "endraw" in query:
        raise UnmappableError(resource, "properties.query", "the query holds the marks of a template and its word endraw")
    return "{% raw %}" + query + "{% endraw %}"


def _verify(resource: ArmResource, file: ContentFile, settings: Settings | None) -> None:
    """Nothing is lost: the file read again gives a body of the same meaning. Raises UnmappableError with the first field that does not."""
    here = settings or Settings(Project(Path(), Path()))
    try:
        again = _again(resource, file, here)
    except ContentError as error:
        raise UnmappableError(resource, "properties", f"no file can say this: {error}", file.text) from error
    pairs = [(resource.kind, again.body, resource.body)]
    if resource.kind == "watchlist" and len(again.children) == len(resource.children):
        pairs += [("watchlistItem", new.body, old.body) for new, old in zip(again.children, resource.children, strict=True)]
    for kind, new, old in pairs:
        for difference in differences(kind, new, old):
            raise UnmappableError(resource, difference.path, f"a file cannot say this: {difference.render()}", file.text)
    if again.name.lower() != resource.name.lower():
        raise UnmappableError(resource, "name", f"the file would be the resource {again.name}", file.text)


_ITEM_KINDS: Mapping[ResourceKind, Kind] = {"alertRule": "rule", "logAlert": "rule", "watchlist": "watchlist"}


def _again(resource: ArmResource, file: ContentFile, settings: Settings) -> ArmResource:
    document, findings = parse_yaml(file.text, f"{resource.name}.yaml")
    if resource.kind == "workbook":
        (name, text), *_ = file.beside.items()
        return _mapped(WorkbookSource(name.removesuffix(".json"), Source(text, name), document), settings, None)
    kind = _ITEM_KINDS.get(resource.kind) or ("function" if "functionAlias" in file.document else "hunting")
    item = read_item(Path(f"{resource.name}.yaml"), kind, document, findings)
    rows = None
    if isinstance(item.model, WatchlistFile):
        (text,) = file.beside.values()
        raw = item.model.model_copy(update={"raw_content": text})
        item.model = raw
        rows = read_watchlist(item)
        item.model = raw.model_copy(update={"raw_content": None})
    return _mapped(item, settings, rows)


def kept_keys(item: Item, resource: ArmResource) -> dict[str, Any]:
    """The keys of a file that have no place in Azure, with their values as written: what adopting a remote change must not lose."""
    if item.document is None:
        return {}
    return {key: _written(entry.value) for key, entry in item.document.mapping.entries.items() if key in resource.left_out}


def _written(node: Node) -> Any:
    """As plain values, but numbers with a point stay text: `1.10` is no number here."""
    if isinstance(node, MappingNode):
        return {name: _written(entry.value) for name, entry in node.entries.items()}
    if isinstance(node, Sequence):
        return [_written(item) for item in node.items]
    return node.text if node.kind in ("float", "timestamp") else plain_node(node)
