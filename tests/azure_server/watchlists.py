"""Microsoft.SecurityInsights/watchlists: uploads and deletions are long-running operations, uploads add items."""

from __future__ import annotations

import csv
from collections.abc import Callable
from functools import partial
from typing import Any

from tests.azure_server.arm import body_of, page, parse_duration, properties_of, require, same_etag
from tests.azure_server.authors import user_info
from tests.azure_server.messages import Response, ServiceError, bad_request, conflict, not_found
from tests.azure_server.state import Call, Collection, Operation
from tests.azure_server.watchlist_items import new_item

TYPE = "Microsoft.SecurityInsights/watchlists"
MAX_UPLOAD = 3_800_000
MAX_LINE = 10_240
_WRITABLE = (
    "displayName provider itemsSearchKey watchlistAlias description source sourceType contentType numberOfLinesToSkip labels".split()
)


def listing(call: Call) -> Response:
    return page(call, call.site.watchlists, _public)


def get(call: Call) -> Response:
    name = call.names["name"]
    operation = call.account.operations.get((call.site.watchlists.get(name) or {}).get("operation", ""))
    if operation is not None:
        call.account.settle(operation, polled=True)
    watchlist = call.site.watchlists.get(name)
    if watchlist is None:
        raise not_found(TYPE, name)
    return Response(200, _public(watchlist), {"ETag": watchlist["etag"]})


def put(call: Call) -> Response:
    name, properties = call.names["name"], properties_of(call)
    known = call.site.watchlists.get(name)
    given = body_of(call).get("etag")
    if given and (known is None or not same_etag(str(given), known["etag"])):
        raise conflict(f"Newer instance of watchlist '{name}' exists for workspace '{call.site.name}' (Etag does not match).")
    if known is not None and known["properties"]["provisioningState"] == "Deleting":
        raise conflict(f"Watchlist '{name}' is being deleted.")
    _validate(properties)
    watchlist = _watchlist(call, name, properties, known)
    created = call.site.watchlists.put(name, watchlist)
    call.site.items.setdefault(name.casefold(), Collection())
    call.site.touch("watchlist", watchlist["name"])
    call.wrote("create" if created else "update", watchlist)
    headers = {"ETag": watchlist["etag"]}
    if properties.get("rawContent"):
        watchlist["properties"] |= {"provisioningState": "Uploading", "uploadStatus": "InProgress"}
        headers |= _begin(call, watchlist, partial(_upload, call, watchlist, dict(properties)))
    return Response(201 if created else 200, _public(watchlist), headers)


def delete(call: Call) -> Response:
    name = call.names["name"]
    watchlist = call.site.watchlists.get(name)
    if watchlist is None:
        return Response(204)
    if watchlist["properties"]["provisioningState"] in ("Uploading", "Deleting"):
        raise conflict(f"Watchlist '{name}' cannot be deleted while its upload status is InProgress.")
    watchlist["properties"] = {**watchlist["properties"], "provisioningState": "Deleting"}
    call.wrote("delete", watchlist)
    headers = _begin(call, watchlist, partial(_remove, call, name))
    operation = headers["Azure-AsyncOperation"].replace("/operations/", "/operationResults/")
    return Response(202, None, {**headers, "Location": operation})


def operation_status(call: Call) -> Response:
    operation = _operation(call)
    error = {"error": {"code": "BadRequest", "message": operation.error}} if operation.error else {}
    name = f"{call.site.sentinel}/operations/{operation.id}"
    return Response(200, {"id": name, "name": operation.id, "status": operation.status, **error}, _retry(call, operation))


def operation_result(call: Call) -> Response:
    operation = _operation(call)
    return Response(202 if operation.status == "InProgress" else 204, None, _retry(call, operation))


def _operation(call: Call) -> Operation:
    operation = call.account.operations.get(call.names["operation"].casefold())
    if operation is None:
        raise not_found("Microsoft.SecurityInsights/operations", call.names["operation"])
    call.account.settle(operation, polled=True)
    return operation


def _retry(call: Call, operation: Operation) -> dict[str, str]:
    return {"Retry-After": str(call.account.behaviour.operation_retry_after)} if operation.status == "InProgress" else {}


def _begin(call: Call, watchlist: dict[str, Any], finish: Callable[[], str | None]) -> dict[str, str]:
    """Starts the operation of a watchlist; gives the headers that lead to it."""
    operation = call.account.start(finish)
    watchlist["operation"] = operation.id
    place = f"{call.request.base}{call.site.sentinel}/operations/{operation.id}?api-version={call.request.api_version}"
    return {"Azure-AsyncOperation": place, **_retry(call, operation)}


def _public(watchlist: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in watchlist.items() if key != "operation"}


def _watchlist(call: Call, name: str, properties: dict[str, Any], known: dict[str, Any] | None) -> dict[str, Any]:
    duration = parse_duration(properties.get("defaultDuration"))
    if properties.get("defaultDuration") and duration is None:
        raise bad_request(f"The value '{properties['defaultDuration']}' of 'defaultDuration' is not a valid ISO 8601 duration.")
    now = call.account.now()
    before = known["properties"] if known else {"watchlistId": call.account.guid(), "created": now, "createdBy": user_info(call.who)}
    return {
        "id": f"{call.site.sentinel}/watchlists/{name}" if known is None else known["id"],
        "name": name if known is None else known["name"],
        "type": TYPE,
        "etag": call.account.etag(),
        "systemData": call.system_data(known),
        "properties": {
            **{key: before[key] for key in ("watchlistId", "created", "createdBy")},
            "updated": now,
            "updatedBy": user_info(call.who),
            "isDeleted": False,
            "watchlistType": "watchlist",
            **{key: properties.get(key) for key in _WRITABLE},
            "watchlistAlias": name if known is None else known["name"],
            "labels": properties.get("labels") or [],
            "numberOfLinesToSkip": properties.get("numberOfLinesToSkip") or 0,
            "defaultDuration": properties.get("defaultDuration"),
            "uploadStatus": "Complete",
            "provisioningState": "Succeeded",
        },
    }


def _validate(properties: dict[str, Any]) -> None:
    require(properties, ("displayName", "provider", "itemsSearchKey"))
    if properties.get("sourceType") not in (None, "Local", "AzureStorage"):
        raise bad_request(f"The value '{properties['sourceType']}' of 'sourceType' is invalid. Possible values: Local, AzureStorage.")
    text = properties.get("rawContent") or ""
    if len(text.encode()) > MAX_UPLOAD:
        raise ServiceError(413, "RequestEntityTooLarge", "The size of the watchlist content exceeds the limit of 3.8 MB.")
    if any(len(line) > MAX_LINE for line in text.splitlines()):
        raise bad_request(f"A line of the watchlist content exceeds the limit of {MAX_LINE} characters.")


def _upload(call: Call, watchlist: dict[str, Any], properties: dict[str, Any]) -> str | None:
    """The end of an upload: every row becomes a new item, beside those that are there already."""
    lines = properties["rawContent"].lstrip("\ufeff").splitlines(keepends=True)[properties.get("numberOfLinesToSkip") or 0 :]
    delimiter = "\t" if "tsv" in (properties.get("contentType") or "").casefold() else ","
    reader = csv.DictReader(lines, delimiter=delimiter, restval="")
    key = properties["itemsSearchKey"]
    call.site.touch("watchlist", watchlist["name"])
    if key not in (reader.fieldnames or ()):
        watchlist["properties"] |= {"uploadStatus": "Complete", "provisioningState": "Failed"}
        return f"The search key '{key}' is not one of the columns of the watchlist."
    items = call.site.items[watchlist["name"].casefold()]
    for row in reader:
        item = new_item(call, watchlist["id"], call.account.guid(), {name: value for name, value in row.items() if name is not None})
        items.put(item["name"], item)
    watchlist["properties"] |= {"uploadStatus": "Complete", "provisioningState": "Succeeded"}
    return None


def _remove(call: Call, name: str) -> str | None:
    call.site.watchlists.pop(name)
    call.site.items.pop(name.casefold(), None)
    call.site.touch("watchlist", name, deleted=True)
    return None
