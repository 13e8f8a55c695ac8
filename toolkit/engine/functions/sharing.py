"""Naming a long operand that an SQL form uses several times, so that nested calls do not multiply the statement's text.

DuckDB evaluates a repeated expression once, but five replace_regex() in a row would be a thousand copies in the text.
"""

from __future__ import annotations

from collections.abc import Callable

from toolkit.engine.sql import Form, Sql

_SMALL = 24
"""Nodes that are cheaper to repeat than to name: a column, a cast, a path into JSON."""


def once(value: Sql, build: Callable[[Sql], Sql]) -> Sql:
    """`build` applied to the value, or to a name for it where it is long. The form must use no subquery besides it."""
    if _is_small(value):
        return build(value)
    return Form("list_transform([{0}], lambda v: {1})[1]", (value, build(Form("v"))))


def _is_small(value: Sql) -> bool:
    count, waiting = 0, [value]
    while waiting:
        node = waiting.pop()
        count += 1
        if count > _SMALL:
            return False
        if isinstance(node, Form):
            waiting.extend(node.args)
    return True
