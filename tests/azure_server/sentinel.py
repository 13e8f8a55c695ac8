"""The small resources of Sentinel: actions of a rule, rule templates, metadata."""

from __future__ import annotations

import re
from typing import Any

from tests.azure_server.arm import body_of, check_headers, page, properties_of, require
from tests.azure_server.messages import Response, bad_request, conflict, not_found
from tests.azure_server.state import Call, Collection

_ACTION = "Microsoft.SecurityInsights/alertRules/actions"
_TEMPLATE = "Microsoft.SecurityInsights/alertRuleTemplates"
_METADATA = "Microsoft.SecurityInsights/metadata"


# --- actions: the playbook of a rule -----------------------------------------------------------------------------------


def _actions(call: Call) -> Collection:
    rule = call.names["rule"]
    if rule not in call.site.rules:
        raise not_found("Microsoft.SecurityInsights/alertRules", rule)
    return call.site.actions.setdefault(rule.casefold(), Collection())


def list_actions(call: Call) -> Response:
    return page(call, _actions(call), lambda action: action)


def get_action(call: Call) -> Response:
    action = _actions(call).get(call.names["name"])
    if action is None:
        raise not_found(_ACTION, call.names["name"])
    return Response(200, action, {"ETag": action["etag"]})


def put_action(call: Call) -> Response:
    """`triggerUri` is a secret: it is taken and never shown again."""
    actions, name, properties = _actions(call), call.names["name"], properties_of(call)
    known = actions.get(name)
    check_headers(call, known)
    require(properties, ("logicAppResourceId", "triggerUri"))
    rule = call.site.rules.get(call.names["rule"])
    assert rule is not None, "_actions looked it up"
    workflow = re.search(r"/workflows/([^/]+)", properties["logicAppResourceId"], re.IGNORECASE)
    action: dict[str, Any] = {
        "id": f"{rule['id']}/actions/{name}",
        "name": name,
        "type": _ACTION,
        "etag": call.account.etag(),
        "properties": {"logicAppResourceId": properties["logicAppResourceId"], "workflowId": workflow[1] if workflow else ""},
    }
    created = actions.put(name, action)
    call.wrote("create" if created else "update", action)
    return Response(201 if created else 200, action, {"ETag": action["etag"]})


def delete_action(call: Call) -> Response:
    action = _actions(call).pop(call.names["name"])
    if action is None:
        return Response(204)
    call.wrote("delete", action)
    return Response(200)


# --- templates: read only; a test puts them into Site.templates --------------------------------------------------------


def list_templates(call: Call) -> Response:
    return page(call, call.site.templates, lambda template: _template(call, template))


def get_template(call: Call) -> Response:
    template = call.site.templates.get(call.names["name"])
    shown = template and _template(call, template)
    if not shown:
        raise not_found(_TEMPLATE, call.names["name"])
    return Response(200, shown)


def _template(call: Call, template: dict[str, Any]) -> dict[str, Any] | None:
    if template["kind"] == "NRT" and not call.request.is_preview:
        return None
    return {"id": f"{call.site.sentinel}/alertRuleTemplates/{template['name']}", "type": _TEMPLATE, **template}


# --- metadata: where content comes from ---------------------------------------------------------------------------------


_TERM = re.compile(r"properties/(\w+(?:/\w+)*) (eq|ne) '((?:[^']|'')*)'", re.IGNORECASE)
_ORDER = re.compile(r"properties/(\w+(?:/\w+)*)(?: (asc|desc))?", re.IGNORECASE)


def list_metadata(call: Call) -> Response:
    """With `$filter` (`properties/kind eq 'AnalyticsRule' and ...`, eq and ne) and `$orderby` of one property."""
    terms = [_term(text) for text in re.split(r" and ", call.request.option("$filter"), flags=re.IGNORECASE) if text]
    items = call.site.metadata
    if order := call.request.option("$orderby"):
        match = _ORDER.fullmatch(order)
        if match is None:
            raise bad_request(f"The order '{order}' is not supported.")
        items = Collection()
        descending = (match[2] or "").casefold() == "desc"
        for item in sorted(call.site.metadata, key=lambda item: str(_property(item, match[1])), reverse=descending):
            items.put(item["name"], item)

    def show(item: dict[str, Any]) -> dict[str, Any] | None:
        return item if all((_property(item, name) == value) is equal for name, equal, value in terms) else None

    return page(call, items, show)


def _term(text: str) -> tuple[str, bool, str]:
    match = _TERM.fullmatch(text.strip())
    if match is None:
        raise bad_request(f"The filter '{text}' is not supported.")
    return match[1], match[2].casefold() == "eq", match[3].replace("''", "'")


def _property(item: dict[str, Any], path: str) -> Any:
    found: Any = item["properties"]
    for name in path.split("/"):
        found = found.get(name) if isinstance(found, dict) else None
    return found


def get_metadata(call: Call) -> Response:
    item = call.site.metadata.get(call.names["name"])
    if item is None:
        raise not_found(_METADATA, call.names["name"])
    return Response(200, item)


def put_metadata(call: Call) -> Response:
    return _store_metadata(call, dict(properties_of(call)))


def patch_metadata(call: Call) -> Response:
    known = call.site.metadata.get(call.names["name"])
    if known is None:
        raise not_found(_METADATA, call.names["name"])
    return _store_metadata(call, {**known["properties"], **properties_of(call)})


def _store_metadata(call: Call, properties: dict[str, Any]) -> Response:
    name = call.names["name"]
    known = call.site.metadata.get(name)
    etag = body_of(call).get("etag")
    if etag and etag != "*" and (known is None or etag != known["etag"]):
        raise conflict(f"Newer instance of metadata '{name}' exists for workspace '{call.site.name}' (Etag does not match).")
    check_headers(call, known)
    require(properties, ("parentId", "kind"))
    item: dict[str, Any] = {
        "id": f"{call.site.sentinel}/metadata/{name}",
        "name": name,
        "type": _METADATA,
        "etag": call.account.etag(),
        "systemData": call.system_data(known),
        "properties": properties,
    }
    created = call.site.metadata.put(name, item)
    call.wrote("create" if created else "update", item)
    return Response(201 if created else 200, item)


def delete_metadata(call: Call) -> Response:
    item = call.site.metadata.pop(call.names["name"])
    if item is None:
        return Response(204)
    call.wrote("delete", item)
    return Response(200)
