"""Sources of one table into one Arrow table: column names settled, unknown types inferred, bad rows left out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from toolkit.engine.ingest.builder import Column, SourceBuilder
from toolkit.engine.ingest.coerce import PHYSICAL, absent
from toolkit.engine.ingest.findings import unreadable
from toolkit.engine.ingest.infer import infer_type
from toolkit.engine.ingest.logtime import split_zone
from toolkit.kql.types import ScalarType


@dataclass(frozen=True)
class Assembled:
    """`columns`: name -> (type, Arrow array) in order of first appearance; `rows` that were kept."""

    columns: dict[str, tuple[ScalarType, Any]]
    rows: int


def assemble(sources: Sequence[SourceBuilder]) -> Assembled:
    """All rows of finished sources, without those that were rejected (the caller decides whether that is allowed)."""
    named = [_named_columns(source) for source in sources]
    names = dict.fromkeys(name for columns in named for name in columns)
    types: dict[str, ScalarType] = {}
    for name in names:
        types[name] = _settled_type(name, [column for columns in named for column in columns.get(name, ())])
        for source, columns in zip(sources, named, strict=True):
            for column in columns.get(name, ()):
                source.convert_waiting(column, types[name])
    arrays: dict[str, list[Any]] = {name: [] for name in names}
    for source, columns in zip(sources, named, strict=True):
        for name in names:
            arrays[name].append(_array_of(source, columns.get(name, ()), types[name]))
    keep = [_kept(source) for source in sources]
    complete = {name: (types[name], _chunked(parts, keep, types[name])) for name, parts in arrays.items()}
    return Assembled(complete, sum(source.rows - len(source.bad) for source in sources))


def _named_columns(source: SourceBuilder) -> dict[str, list[Column]]:
    """Column name -> the keys of the source that mean it: one, or the same name with and without a time zone.

    A key that fits a column only by another case gives way when the source has that column itself (AzureActivity had
    CallerIPAddress and CallerIpAddress at the same time).
    """
    exact = {column.target.column for column in source.columns.values() if split_zone(column.key)[0] == column.target.column}
    named: dict[str, list[Column]] = {}
    for key, column in source.columns.items():
        name = column.target.column
        by_case = split_zone(key)[0] != name and key != name
        if by_case and (name in exact or name in named):
            name = key
        named.setdefault(name, []).append(column)
    return named


def _settled_type(name: str, columns: Sequence[Column]) -> ScalarType:
    known = {column.target.type for column in columns} - {None}
    if len(known) > 1:
        found = " and ".join(sorted(kind.value for kind in known if kind))
        raise unreadable(name, f"the column would have two types, {found}; expected one spelling of its name in all files")
    for kind in known:
        if kind is not None:
            return kind
    waiting = [part for column in columns for part in column.waiting()]
    return infer_type((part.values for part in waiting), text_source=any(part.text_source for part in waiting))


def _array_of(source: SourceBuilder, columns: Sequence[Column], kind: ScalarType) -> Any:
    if not columns:
        return absent(kind, source.rows)
    first = _joined(columns[0], kind)
    for column in columns[1:]:
        first = _merged(source, first, _joined(column, kind), column.key)
    return first


def _joined(column: Column, kind: ScalarType) -> Any:
    flat: list[Any] = []
    for part in column.parts:
        flat.extend(part.values.chunks if isinstance(part.values, pa.ChunkedArray) else [part.values])
    return pa.chunked_array(flat, PHYSICAL[kind])


def _merged(source: SourceBuilder, first: Any, second: Any, key: str) -> Any:
    """Two keys of one column, `X` and `X [UTC]`: the one that has a value; a row in which they differ is rejected."""
    none = pa.scalar("", first.type) if pa.types.is_string(first.type) else pa.scalar(None, first.type)
    first, second = (pc.if_else(pc.fill_null(pc.equal(array, none), False), None, array) for array in (first, second))
    differs = pc.fill_null(pc.not_equal(first, second), False)
    for row in pc.indices_nonzero(differs).to_pylist():
        source.reject(row, f"column {key!r}: another spelling of the same column has another value in this record")
    merged = pc.coalesce(first, second)
    return pc.fill_null(merged, "") if none.is_valid else merged


def _kept(source: SourceBuilder) -> Any:
    if not source.bad:
        return None
    return pa.array([row not in source.bad for row in range(source.rows)], pa.bool_())


def _chunked(parts: Iterable[Any], keep: Iterable[Any], kind: ScalarType) -> Any:
    flat: list[Any] = []
    for array, mask in zip(parts, keep, strict=True):
        kept = array if mask is None else array.filter(mask)
        flat.extend(kept.chunks if isinstance(kept, pa.ChunkedArray) else [kept])
    return pa.chunked_array(flat, PHYSICAL[kind])
