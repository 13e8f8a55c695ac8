"""Workbooks: a JSON file, and a small YAML file about it <-> body of Microsoft.Insights/workbooks."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from toolkit.content.findings import Findings
from toolkit.content.models.fields import Anything, ContentModel, Text
from toolkit.content.models.validate import validate_model
from toolkit.content.workbooks import WorkbookSource
from toolkit.deploy.mapping.defaults import DEFAULTS, WORKBOOK_CATEGORY
from toolkit.deploy.mapping.places import EXTRA, known_only, without_none
from toolkit.deploy.mapping.resources import ArmResource, MappingError, Settings, UnmappableError, refuse_if_errors, stable_id
from toolkit.kql.source import Source, Span

_KNOWN = dict.fromkeys(("displayName", "serializedData", "version", "category", "sourceId", "description"))
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ENVELOPE = ("location", "kind", "tags", "properties", "identity", "id", "name", "type", "systemData", "etag")


class WorkbookFile(ContentModel):
    """`x.yaml` beside `x.json`."""

    id: Text | None = None
    display_name: Text | None = None
    description: Text = ""
    category: Text | None = None
    version: Text | None = None
    source_id: Text | None = None
    location: Text | None = None
    file: Text | None = None
    tags: dict[str, Text] = {}
    identity: Anything = None
    arm_properties: Anything = None


def workbook_resource(source: WorkbookSource, settings: Settings) -> ArmResource:
    """Raises MappingError for what is wrong in either file."""
    findings = Findings(source.about.source if source.about else source.json)
    model = validate_model(WorkbookFile, source.about, findings) if source.about else WorkbookFile()
    content = _content(source.json)
    if model is None:
        raise MappingError(findings.found)
    source_id = (model.source_id or settings.workspace_id).lower()
    title = model.display_name or source.stem
    name = (model.id or stable_id("workbook", source_id, title)).lower()
    if not _GUID.fullmatch(name):
        findings.add("bad-value", f"Expected a GUID as id of a workbook, found {name!r}.", _place(source, "id"))
    properties = {
        "displayName": title,
        "description": model.description.rstrip() or None,
        "serializedData": json.dumps(content, ensure_ascii=False, separators=(",", ":")),
        "version": model.version or DEFAULTS["workbook"]["version"],
        "category": model.category or WORKBOOK_CATEGORY,
        "sourceId": source_id,
    }
    extra = model.arm_properties or {}
    if not isinstance(extra, Mapping) or set(extra) & set(properties):
        findings.add("mapped-twice", f"{EXTRA} holds properties that have no key of their own, as a mapping.", _place(source, EXTRA))
        extra = {}
    refuse_if_errors(findings.found)
    body = {"location": model.location or settings.location, "kind": "shared", "tags": dict(model.tags) or None, "identity": model.identity}
    return ArmResource("workbook", name, without_none({**body, "properties": {**without_none(properties), **extra}}))


def _place(source: WorkbookSource, key: str) -> Span:
    return source.about.span((key,)) if source.about else Span(0, 0)


def _content(source: Source) -> Any:
    """The workbook's JSON. A key that stands twice would lose one value, NaN is no JSON: both are refused."""
    findings = Findings(source)

    def pairs(entries: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in entries]
        for name in dict.fromkeys(name for name in names if names.count(name) > 1):
            at = max(source.text.rfind(json.dumps(name, ensure_ascii=False)), 0)
            findings.add("duplicate-key", f"The key {name!r} stands twice in one object.", Span(at, at + len(name) + 2))
        return dict(entries)

    def constant(name: str) -> None:
        at = max(source.text.find(name), 0)
        findings.add("broken-json", f"{name} is no JSON value.", Span(at, at + len(name)))

    content: Any = None
    try:
        content = json.loads(source.text, object_pairs_hook=pairs, parse_constant=constant)
    except RecursionError:
        findings.add("broken-json", "The JSON nests too deeply.", Span(0, 1))
    except json.JSONDecodeError as error:
        findings.add("broken-json", f"The text is not JSON: {error.msg}.", Span(error.pos, error.pos + 1))
    else:
        if not isinstance(content, dict):
            findings.add("wrong-type", "Expected a JSON object with the workbook's items.", Span(0, 1))
    refuse_if_errors(findings.found)
    return content


def workbook_document(resource: ArmResource, settings: Settings | None) -> tuple[dict[str, Any], dict[str, str]]:
    """The keys of the YAML file, and the JSON file beside it."""
    body = resource.body
    if unknown := [name for name in body if name not in _ENVELOPE and body[name] is not None]:
        raise UnmappableError(resource, unknown[0], "the property is not known")
    if body.get("kind", "shared") != "shared":
        raise UnmappableError(resource, "kind", f"expected shared, found {body['kind']!r}")
    own, rest = known_only(body.get("properties") or {}, _KNOWN)
    try:
        content = _content(Source(str(own.get("serializedData") or ""), "serializedData"))
    except MappingError as error:
        raise UnmappableError(resource, "properties.serializedData", f"the content cannot be read: {error}") from error
    rest = {name: value for name, value in rest.items() if name not in ("timeModified", "userId", "revision")}
    here = (settings.workspace_id, settings.location) if settings and settings.environment else (None, None)
    document = {
        "id": resource.name,
        "displayName": own.get("displayName"),
        "description": own.get("description") or None,
        "category": _unless(own.get("category"), WORKBOOK_CATEGORY),
        "version": _unless(own.get("version"), DEFAULTS["workbook"]["version"]),
        "sourceId": _unless(str(own.get("sourceId") or "").lower() or None, here[0]),
        "location": _unless(body.get("location"), here[1]),
        "file": f"{resource.name}.json",
        "tags": body.get("tags") or None,
        "identity": body.get("identity"),
        EXTRA: rest or None,
    }
    return without_none(document), {f"{resource.name}.json": json.dumps(content, ensure_ascii=False, indent=2) + "\n"}


def _unless(value: Any, default: Any) -> Any:
    return None if value == default else value
