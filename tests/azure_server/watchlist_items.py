"""Microsoft.SecurityInsights/watchlists/watchlistItems: single rows of a watchlist."""

from __future__ import annotations

from typing import Any

from tests.azure_server.arm import body_of, page, properties_of, same_etag
from tests.azure_server.authors import user_info
from tests.azure_server.messages import Response, bad_request, conflict, not_found
from tests.azure_server.state import Call, Collection

TYPE = "Microsoft.SecurityInsights/watchlists/watchlistItems"


def new_item(call: Call, watchlist: str, name: str, values: dict[str, Any], known: dict[str, Any] | None = None) -> dict[str, Any]:
    """A row under the resource id of its watchlist."""
    now = call.account.now()
    return {
        "id": f"{watchlist}/watchlistItems/{name}",
        "name": name,
        "type": TYPE,
        "etag": call.account.etag(),
        "systemData": call.system_data(known),
        "properties": {
            "watchlistItemType": "watchlist-item",
            "watchlistItemId": name,
            "isDeleted": False,
            "created": known["properties"]["created"] if known else now,
            "updated": now,
            "createdBy": known["properties"]["createdBy"] if known else user_info(call.who),
            "updatedBy": user_info(call.who),
            "itemsKeyValue": values,
            "entityMapping": {},
        },
    }


def listing(call: Call) -> Response:
    return page(call, _parent(call)[1], lambda item: item)


def get(call: Call) -> Response:
    item = _parent(call)[1].get(call.names["name"])
    if item is None:
        raise not_found(TYPE, call.names["name"])
    return Response(200, item, {"ETag": item["etag"]})


def put(call: Call) -> Response:
    watchlist, items = _parent(call)
    name, values, given = call.names["name"], properties_of(call).get("itemsKeyValue"), body_of(call).get("etag")
    known = items.get(name)
    if given and (known is None or not same_etag(str(given), known["etag"])):
        raise conflict(f"Newer instance of watchlist item '{name}' exists (Etag does not match).")
    if not isinstance(values, dict) or not values:
        raise bad_request("Required property 'itemsKeyValue' not found in JSON. Path 'properties'.")
    key = watchlist["properties"]["itemsSearchKey"]
    if key not in values:
        raise bad_request(f"The item has no value for the search key '{key}' of the watchlist.")
    item = new_item(call, watchlist["id"], name, values, known)
    created = items.put(name, item)
    call.site.touch("watchlist", watchlist["name"])
    call.wrote("create" if created else "update", item)
    return Response(201 if created else 200, item, {"ETag": item["etag"]})


def delete(call: Call) -> Response:
    watchlist, items = _parent(call)
    item = items.pop(call.names["name"])
    if item is None:
        return Response(204)
    call.site.touch("watchlist", watchlist["name"])
    call.wrote("delete", item)
    return Response(200)


def _parent(call: Call) -> tuple[dict[str, Any], Collection]:
    watchlist = call.site.watchlists.get(call.names["list"])
    if watchlist is None:
        raise not_found("Microsoft.SecurityInsights/watchlists", call.names["list"])
    return watchlist, call.site.items[call.names["list"].casefold()]
