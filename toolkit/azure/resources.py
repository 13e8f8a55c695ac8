"""One table: for every kind of content its path, API version, verbs, paging and body rules.

Alert rules and their actions are always read and written with a preview version: stable versions leave near-real-time
rules out of lists and drop sub-techniques, so nothing may ever be decided from one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal
from urllib.parse import quote, urlencode

from toolkit.kql.diagnostics import ToolkitError

RULES_VERSION = "2025-07-01-preview"
SENTINEL_VERSION = "2025-09-01"
SAVED_SEARCHES_VERSION = "2025-07-01"
WORKBOOKS_VERSION = "2023-06-01"
LOG_ALERTS_VERSION = "2023-12-01"

_GROUP = "/subscriptions/{subscription}/resourceGroups/{group}"
_WORKSPACE = f"{_GROUP}/providers/Microsoft.OperationalInsights/workspaces/{{workspace}}"
_SENTINEL = f"{_WORKSPACE}/providers/Microsoft.SecurityInsights"

Verb = Literal["list", "get", "put", "delete"]
_ALL: frozenset[Verb] = frozenset({"list", "get", "put", "delete"})
_WORKSPACE_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,88}[A-Za-z0-9])?", re.ASCII)
_EMPTY: Mapping[str, str] = MappingProxyType({})


class AddressError(ToolkitError):
    """A name that cannot be part of a resource's address, or a verb that the kind does not have."""


@dataclass(frozen=True)
class Workspace:
    """A Log Analytics workspace: where content lives. Azure compares all three names without case."""

    subscription: str
    resource_group: str
    name: str

    def __post_init__(self) -> None:
        if not _WORKSPACE_NAME.fullmatch(self.name):
            raise AddressError(f"workspace: expected 1 to 90 letters, digits and inner hyphens, found {self.name!r}")

    @property
    def id(self) -> str:
        """The workspace's own resource id."""
        return _fill(_WORKSPACE, self, "", "", encoded=False)


@dataclass(frozen=True)
class Kind:
    """One kind of resource.

    `collection` is the path of its list. `paged`: its list comes in pages (`nextLink`; a link that comes all the same is
    followed). `body_etag`/`match_etag`: where the etag of a conditional write goes. `additive` are body properties that
    Azure adds to what exists, so that sending them twice has an effect; `write_only` never come back. `roles` is what
    writing needs.
    """

    name: str
    collection: str
    api_version: str
    roles: tuple[str, ...]
    verbs: frozenset[Verb] = _ALL
    paged: bool = True
    put_statuses: tuple[int, ...] = (200, 201)
    delete_statuses: tuple[int, ...] = (200, 204)
    long_running: bool = False
    body_etag: bool = True
    match_etag: bool = True
    list_query: Mapping[str, str] = field(default_factory=lambda: _EMPTY)
    get_query: Mapping[str, str] = field(default_factory=lambda: _EMPTY)
    additive: tuple[str, ...] = ()
    write_only: tuple[str, ...] = ()
    fixed: Mapping[str, str] = field(default_factory=lambda: _EMPTY)
    """Envelope properties that are always sent."""

    def __str__(self) -> str:
        return self.name


_SENTINEL_ROLES = ("Microsoft Sentinel Contributor",)

ALERT_RULE = Kind("alertRules", f"{_SENTINEL}/alertRules", RULES_VERSION, _SENTINEL_ROLES)
RULE_ACTION = Kind(
    "actions",
    f"{_SENTINEL}/alertRules/{{parent}}/actions",
    RULES_VERSION,
    (*_SENTINEL_ROLES, "Logic App Contributor on the playbook"),
    write_only=("triggerUri",),
)
RULE_TEMPLATE = Kind(
    "alertRuleTemplates", f"{_SENTINEL}/alertRuleTemplates", RULES_VERSION, ("Microsoft Sentinel Reader",), frozenset({"list", "get"})
)
# An existing saved search is overwritten only with its etag, or "*", in the body; without one the service answers 409.
SAVED_SEARCH = Kind(
    "savedSearches",
    f"{_WORKSPACE}/savedSearches",
    SAVED_SEARCHES_VERSION,
    ("Log Analytics Contributor",),
    paged=False,
    put_statuses=(200,),
    match_etag=False,
)
WATCHLIST = Kind(
    "watchlists",
    f"{_SENTINEL}/watchlists",
    SENTINEL_VERSION,
    _SENTINEL_ROLES,
    delete_statuses=(200, 202, 204),
    long_running=True,
    additive=("rawContent",),
    write_only=("rawContent", "numberOfLinesToSkip", "sasUri", "contentType"),
)
WATCHLIST_ITEM = Kind("watchlistItems", f"{_SENTINEL}/watchlists/{{parent}}/watchlistItems", SENTINEL_VERSION, _SENTINEL_ROLES)
METADATA = Kind("metadata", f"{_SENTINEL}/metadata", SENTINEL_VERSION, _SENTINEL_ROLES)
WORKBOOK = Kind(
    "workbooks",
    f"{_GROUP}/providers/Microsoft.Insights/workbooks",
    WORKBOOKS_VERSION,
    ("Workbook Contributor",),
    body_etag=False,
    list_query=MappingProxyType({"category": "sentinel", "canFetchContent": "true"}),
    get_query=MappingProxyType({"canFetchContent": "true"}),
    fixed=MappingProxyType({"kind": "shared"}),
)
# Without `kind` such a rule is stored and never evaluated.
LOG_ALERT = Kind(
    "scheduledQueryRules",
    f"{_GROUP}/providers/Microsoft.Insights/scheduledQueryRules",
    LOG_ALERTS_VERSION,
    ("Monitoring Contributor",),
    body_etag=False,
    write_only=("skipQueryValidation",),
    fixed=MappingProxyType({"kind": "LogAlert"}),
)

KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        kind.name: kind
        for kind in (ALERT_RULE, RULE_ACTION, RULE_TEMPLATE, SAVED_SEARCH, WATCHLIST, WATCHLIST_ITEM, METADATA, WORKBOOK, LOG_ALERT)
    }
)
"""Every kind by the last word of its resource type."""


@dataclass(frozen=True)
class Address:
    """One resource. `parent` is the rule of an action, the alias of an item's watchlist."""

    kind: Kind
    workspace: Workspace
    name: str
    parent: str = ""

    def __post_init__(self) -> None:
        _segment(self.name, f"name of {self.kind}")

    @property
    def id(self) -> str:
        """The resource id as Azure writes it (nothing percent-encoded)."""
        return f"{_fill(self.kind.collection, self.workspace, self.parent, self.kind.name, encoded=False)}/{self.name}"

    def path(self) -> str:
        """Path and query of GET, PUT and DELETE."""
        return (
            f"{_fill(self.kind.collection, self.workspace, self.parent, self.kind.name)}/{quote(self.name, safe='')}{_query(self.kind, {})}"
        )

    def get_path(self) -> str:
        return self.path() + "".join(f"&{urlencode({name: value})}" for name, value in self.kind.get_query.items())


def list_path(kind: Kind, workspace: Workspace, parent: str = "", query: Mapping[str, str] = _EMPTY) -> str:
    """Path and query of a list's first page; `query` goes before the kind's own (another workbook category)."""
    return f"{_fill(kind.collection, workspace, parent, kind.name)}{_query(kind, {**kind.list_query, **query})}"


def list_id(kind: Kind, workspace: Workspace, parent: str = "") -> str:
    """The list's path as errors name it."""
    return _fill(kind.collection, workspace, parent, kind.name, encoded=False)


def put_body(kind: Kind, body: Mapping[str, Any], etag: str | None) -> dict[str, Any]:
    """The body as it is sent: with what is always sent, and with the etag where the kind takes it there."""
    sent = {**kind.fixed, **{name: value for name, value in body.items() if name != "etag"}}
    if etag is not None and kind.body_etag:
        sent["etag"] = etag
    return sent


def match_header(kind: Kind, etag: str | None) -> dict[str, str]:
    """If-Match for a conditional write; a wildcard is not a condition."""
    return {"If-Match": etag} if etag is not None and etag != "*" and kind.match_etag else {}


def _query(kind: Kind, more: Mapping[str, str]) -> str:
    return "?" + urlencode({"api-version": kind.api_version, **more})


def _segment(text: str, what: str) -> str:
    if not text or text in (".", "..") or any(ord(letter) < 32 or letter in "/\\?#%" for letter in text):
        raise AddressError(f"{what}: expected a name without / \\ ? # % and control characters, found {text!r}")
    return text


def _fill(template: str, workspace: Workspace, parent: str, kind: str, *, encoded: bool = True) -> str:
    values = {"subscription": workspace.subscription, "group": workspace.resource_group, "workspace": workspace.name}
    if "{parent}" in template:
        values["parent"] = _segment(parent, f"parent of {kind}")
    for name, value in values.items():
        _segment(value, name)
    return template.format(**{name: quote(value, safe="()") if encoded else value for name, value in values.items()})
