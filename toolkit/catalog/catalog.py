"""The catalogue: table name -> schema. Immutable; overlays give a new one. Types are those of the reference, never guessed (R-339)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from toolkit.catalog.diagnostics import AZURE_DIAGNOSTICS, with_category_columns
from toolkit.catalog.encoding import TableText
from toolkit.kql.diagnostics import ToolkitError, suggestion
from toolkit.kql.types import DECLARABLE, ScalarType, TableSchema

_DATA = Path(__file__).parent / "data" / "tables.txt"
_CUSTOM_TABLE = "_CL"


class CatalogError(ToolkitError):
    """A table definition that is not one: a bad name, no columns, or a type that KQL does not have."""


class Catalog:
    """Schemas by table name. Names are case-sensitive, as in the service (R-002)."""

    def __init__(self, tables: Mapping[str, TableSchema], base: Catalog | None = None) -> None:
        self._own = dict(tables)
        self._base = base

    @classmethod
    @cache
    def bundled(cls) -> Catalog:
        """The tables of Log Analytics, Sentinel and Defender XDR that are shipped with the toolkit."""
        return _BundledCatalog(TableText(_DATA.read_text(encoding="utf-8")))

    @classmethod
    def of(cls, tables: Mapping[str, Mapping[str, str | ScalarType]]) -> Catalog:
        """Exactly these tables, `{"Table": {"Column": "kqltype"}}`; no column beyond the listed ones exists.

        Raises CatalogError naming the table, the column and what was expected.
        """
        given: Any = tables
        if not isinstance(given, Mapping):
            raise CatalogError(f'expected a mapping {{"Table": {{"Column": "type"}}}}, found {type(given).__name__}')
        return cls({name: define_table(name, columns) for name, columns in given.items()})

    def table(self, name: str) -> TableSchema | None:
        """The schema of a table, None when there is no such table."""
        own = self._own.get(name)
        if own is not None or self._base is None:
            return own
        return self._base.table(name)

    def names(self) -> Sequence[str]:
        """The names of all tables, sorted."""
        return self._names

    @cached_property
    def _names(self) -> tuple[str, ...]:
        return tuple(sorted({*self._own, *(self._base.names() if self._base else ())}))

    def with_table(self, schema: TableSchema) -> Catalog:
        """This catalogue and one more table, which hides a table of the same name."""
        return Catalog({**self._own, schema.name: schema}, self._base) if self._base else Catalog({schema.name: schema}, self)


class _BundledCatalog(Catalog):
    """Reads the packaged text; a table is parsed when it is first asked for."""

    def __init__(self, text: TableText) -> None:
        super().__init__({})
        self._text = text
        self._parsed: dict[str, TableSchema] = {}

    def table(self, name: str) -> TableSchema | None:
        schema = self._parsed.get(name)
        if schema is None:
            try:
                columns = self._text.columns(name)
            except KeyError:
                return None
            schema = self._parsed.setdefault(name, _bundled_schema(name, columns))
        return schema

    @cached_property
    def _names(self) -> tuple[str, ...]:
        return tuple(sorted(self._text.names()))


def _bundled_schema(name: str, columns: Mapping[str, str]) -> TableSchema:
    diagnostics = name == AZURE_DIAGNOSTICS
    if diagnostics:
        columns = with_category_columns(columns)
    typed = {column: ScalarType(kind) for column, kind in columns.items()}
    return TableSchema(name, typed, open_suffixes=diagnostics or is_custom_table(name))


def is_custom_table(name: str) -> bool:
    """Custom tables end in `_CL`; the service itself adds the type suffixes to their columns."""
    return name.endswith(_CUSTOM_TABLE)


def define_table(name: Any, columns: Any, *, open_suffixes: bool = False) -> TableSchema:
    """A schema from {column: type name or ScalarType}, in any spelling that declarations take (R-024).

    The arguments come from configuration files, therefore nothing is assumed about them. Raises CatalogError.
    """
    if not isinstance(name, str) or not name.strip():
        raise CatalogError(f"expected the name of a table, found {name!r}")
    if not isinstance(columns, Mapping) or not columns:
        found = "an empty mapping" if isinstance(columns, Mapping) else repr(columns)
        raise CatalogError(f'table {name!r}: expected its columns as {{"Column": "type"}}, found {found}')
    return TableSchema(name, {column: _column_type(name, column, kind) for column, kind in columns.items()}, open_suffixes)


def _column_type(table: str, column: Any, kind: Any) -> ScalarType:
    if not isinstance(column, str) or not column.strip():
        raise CatalogError(f"table {table!r}: expected the name of a column, found {column!r}")
    if isinstance(kind, ScalarType):
        return kind
    if isinstance(kind, str) and kind in DECLARABLE:
        return DECLARABLE[kind]
    hints = suggestion(kind, DECLARABLE) if isinstance(kind, str) else ()
    message = f"table {table!r}, column {column!r}: expected a KQL type ({', '.join(sorted(DECLARABLE))}), found {kind!r}"
    raise CatalogError(" ".join([f"{message}.", *hints]))
