"""Microsoft.OperationalInsights/workspaces/savedSearches: hunting queries and functions. No paging, no update without an etag."""

from __future__ import annotations

import re
from typing import Any

from tests.azure_server.arm import body_of, properties_of, require, same_etag
from tests.azure_server.messages import Response, bad_request, conflict, not_found
from tests.azure_server.state import Call

TYPE = "Microsoft.OperationalInsights/savedSearches"
_KNOWN = "category displayName query functionAlias functionParameters version tags".split()


def listing(call: Call) -> Response:
    return Response(200, {"value": list(call.site.saved_searches)})


def get(call: Call) -> Response:
    return Response(200, _known(call))


def put(call: Call) -> Response:
    """Always 200. An existing one needs `etag` in the body: the current one or `*`."""
    name, given, properties = call.names["name"], body_of(call).get("etag"), properties_of(call)
    known = call.site.saved_searches.get(name)
    if known is not None and (not given or not same_etag(str(given), known["etag"])):
        raise conflict("Newer data exists in the Customer Configuration Store")
    _validate(properties)
    _check_alias(call, name, properties.get("functionAlias"))
    saved: dict[str, Any] = {
        "id": f"{call.site.id}/savedSearches/{name}" if known is None else known["id"],
        "etag": f"W/\"datetime'{call.account.now()}-{call.account.number()}'\"",
        "name": name if known is None else known["name"],
        "type": TYPE,
        "properties": {"version": 2, **{key: properties[key] for key in _KNOWN if properties.get(key) is not None}},
    }
    call.site.saved_searches.put(name, saved)
    # another alias leaves the old one behind: as good as a deletion
    renamed = known is not None and known["properties"].get("functionAlias") != saved["properties"].get("functionAlias")
    call.site.touch("function", saved["name"], deleted=renamed)
    call.wrote("update" if known else "create", saved)
    return Response(200, saved)


def delete(call: Call) -> Response:
    """200; a missing one gets 404, which Microsoft does not document."""
    saved = _known(call)
    call.site.saved_searches.pop(call.names["name"])
    call.site.touch("function", saved["name"], deleted=True)
    call.wrote("delete", saved)
    return Response(200)


def _known(call: Call) -> dict[str, Any]:
    found = call.site.saved_searches.get(call.names["name"])
    if found is None:
        raise not_found(TYPE, call.names["name"])
    return found


def _validate(properties: dict[str, Any]) -> None:
    require(properties, ("category", "displayName", "query"))
    alias = properties.get("functionAlias")
    if alias and not re.fullmatch(r"[A-Za-z_]\w*", alias):
        raise bad_request(f"The function alias '{alias}' is invalid.")
    for tag in properties.get("tags") or ():
        require(tag, ("name", "value"))


def _check_alias(call: Call, name: str, alias: str | None) -> None:
    """Two functions cannot have one name. Which error the service gives is not documented."""
    if not alias or not call.account.behaviour.duplicate_alias_rejected:
        return
    for other in call.site.saved_searches:
        if other["name"].casefold() != name.casefold() and other["properties"].get("functionAlias") == alias:
            raise bad_request(f"A function with the alias '{alias}' already exists in workspace '{call.site.name}': '{other['name']}'.")
