"""One extraction for a chain of parse_json, tostring and member accesses (R-075 to R-078, R-085, R-086).

A chain is a text and runs of steps. Between two runs stands parse_json(tostring(...)): where the value is an object the
runs are one path; where it is a JSON string (JSON inside JSON) its text is parsed again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Union

from toolkit.engine.sql import Form, Literal, Sql
from toolkit.kql import plan
from toolkit.kql.types import ScalarType

Step = Union[str, int]
_MEMBER_NEEDS_POINTER = re.compile(r'["\\]|^\*?$')


@dataclass(frozen=True)
class Chain:
    """`base` is a string (the first run is below parse_json of it) or a dynamic.

    Only the first run may be empty: the base itself is printed and parsed again.
    """

    base: plan.Expr
    runs: tuple[tuple[Step, ...], ...]

    @property
    def base_is_text(self) -> bool:
        return self.base.type is ScalarType.STRING


def chain_of(expr: plan.Expr) -> Chain | None:
    """The chain that a dynamic expression is; None when it does not end in a member access by constants."""
    if not isinstance(expr, plan.DynamicPath):
        return None
    steps = tuple(step for step in expr.steps if isinstance(step, (str, int)))
    if len(steps) != len(expr.steps):
        return None
    return _below(expr.base, (steps,))


def _below(expr: plan.Expr, runs: tuple[tuple[Step, ...], ...]) -> Chain | None:
    match expr:
        case plan.DynamicPath(base=base, steps=steps):
            constant = tuple(step for step in steps if isinstance(step, (str, int)))
            if len(constant) != len(steps):
                return Chain(expr, runs)
            return _below(base, (constant + runs[0], *runs[1:]))
        case plan.Call(name="parse_json", args=(inner,)) if inner.type is ScalarType.DYNAMIC:
            return _below(inner, runs)
        case plan.Call(name="parse_json", args=(plan.Call(name="tostring", args=(inner,)),)) if inner.type is ScalarType.DYNAMIC:
            return _below(inner, ((), *runs)) if runs[0] else _below(inner, runs)
        case plan.Call(name="parse_json", args=(inner,)) if inner.type is ScalarType.STRING:
            return Chain(inner, runs)
        case _ if expr.type is ScalarType.DYNAMIC:
            # the text of the base itself is parsed again: an empty first run stays, and means "unquote"
            return Chain(expr, runs)
        case _:
            return None


def _segments(run: tuple[Step, ...]) -> list[str]:
    """A run as DuckDB paths, applied one after the other: odd names (R-075) only a JSON pointer can say."""
    parts: list[str] = []
    path = ""
    for step in run:
        if isinstance(step, int):
            path += f"[{step}]"
        elif _MEMBER_NEEDS_POINTER.search(step):
            if path:
                parts.append("$" + path)
            parts.append("/" + step.replace("~", "~0").replace("/", "~1"))
            path = ""
        else:
            path += f'."{step}"'
    return [*parts, "$" + path] if path else parts


def _extract(text: Sql, run: tuple[Step, ...], function: str, *, valid: bool) -> Sql:
    """One run. Whatever may fail stands directly in TRY: DuckDB takes common parts of expressions out of a TRY further up."""
    *before, last = _segments(run)
    for path in before:
        text = _call("json_extract", text, path, valid=valid)
        valid = True
    return _call(function, text, last, valid=valid)


def _call(function: str, text: Sql, path: str, *, valid: bool) -> Sql:
    call = Form(f"{function}({{0}}, {{1}})", (text, Literal(path, "VARCHAR")))
    return call if valid else Form("TRY({0})", (call,))


def extract_text(base: Sql, chain: Chain) -> Sql:
    """tostring of the chain's value; NULL (not '') where there is none, or where it is JSON's null."""
    return _value(base, chain, "json_extract_string")


def extract_json(base: Sql, chain: Chain) -> Sql:
    """The chain's value as JSON text; a JSON null is NULL."""
    return Form("nullif(CAST({0} AS VARCHAR), 'null')", (_value(base, chain, "json_extract"),))


def _value(base: Sql, chain: Chain, function: str) -> Sql:
    runs = chain.runs
    if runs and not runs[0]:
        base, runs, valid = _parsed_twice(base) if chain.base_is_text else unquoted(base), runs[1:], False
    else:
        valid = not chain.base_is_text
    return _runs(base, runs, function, valid)


def _parsed_twice(text: Sql) -> Sql:
    """tostring(parse_json(text)): a JSON string loses its quotes, text that is no JSON is itself (R-085)."""
    return Form("coalesce(TRY(json_extract_string({0}, '$')), {0})", (text,))


def unquoted(json: Sql) -> Sql:
    """The text of a JSON value: a string without its quotes, anything else as it is written."""
    return Form("json_extract_string({0}, '$')", (json,))


def _runs(text: Sql, runs: tuple[tuple[Step, ...], ...], function: str, valid: bool) -> Sql:
    if len(runs) == 1:
        return _extract(text, runs[0], function, valid=valid)
    # The common case first: objects all the way down are one path. Where that finds nothing, the first run's text is
    # parsed again: always right, and where the first run leads nowhere it ends there.
    whole = tuple(step for run in runs for step in run)
    fused = _extract(text, whole, function, valid=valid)
    inner = _extract(text, runs[0], "json_extract_string", valid=valid)
    if len(runs) == 2:
        return Form("coalesce({0}, {1})", (fused, _extract(inner, runs[1], function, valid=False)))
    name = Form(f"p{len(runs)}")
    rest = Form(f"list_transform([{{0}}], lambda {name.template}: {{1}})[1]", (inner, _runs(name, runs[1:], function, valid=False)))
    return Form("coalesce({0}, {1})", (fused, rest))
