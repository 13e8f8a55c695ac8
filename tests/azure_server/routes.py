"""Which path belongs to which resource, which api-versions it has, and who serves it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.azure_server import alert_rules, log_alerts, saved_searches, sentinel, watchlist_items, watchlists, workbooks
from tests.azure_server.authors import DEPLOYER
from tests.azure_server.messages import Record, Request, Response, ServiceError
from tests.azure_server.state import Account, Call, Group, Site

Handler = Callable[[Call], Response]

SENTINEL_STABLE = (
    "2020-01-01 2021-10-01 2022-08-01 2022-11-01 2023-02-01 2023-11-01 2024-03-01 2024-09-01 2025-03-01 2025-06-01 2025-09-01".split()
)
SENTINEL_PREVIEW = [
    f"{day}-preview" for day in "2021-09-01 2022-12-01 2023-12-01 2024-01-01 2024-10-01 2025-01-01 2025-04-01 2025-07-01 2025-10-01".split()
]
_SENTINEL = (*SENTINEL_STABLE, *SENTINEL_PREVIEW)
_SAVED = tuple("2015-03-20 2020-08-01 2022-10-01 2023-09-01 2025-02-01 2025-07-01".split())
_WORKBOOKS = tuple("2021-03-08 2021-08-01 2022-04-01 2023-06-01".split())
_ALERTS = tuple("2021-08-01 2022-06-15 2023-12-01 2024-01-01-preview 2025-01-01-preview".split())

_SUBSCRIPTION = "/subscriptions/{sub}"
_GROUP = "/subscriptions/{sub}/resourceGroups/{rg}"
_WORKSPACE = _GROUP + "/providers/Microsoft.OperationalInsights/workspaces/{ws}"
_SECURITY = _WORKSPACE + "/providers/Microsoft.SecurityInsights"


@dataclass(frozen=True)
class Route:
    """A path, its resource type, the api-versions that know it, and a handler per method."""

    path: str
    type: str
    versions: tuple[str, ...]
    handlers: Mapping[str, Handler]

    @property
    def pattern(self) -> re.Pattern[str]:
        return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", self.path) + "/?", re.IGNORECASE)


def _crud(module: object, *methods: str) -> dict[str, Handler]:
    return {method.upper(): getattr(module, method) for method in methods}


_INSIGHTS = "Microsoft.SecurityInsights/"
_ITEMS = _INSIGHTS + "watchlists/watchlistItems"
ROUTES = (
    Route(_SECURITY + "/alertRules", _INSIGHTS + "alertRules", _SENTINEL, {"GET": alert_rules.listing}),
    Route(_SECURITY + "/alertRules/{name}", _INSIGHTS + "alertRules", _SENTINEL, _crud(alert_rules, "get", "put", "delete")),
    Route(_SECURITY + "/alertRules/{rule}/actions", _INSIGHTS + "alertRules/actions", _SENTINEL, {"GET": sentinel.list_actions}),
    Route(
        _SECURITY + "/alertRules/{rule}/actions/{name}",
        _INSIGHTS + "alertRules/actions",
        _SENTINEL,
        {"GET": sentinel.get_action, "PUT": sentinel.put_action, "DELETE": sentinel.delete_action},
    ),
    Route(_SECURITY + "/alertRuleTemplates", _INSIGHTS + "alertRuleTemplates", _SENTINEL, {"GET": sentinel.list_templates}),
    Route(_SECURITY + "/alertRuleTemplates/{name}", _INSIGHTS + "alertRuleTemplates", _SENTINEL, {"GET": sentinel.get_template}),
    Route(_SECURITY + "/metadata", _INSIGHTS + "metadata", _SENTINEL, {"GET": sentinel.list_metadata}),
    Route(
        _SECURITY + "/metadata/{name}",
        _INSIGHTS + "metadata",
        _SENTINEL,
        {
            "GET": sentinel.get_metadata,
            "PUT": sentinel.put_metadata,
            "PATCH": sentinel.patch_metadata,
            "DELETE": sentinel.delete_metadata,
        },
    ),
    Route(_SECURITY + "/watchlists", _INSIGHTS + "watchlists", _SENTINEL, {"GET": watchlists.listing}),
    Route(_SECURITY + "/watchlists/{name}", _INSIGHTS + "watchlists", _SENTINEL, _crud(watchlists, "get", "put", "delete")),
    Route(
        _SECURITY + "/watchlists/{list}/watchlistItems",
        _ITEMS,
        _SENTINEL,
        {"GET": watchlist_items.listing},
    ),
    Route(
        _SECURITY + "/watchlists/{list}/watchlistItems/{name}",
        _ITEMS,
        _SENTINEL,
        _crud(watchlist_items, "get", "put", "delete"),
    ),
    Route(_SECURITY + "/operations/{operation}", _INSIGHTS + "operations", _SENTINEL, {"GET": watchlists.operation_status}),
    Route(_SECURITY + "/operationResults/{operation}", _INSIGHTS + "operations", _SENTINEL, {"GET": watchlists.operation_result}),
    Route(_WORKSPACE + "/savedSearches", "Microsoft.OperationalInsights/workspaces/savedSearches", _SAVED, {"GET": saved_searches.listing}),
    Route(
        _WORKSPACE + "/savedSearches/{name}",
        "Microsoft.OperationalInsights/workspaces/savedSearches",
        _SAVED,
        _crud(saved_searches, "get", "put", "delete"),
    ),
    Route(_GROUP + "/providers/Microsoft.Insights/workbooks", "Microsoft.Insights/workbooks", _WORKBOOKS, {"GET": workbooks.listing}),
    Route(
        _SUBSCRIPTION + "/providers/Microsoft.Insights/workbooks",
        "Microsoft.Insights/workbooks",
        _WORKBOOKS,
        {"GET": workbooks.list_by_subscription},
    ),
    Route(
        _GROUP + "/providers/Microsoft.Insights/workbooks/{name}",
        "Microsoft.Insights/workbooks",
        _WORKBOOKS,
        _crud(workbooks, "get", "put", "patch", "delete"),
    ),
    Route(
        _GROUP + "/providers/Microsoft.Insights/workbooks/{name}/revisions",
        "Microsoft.Insights/workbooks",
        _WORKBOOKS,
        {"GET": workbooks.list_revisions},
    ),
    Route(
        _GROUP + "/providers/Microsoft.Insights/workbooks/{name}/revisions/{revision}",
        "Microsoft.Insights/workbooks",
        _WORKBOOKS,
        {"GET": workbooks.get_revision},
    ),
    Route(
        _GROUP + "/providers/Microsoft.Insights/scheduledQueryRules",
        "Microsoft.Insights/scheduledQueryRules",
        _ALERTS,
        {"GET": log_alerts.listing},
    ),
    Route(
        _SUBSCRIPTION + "/providers/Microsoft.Insights/scheduledQueryRules",
        "Microsoft.Insights/scheduledQueryRules",
        _ALERTS,
        {"GET": log_alerts.list_by_subscription},
    ),
    Route(
        _GROUP + "/providers/Microsoft.Insights/scheduledQueryRules/{name}",
        "Microsoft.Insights/scheduledQueryRules",
        _ALERTS,
        _crud(log_alerts, "get", "put", "patch", "delete"),
    ),
)
_COMPILED = tuple((route.pattern, route) for route in ROUTES)
_VERBS = {"GET": "read", "PUT": "write", "PATCH": "write", "DELETE": "delete"}


def find(path: str) -> tuple[Route, dict[str, str]] | None:
    """The route of a path and the names in it."""
    return next(((route, match.groupdict()) for pattern, route in _COMPILED if (match := pattern.fullmatch(path))), None)


def action_of(request: Request) -> str:
    """What a role would have to allow, e.g. Microsoft.SecurityInsights/alertRules/write."""
    found = find(request.path)
    return f"{found[0].type if found else 'Microsoft.Resources'}/{_VERBS.get(request.method, 'read')}"


def serve(account: Account, request: Request, record: Record, who: str = DEPLOYER) -> Response:
    """The resource manager's answer to an authenticated request of `who`; errors come out as ServiceError."""
    if not request.api_version:
        message = "The api-version query parameter (?api-version=) is required for all requests."
        raise ServiceError(400, "MissingApiVersionParameter", message)
    found = find(request.path)
    if found is None:
        raise ServiceError(404, "InvalidResourceType", f"The resource type of '{request.path}' could not be found.")
    route, names = found
    _check_version(route, request)
    handler = route.handlers.get(request.method)
    if handler is None:
        raise ServiceError(405, "MethodNotAllowed", f"The resource type '{route.type}' does not support the method {request.method}.")
    group, site = _place(account, names)
    with account.lock:
        response = handler(Call(request, account, record, group, names, site, who))
    if not account.behaviour.system_data and isinstance(response.body, dict):
        response.body = _without_authors(response.body)
    return response


def _without_authors(body: dict[str, Any]) -> dict[str, Any]:
    shown = {key: value for key, value in body.items() if key != "systemData"}
    return {**shown, "value": [_without_authors(item) for item in body["value"]]} if "value" in body else shown


def _check_version(route: Route, request: Request) -> None:
    if request.api_version.casefold() in route.versions:
        return
    message = (
        f"No registered resource provider found for location 'westeurope' and API version '{request.api_version}' for type "
        f"'{route.type.partition('/')[2]}'. The supported api-versions are '{', '.join(route.versions)}'. "
        "The supported locations are 'westeurope'."
    )
    raise ServiceError(400, "NoRegisteredProviderFound", message)


def _place(account: Account, names: dict[str, str]) -> tuple[Group, Site | None]:
    """The resource group and workspace that a path names."""
    subscription = names.pop("sub")
    if subscription.casefold() not in {key[0] for key in account.groups}:
        raise ServiceError(404, "SubscriptionNotFound", f"The subscription '{subscription}' could not be found.")
    if "rg" not in names:
        return Group(subscription, ""), None
    name = names.pop("rg")
    group = account.groups.get((subscription.casefold(), name.casefold()))
    if group is None:
        raise ServiceError(404, "ResourceGroupNotFound", f"Resource group '{name}' could not be found.")
    workspace = names.pop("ws", None)
    if workspace is None:
        return group, None
    wanted = (subscription.casefold(), name.casefold(), workspace.casefold())
    for site in account.sites:
        if (site.subscription.casefold(), site.group.casefold(), site.name.casefold()) == wanted:
            return group, site
    message = f"The Resource 'Microsoft.OperationalInsights/workspaces/{workspace}' under resource group '{group.name}' was not found."
    raise ServiceError(404, "ResourceNotFound", f"{message} For more details please go to https://aka.ms/ARMResourceNotFoundFix")
