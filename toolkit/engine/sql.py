"""SQL expressions as a small tree. User text enters only through `Literal`, which one place escapes.

Physical types: bool BOOLEAN, int INTEGER, long BIGINT, real DOUBLE, decimal DECIMAL(38,18), string VARCHAR (never NULL),
datetime and timespan BIGINT ticks of 100 ns (datetime since 0001-01-01), guid VARCHAR lower case, dynamic VARCHAR that
holds compact JSON text (NULL is the dynamic null; a JSON `null` never stands at the top).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Union

from toolkit.kql.types import ScalarType

PHYSICAL: dict[ScalarType, str] = {
    ScalarType.BOOL: "BOOLEAN",
    ScalarType.INT: "INTEGER",
    ScalarType.LONG: "BIGINT",
    ScalarType.REAL: "DOUBLE",
    ScalarType.DECIMAL: "DECIMAL(38,18)",
    ScalarType.STRING: "VARCHAR",
    ScalarType.DATETIME: "BIGINT",
    ScalarType.TIMESPAN: "BIGINT",
    ScalarType.GUID: "VARCHAR",
    ScalarType.DYNAMIC: "VARCHAR",
    ScalarType.UNKNOWN: "VARCHAR",
}


@dataclass(frozen=True, slots=True)
class Literal:
    """A value, with the physical SQL type it must have."""

    value: object
    sql_type: str


@dataclass(frozen=True, slots=True)
class ColumnName:
    """A column by plan id; printed as c<id>. `table` is the alias of the FROM item, where one is needed."""

    id: int
    table: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """An expression template: "length({0})". Braces stand only for arguments; each argument prints parenthesised enough."""

    template: str
    args: tuple[Sql, ...] = ()


Sql = Union[Literal, ColumnName, Form]


@dataclass(frozen=True, slots=True)
class Lowered:
    """An SQL expression and what is known about its NULLs.

    `nullable` False lets comparisons and conversions skip their null handling, which is what keeps filters fast.
    """

    sql: Sql
    nullable: bool


def print_expression(node: Sql) -> str:
    """The text of an expression, for DuckDB."""
    match node:
        case Literal(value=value, sql_type=sql_type):
            return print_literal(value, sql_type)
        case ColumnName(id=number, table=table):
            return f"{table}.c{number}" if table else f"c{number}"
        case Form(template=template, args=args):
            return template.format(*map(print_expression, args)) if args else template.replace("{{", "{").replace("}}", "}")


def _decimal_type(value: Decimal, usual: str) -> str:
    """Whole numbers that the usual type has no room for are decimals without a fraction, as those of parse_version are."""
    return "DECIMAL(38,0)" if abs(value) >= 10**20 and value == value.to_integral_value() else usual


def print_literal(value: object, sql_type: str) -> str:
    """A literal in SQL; the only place where text is quoted. A NUL character cannot stand in a DuckDB literal."""
    if value is None:
        return f"CAST(NULL AS {sql_type})"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, str):
        parts = ("'" + part.replace("'", "''") + "'" for part in value.split("\0"))
        return "(" + " || chr(0) || ".join(parts) + ")" if "\0" in value else next(parts)
    if isinstance(value, float):
        return f"CAST('{value!r}' AS DOUBLE)"
    if isinstance(value, int):
        if sql_type in ("BIGINT", "INTEGER"):
            # -9223372036854775808 as a bare number is a negated out-of-range literal
            return str(value) if sql_type == "BIGINT" and abs(value) > 2**31 and value != -(2**63) else f"CAST('{value}' AS {sql_type})"
        return f"CAST('{value}' AS {sql_type})"
    if isinstance(value, Decimal):
        return f"CAST('{value:f}' AS {_decimal_type(value, sql_type)})"
    raise TypeError(f"no SQL literal for {type(value).__name__}")
