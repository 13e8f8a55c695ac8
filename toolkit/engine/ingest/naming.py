"""Which column a key of a source means, and the type it therefore has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo

from toolkit.engine.ingest.logtime import split_zone, zone_of
from toolkit.kql.types import SUFFIX_TYPES, ScalarType, TableSchema

_CUSTOM_TABLE = "_CL"
# Columns of every table in the service; a table without a schema has at least the time right.
_EVERYWHERE: Mapping[str, ScalarType] = {"TimeGenerated": ScalarType.DATETIME, "_BilledSize": ScalarType.REAL, "Type": ScalarType.STRING}


@dataclass(frozen=True)
class Target:
    """`type` is None where it has to be inferred from the values. `zone` is that of the header, None for UTC."""

    column: str
    type: ScalarType | None
    zone: tzinfo | None = None


class UnknownZoneError(ValueError):
    """A header names a time zone that is not known; its times cannot be read."""


class Naming:
    """Maps keys to columns: exact name first, then one that differs only by case, then suffix rules (R-002)."""

    def __init__(self, table: str, schema: TableSchema | None) -> None:
        self._schema = schema
        self._suffixes = schema is None and (table.endswith(_CUSTOM_TABLE) or table == "AzureDiagnostics")
        self._folded: dict[str, list[str]] = {}
        for name in schema.columns if schema else _EVERYWHERE:
            self._folded.setdefault(name.lower(), []).append(name)

    def target(self, key: str) -> Target:
        """Raises UnknownZoneError for the header of a datetime column with a zone that is not known."""
        name, label = split_zone(key)
        if label is None or self._known(key) is not None:
            return Target(*self._named(key))
        column, kind = self._named(name)
        zone = zone_of(label)
        if zone is None:
            if kind is ScalarType.DATETIME:
                raise UnknownZoneError(
                    f"the column {key!r} is in a time zone that is not known: {label!r}; expected UTC or a name like Europe/Berlin"
                )
            return Target(key, None)
        return Target(column, kind or ScalarType.DATETIME, None if str(zone) == "UTC" else zone)

    def _named(self, key: str) -> tuple[str, ScalarType | None]:
        kind = self._known(key)
        if kind is not None:
            return key, kind
        near = self._folded.get(key.lower(), ())
        if len(near) == 1:
            return near[0], self._known(near[0])
        return key, None

    def _known(self, name: str) -> ScalarType | None:
        if self._schema is not None:
            kind = self._schema.column_type(name)
            return None if kind is ScalarType.UNKNOWN else kind
        known = _EVERYWHERE.get(name)
        if known is None and self._suffixes and len(name) > 2:
            return SUFFIX_TYPES.get(name[-2:])
        return known
