"""Entities of an alert from the rows behind it (S-50 to S-57)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from toolkit.catalog.entities import ENTITY_TYPES, GENERIC_ACCOUNTS
from toolkit.content.models.rule import EntityMapping
from toolkit.simulate.cells import Row, cell_text

MAX_ENTITIES = 500
MAX_BYTES = 64 * 1024

_IGNORE_CASE = frozenset({"Account", "Host", "URL", "DNS", "FileHash", "Mailbox"})
_GUIDS = frozenset({"AadUserId", "AadTenantId", "ObjectGuid", "PUID"})
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{16}")
_NOT_STORED = frozenset({"FullName", "DisplayName"})


@dataclass(frozen=True)
class Entity:
    """`mapped` are the identifiers as the rule maps them, `stored` as the service keeps them (full names taken apart)."""

    kind: str
    mapped: Mapping[str, str]
    stored: Mapping[str, str]

    def as_text(self) -> str:
        values = {**self.mapped, **self.stored}
        return ", ".join([f"type: {self.kind}", *(f"{name}: {value}" for name, value in values.items())])


@dataclass
class EntityList:
    """Entities of one alert, and why others were left out."""

    entities: list[Entity] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)


def extract_entities(mappings: Sequence[EntityMapping], rows: Sequence[Row]) -> EntityList:
    """The entities that the service extracts: complete, distinct, within its limits, in order of first appearance."""
    found = EntityList()
    if not mappings:
        return found
    per_mapping = MAX_ENTITIES // len(mappings)
    counts = [0] * len(mappings)
    seen: set[tuple[object, ...]] = set()
    size = 0
    for row in rows:
        for number, mapping in enumerate(mappings):
            entity = _entity(mapping, row, found.dropped)
            if entity is None or (key := _key(entity)) in seen:
                continue
            size += len(entity.as_text().encode())
            if counts[number] >= per_mapping or size > MAX_BYTES:
                continue
            seen.add(key)
            counts[number] += 1
            found.entities.append(entity)
    found.dropped = list(dict.fromkeys(found.dropped))
    return found


def _entity(mapping: EntityMapping, row: Row, dropped: list[str]) -> Entity | None:
    kind = ENTITY_TYPES[mapping.entity_type]
    texts = {field.identifier: cell_text(row.get(field.column_name)).strip() for field in mapping.field_mappings}
    mapped = {name: text for name, text in texts.items() if text}
    if not mapped:
        return None
    if not any(required <= mapped.keys() for required in kind.required):
        dropped.append(f"{kind.name} with only {', '.join(mapped)}: a required identifier is empty (S-53)")
        return None
    bad = next((name for name in mapped if name in _GUIDS and not _GUID.fullmatch(mapped[name])), None)
    if bad:
        dropped.append(f"{kind.name} with {bad} {mapped[bad]!r}: it is no GUID")
        return None
    stored = _stored(kind.name, mapped)
    if kind.name == "Account" and stored.keys() - _NOT_STORED == {"Name"} and stored["Name"].upper() in GENERIC_ACCOUNTS:
        dropped.append(f"Account {stored['Name']!r}: the service drops generic account names (S-54)")
        return None
    return Entity(kind.name, mapped, stored)


def _stored(kind: str, mapped: Mapping[str, str]) -> dict[str, str]:
    """Full names taken apart; identifiers that the rule maps itself win (S-56, S-57)."""
    parts: dict[str, str] = {}
    full = mapped.get("FullName")
    if kind == "Account" and full:
        parts = split_account(full)
    elif kind == "Account" and "@" in mapped.get("Name", ""):
        name, _, suffix = mapped["Name"].partition("@")
        return {"UPNSuffix": suffix, **mapped, "Name": name}
    elif kind == "Host" and full:
        host, _, domain = full.partition(".")
        parts = {"HostName": host, **({"DnsDomain": domain} if domain else {})}
    return {**parts, **{name: value for name, value in mapped.items() if name != "FullName"}}


def split_account(full: str) -> dict[str, str]:
    """`DOMAIN\\name` and `name@suffix` as identifiers; anything else is the name."""
    domain, slash, name = full.rpartition("\\")
    if slash and name:
        return {"Name": name, **({"NTDomain": domain} if domain else {})}
    name, at, suffix = full.partition("@")
    return {"Name": name, "UPNSuffix": suffix} if at and name and suffix else {"Name": full}


def _key(entity: Entity) -> tuple[object, ...]:
    fold = entity.kind in _IGNORE_CASE
    return (entity.kind, frozenset((name, value.lower() if fold else value) for name, value in entity.stored.items()))
