"""Reads JSON through computed columns, so that a chain of parse_json and member accesses becomes one path on one text.

    extend a = parse_json(log_s) | extend b = parse_json(tostring(a.requestObject)) | where tostring(b.kind) == "CronJob"

gives `where tostring(parse_json(tostring(parse_json(log_s).requestObject)).kind) == ...`: the engine then parses the
text once, can test it cheaply first, and `a` and `b` are never made when nobody else reads them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from toolkit.kql import plan
from toolkit.kql.passes.rewrite import map_children, map_expressions
from toolkit.kql.types import ScalarType

_Env = Mapping[int, plan.Expr]
_NOTHING: _Env = {}
_MAX_LENGTH = 24


def fuse(rel: plan.Rel) -> plan.Rel:
    """The same plan with JSON chains written over the columns they begin at."""
    return _Fuse().rel(rel)[0]


def is_chain(expr: plan.Expr) -> bool:
    """Whether an expression only parses, steps into, or prints the JSON of one column."""
    match expr:
        case plan.Ref():
            return True
        case plan.DynamicPath(base=base, steps=steps):
            return all(isinstance(step, (str, int)) for step in steps) and is_chain(base)
        case plan.Call(name="parse_json", args=(inner,)):
            return is_chain(inner)
        case plan.Call(name="tostring", args=(inner,)):
            return inner.type is ScalarType.DYNAMIC and is_chain(inner)
        case _:
            return False


def _length(expr: plan.Expr) -> int:
    return sum(1 for _ in plan.subexpressions(expr))


class _Fuse:
    def __init__(self) -> None:
        self._shared: dict[int, plan.Shared] = {}

    def rel(self, rel: plan.Rel) -> tuple[plan.Rel, _Env]:
        match rel:
            case plan.Filter():
                below, env = self.rel(rel.input)
                return plan.Filter(below, self._expr(rel.predicate, env, everywhere=True)), env
            case plan.Extend():
                return self._extend(rel)
            case plan.Narrow() | plan.Sort() | plan.Limit() | plan.Serialize() | plan.Window() | plan.Expand() | plan.Parse():
                below, env = self.rel(rel.input)
                return map_expressions(replace(rel, input=below), lambda expr: self._expr(expr, env)), env
            case plan.Aggregate() | plan.MatchSteps():
                below, env = self.rel(rel.input)
                return map_expressions(replace(rel, input=below), lambda expr: self._expr(expr, env)), _NOTHING
            case plan.Join():
                return self._join(rel), _NOTHING
            case plan.Walk():
                return replace(rel, seeds=self.rel(rel.seeds)[0], steps=self.rel(rel.steps)[0]), _NOTHING
            case plan.Union_():
                return replace(rel, legs=tuple(map(self._leg, rel.legs))), _NOTHING
            case plan.Reuse():
                return replace(rel, shared=self._shared_of(rel.shared)), _NOTHING
            case plan.Unsupported():
                return rel, _NOTHING
            case _:
                return map_expressions(rel, lambda expr: self._expr(expr, _NOTHING)), _NOTHING

    def _extend(self, rel: plan.Extend) -> tuple[plan.Rel, _Env]:
        below, env = self.rel(rel.input)
        items = tuple((column, self._expr(value, env)) for column, value in rel.items)
        chains = {column.id: value for column, value in items if is_chain(value) and _length(value) <= _MAX_LENGTH}
        return plan.Extend(below, items, rel.columns), {**env, **chains} if chains else env

    def _join(self, rel: plan.Join) -> plan.Rel:
        left, left_env = self.rel(rel.left)
        right, right_env = self.rel(rel.right)
        on = tuple((self._expr(a, left_env), self._expr(b, right_env)) for a, b in rel.on)
        return replace(rel, left=left, right=right, on=on)

    def _leg(self, leg: plan.UnionLeg) -> plan.UnionLeg:
        below, env = self.rel(leg.rel)
        return plan.UnionLeg(below, tuple(self._expr(value, env) for value in leg.values))

    def _shared_of(self, shared: plan.Shared) -> plan.Shared:
        if id(shared) not in self._shared:
            self._shared[id(shared)] = plan.Shared(shared.name, self.rel(shared.rel)[0], shared.pinned)
        return self._shared[id(shared)]

    def _expr(self, expr: plan.Expr, env: _Env, *, everywhere: bool = False) -> plan.Expr:
        """Puts definitions in place of columns: inside JSON operations, or `everywhere` (a predicate is worth it)."""
        if isinstance(expr, plan.Ref):
            return env.get(expr.column.id, expr) if everywhere else expr
        inside = everywhere or isinstance(expr, plan.DynamicPath) or _reads_json(expr)
        return map_children(expr, lambda child: self._expr(child, env, everywhere=inside), lambda inner: self.rel(inner)[0])


def _reads_json(expr: plan.Expr) -> bool:
    if not isinstance(expr, plan.Call) or len(expr.args) != 1:
        return False
    return expr.name == "parse_json" or (expr.name == "tostring" and expr.args[0].type is ScalarType.DYNAMIC)
