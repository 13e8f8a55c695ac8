"""Ids of rules, names of functions and aliases of watchlists are unique in a project.

The id is the rule's name in the workspace: of two rules with one id the second overwrites the first. Two functions of
one name make every query that calls them fail.
"""

from __future__ import annotations

from collections.abc import Iterable

from toolkit.content.findings import Finding, Findings
from toolkit.content.items import Item
from toolkit.content.models.function import FunctionFile, WatchlistFile
from toolkit.content.models.rule import Described
from toolkit.content.yaml.nodes import Path
from toolkit.kql.source import NOWHERE


def check_duplicates(items: Iterable[Item]) -> list[tuple[Item, Finding]]:
    """A finding for each item whose id, function name or alias an earlier item already has, with that item."""
    first: dict[tuple[str, str], Item] = {}
    found: list[tuple[Item, Finding]] = []
    for item in items:
        for what, value, path in _keys(item):
            earlier = first.setdefault((what, value.lower()), item)
            if earlier is not item and earlier.path != item.path:
                findings = Findings(item.source)
                span = item.document.span(path) if item.document else NOWHERE
                message = f"The {what} {value!r} is already that of {earlier.shown}."
                findings.add("duplicate-id", message, span, hints=["Give one of the two another."])
                found.extend((item, finding) for finding in findings.found)
    return found


def _keys(item: Item) -> Iterable[tuple[str, str, Path]]:
    model = item.model
    if isinstance(model, Described) and model.id:
        yield "id", model.id, ("id",)
    if isinstance(model, FunctionFile) and model.name:
        yield "function name", model.name, ("FunctionAlias",)
    if isinstance(model, WatchlistFile):
        yield "watchlist alias", model.watchlist_alias or model.alias or item.name, ("watchlistAlias",)
