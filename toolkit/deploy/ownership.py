"""Which resources of a workspace are a project's: marks that stay with the resource, and nothing else, decide what may be deleted.

Each kind keeps the mark where the platform has a place for it: saved searches among their tags, watchlists among their labels,
workbooks and log alert rules among their ARM tags. Analytics rules have no such place; theirs is a resource of Sentinel's metadata, as
Microsoft's own deployments from repositories write it. Whoever copies a resource copies its tags: so they name the resource that they
are of, and on another one they are no mark. When a rule is deleted its metadata stays for a day, as the record that its
id is blocked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from toolkit.deploy.fingerprint import Fingerprint
from toolkit.deploy.mapping import ResourceKind

OWNER, FINGERPRINT, RESOURCE = "toolkit-owner", "toolkit-fingerprint", "toolkit-resource"
_NAMES = (OWNER, FINGERPRINT, RESOURCE)
_SOURCE = "toolkit:"
_DELETED, _PAUSED = "deleted:", ";paused"
_METADATA = "analyticsrule-"


@dataclass(frozen=True)
class Mark:
    """`owner` is a project's name, `content` the id in its file, `fingerprint` of what was last deployed.

    `deleted`: the rule is gone since then, and its id is blocked for a while. `paused`: the rule was deployed disabled, because the
    workspace lacks a table of its query.
    """

    owner: str
    content: str
    fingerprint: Fingerprint | None = None
    deleted: datetime | None = None
    paused: bool = False


# --- rules: a metadata resource ---------------------------------------------------------------------------------------------------


def metadata_name(rule: str) -> str:
    return f"{_METADATA}{rule}"


def metadata_body(mark: Mark, rule_id: str, version: str | None = None) -> dict[str, Any]:
    """The metadata that marks the rule with this resource id."""
    note = (
        f"{_DELETED}{mark.deleted.astimezone(UTC).isoformat(timespec='seconds')}"
        if mark.deleted
        else f"{mark.fingerprint or ''}{_PAUSED * mark.paused}"
    )
    properties = {
        "parentId": rule_id,
        "kind": "AnalyticsRule",
        "contentId": mark.content,
        "source": {"kind": "SourceRepository", "name": mark.owner, "sourceId": f"{_SOURCE}{mark.owner}"},
        "customVersion": note,
    }
    return {"properties": {**properties, **({"version": version} if version else {})}}


def mark_of_metadata(body: Mapping[str, Any]) -> tuple[str, Mark] | None:
    """(name of the rule, mark) of a metadata resource; None for one that is no mark.

    What another tool deployed from a repository has an owner as well, whose name is that of the repository.
    """
    properties = body.get("properties") or {}
    source = properties.get("source") or {}
    source_id, name = str(source.get("sourceId") or ""), str(body.get("name") or "")
    if source.get("kind") != "SourceRepository" or not name.lower().startswith(_METADATA):
        return None
    if not source_id.startswith(_SOURCE):
        return name[len(_METADATA) :], Mark(f"repository {source.get('name') or source_id}", "")
    note = str(properties.get("customVersion") or "")
    mark = Mark(
        source_id.removeprefix(_SOURCE),
        str(properties.get("contentId") or ""),
        Fingerprint.parse(note.removesuffix(_PAUSED)),
        _moment(note.removeprefix(_DELETED)) if note.startswith(_DELETED) else None,
        note.endswith(_PAUSED),
    )
    return name[len(_METADATA) :], mark


def source_of_metadata(body: Mapping[str, Any]) -> tuple[str, str] | None:
    """(name of the rule, where it comes from) of metadata that is no mark, such as that of a solution of the content hub."""
    source, name = (body.get("properties") or {}).get("source") or {}, str(body.get("name") or "")
    if source.get("kind") in (None, "SourceRepository") or not name.lower().startswith(_METADATA):
        return None
    return name[len(_METADATA) :], f"{source['kind']} {source.get('name') or ''}".strip()


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


# --- everything else: tags and labels -----------------------------------------------------------------------------------------------


def with_mark(kind: ResourceKind, body: Mapping[str, Any], mark: Mark) -> dict[str, Any]:
    """A body with the mark in it; a rule's body stays as it is."""
    values = {OWNER: mark.owner, FINGERPRINT: str(mark.fingerprint or ""), RESOURCE: _resource(mark.content)}
    if kind in ("workbook", "logAlert"):
        return {**body, "tags": {**(body.get("tags") or {}), **values}}
    properties = dict(body.get("properties") or {})
    if kind == "savedSearch":
        properties["tags"] = [*(properties.get("tags") or []), *({"name": name, "value": value} for name, value in values.items())]
    elif kind == "watchlist":
        properties["labels"] = [*(properties.get("labels") or []), *(f"{name}:{value}" for name, value in values.items())]
    else:
        return dict(body)
    return {**body, "properties": properties}


def split_mark(kind: ResourceKind, name: str, body: Mapping[str, Any]) -> tuple[dict[str, Any], Mark | None]:
    """A body without its mark, and the mark; a rule's is not in its body."""
    if kind in ("workbook", "logAlert"):
        tags = body.get("tags")
        rest = {key: value for key, value in (tags or {}).items() if key not in _NAMES}
        return {**body, **({"tags": rest} if tags is not None else {})}, _mark(name, tags or {})
    properties = dict(body.get("properties") or {})
    found: dict[str, str] = {}
    if kind == "savedSearch" and isinstance(properties.get("tags"), list):
        ours = [tag for tag in properties["tags"] if isinstance(tag, Mapping) and tag.get("name") in _NAMES]
        found = {str(tag["name"]): str(tag.get("value") or "") for tag in ours}
        properties["tags"] = [tag for tag in properties["tags"] if tag not in ours]
    elif kind == "watchlist" and isinstance(properties.get("labels"), list):
        ours = [label for label in properties["labels"] if str(label).partition(":")[0] in _NAMES]
        found = {label.partition(":")[0]: label.partition(":")[2] for label in map(str, ours)}
        properties["labels"] = [label for label in properties["labels"] if label not in ours]
    return {**body, "properties": properties}, _mark(name, found)


def _mark(name: str, values: Mapping[str, Any]) -> Mark | None:
    owner = str(values.get(OWNER) or "")
    if not owner or values.get(RESOURCE) != _resource(name):
        return None
    return Mark(owner, name, Fingerprint.parse(str(values.get(FINGERPRINT) or "")))


def _resource(name: str) -> str:
    """A resource's name as tags hold it: names are longer than the values of tags may be, and have no case."""
    return hashlib.blake2b(name.lower().encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
