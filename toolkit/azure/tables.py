"""Tables of the Logs query API as the engine's own results: the same types, the same exact values.

The service sends datetimes, timespans, guids, decimals and dynamics as text; each becomes what the engine would hold, so
that a local and a remote run of one query can be compared value by value.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from toolkit.engine.result import Result
from toolkit.kql import plan
from toolkit.kql.times import parse_datetime, parse_timespan
from toolkit.kql.types import DECLARABLE, TYPEOF_NAMES, ScalarType

_REALS = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf"), "∞": float("inf"), "-∞": float("-inf")}


def kql_type(name: str) -> ScalarType | None:
    """The KQL type of a column as the service names it, None when it is none of them."""
    short = name.strip().lower().removeprefix("system.")
    return DECLARABLE.get(short) or TYPEOF_NAMES.get(short) or _DOTNET.get(short)


_DOTNET = {"boolean": ScalarType.BOOL, "sbyte": ScalarType.BOOL, "object": ScalarType.DYNAMIC, "sqldecimal": ScalarType.DECIMAL}


def results_of(tables: Sequence[Mapping[str, Any]], render: Mapping[str, Any] | None) -> Result:
    """The first table as a Result, the rest as its `others`. ValueError for a table that is not as the API describes it."""
    read = [_table(each) for each in tables]
    others = [Result(table, columns, name=name) for name, columns, table in read[1:]]
    name, columns, table = read[0]
    return Result(table, columns, _visualization(render), name=name, others=others)


def _visualization(render: Mapping[str, Any] | None) -> plan.Visualization | None:
    kind = (render or {}).get("visualization")
    if not isinstance(kind, str) or not kind:
        return None
    properties = tuple((name, value) for name, value in (render or {}).items() if name != "visualization" and value is not None)
    return plan.Visualization(kind, properties)


def _table(table: Mapping[str, Any]) -> tuple[str, list[plan.Column], Any]:
    import pyarrow as pa

    columns = [_column(number, each) for number, each in enumerate(table["columns"])]
    rows: list[Sequence[Any]] = table["rows"]
    for number, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != len(columns):
            raise ValueError(f"row {number}: expected {len(columns)} values")
    arrays = [_array(column, _values(column, rows, index)) for index, column in enumerate(columns)]
    names = [f"c{column.id}" for column in columns]
    if not columns:
        return str(table.get("name") or ""), columns, pa.table({"rows": pa.nulls(len(rows))})
    return str(table.get("name") or ""), columns, pa.Table.from_arrays(arrays, names=names)


def _array(column: plan.Column, values: list[Any]) -> Any:
    import pyarrow as pa

    from toolkit.engine.ingest.coerce import PHYSICAL

    try:
        return pa.array(values, PHYSICAL[column.type])
    except (ValueError, TypeError, OverflowError):
        raise ValueError(f"column {column.name!r}: found a value outside the range of {column.type.value}") from None


def _column(number: int, column: Mapping[str, Any]) -> plan.Column:
    kind = kql_type(str(column["type"]))
    if kind is None:
        raise ValueError(f"column {column['name']!r}: expected a KQL type, found {column['type']!r}")
    return plan.Column(number, str(column["name"]), kind)


def _values(column: plan.Column, rows: Sequence[Sequence[Any]], index: int) -> list[Any]:
    convert, null = _CONVERTERS[column.type], "" if column.type is ScalarType.STRING else None
    try:
        return [null if row[index] is None else convert(row[index]) for row in rows]
    except (ValueError, TypeError, ArithmeticError):
        raise ValueError(f"column {column.name!r}: found a value that is no {column.type.value}") from None


def _bool(value: Any) -> bool:
    if value in (True, False, 0, 1):
        return bool(value)
    return {"true": True, "false": False}[str(value).lower()] if str(value).lower() in ("true", "false") else _refuse()


def _integer(value: Any) -> int:
    if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
        return int(_refuse())
    return int(value)


def _real(value: Any) -> float:
    return _REALS[value] if isinstance(value, str) and value in _REALS else float(value)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _datetime(value: Any) -> int:
    return _known(parse_datetime(value) if isinstance(value, str) else None)


def _timespan(value: Any) -> int:
    return _known(parse_timespan(value) if isinstance(value, str) else None)


def _dynamic(value: Any) -> str:
    """JSON text, or a bare text that stands for itself."""
    if isinstance(value, str):
        try:
            value = json.loads(value, parse_constant=lambda _: _refuse())
        except (ValueError, RecursionError):
            pass
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _known(ticks: int | None) -> int:
    return int(_refuse()) if ticks is None else ticks


def _refuse() -> Any:
    raise ValueError("not of its type")


_CONVERTERS: dict[ScalarType, Callable[[Any], Any]] = {
    ScalarType.BOOL: _bool,
    ScalarType.INT: _integer,
    ScalarType.LONG: _integer,
    ScalarType.REAL: _real,
    ScalarType.DECIMAL: lambda value: Decimal(str(value)),
    ScalarType.STRING: _text,
    ScalarType.DATETIME: _datetime,
    ScalarType.TIMESPAN: _timespan,
    ScalarType.GUID: lambda value: str(value).lower(),
    ScalarType.DYNAMIC: _dynamic,
}
