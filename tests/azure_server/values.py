"""Results of our engine in the shapes of the query APIs."""

from __future__ import annotations

import json
import re
from typing import Any

from toolkit import Result
from toolkit.engine.values import to_json
from toolkit.kql.types import ScalarType

_DOTNET = {
    "bool": "SByte",
    "datetime": "DateTime",
    "dynamic": "Object",
    "guid": "Guid",
    "int": "Int32",
    "long": "Int64",
    "real": "Double",
    "string": "String",
    "timespan": "TimeSpan",
    "decimal": "SqlDecimal",
}


def rows(result: Result, *, native_dynamic: bool = False) -> list[list[Any]]:
    """The rows with JSON values: datetimes without trailing zeros, NaN and decimals as text, dynamics as JSON text or as JSON."""
    columns = [_cells(result, index, native_dynamic) for index in range(len(result.columns))]
    return [list(row) for row in zip(*columns, strict=True)]


def _cells(result: Result, index: int, native_dynamic: bool) -> list[Any]:
    kind = ScalarType(result.columns[index][1])
    values = result.values(index)
    if kind is ScalarType.DYNAMIC and not native_dynamic:
        return [_dynamic_text(text) for text in values]
    cells = to_json(kind, values)
    if kind is ScalarType.DATETIME:
        return [None if cell is None else re.sub(r"\.?0*Z$", "Z", cell) for cell in cells]
    return list(cells)


def _dynamic_text(text: str | None) -> str | None:
    """A dynamic is sent as text: JSON, a string by itself."""
    value = None if text is None else json.loads(text, strict=False)
    return value if isinstance(value, str) or value is None else text


def result_name(result: Result, number: int) -> str:
    """The name of the n-th result of a query."""
    return result.name or f"Table_{number}" if number else "PrimaryResult"


def kusto_v1(result: Result) -> dict[str, Any]:
    """The shape of Kusto's version 1: Tables, with .NET's names of types beside Kusto's."""
    tables = []
    for number, each in enumerate((result, *result.others)):
        columns = [{"ColumnName": name, "DataType": _DOTNET[kind], "ColumnType": kind} for name, kind in each.columns]
        tables.append({"TableName": result_name(each, number), "Columns": columns, "Rows": rows(each, native_dynamic=True)})
    return {"Tables": tables}
