"""The table that `_GetWatchlist` gives: the watchlist's columns as text, and the service's own (R-334)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from toolkit.kql.types import ScalarType, TableSchema

_ITEM_ID = "_DTItemId"
_UPDATED = "LastUpdatedTimeUTC"
SEARCH_KEY = "SearchKey"
_OWN: dict[str, ScalarType] = {_ITEM_ID: ScalarType.STRING, _UPDATED: ScalarType.DATETIME, SEARCH_KEY: ScalarType.STRING}


def watchlist_schema(alias: str, records: Sequence[Mapping[str, Any]]) -> TableSchema:
    """The service unpacks each item's columns behind its own, in order of their names."""
    names = sorted({name for record in records for name in record} - set(_OWN))
    return TableSchema(alias, {**_OWN, **dict.fromkeys(names, ScalarType.STRING)})


def watchlist_records(schema: TableSchema, records: Sequence[Mapping[str, Any]], search_key: str | None) -> dict[str, list[Any]]:
    """Column by column; ids are made from the position, so that the same list gives the same rows."""
    columns: dict[str, list[Any]] = {name: [_text(record.get(name)) for record in records] for name in schema.columns}
    columns[_ITEM_ID] = [f"00000000-0000-0000-0000-{index:012d}" for index in range(1, len(records) + 1)]
    columns[_UPDATED] = [None] * len(records)
    if search_key is not None and search_key != SEARCH_KEY:
        columns[SEARCH_KEY] = [_text(record.get(search_key)) for record in records]
    return columns


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value)
