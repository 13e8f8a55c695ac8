"""Scalar expressions -> SQL, in two readings: as a value, and as a condition where NULL and FALSE mean the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeGuard

from toolkit.engine.functions.folding import folded
from toolkit.engine.functions.membership import json_elements
from toolkit.engine.functions.operators import CONDITIONS
from toolkit.engine.functions.registry import REGISTRY, Refusal
from toolkit.engine.functions.text_operators import terms_of_list
from toolkit.engine.lower.context import Context
from toolkit.engine.lower.guards import substring_guard
from toolkit.engine.lower.json_paths import Chain, chain_of, extract_json, extract_text
from toolkit.engine.lower.repeats import has_subquery, is_costly, named_once
from toolkit.engine.lower.time_bounds import FILE_TIMES
from toolkit.engine.select import Query, print_query
from toolkit.engine.sql import PHYSICAL, ColumnName, Form, Literal, Lowered, Sql, print_expression
from toolkit.kql import plan
from toolkit.kql.types import ScalarType

QueryLowering = Callable[[plan.Rel], Query]
_FALSE = Literal(False, "BOOLEAN")

OPERATOR_NAMES = frozenset({"and", "or", "in", "has", "contains", "between", "startswith", "endswith", "hasprefix", "hassuffix"})

# Operators that cannot hold for an empty text and a non-empty constant: a NULL text may stand for '' in a condition.
_POSITIVE = frozenset(
    {"==", "=~", "in", "in~", "has", "has_cs", "has_any", "has_all", "contains", "contains_cs", "startswith"}
) | frozenset({"startswith_cs", "endswith", "endswith_cs", "hasprefix", "hasprefix_cs", "hassuffix", "hassuffix_cs"})


def null_of(kind: ScalarType) -> Lowered:
    """The null of a type; '' for string, which has none (R-043)."""
    if kind is ScalarType.STRING:
        return Lowered(Literal("", "VARCHAR"), False)
    return Lowered(Literal(None, PHYSICAL[kind]), True)


def not_supported(call: plan.Call) -> str:
    """Why a call without a row in the registry is refused."""
    kind = "operator" if call.name in OPERATOR_NAMES or not call.name.isidentifier() else "function"
    reason = REGISTRY.refusals.get(call.name)
    return f"the {kind} {call.name!r} is not supported: {reason}" if reason else f"the {kind} {call.name!r} is not supported yet"


def is_plain(sql: Sql) -> bool:
    """Whether an expression costs nothing to repeat: a column (of a file: with its time as ticks) or a literal."""
    return not isinstance(sql, Form) or not sql.args or sql.template in FILE_TIMES


def embedded(query: Query, template: str = "({0})") -> Sql:
    """A query inside an expression."""
    text = print_query(query).replace("{", "{{").replace("}", "}}")
    return Form(template, (Form(text),))


@dataclass
class Expressions:
    """Lowers expressions over one scope: what each column id is, in terms of the FROM items at hand.

    `row_order` are the ORDER BY terms of the rows an aggregate sees, where they have an order (R-255).
    """

    context: Context
    scope: Mapping[int, Lowered]
    subquery: QueryLowering
    row_order: Sequence[Sql] = ()

    def __post_init__(self) -> None:
        self.now_ticks = self.context.now_ticks
        self.settings = self.context.settings

    def use_udf(self, name: str) -> None:
        self.context.udfs.add(name)

    # --- values -----------------------------------------------------------------------------------------------------

    def lower(self, expr: plan.Expr) -> Lowered:
        match expr:
            case plan.Const(value=value, type=kind):
                return Lowered(Literal(value, PHYSICAL[kind]), value is None)
            case plan.Ref():
                return self._column(expr)
            case plan.Call():
                return self._call(expr)
            case plan.DynamicPath():
                return self._path(expr)
            case plan.Now():
                return Lowered(Literal(self.now_ticks, "BIGINT"), False)
            case plan.ScalarSubquery():
                return self._scalar_subquery(expr)
            case plan.InTable():
                return self._in_table(expr)

    def _column(self, ref: plan.Ref) -> Lowered:
        found = self.scope.get(ref.column.id)
        if found is None:
            # only the analysis of an open table makes up columns, to go on with
            self.context.refuse(f"the column {ref.column.name!r} belongs to a table whose columns are not known", ref.span)
            return null_of(ref.type)
        return found

    def _call(self, call: plan.Call) -> Lowered:
        fused = self._fused_text(call)
        if fused is not None:
            return Lowered(Form("coalesce({0}, '')", (fused,)), False)
        return self._build_once(call, [self.lower(arg) for arg in call.args])

    def _build_once(self, call: plan.Call, args: Sequence[Lowered]) -> Lowered:
        """A call whose costly operand, if it has just one, is evaluated once."""
        costly = [index for index, arg in enumerate(call.args) if is_costly(arg)]
        if len(costly) != 1 or any(map(has_subquery, call.args)):
            return self._build(call, args)
        (place,) = costly
        nullable = True

        def build(name: Sql) -> Sql:
            nonlocal nullable
            named = [*args[:place], Lowered(name, args[place].nullable), *args[place + 1 :]]
            found = self._build(call, named)
            nullable = found.nullable
            return found.sql

        value = named_once(args[place].sql, self.context.fresh_id(), build)
        return Lowered(value, nullable)

    def _build(self, call: plan.Call, args: Sequence[Lowered]) -> Lowered:
        build = REGISTRY.scalars.get(call.name)
        if build is None:
            self.context.refuse(not_supported(call), call.span)
            return null_of(call.type)
        try:
            return build(call, args, self)
        except Refusal as refusal:
            self.context.refuse(refusal.reason, refusal.span or call.span)
            return null_of(call.type)

    def _fused_text(self, call: plan.Call) -> Sql | None:
        """tostring over a chain of member accesses, NULL where there is no text; None when it is something else."""
        if not _is_tostring(call):
            return None
        chain = chain_of(call.args[0])
        return None if chain is None else extract_text(self.lower(chain.base).sql, chain)

    def _path(self, path: plan.DynamicPath) -> Lowered:
        chain = chain_of(path)
        if chain is not None:
            return Lowered(extract_json(self.lower(chain.base).sql, chain), True)
        value = self.lower(path.base)
        for step in path.steps:
            value = self._step(value, step)
        return value

    def _step(self, value: Lowered, step: str | int | plan.Expr) -> Lowered:
        """One access by a computed member name or index; the kind of the step decides what it may match (R-075, R-077)."""
        if isinstance(step, int):
            found = Form("json_extract({0}, {1})", (value.sql, Literal(f"$[{step}]", "VARCHAR")))
        elif isinstance(step, str):
            return Lowered(extract_json(value.sql, Chain(plan.Const(None, ScalarType.DYNAMIC), ((step,),))), True)
        elif step.type in (ScalarType.INT, ScalarType.LONG):
            found = Form("json_extract({0}, '$[' || {1} || ']')", (value.sql, self.lower(step).sql))
        elif step.type is ScalarType.STRING:
            pointer = Form("'/' || replace(replace({0}, '~', '~0'), '/', '~1')", (self.lower(step).sql,))
            found = Form("CASE WHEN json_type({0}) = 'OBJECT' THEN json_extract({0}, {1}) END", (value.sql, pointer))
        else:
            self.context.refuse(f"member access by a value of type {step.type} is not supported", step.span)
            return null_of(ScalarType.DYNAMIC)
        return Lowered(Form("nullif(CAST({0} AS VARCHAR), 'null')", (found,)), True)

    # --- subqueries ---------------------------------------------------------------------------------------------------

    def _scalar_subquery(self, expr: plan.ScalarSubquery) -> Lowered:
        """toscalar: the first row's first column; a DuckDB scalar subquery of several rows would be an error (R-299, R-300)."""
        query = self.subquery(plan.Limit(expr.rel, plan.Const(1, ScalarType.LONG)))
        value = embedded(query)
        if expr.type is ScalarType.STRING:
            return Lowered(Form("coalesce({0}, '')", (value,)), False)
        return Lowered(value, True)

    def _in_table(self, expr: plan.InTable) -> Lowered:
        return Lowered(self._membership(expr, total=True), False)

    def _membership(self, expr: plan.InTable, *, total: bool) -> Sql:
        operator = expr.operator
        value, column = self.lower(expr.value), expr.rel.columns[0]
        items = self.subquery(expr.rel)
        if operator in ("has_any", "has_all"):
            return self._terms_of_table(expr, value, items)
        # a null among the items would make every miss NULL instead of false
        present = f"SELECT c{column.id} FROM {{0}} WHERE c{column.id} IS NOT NULL"
        operand = value.sql
        if operator in ("in~", "!in~") and expr.value.type is ScalarType.STRING:
            operand = folded(operand)
            present = present.replace(f"SELECT c{column.id}", f"SELECT {print_expression(folded(ColumnName(column.id)))}")
        member: Sql = Form("{0} IN {1}", (operand, Form(f"({present})", (embedded(items),))))
        if operator.startswith("!"):
            return Form("(NOT coalesce({0}, FALSE))", (member,))
        return Form("coalesce({0}, FALSE)", (member,)) if total else Form("({0})", (member,))

    def _terms_of_table(self, expr: plan.InTable, value: Lowered, items: Query) -> Sql:
        column = expr.rel.columns[0]
        whole = column.type in (ScalarType.INT, ScalarType.LONG)
        if not (whole or column.type is ScalarType.STRING) or expr.value.type is not ScalarType.STRING:
            self.context.refuse(f"{expr.operator!r} with a table needs text on both sides", expr.span)
            return _FALSE
        # whole numbers count as their text, and a null is no needle
        needle = f"CAST(c{column.id} AS VARCHAR)" if whole else f"c{column.id}"
        needles = Form(f"(SELECT list(DISTINCT {needle}) FROM {{0}} WHERE c{column.id} IS NOT NULL)", (embedded(items),))
        return terms_of_list(value.sql, needles, every=expr.operator == "has_all")

    # --- conditions ---------------------------------------------------------------------------------------------------

    def condition(self, expr: plan.Expr) -> Sql:
        """A predicate for WHERE, FILTER and CASE WHEN: may be NULL where it would be FALSE, which lets it be simpler."""
        match expr:
            case plan.Call(name="and", args=args):
                return Form("({0} AND {1})", tuple(map(self.condition, args)))
            case plan.Call(name="or"):
                return self._any_of(expr)
            case plan.Call(name=name) if name in CONDITIONS or name in _POSITIVE:
                return self._comparison(expr)
            case plan.InTable():
                return self._membership(expr, total=False)
            case _:
                return self.lower(expr).sql

    def _any_of(self, expr: plan.Call) -> Sql:
        """A disjunction; alternatives over one costly operand are tested together (`x == 'a' or x contains 'b'`)."""
        groups: dict[object, list[plan.Call]] = {}
        others: list[plan.Expr] = []
        for arm in _arms(expr):
            if isinstance(arm, plan.Call) and arm.name in _POSITIVE and is_costly(arm.args[0]) and not has_subquery(arm):
                groups.setdefault(arm.args[0], []).append(arm)
            else:
                others.append(arm)
        return _any([*(self._group(_merged(group)) for group in groups.values()), *map(self.condition, others)])

    def _group(self, calls: Sequence[plan.Call]) -> Sql:
        if len(calls) == 1:
            return self._comparison(calls[0])
        left, guard = self._left(list(map(_flattened, calls)))

        def build(name: Sql) -> Sql:
            return _any([self._test(call, [Lowered(name, left.nullable), *map(self.lower, call.args[1:])]) for call in calls])

        test = named_once(left.sql, self.context.fresh_id(), build)
        return test if guard is None else Form("({0} AND {1})", (guard, test))

    def _comparison(self, call: plan.Call) -> Sql:
        if call.name not in _POSITIVE or not is_costly(call.args[0]) or any(map(has_subquery, call.args)):
            return self._test(call, [self.lower(arg) for arg in call.args])
        left, guard = self._left([_flattened(call)])
        rest = [self.lower(arg) for arg in call.args[1:]]
        number = self.context.fresh_id()
        test = named_once(left.sql, number, lambda name: self._test(call, [Lowered(name, left.nullable), *rest]))
        return test if guard is None else Form("({0} AND {1})", (guard, test))

    def _test(self, call: plan.Call, args: Sequence[Lowered]) -> Sql:
        build = CONDITIONS.get(call.name)
        if build is None:
            return self._build(call, args).sql
        try:
            return build(call, args, self)
        except Refusal as refusal:
            self.context.refuse(refusal.reason, refusal.span or call.span)
            return _FALSE

    def _left(self, calls: Sequence[plan.Call]) -> tuple[Lowered, Sql | None]:
        """The left operand that the calls share: a JSON text as it comes (NULL for ''), and a cheap test to put in front."""
        operand = calls[0].args[0]
        texts = [call for call in calls if all(map(_non_empty_text, call.args[1:]))]
        chain = chain_of(operand.args[0]) if _is_tostring(operand) else None
        if chain is None or len(texts) < len(calls) or not self.context.settings.get("optimize", True):
            return self.lower(operand), None
        base = self.lower(chain.base).sql
        guard = substring_guard(calls, base, len(chain.runs), self.context.fresh_id()) if is_plain(base) else None
        return Lowered(extract_text(base, chain), True), guard


def _any(tests: Sequence[Sql]) -> Sql:
    if len(tests) == 1:
        return tests[0]
    return Form("(" + " OR ".join(f"{{{index}}}" for index in range(len(tests))) + ")", tuple(tests))


def _arms(expr: plan.Expr) -> Iterator[plan.Expr]:
    if isinstance(expr, plan.Call) and expr.name == "or":
        for arg in expr.args:
            yield from _arms(arg)
    else:
        yield expr


def _merged(calls: Sequence[plan.Call]) -> Sequence[plan.Call]:
    """`x == 'a' or x == 'b'` as `x in ('a', 'b')`: one test, and one guard."""
    equal = [call for call in calls if call.name in ("==", "in") and all(map(_non_empty_text, _flattened(call).args[1:]))]
    if len(equal) < 2:
        return calls
    items = dict.fromkeys(item for call in equal for item in _flattened(call).args[1:])
    merged = plan.Call("in", (calls[0].args[0], *items), ScalarType.BOOL, equal[0].span)
    return [merged, *(call for call in calls if call not in equal)]


def _flattened(call: plan.Call) -> plan.Call:
    """Constant arrays among the items of a list as their elements, where all of them are texts."""
    if call.name not in ("in", "in~", "has_any", "has_all"):
        return call
    items: list[plan.Expr] = []
    for item in call.args[1:]:
        elements = (
            json_elements(str(item.value)) if isinstance(item, plan.Const) and item.type is ScalarType.DYNAMIC and item.value else None
        )
        if elements is not None and all(isinstance(element, str) for element in elements):
            items += [plan.Const(element, ScalarType.STRING, item.span) for element in elements]
        else:
            items.append(item)
    return plan.Call(call.name, (call.args[0], *items), call.type, call.span)


def _is_tostring(expr: plan.Expr) -> TypeGuard[plan.Call]:
    return isinstance(expr, plan.Call) and expr.name == "tostring" and len(expr.args) == 1


def _non_empty_text(expr: plan.Expr) -> bool:
    return isinstance(expr, plan.Const) and expr.type is ScalarType.STRING and bool(expr.value)
