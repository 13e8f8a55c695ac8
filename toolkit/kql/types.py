"""KQL's scalar types and the schemas made of them.

Only facts about types live here. How values of a type are stored is the engine's business.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class ScalarType(StrEnum):
    """A scalar type; the value is its canonical KQL name.

    `UNKNOWN` is the type of a column of an open table (a watchlist whose columns are not at hand): it is compatible with
    every type and never the type of a value.
    """

    BOOL = "bool"
    INT = "int"
    LONG = "long"
    REAL = "real"
    DECIMAL = "decimal"
    STRING = "string"
    DATETIME = "datetime"
    TIMESPAN = "timespan"
    GUID = "guid"
    DYNAMIC = "dynamic"
    UNKNOWN = "unknown"

    @property
    def is_integer(self) -> bool:
        return self in (ScalarType.INT, ScalarType.LONG)

    @property
    def is_number(self) -> bool:
        return self in NUMBERS

    @property
    def is_temporal(self) -> bool:
        return self in (ScalarType.DATETIME, ScalarType.TIMESPAN)


NUMBERS = frozenset({ScalarType.INT, ScalarType.LONG, ScalarType.REAL, ScalarType.DECIMAL})

# names accepted in declarations (datatable, parameters, parse).
DECLARABLE: Mapping[str, ScalarType] = MappingProxyType(
    {
        "bool": ScalarType.BOOL,
        "boolean": ScalarType.BOOL,
        "int": ScalarType.INT,
        "int8": ScalarType.INT,
        "int64": ScalarType.LONG,
        "long": ScalarType.LONG,
        "real": ScalarType.REAL,
        "double": ScalarType.REAL,
        "decimal": ScalarType.DECIMAL,
        "string": ScalarType.STRING,
        "datetime": ScalarType.DATETIME,
        "date": ScalarType.DATETIME,
        "timespan": ScalarType.TIMESPAN,
        "time": ScalarType.TIMESPAN,
        "guid": ScalarType.GUID,
        "uniqueid": ScalarType.GUID,
        "dynamic": ScalarType.DYNAMIC,
    }
)

# typeof() takes these besides.
TYPEOF_NAMES: Mapping[str, ScalarType] = MappingProxyType(
    {
        **DECLARABLE,
        "int16": ScalarType.INT,
        "int32": ScalarType.INT,
        "uint": ScalarType.INT,
        "uint32": ScalarType.INT,
        "uint64": ScalarType.LONG,
        "ulong": ScalarType.LONG,
        "float": ScalarType.REAL,
    }
)

# Azure's suffixes of custom and diagnostics columns. A guid column of a _CL table is a guid to KQL.
SUFFIX_TYPES: Mapping[str, ScalarType] = MappingProxyType(
    {
        "_s": ScalarType.STRING,
        "_d": ScalarType.REAL,
        "_b": ScalarType.BOOL,
        "_g": ScalarType.GUID,
        "_t": ScalarType.DATETIME,
    }
)


@dataclass(frozen=True)
class TableSchema:
    """The columns of a table, in order.

    `open_suffixes`: a column that is not listed is accepted when its name ends in one of Azure's type suffixes, with
    that type (AzureDiagnostics and custom `_CL` tables). `is_open`: any column name is accepted, of unknown type.
    """

    name: str
    columns: Mapping[str, ScalarType]
    open_suffixes: bool = False
    is_open: bool = False

    def column_type(self, name: str) -> ScalarType | None:
        """The type of a column; None when the table has no such column."""
        known = self.columns.get(name)
        if known is not None:
            return known
        if self.open_suffixes and len(name) > 2:
            suffix = SUFFIX_TYPES.get(name[-2:])
            if suffix is not None:
                return suffix
        return ScalarType.UNKNOWN if self.is_open else None
