"""Microsoft.Insights/workbooks: names are lower-case GUIDs, display names unique, the content only for those who ask."""

from __future__ import annotations

import re
from typing import Any

from tests.azure_server.arm import body_of, check_headers, page, properties_of, require
from tests.azure_server.messages import Response, ServiceError, bad_request, not_found
from tests.azure_server.state import Call, Collection

TYPE = "microsoft.insights/workbooks"
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_WRITABLE = "displayName serializedData version category description storageUri tags".split()


def listing(call: Call) -> Response:
    return _list(call, call.group.workbooks)


def list_by_subscription(call: Call) -> Response:
    merged = Collection()
    for group in call.account.groups.values():
        if group.subscription.casefold() == call.group.subscription.casefold():
            for workbook in group.workbooks:
                merged.put(workbook["id"], workbook)
    return _list(call, merged)


def _list(call: Call, workbooks: Collection) -> Response:
    category = call.request.option("category")
    if not category:
        raise bad_request("The query parameter 'category' is required.")
    source = call.request.option("sourceId").casefold()
    tags = {tag for tag in call.request.option("tags").split(",") if tag}

    def show(workbook: dict[str, Any]) -> dict[str, Any] | None:
        properties = workbook["properties"]
        wanted = properties["category"].casefold() == category.casefold() and source in ("", properties["sourceId"])
        return _public(call, workbook) if wanted and tags <= set(workbook["tags"]) else None

    return page(call, workbooks, show)


def get(call: Call) -> Response:
    return Response(200, _public(call, _known(call)))


def put(call: Call) -> Response:
    body, properties = body_of(call), properties_of(call)
    if not body.get("location"):
        raise ServiceError(400, "LocationRequired", "The location property is required for this definition.")
    require(properties, ("displayName", "serializedData", "category"))
    return _store(call, body, properties)


def patch(call: Call) -> Response:
    known, body = _known(call), body_of(call)
    changes = body.get("properties") or {}
    merged = {"location": known["location"], "kind": known["kind"], "tags": body.get("tags") or known["tags"]}
    return _store(call, merged, {**known["properties"], **changes})


def delete(call: Call) -> Response:
    workbook = call.group.workbooks.pop(call.names["name"])
    if workbook is None:
        return Response(204)
    call.wrote("delete", workbook)
    return Response(200)


def list_revisions(call: Call) -> Response:
    revisions = Collection()
    for revision in call.group.revisions[_known(call)["name"]]:
        revisions.put(revision["properties"]["revision"], revision)
    return page(call, revisions, lambda workbook: _public(call, workbook))


def get_revision(call: Call) -> Response:
    for revision in call.group.revisions[_known(call)["name"]]:
        if revision["properties"]["revision"] == call.names["revision"].casefold():
            return Response(200, revision)
    raise not_found(TYPE, call.names["revision"])


def _known(call: Call) -> dict[str, Any]:
    found = call.group.workbooks.get(call.names["name"])
    if found is None:
        raise not_found(TYPE, call.names["name"])
    return found


def _public(call: Call, workbook: dict[str, Any]) -> dict[str, Any]:
    """Without its content, unless the caller asked for that."""
    if call.request.option("canFetchContent").casefold() == "true":
        return workbook
    return {**workbook, "properties": {**workbook["properties"], "serializedData": None}}


def _store(call: Call, body: dict[str, Any], properties: dict[str, Any]) -> Response:
    name = call.names["name"]
    if not _GUID.fullmatch(name):
        raise bad_request(f"The workbook name '{name}' is invalid. The name should be a GUID in lower case.")
    _check_display_name(call, name, properties["displayName"])
    known = call.group.workbooks.get(name)
    check_headers(call, known)
    now, revision = call.account.now(), call.account.guid().replace("-", "")
    source = call.request.option("sourceId") or properties.get("sourceId") or "azure monitor"
    workbook: dict[str, Any] = {
        "id": f"{call.group.id}/providers/{TYPE}/{name}",
        "name": name,
        "type": TYPE,
        "kind": body.get("kind") or "shared",
        "location": str(body["location"]).replace(" ", "").lower(),
        "tags": body.get("tags") or {},
        "etag": call.account.etag(),
        "systemData": call.system_data(known),
        "properties": {
            **{key: properties[key] for key in _WRITABLE if properties.get(key) is not None},
            "version": properties.get("version") or "Notebook/1.0",
            "sourceId": source.lower(),
            "timeModified": now,
            "userId": call.who,
            "revision": revision,
        },
    }
    created = call.group.workbooks.put(name, workbook)
    call.group.revisions.setdefault(name, []).append(workbook)
    call.wrote("create" if created else "update", workbook)
    return Response(201 if created else 200, workbook)


def _check_display_name(call: Call, name: str, display_name: str) -> None:
    for group in call.account.groups.values():
        if group.subscription.casefold() != call.group.subscription.casefold():
            continue
        for other in group.workbooks:
            same = other["properties"]["displayName"] == display_name
            if same and (group is not call.group or other["name"] != name):
                message = "A Workbook with the same name already exists within this subscription."
                trace = [f"Duplicate workbook: {other['id']}"]
                raise ServiceError(409, "Conflict", message, innererror={"diagnosticcontext": call.account.guid(), "trace": trace})
