"""Somebody at work in the portal: content of every kind made, changed and deleted behind the back of a deployment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.azure_server import routes
from tests.azure_server.authors import ANALYST
from tests.azure_server.messages import Record, Request, Response
from tests.azure_server.state import Account, Site

_PREVIEW = "2025-07-01-preview"
_PLACES = {
    "alertRules": ("{sentinel}/alertRules", _PREVIEW),
    "actions": ("{sentinel}/alertRules/{parent}/actions", _PREVIEW),
    "watchlists": ("{sentinel}/watchlists", _PREVIEW),
    "watchlistItems": ("{sentinel}/watchlists/{parent}/watchlistItems", _PREVIEW),
    "metadata": ("{sentinel}/metadata", _PREVIEW),
    "savedSearches": ("{workspace}/savedSearches", "2025-07-01"),
    "workbooks": ("{group}/providers/Microsoft.Insights/workbooks", "2023-06-01"),
    "scheduledQueryRules": ("{group}/providers/Microsoft.Insights/scheduledQueryRules", "2023-12-01"),
}
_TAGGED = ("workbooks", "scheduledQueryRules")
_FIXED_KINDS = ("Fusion", "MLBehaviorAnalytics")  # of such a rule only these can be changed
_CHANGEABLE = ("enabled", "alertRuleTemplateName")


@dataclass(frozen=True)
class _Place:
    path: str
    version: str


class Portal:
    """Changes of content that go by the same handlers and validators as requests, under another author, past log and faults.

    `kind` is the last word of a resource's type. A change that the service would refuse raises ServiceError; so does a resource
    that is not there.
    """

    def __init__(self, account: Account) -> None:
        self._account = account

    def find(self, kind: str, name: str, /, *, parent: str = "", site: Site | None = None) -> dict[str, Any]:
        """A resource as it is now."""
        found: dict[str, Any] = self._serve("GET", self._place(kind, name, parent, site)).body
        return found

    def create(
        self, kind: str, name: str, body: dict[str, Any], /, *, parent: str = "", who: str = ANALYST, site: Site | None = None
    ) -> dict[str, Any]:
        """A new resource; `body` is that of a PUT."""
        self._serve("PUT", self._place(kind, name, parent, site), body, who)
        return self.find(kind, name, parent=parent, site=site)

    def edit(
        self, kind: str, name: str, /, *, parent: str = "", who: str = ANALYST, site: Site | None = None, **changes: Any
    ) -> dict[str, Any]:
        """Other values of properties; of workbooks and log alerts also `tags`, of watchlist items the columns."""
        known = self.find(kind, name, parent=parent, site=site)
        body: dict[str, Any] = {key: known[key] for key in ("kind", "location", "tags", "identity") if key in known}
        if kind in _TAGGED and "tags" in changes:
            body["tags"] = changes.pop("tags")
        properties = known["properties"]
        if known.get("kind") in _FIXED_KINDS:
            properties = {key: properties[key] for key in _CHANGEABLE}
        if kind == "watchlistItems":
            changes = {"itemsKeyValue": {**properties["itemsKeyValue"], **changes}}
        if kind == "actions":
            properties = {**properties, "triggerUri": "https://example.com/trigger"}
        body = {**body, "etag": "*", "properties": {**properties, **changes}}
        self._serve("PUT", self._place(kind, name, parent, site), body, who)
        return self.find(kind, name, parent=parent, site=site)

    def delete(self, kind: str, name: str, /, *, parent: str = "", site: Site | None = None) -> None:
        """A resource goes away at once, also where the service takes its time."""
        self.find(kind, name, parent=parent, site=site)
        self._serve("DELETE", self._place(kind, name, parent, site))

    def _place(self, kind: str, name: str, parent: str, site: Site | None) -> _Place:
        site = site or self._account.sites[0]
        group = self._account.groups[site.subscription.casefold(), site.group.casefold()]
        template, version = _PLACES[kind]
        folder = template.format(sentinel=site.sentinel, workspace=site.id, group=group.id, parent=parent)
        return _Place(f"{folder}/{name}", version)

    def _serve(self, method: str, place: _Place, body: dict[str, Any] | None = None, who: str = ANALYST) -> Response:
        request = Request(method, place.path, {"api-version": place.version, "canFetchContent": "true"}, {}, body, "http://portal")
        with self._account.lock:
            before = set(self._account.operations)
            response = routes.serve(self._account, request, Record(0, request), who)
            for name in self._account.operations.keys() - before:
                self._account.finish(self._account.operations[name])  # nobody polls here: what was begun is done
        return response
