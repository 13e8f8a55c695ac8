"""Expressions of the columns that a merge adds: numbers and texts, columns as `["Name"]`, + - * / % & | ~, round and its like.

They are written for the portal's own evaluator; what they share with Python's grammar is read by it, and everything else is
refused. Nothing is ever run: the tree is walked.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

from toolkit.kql.diagnostics import ToolkitError
from toolkit.workbooks.numbers import number_of

_LONGEST = 1_000
_BINARY: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Mod: math.fmod,
}
_BITS: Mapping[type[ast.operator], Callable[[int, int], int]] = {
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.BitXor: operator.xor,
}
_FUNCTIONS: Mapping[str, Callable[..., float]] = {
    "abs": abs,
    "ceil": math.ceil,
    "floor": math.floor,
    "max": max,
    "min": min,
    "round": lambda value, digits=0: math.floor(value * 10 ** int(digits) + 0.5) / 10 ** int(digits),
}


class ExpressionError(ToolkitError):
    """An expression that is not supported."""


def value_of(text: str, row: Mapping[str, Any]) -> Any:
    """The value of an expression for the columns of a row; None where it has none (no number, division by zero).

    Raises ExpressionError for what is not supported, or names a column that there is not.
    """
    if len(text) > _LONGEST:
        raise ExpressionError(f"The expression has {len(text):,} characters; {_LONGEST:,} are the most.")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
        found = _value(tree, row)
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        raise ExpressionError(f"The expression {text[:60]!r} is not supported.") from None
    except (ArithmeticError, _NoValue):
        return None
    return int(found) if isinstance(found, float) and found.is_integer() and abs(found) < 2**53 else found


class _NoValue(Exception):
    """A column is empty, or no number where one is needed."""


def _value(node: ast.expr, row: Mapping[str, Any]) -> Any:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float | str):
        return node.value
    if isinstance(node, ast.List) and len(node.elts) == 1 and isinstance(node.elts[0], ast.Constant):
        return _column(str(node.elts[0].value), row)
    if isinstance(node, ast.BinOp):
        return _binary(node, row)
    if isinstance(node, ast.UnaryOp):
        inner = _number(node.operand, row)
        if isinstance(node.op, ast.Invert):
            return ~int(inner)
        return -inner if isinstance(node.op, ast.USub) else inner
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _FUNCTIONS and not node.keywords:
        return _FUNCTIONS[node.func.id](*(_number(part, row) for part in node.args))
    raise ValueError


def _column(name: str, row: Mapping[str, Any]) -> Any:
    if name not in row:
        raise ExpressionError(f"The expression uses the column {name!r}, which the merge does not give.")
    return row[name]


def _binary(node: ast.BinOp, row: Mapping[str, Any]) -> Any:
    kind = type(node.op)
    if kind in _BITS:
        return _BITS[kind](int(_number(node.left, row)), int(_number(node.right, row)))
    if kind not in _BINARY:
        raise ValueError
    return _BINARY[kind](_number(node.left, row), _number(node.right, row))


def _number(node: ast.expr, row: Mapping[str, Any]) -> float:
    number = number_of(_value(node, row))
    if number is None:
        raise _NoValue
    return number
