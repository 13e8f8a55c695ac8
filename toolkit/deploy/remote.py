"""What a workspace has, read completely or not at all, kind by kind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from toolkit.azure import Address
from toolkit.azure.client import Bodies
from toolkit.azure.errors import AuthorizationError, NotFoundError, ScopeNotFoundError
from toolkit.azure.operations import is_running
from toolkit.azure.parallel import Outcome
from toolkit.azure.resources import ALERT_RULE, LOG_ALERT, METADATA, SAVED_SEARCH, WATCHLIST, WATCHLIST_ITEM, WORKBOOK, Kind
from toolkit.deploy.connection import Connection
from toolkit.deploy.desired import Key
from toolkit.deploy.mapping import ArmResource, ResourceKind
from toolkit.deploy.mapping.defaults import WORKBOOK_CATEGORY
from toolkit.deploy.ownership import Mark, mark_of_metadata, metadata_name, source_of_metadata, split_mark
from toolkit.kql.diagnostics import ToolkitError

KINDS: Mapping[ResourceKind, Kind] = {
    "watchlist": WATCHLIST,
    "savedSearch": SAVED_SEARCH,
    "alertRule": ALERT_RULE,
    "logAlert": LOG_ALERT,
    "workbook": WORKBOOK,
}
_OF_RULES = {"$filter": "properties/kind eq 'AnalyticsRule'"}
CATEGORIES = ("workbook", "TSG", "performance", "retention")
"""Categories of workbooks beside Sentinel's own."""
MANAGED_RULES = ("Scheduled", "NRT")
"""Kinds of alert rules that files keep; others are Microsoft's own."""


@dataclass(frozen=True)
class Found:
    """One resource of the workspace, its mark taken out. `by` and `at`: who wrote it last and when, where the service tells."""

    resource: ArmResource
    mark: Mark | None = None
    etag: str | None = None
    by: str = ""
    at: str = ""

    @property
    def last_written(self) -> str:
        """` (last written by ... at ...)`, as far as that is known."""
        by, at = f" by {self.by}" if self.by else "", f" at {self.at}" if self.at else ""
        return f" (last written{by}{at})" if by or at else ""


@dataclass
class Remote:
    """The resources of a workspace. `missing` are kinds that could not be read, with the reason: nothing is known about those.

    `elsewhere` are workbooks and log alert rules of the resource group that belong to other workspaces: their names are taken.
    `marks` are all marks of rules by the rule's name in lower case, also those whose rule is gone; `sources`
    say of rules without one where they come from, such as a solution of the content hub.
    """

    found: dict[Key, Found] = field(default_factory=dict)
    marks: dict[str, Mark] = field(default_factory=dict)
    missing: dict[ResourceKind, ToolkitError] = field(default_factory=dict)
    elsewhere: dict[Key, Found] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)

    def at(self, kind: ResourceKind, name: str) -> Found | None:
        """What has this name, of this workspace or of another one in its resource group."""
        key = kind, name.lower()
        return self.found.get(key) or self.elsewhere.get(key)

    def of(self, kind: ResourceKind) -> list[Found]:
        return [found for (here, _), found in self.found.items() if here == kind]


def address_of(connection: Connection, kind: ResourceKind, name: str) -> Address:
    return Address(KINDS[kind], connection.workspace, name)


def mark_address(connection: Connection, rule: str) -> Address:
    return Address(METADATA, connection.workspace, metadata_name(rule))


def read_remote(
    connection: Connection,
    needed: Iterable[ResourceKind],
    watchlists: Iterable[str] | None,
    kinds: Iterable[ResourceKind] = tuple(KINDS),
    categories: Iterable[str] = (),
) -> Remote:
    """Reads `kinds` of content, by default all.

    A kind that may not be read, or that the workspace does not know (no Sentinel there), is `missing`, unless it is among `needed`: then
    its error is raised, and so is any other error. `watchlists` are the aliases whose rows are read as well, None for all.
    Azure lists workbooks by category: Sentinel's own, and those of `categories`.
    """
    arm, needed = connection.arm, set(needed)
    kinds = list(kinds)
    books = [category for category in dict.fromkeys(categories) if category != WORKBOOK_CATEGORY]
    tasks = [partial(_listed, connection, kind, books) for kind in kinds]
    marks = [partial(arm.list, METADATA, connection.workspace, "", _OF_RULES)] if "alertRule" in kinds else []
    answers = arm.run_many([*tasks, *marks])
    remote = Remote()
    lists = {kind: _known(kind, answer, remote, kind in needed) for kind, answer in zip(kinds, answers, strict=False)}
    if lists.get("alertRule") is not None:
        bodies = answers[-1].get()
        remote.marks = {rule.lower(): mark for body in bodies if (ours := mark_of_metadata(body)) for rule, mark in [ours]}
        remote.sources = {rule.lower(): source for body in bodies if (other := source_of_metadata(body)) for rule, source in [other]}
    wanted = None if watchlists is None else {alias.lower() for alias in watchlists}
    rows = _rows(connection, [body for body in lists.get("watchlist") or [] if wanted is None or str(body["name"]).lower() in wanted])
    for kind, found in lists.items():
        for body in found or []:
            if kind == "watchlist" and (body.get("properties") or {}).get("isDeleted"):
                continue
            one = read_resource(kind, body, rows.get(str(body["name"]).lower(), ()), remote.marks)
            places = remote.found if _is_here(one.resource, connection) else remote.elsewhere
            places[kind, one.resource.name.lower()] = one
    return remote


def _listed(connection: Connection, kind: ResourceKind, categories: Sequence[str]) -> Bodies:
    """Every resource of a kind."""
    found = connection.arm.list(KINDS[kind], connection.workspace)
    for category in categories if kind == "workbook" else ():
        found += connection.arm.list(KINDS[kind], connection.workspace, query={"category": category})
    return found


def categories_of(bodies: Iterable[Mapping[str, Any] | None]) -> list[str]:
    """The categories of workbooks among bodies."""
    found = (str(((body or {}).get("properties") or {}).get("category") or "") for body in bodies)
    return [category for category in dict.fromkeys(found) if category]


def _known(kind: ResourceKind, answer: Outcome[Bodies], remote: Remote, needed: bool) -> Bodies | None:
    try:
        return answer.get()
    except (AuthorizationError, NotFoundError) as error:
        if needed or (isinstance(error, ScopeNotFoundError) and kind == "savedSearch"):
            raise
        remote.missing[kind] = error
        return None


def _rows(connection: Connection, watchlists: Sequence[Mapping[str, Any]]) -> dict[str, tuple[ArmResource, ...]]:
    """The rows of watchlists by alias in lower case. An upload that still runs is waited for: half of its rows would look deleted."""
    answers = connection.arm.run_many([partial(_rows_of, connection, body) for body in watchlists])
    return {str(body["name"]).lower(): answer.get() for body, answer in zip(watchlists, answers, strict=True)}


def _rows_of(connection: Connection, watchlist: Mapping[str, Any]) -> tuple[ArmResource, ...]:
    name = str(watchlist["name"])
    if is_running(watchlist):
        connection.arm.settled(address_of(connection, "watchlist", name))
    rows = connection.arm.list(WATCHLIST_ITEM, connection.workspace, name)
    return tuple(ArmResource("watchlistItem", str(body["name"]), body) for body in rows)


def _is_here(resource: ArmResource, connection: Connection) -> bool:
    """Workbooks and log alert rules lie in the resource group: only those of this workspace count."""
    return resource.kind not in ("workbook", "logAlert") or connection.workspace.id.lower() in place_of(resource)


def place_of(resource: ArmResource) -> list[str]:
    """The ids, in lower case, of what a workbook or log alert rule belongs to."""
    properties = resource.body.get("properties") or {}
    given = [properties.get("sourceId") or ""] if resource.kind == "workbook" else properties.get("scopes") or []
    return sorted(str(each).lower() for each in given if each)


def read_resource(kind: ResourceKind, body: Mapping[str, Any], rows: tuple[ArmResource, ...], marks: Mapping[str, Mark]) -> Found:
    """A resource as the service gives it back."""
    name = str(body["name"])
    own, mark = split_mark(kind, name, body)
    if kind == "alertRule":
        mark = marks.get(name.lower())
        mark = None if mark is None or mark.deleted else mark
    by, at = last_change(body)
    return Found(ArmResource(kind, name, own, rows), mark, body.get("etag"), by, at)


def last_change(body: Mapping[str, Any]) -> tuple[str, str]:
    """Who wrote a resource last, and when, as far as the service tells; '' for what it does not."""
    system, own = body.get("systemData") or {}, body.get("properties") or {}
    person = own.get("updatedBy") or {}
    by = system.get("lastModifiedBy") or person.get("email") or person.get("name") or own.get("userId") or ""
    at = system.get("lastModifiedAt") or own.get("lastModifiedUtc") or own.get("updated") or own.get("timeModified") or ""
    return str(by), _seconds(str(at))


def _seconds(text: str) -> str:
    """A moment without its fraction."""
    try:
        return datetime.fromisoformat(text).isoformat(timespec="seconds").replace("+00:00", "Z")
    except ValueError:
        return text
