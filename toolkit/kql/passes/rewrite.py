"""Walking and rebuilding plans: the two functions every pass is written with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from toolkit.kql import plan

ExprMap = Callable[[plan.Expr], plan.Expr]
RelMap = Callable[[plan.Rel], plan.Rel]


def map_children(expr: plan.Expr, on_expr: ExprMap, on_rel: RelMap | None = None) -> plan.Expr:
    """The expression with each direct child replaced; relations inside it go through `on_rel`."""
    match expr:
        case plan.Call(args=args):
            return replace(expr, args=tuple(map(on_expr, args)))
        case plan.DynamicPath(base=base, steps=steps):
            return replace(expr, base=on_expr(base), steps=tuple(step if isinstance(step, (str, int)) else on_expr(step) for step in steps))
        case plan.InTable(value=value, rel=rel):
            return replace(expr, value=on_expr(value), rel=on_rel(rel) if on_rel else rel)
        case plan.ScalarSubquery(rel=rel):
            return replace(expr, rel=on_rel(rel)) if on_rel else expr
        case _:
            return expr


def map_inputs(rel: plan.Rel, on_rel: RelMap) -> plan.Rel:
    """The relation with its direct inputs replaced. A `Reuse` is left alone: its rows belong to its `Shared`."""
    match rel:
        case plan.Scan() | plan.Values() | plan.RangeRows() | plan.Reuse():
            return rel
        case plan.Join():
            return replace(rel, left=on_rel(rel.left), right=on_rel(rel.right))
        case plan.Walk():
            return replace(rel, seeds=on_rel(rel.seeds), steps=on_rel(rel.steps))
        case plan.Union_():
            return replace(rel, legs=tuple(replace(leg, rel=on_rel(leg.rel)) for leg in rel.legs))
        case plan.Unsupported():
            return replace(rel, inputs=tuple(map(on_rel, rel.inputs)))
        case _:
            return replace(rel, input=on_rel(rel.input))


def map_expressions(rel: plan.Rel, on_expr: ExprMap) -> plan.Rel:
    """The relation with every expression of its own replaced; its inputs stay."""
    match rel:
        case plan.Values():
            return replace(rel, rows=tuple(tuple(map(on_expr, row)) for row in rel.rows))
        case plan.RangeRows():
            return replace(rel, start=on_expr(rel.start), stop=on_expr(rel.stop), step=on_expr(rel.step))
        case plan.Filter():
            return replace(rel, predicate=on_expr(rel.predicate))
        case plan.Extend():
            return replace(rel, items=tuple((column, on_expr(value)) for column, value in rel.items))
        case plan.Sort():
            return replace(rel, keys=tuple(replace(key, value=on_expr(key.value)) for key in rel.keys))
        case plan.Limit():
            return replace(rel, count=on_expr(rel.count))
        case plan.Window():
            items = tuple((column, replace(call, args=tuple(map(on_expr, call.args)))) for column, call in rel.items)
            return replace(rel, items=items)
        case plan.Join():
            return replace(rel, on=tuple((on_expr(left), on_expr(right)) for left, right in rel.on))
        case plan.Union_():
            return replace(rel, legs=tuple(replace(leg, values=tuple(map(on_expr, leg.values))) for leg in rel.legs))
        case plan.Expand():
            expanded = tuple(replace(item, value=on_expr(item.value)) for item in rel.items)
            return replace(rel, items=expanded, limit=None if rel.limit is None else on_expr(rel.limit))
        case plan.Parse():
            return replace(rel, value=on_expr(rel.value))
        case plan.Aggregate():
            return _map_aggregate(rel, on_expr)
        case plan.MatchSteps():
            steps = tuple(
                replace(
                    step, condition=on_expr(step.condition), assignments=tuple((made, on_expr(value)) for made, value in step.assignments)
                )
                for step in rel.steps
            )
            return replace(rel, steps=steps, made=tuple((column, on_expr(value)) for column, value in rel.made))
        case _:
            return rel


def _map_aggregate(rel: plan.Aggregate, on_expr: ExprMap) -> plan.Aggregate:
    keys = tuple((column, on_expr(value)) for column, value in rel.keys)
    aggregates = tuple((column, replace(call, args=tuple(map(on_expr, call.args)))) for column, call in rel.aggregates)
    extremes = tuple(
        replace(
            extreme,
            by=None if extreme.by is None else on_expr(extreme.by),
            values=tuple((column, on_expr(value)) for column, value in extreme.values),
        )
        for extreme in rel.extremes
    )
    return replace(rel, keys=keys, aggregates=aggregates, extremes=extremes)


def own_expressions(rel: plan.Rel) -> Iterator[plan.Expr]:
    """The expressions of a relation itself, not those of its inputs."""
    found: list[plan.Expr] = []

    def note(expr: plan.Expr) -> plan.Expr:
        found.append(expr)
        return expr

    map_expressions(rel, note)
    return iter(found)


def references(expr: plan.Expr) -> set[int]:
    """The ids of the columns an expression reads from its own row."""
    return {part.column.id for part in plan.subexpressions(expr) if isinstance(part, plan.Ref)}


def relations_within(expr: plan.Expr) -> Iterator[plan.Rel]:
    """The relations of the subqueries in an expression."""
    for part in plan.subexpressions(expr):
        if isinstance(part, (plan.ScalarSubquery, plan.InTable)):
            yield part.rel


def transform(rel: plan.Rel, on_rel: RelMap, on_expr: ExprMap | None = None) -> plan.Rel:
    """Rebuilds a plan bottom-up: shared relations once, subqueries included. `on_rel` sees nodes whose inputs are done."""
    rebuilt: dict[int, plan.Shared] = {}

    def visit_shared(shared: plan.Shared) -> plan.Shared:
        if id(shared) not in rebuilt:
            rebuilt[id(shared)] = plan.Shared(shared.name, visit(shared.rel), shared.pinned)
        return rebuilt[id(shared)]

    def visit_expr(expr: plan.Expr) -> plan.Expr:
        done = map_children(expr, visit_expr, visit)
        return on_expr(done) if on_expr else done

    def visit(node: plan.Rel) -> plan.Rel:
        if isinstance(node, plan.Reuse):
            return on_rel(replace(node, shared=visit_shared(node.shared)))
        return on_rel(map_expressions(map_inputs(node, visit), visit_expr))

    return visit(rel)


def relations(roots: Sequence[plan.Rel]) -> Iterator[plan.Rel]:
    """Every relation of a plan once, those of subqueries and shared ones included."""
    seen: set[int] = set()
    pending = list(roots)
    while pending:
        rel = pending.pop()
        if id(rel) in seen:
            continue
        seen.add(id(rel))
        yield rel
        for expr in own_expressions(rel):
            pending += relations_within(expr)
        pending += plan.inputs(rel)


def conjuncts(predicate: plan.Expr) -> list[plan.Expr]:
    """The parts of a conjunction, in order."""
    if isinstance(predicate, plan.Call) and predicate.name == "and":
        return [part for arg in predicate.args for part in conjuncts(arg)]
    return [predicate]
