"""Long chains of `and` and `or`: what every stage walks must not grow with the number of their parts."""

from __future__ import annotations

from collections.abc import Sequence

from toolkit.kql import plan
from toolkit.kql.source import Span
from toolkit.kql.types import ScalarType

# Chains up to this length keep the shape they were written in.
_LONG = 32


def joined(operator: str, parts: Sequence[plan.Expr], span: Span) -> plan.Expr:
    """All parts (at least one) under one operator, in their order, as a tree of logarithmic depth."""
    if len(parts) == 1:
        return parts[0]
    half = (len(parts) + 1) // 2
    sides = (joined(operator, parts[:half], span), joined(operator, parts[half:], span))
    return plan.Call(operator, sides, ScalarType.BOOL, span)


def balanced(expr: plan.Expr, length: int) -> plan.Expr:
    """A chain of `length` operators that leans to the left, in the shape of `joined` where it is long.

    Both operators are associative, nulls included, so that the order of the parts is all that counts.
    """
    if length < _LONG or not isinstance(expr, plan.Call) or expr.name not in ("and", "or"):
        return expr
    parts: list[plan.Expr] = []
    node: plan.Expr = expr
    while isinstance(node, plan.Call) and node.name == expr.name:
        parts.append(node.args[1])
        node = node.args[0]
    return joined(expr.name, [node, *reversed(parts)], expr.span)
