"""Does each query run in the workspace? Its tables, columns and functions are those that the workspace's own metadata names.

The service runs a rule's query when the rule is written, and refuses the rule when that fails; here the same is known before anything is
written, for all content at once, and at the line of the file.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from toolkit.catalog import Catalog
from toolkit.content.findings import Finding
from toolkit.content.items import Item
from toolkit.content.signature import constants
from toolkit.content.values import ItemQuery
from toolkit.deploy.desired import Key, Wanted, queries_of
from toolkit.deploy.mapping import Settings
from toolkit.deploy.remote import Found
from toolkit.engine.watchlists import watchlist_schema
from toolkit.kql.analysis import Analysis, Environment, SavedFunction, analyze

if TYPE_CHECKING:
    from toolkit.azure.logs import LogsSchema

_NO_TABLE = "unknown-table"


@dataclass(frozen=True)
class Preflight:
    """What is wrong with one resource's query in this workspace. `tables` are those that the workspace lacks."""

    findings: tuple[Finding, ...] = ()
    tables: tuple[str, ...] = ()


def preflight(wanted: Iterable[Wanted], remote: Iterable[Found], schema: LogsSchema, settings: Settings) -> dict[Key, Preflight]:
    """Analyses every query over the workspace's tables and functions and those of the project; only what is wrong is in the result.

    `remote` is what stays: a function that the plan deletes is not there for those who call it.
    """
    wanted = list(wanted)
    environment = _environment(wanted, remote, schema)
    opaque = {name for name, function in schema.functions.items() if function.body is None} - set(environment.functions)
    found: dict[Key, Preflight] = {}
    good: set[str] = set()
    for one in wanted:
        prefix = _prefix(one)
        for query in queries_of(one.resource) if prefix is not None else ():
            text = f"{prefix}{query}"
            if text in good:
                continue
            analysis = analyze(text, environment)
            if analysis.errors and not _calls(analysis, opaque):
                found[one.key] = _result(one, analysis, prefix or "", settings, environment)
            else:
                good.add(text)
    return found


def _environment(wanted: Iterable[Wanted], remote: Iterable[Found], schema: LogsSchema) -> Environment:
    functions = {name: SavedFunction(name, f.body, f.parameters) for name, f in schema.functions.items() if f.body is not None}
    for resource in [*(found.resource for found in remote), *(one.resource for one in wanted)]:
        properties = resource.body.get("properties") or {}
        alias = properties.get("functionAlias") if resource.kind == "savedSearch" else None
        if alias:
            functions[alias] = SavedFunction(alias, str(properties.get("query") or ""), str(properties.get("functionParameters") or ""))
    watchlists = {
        one.resource.name: watchlist_schema(
            one.resource.name, [child.body["properties"]["itemsKeyValue"] for child in one.resource.children]
        )
        for one in wanted
        if one.resource.kind == "watchlist" and one.resource.children
    }
    return Environment(schema.tables, functions, watchlists)


def _prefix(one: Wanted) -> str | None:
    """What makes the parameters of a function constants; None for one that takes a table."""
    properties = one.resource.body["properties"]
    return constants(str(properties.get("functionParameters") or "")) if properties.get("functionAlias") else ""


def _calls(analysis: Analysis, functions: set[str]) -> bool:
    """Whether an error only says that a function is unknown which the workspace has and does not show."""
    return any(analysis.source.text[found.start : found.end] in functions for found in analysis.errors)


def _result(one: Wanted, analysis: Analysis, prefix: str, settings: Settings, environment: Environment) -> Preflight:
    from toolkit.testing.runner import kql_findings  # the engine and all that runs cases: only for what is wrong

    text = analysis.source.text
    names = [text[found.start : found.end].strip("[]'\" ") for found in analysis.errors if found.code == _NO_TABLE]
    tables = tuple(dict.fromkeys(name for name in names if Catalog.bundled().table(name) is not None or name.endswith("_CL")))
    if not isinstance(one.source, Item):
        return Preflight((), tables)
    query = ItemQuery(one.source, settings.project, settings.environment).render(one.source.collect())
    if query is None:
        return Preflight((), tables)
    # The body that is sent lacks white space at the ends of lines: places are those of the text in the file.
    again = analysis if prefix + query.text == text else analyze(prefix + query.text, environment)
    own = [found.shifted(-len(prefix)) for found in again.errors if found.start >= len(prefix)]
    return Preflight(tuple(kql_findings(own, query.text, query)), tables)
