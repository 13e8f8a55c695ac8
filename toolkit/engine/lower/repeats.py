"""Naming a costly operand that an SQL form needs several times.

DuckDB finds common subexpressions among columns, not inside a filter: there a repeated JSON extraction parses again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from toolkit.engine.sql import Form, Sql
from toolkit.kql import plan


def is_costly(expr: plan.Expr) -> bool:
    """A step into JSON, or its text."""
    if isinstance(expr, plan.Call) and expr.name == "tostring" and len(expr.args) == 1:
        return isinstance(expr.args[0], plan.DynamicPath)
    return isinstance(expr, plan.DynamicPath)


def has_subquery(expr: plan.Expr) -> bool:
    """Whether there is a table inside: DuckDB has no subqueries in lambdas."""
    return any(isinstance(part, (plan.ScalarSubquery, plan.InTable)) for part in plan.subexpressions(expr))


def named_once(value: Sql, number: int, build: Callable[[Sql], Sql]) -> Sql:
    """`build` over the value; over a name for it, where it would be evaluated more than once. `number` makes the name unique."""
    name = Form(f"v{number}")
    body = build(name)
    if _uses(body, name) < 2:
        return _substituted(body, name, value)
    return Form(f"list_transform([{{0}}], lambda {name.template}: {{1}})[1]", (value, body))


def _uses(node: Sql, name: Form) -> int:
    if node == name:
        return 1
    if not isinstance(node, Form):
        return 0
    # a placeholder of a template may stand in it several times
    return sum(node.template.count(f"{{{index}}}") * _uses(child, name) for index, child in enumerate(node.args))


def _substituted(node: Sql, name: Form, value: Sql) -> Sql:
    if node == name:
        return value
    if not isinstance(node, Form) or not node.args:
        return node
    return replace(node, args=tuple(_substituted(child, name, value) for child in node.args))
