"""iff, case, coalesce and the tests for null and emptiness (R-043, R-054 to R-056, R-084, R-308)."""

from __future__ import annotations

from collections.abc import Sequence

from toolkit.engine.functions.registry import REGISTRY, Lowering, Refusal
from toolkit.engine.sql import PHYSICAL, Form, Lowered, Sql
from toolkit.kql import plan
from toolkit.kql.types import ScalarType

_DYNAMIC = ScalarType.DYNAMIC
_STRING = ScalarType.STRING


def as_branch(arg: Lowered, expr: plan.Expr, wanted: ScalarType) -> Lowered:
    """A branch in the type of the whole; the binder has already made the types agree up to the width of numbers (R-038)."""
    if expr.type is wanted or (isinstance(expr, plan.Const) and expr.value is None):
        return arg if expr.type is wanted else Lowered(Form(f"CAST(NULL AS {PHYSICAL[wanted]})"), True)
    if wanted is _DYNAMIC:
        return to_json(arg, expr)
    if wanted is _STRING or expr.type is _DYNAMIC:
        raise Refusal(f"branches of types {expr.type} and {wanted} do not agree (R-038)", expr.span)  # long beside real too: R-350
    if PHYSICAL[expr.type] == PHYSICAL[wanted]:
        return arg
    return Lowered(Form(f"CAST({{0}} AS {PHYSICAL[wanted]})", (arg.sql,)), arg.nullable)


def to_json(arg: Lowered, expr: plan.Expr) -> Lowered:
    """A typed scalar as a dynamic (JSON text)."""
    if expr.type is _DYNAMIC:
        return arg
    if expr.type in (_STRING, ScalarType.BOOL, ScalarType.INT, ScalarType.LONG, ScalarType.GUID):
        return Lowered(Form("CAST(to_json({0}) AS VARCHAR)", (arg.sql,)), arg.nullable)
    raise Refusal(f"a {expr.type} beside a dynamic is not supported: convert one of them", expr.span)


def _cases(conditions: Sequence[Sql], branches: Sequence[Lowered], otherwise: Lowered) -> Lowered:
    parts: list[Sql] = []
    template = "CASE"
    for condition, branch in zip(conditions, branches, strict=True):
        template += f" WHEN {{{len(parts)}}} THEN {{{len(parts) + 1}}}"
        parts += [condition, branch.sql]
    template += f" ELSE {{{len(parts)}}} END"
    return Lowered(Form(template, (*parts, otherwise.sql)), any(branch.nullable for branch in (*branches, otherwise)))


def _predicate(expr: plan.Expr, lowering: Lowering) -> Sql:
    if expr.type.is_number:
        return Form("({0} <> 0)", (lowering.lower(expr).sql,))
    return lowering.condition(expr)


@REGISTRY.builder("iff", "case")
def _case(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    """The branch of the first true condition; null is not true (R-056). The last argument is the default."""
    if len(args) < 3 or len(args) % 2 == 0:
        raise Refusal(f"{call.name} takes pairs of condition and value, and a default")
    conditions = [_predicate(expr, lowering) for expr in call.args[:-1:2]]
    branches = [as_branch(args[index], call.args[index], call.type) for index in range(1, len(args) - 1, 2)]
    return _cases(conditions, branches, as_branch(args[-1], call.args[-1], call.type))


@REGISTRY.builder("coalesce")
def _coalesce(call: plan.Call, args: Sequence[Lowered], _: Lowering) -> Lowered:
    """The first argument that is neither null nor the empty string (R-055)."""
    branches = [as_branch(arg, expr, call.type) for arg, expr in zip(args, call.args, strict=True)]
    if call.type is _STRING:
        parts = [Form("nullif({0}, '')", (branch.sql,)) for branch in branches]
        places = ", ".join(f"{{{index}}}" for index in range(len(parts)))
        return Lowered(Form(f"coalesce({places}, '')", tuple(parts)), False)
    places = ", ".join(f"{{{index}}}" for index in range(len(branches)))
    return Lowered(Form(f"coalesce({places})", tuple(branch.sql for branch in branches)), all(branch.nullable for branch in branches))


def _null_test(call: plan.Call, arg: Lowered, *, empty: bool) -> Sql:
    kind = call.args[0].type
    if kind is _STRING:
        return Form("({0} = '')", (arg.sql,)) if empty else Form("FALSE")
    if kind is _DYNAMIC and empty:
        return Form("(coalesce({0}, '\"\"') = '\"\"')", (arg.sql,))
    return Form("({0} IS NULL)", (arg.sql,))


@REGISTRY.builder("isnull", "isempty")
def _is_null(call: plan.Call, args: Sequence[Lowered], _: Lowering) -> Lowered:
    return Lowered(_null_test(call, args[0], empty=call.name == "isempty"), False)


@REGISTRY.builder("isnotnull", "isnotempty")
def _is_not_null(call: plan.Call, args: Sequence[Lowered], _: Lowering) -> Lowered:
    return Lowered(Form("(NOT {0})", (_null_test(call, args[0], empty=call.name == "isnotempty"),)), False)
