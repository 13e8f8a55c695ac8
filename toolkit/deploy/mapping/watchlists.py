"""Watchlists: YAML and CSV <-> body of Microsoft.SecurityInsights/watchlists, and one resource per row."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from toolkit.content.models.function import WatchlistFile
from toolkit.content.watchlists import Watchlist
from toolkit.deploy.mapping.defaults import DEFAULTS, WATCHLIST_PROVIDER
from toolkit.deploy.mapping.places import EXTRA, Places, known_only, without_none
from toolkit.deploy.mapping.resources import ArmResource, UnmappableError, stable_id
from toolkit.deploy.mapping.values import iso, short

_KEYS = (
    "watchlistAlias", "alias", "displayName", "name", "description", "provider", "source", "sourceType", "itemsSearchKey", "searchKey",
    "labels", "defaultDuration", "rawContent", "contentType", "numberOfLinesToSkip", "file",
)  # fmt: skip
KNOWN = dict.fromkeys(
    ("displayName", "provider", "itemsSearchKey", "watchlistAlias", "description", "source", "sourceType", "labels", "defaultDuration")
)


def watchlist_resource(model: WatchlistFile, rows: Watchlist, places: Places) -> ArmResource:
    """`rows` are the lines of the CSV file, read (`toolkit.content.watchlists`). They are sent as comma-separated text at creation."""
    properties = {
        "displayName": model.display_name or model.name or rows.alias,
        "provider": model.provider or WATCHLIST_PROVIDER,
        "itemsSearchKey": rows.search_key or (rows.columns[0] if rows.columns else None),
        "watchlistAlias": rows.alias,
        "description": places.description("description", model.description),
        "source": model.source or f"{rows.alias}.csv",
        "sourceType": model.source_type or DEFAULTS["watchlist"]["sourceType"],
        "labels": list(dict.fromkeys(model.labels)) or None,
        "defaultDuration": iso(model.default_duration) if model.default_duration is not None else None,
    }
    body = {"properties": places.with_extra(without_none(properties), model.arm_properties)}
    name = places.name(rows.alias, "watchlist", key=("watchlistAlias" if model.watchlist_alias else "alias",))
    places.done()
    creation = {"rawContent": csv_text(rows.columns, rows.rows), "contentType": "text/csv", "numberOfLinesToSkip": 0}
    children = _items(name, str(properties["itemsSearchKey"]), rows.rows)
    return ArmResource("watchlist", name, body, children, creation, places.left_out(_KEYS))


def _items(alias: str, key: str, rows: Sequence[Mapping[str, str]]) -> tuple[ArmResource, ...]:
    """One resource per row. Rows of the same search key are told apart by their number among these."""
    seen: Counter[str] = Counter()
    items = []
    for row in rows:
        value = row.get(key, "")
        seen[value] += 1
        name = stable_id("watchlistItem", alias.lower(), value, str(seen[value]))
        items.append(ArmResource("watchlistItem", name, {"properties": {"itemsKeyValue": dict(row)}}))
    return tuple(items)


def csv_text(columns: Sequence[str], rows: Sequence[Mapping[str, str]]) -> str:
    """Comma-separated text with a header. Python's own writer leaves a carriage return unquoted, which ends the line for a reader."""
    lines = [list(columns), *([row.get(column, "") for column in columns] for row in rows)]
    return "".join(",".join(map(_cell, cells)) + "\n" if cells != [""] else '""\n' for cells in lines)


def _cell(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if re.search(r'[",\r\n]', text) else text


def watchlist_document(resource: ArmResource) -> tuple[dict[str, Any], dict[str, str]]:
    """The keys of the YAML file, and the CSV file beside it."""
    own, rest = known_only(resource.body.get("properties") or {}, KNOWN)
    alias = own.get("watchlistAlias") or resource.name
    duration = own.get("defaultDuration")
    document = {
        "alias": alias,
        "displayName": own.get("displayName"),
        "description": own.get("description") or None,
        "provider": _unless(own.get("provider"), WATCHLIST_PROVIDER),
        "source": _unless(own.get("source"), f"{alias}.csv"),
        "sourceType": _unless(own.get("sourceType"), DEFAULTS["watchlist"]["sourceType"]),
        "itemsSearchKey": own.get("itemsSearchKey"),
        "labels": own.get("labels") or None,
        "defaultDuration": short(duration) if isinstance(duration, str) else duration,
        EXTRA: rest or None,
    }
    return without_none(document), {f"{alias}.csv": _csv_of(resource, own.get("itemsSearchKey"))}


def _unless(value: Any, default: Any) -> Any:
    return None if value == default else value


def _csv_of(resource: ArmResource, key: Any) -> str:
    """Columns in the order in which the rows name them, the search key among them even when there are no rows."""
    columns: dict[str, None] = {}
    rows: list[dict[str, str]] = []
    for child in resource.children:
        values = (child.body.get("properties") or {}).get("itemsKeyValue")
        if not isinstance(values, Mapping):
            raise UnmappableError(resource, f"watchlistItems/{child.name}", "the item has no itemsKeyValue")
        row = without_none(values)
        for name, value in row.items():
            if not isinstance(value, str):
                raise UnmappableError(resource, f"watchlistItems/{child.name}/{name}", f"expected text, found {value!r}")
            columns[name] = None
        rows.append(row)
    if isinstance(key, str):
        columns.setdefault(key, None)
    return csv_text(list(columns), rows)
