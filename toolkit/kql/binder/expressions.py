"""Scalar expressions: names resolved, operators typed, implicit conversions written out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from toolkit.kql import plan, syntax
from toolkit.kql.binder import typing as rules
from toolkit.kql.binder.context import Binder, FunctionBinding, ScalarBinding, Scope, TableBinding, const
from toolkit.kql.binder.folding import fold
from toolkit.kql.binder.logic import balanced, joined
from toolkit.kql.binder.opening import meet
from toolkit.kql.binder.windows import named_value
from toolkit.kql.functions import registry
from toolkit.kql.source import Span
from toolkit.kql.times import parse_datetime, parse_timespan
from toolkit.kql.types import NUMBERS, ScalarType

UNKNOWN, STRING, DYNAMIC, BOOL = ScalarType.UNKNOWN, ScalarType.STRING, ScalarType.DYNAMIC, ScalarType.BOOL

_Handler = Callable[[Binder, Any, Scope], plan.Expr]
_HANDLERS: dict[type[syntax.Node], _Handler] = {}


def scalars(kind: type[syntax.Node]) -> Callable[[_Handler], _Handler]:
    """Decorator: the binder of one kind of expression that is defined above this module (calls, tables inside expressions)."""

    def register(handler: _Handler) -> _Handler:
        _HANDLERS[kind] = handler
        return handler

    return register


def bind_scalar(b: Binder, expr: syntax.Node, scope: Scope) -> plan.Expr:
    """The typed expression. After a finding the result has type unknown, so that one mistake gives one message."""
    handler = _HANDLERS.get(type(expr))
    if handler is None:
        return scalar_expected(b, expr.span)
    return handler(b, expr, scope)


def unknown(span: Span) -> plan.Expr:
    return const(None, UNKNOWN, span)


def scalar_expected(b: Binder, span: Span) -> plan.Expr:
    b.report("scalar-expected", "Expected a scalar value, found a table.", span, alias="KS108")
    return unknown(span)


def convert(expr: plan.Expr, kind: ScalarType) -> plan.Expr:
    """The expression as another type; nothing when it has it already or is not known."""
    if expr.type in (kind, UNKNOWN) or kind in (UNKNOWN, DYNAMIC):
        return expr
    if isinstance(expr, plan.Const) and expr.value is None:
        return const("" if kind is STRING else None, kind, expr.span)
    return fold(plan.Call(rules.CONVERSION[kind], (expr,), kind, _span(expr)))


def _span(expr: plan.Expr) -> Span:
    return expr.span


# --- names and access -----------------------------------------------------------------------------------------------


def _missing(b: Binder, expr: syntax.Missing, scope: Scope) -> plan.Expr:
    return unknown(expr.span)


def _literal(b: Binder, expr: syntax.Literal, scope: Scope) -> plan.Expr:
    if expr.kind == "type":
        return const(expr.value if expr.value is not None else expr.text, STRING, expr.span)
    return const(expr.value, ScalarType(expr.kind), expr.span)


def _paren(b: Binder, expr: syntax.Paren, scope: Scope) -> plan.Expr:
    return bind_scalar(b, expr.inner, scope)


def _name(b: Binder, expr: syntax.NameRef, scope: Scope) -> plan.Expr:
    if scope.columns is not None and expr.name in scope.columns:
        return plan.Ref(scope.columns[expr.name], expr.span)
    if expr.name in scope.steps:
        b.report("scalar-expected", f"'{expr.name}' is a step; `{expr.name}.column` is a value of it.", expr.span, alias="KS106")
        return unknown(expr.span)
    if scope.pattern is not None:
        element = scope.pattern.name(b, expr, scope)
        if element is not None:
            return element
    binding = scope.binding(expr.name)
    if isinstance(binding, ScalarBinding):
        return named_value(b, _placed(binding.value, expr.span), expr.span)
    if isinstance(binding, TableBinding):
        return scalar_expected(b, expr.span)
    if isinstance(binding, FunctionBinding):
        return bind_scalar(b, syntax.Call(syntax.Name(expr.name, span=expr.span), (), span=expr.span), scope)
    if scope.open:
        return meet(b, expr.name, expr.span)
    return unresolved(b, expr.name, expr.span, scope)


def _placed(value: plan.Expr, span: Span) -> plan.Expr:
    return const(value.value, value.type, span) if isinstance(value, plan.Const) else value


def unresolved(b: Binder, name: str, span: Span, scope: Scope) -> plan.Expr:
    """Reports a name that means nothing here, with near names of columns and lets."""
    if b.environment.table(name) is not None:
        return scalar_expected(b, span)
    if registry.find_function(name) is not None or registry.find_aggregate(name) is not None:
        b.report("arguments-expected", f"The function '{name}' requires an argument list.", span, alias="KS117")
        return unknown(span)
    if b.collector is not None and not b.collector.inside and name in (b.collector.rows.columns or {}):
        b.report(
            "not-aggregated",
            f"The column '{name}' is not available outside an aggregate function.",
            span,
            alias="KS142",
            hints=(f"An aggregate such as take_any({name}), or '{name}' in the by clause, gives one value per group.",),
        )
        return unknown(span)
    known = [*(scope.columns or {}), *scope.visible_names()]
    b.unknown_name(name, span, known, "column, table, variable or function", "KS142")
    return unknown(span)


def _path(b: Binder, expr: syntax.Path, scope: Scope) -> plan.Expr:
    if isinstance(expr.base, syntax.NameRef) and expr.base.name in ("$left", "$right"):
        return _side(b, expr, scope)
    if isinstance(expr.base, syntax.NameRef) and expr.base.name in scope.steps and expr.base.name not in (scope.columns or {}):
        return _remembered(b, expr, scope.steps[expr.base.name], scope)
    if not isinstance(expr.member, syntax.Name):
        return scalar_expected(b, expr.span)
    if scope.pattern is not None:
        found = scope.pattern.path(b, expr, scope)
        if found is not None:
            return found
    base = bind_scalar(b, expr.base, scope)
    if base.type is UNKNOWN:
        return const(None, UNKNOWN, expr.span) if isinstance(base, plan.Const) else plan.DynamicPath(base, (expr.member.text,), expr.span)
    if base.type is not DYNAMIC:
        hints = (f"A {base.type} has no members; parse_json(...) turns JSON text into a dynamic value.",) if base.type is STRING else ()
        message = f"The name '{expr.member.text}' does not refer to any known column, table, variable or function."
        b.report("no-member", message, expr.member.span, alias="KS142", hints=hints)
        return unknown(expr.span)
    return access(base, expr.member.text, expr.span)


def _remembered(b: Binder, expr: syntax.Path, step: Mapping[str, plan.Column], scope: Scope) -> plan.Expr:
    """`step.column` in a scan."""
    if not isinstance(expr.member, syntax.Name):
        return scalar_expected(b, expr.span)
    if expr.member.text in step:
        return plan.Ref(step[expr.member.text], expr.span)
    if scope.open:
        return meet(b, expr.member.text, expr.span)
    b.unknown_name(expr.member.text, expr.member.span, step, "column of the step", "KS142")
    return unknown(expr.span)


def _side(b: Binder, expr: syntax.Path, scope: Scope) -> plan.Expr:
    assert isinstance(expr.base, syntax.NameRef)
    side = scope.left if expr.base.name == "$left" else scope.right
    member = expr.member
    if side is None or not isinstance(member, syntax.Name):
        b.unknown_name(expr.base.name, expr.base.span, (), "column, table, variable or function", "KS142")
        return unknown(expr.span)
    if member.text in side:
        return plan.Ref(side[member.text], expr.span)
    if "*" in side:
        return plan.Ref(b.column(member.text, UNKNOWN), expr.span)
    b.unknown_name(member.text, member.span, side, f"column of the {expr.base.name[1:]} side", "KS142")
    return unknown(expr.span)


def access(base: plan.Expr, step: str | int | plan.Expr, span: Span) -> plan.Expr:
    """One more step into a dynamic; chains are collapsed into one path."""
    if isinstance(base, plan.DynamicPath):
        return plan.DynamicPath(base.base, (*base.steps, step), span)
    return plan.DynamicPath(base, (step,), span)


def _index(b: Binder, expr: syntax.Index, scope: Scope) -> plan.Expr:
    if scope.pattern is not None and scope.pattern.refuses_index(b, expr, scope):
        return unknown(expr.span)
    base = bind_scalar(b, expr.base, scope)
    index = bind_scalar(b, expr.index, scope)
    if base.type not in (DYNAMIC, UNKNOWN):
        hints = ("parse_json(...) turns JSON text into a dynamic value.",) if base.type is STRING else ()
        b.report("no-element", f"Expected a dynamic value before '[', found {base.type}.", expr.base.span, alias="KS147", hints=hints)
        return unknown(expr.span)
    if base.type is UNKNOWN and isinstance(base, plan.Const):
        return unknown(expr.span)
    if isinstance(index, plan.Const) and isinstance(index.value, (str, int)) and not isinstance(index.value, bool):
        return access(base, index.value, expr.span)
    if index.type not in (STRING, ScalarType.INT, ScalarType.LONG, DYNAMIC, UNKNOWN):
        b.report("bad-index", f"Expected a string or a whole number as index, found {index.type}.", expr.index.span, alias="KS107")
        return unknown(expr.span)
    return access(base, index, expr.span)


# --- operators ------------------------------------------------------------------------------------------------------


def _unary(b: Binder, expr: syntax.Unary, scope: Scope) -> plan.Expr:
    operand = bind_scalar(b, expr.operand, scope)
    if expr.operator == "+" or operand.type is UNKNOWN:
        return operand
    if operand.type not in (*NUMBERS, *(ScalarType.TIMESPAN, ScalarType.DATETIME), DYNAMIC):
        b.report("undefined-operator", f"The operator '-' is not defined for the operand type {operand.type}.", expr.span, alias="KS106")
        return unknown(expr.span)
    if operand.type is ScalarType.DATETIME:
        b.refuse("The negative of a datetime has no meaning that the service documents.", expr.span)
    # an int literal keeps its type, an int column becomes long
    widened = operand.type is ScalarType.INT and not isinstance(operand, plan.Const)
    kind = ScalarType.LONG if widened else operand.type
    return fold(plan.Call("negate", (operand,), kind, expr.span))


def _binary(b: Binder, expr: syntax.Binary, scope: Scope) -> plan.Expr:
    """Long chains (a and b and ...) lean to the left: they are walked, not recursed into."""
    chain: list[syntax.Binary] = []
    node: syntax.Node = expr
    while isinstance(node, syntax.Binary):
        chain.append(node)
        node = node.left
    if isinstance(node, syntax.Star) and scope.columns is not None:
        result = _any_column(b, chain.pop(), scope)
    else:
        result = bind_scalar(b, node, scope)
    for step in reversed(chain):
        result = _apply(b, step, result, bind_scalar(b, step.right, scope))
    return balanced(result, len(chain))


def _any_column(b: Binder, expr: syntax.Binary, scope: Scope) -> plan.Expr:
    """`* has "x"`: true when the text of any column passes."""
    right = bind_scalar(b, expr.right, scope)
    columns = [column for column in (scope.columns or {}).values() if not column.name.startswith("*")]
    tests = [_apply(b, expr, convert(plan.Ref(column, expr.span), STRING), right) for column in columns]
    return joined("or", tests, expr.span) if tests else const(False, BOOL, expr.span)


def _apply(b: Binder, expr: syntax.Binary, left: plan.Expr, right: plan.Expr) -> plan.Expr:
    operator = expr.operator
    if operator in rules.ARITHMETIC:
        return _arithmetic(b, expr, left, right)
    if operator in rules.LOGICAL:
        return _logical(b, expr, left, right)
    if operator in rules.EQUALITY:
        return _equality(b, expr, left, right)
    if operator in rules.ORDERING:
        return _ordering(b, expr, left, right)
    return _string_operator(b, expr, left, right)


def _undefined(b: Binder, expr: syntax.Binary, left: plan.Expr, right: plan.Expr, hints: tuple[str, ...] = ()) -> plan.Expr:
    message = f"The operator '{expr.operator}' is not defined for the operand types {left.type} and {right.type}."
    b.report("undefined-operator", message, expr.operator_span if expr.operator_span.end else expr.span, alias="KS106", hints=hints)
    return unknown(expr.span)


def _arithmetic(b: Binder, expr: syntax.Binary, left: plan.Expr, right: plan.Expr) -> plan.Expr:
    kind = rules.arithmetic(expr.operator, left.type, right.type)
    if kind is None:
        hints = ("strcat(a, b) joins strings.",) if expr.operator == "+" and STRING in (left.type, right.type) else ()
        return _undefined(b, expr, left, right, hints)
    if rules.service_refuses_arithmetic(expr.operator, left.type, right.type):
        b.refuse(f"{left.type} {expr.operator} {right.type} has no meaning that the service documents.", expr.span)
    if left.type is DYNAMIC and right.type is DYNAMIC:
        b.refuse("Arithmetic between two dynamic values: a conversion such as todouble(...) makes the type clear.", expr.span)
    left, right = _undynamic(left, right.type), _undynamic(right, left.type)
    return fold(plan.Call(expr.operator, (left, right), kind, expr.span))


def _undynamic(expr: plan.Expr, other: ScalarType) -> plan.Expr:
    """A dynamic beside a typed operand counts as what it holds, in the type of the other one (R-039)."""
    if expr.type is not DYNAMIC or other in (DYNAMIC, UNKNOWN):
        return expr
    return convert(expr, other)


def _logical(b: Binder, expr: syntax.Binary, left: plan.Expr, right: plan.Expr) -> plan.Expr:
    if not {left.type, right.type} <= {BOOL, DYNAMIC, UNKNOWN}:
        return _undefined(b, expr, left, right)
    return plan.Call(expr.operator, (convert(left, BOOL), convert(right, BOOL)), BOOL, expr.span)


def _equality(b: Binder, expr: syntax.Binary, left: plan.Expr, right: plan.Expr) -> plan.Expr:
    numbered = _numbered(expr.operator, left, right, expr.span) or _numbered(expr.operator, right, left, expr.span)
    if numbered is not None:
        return numbered
    left, right = comparable(b, left, right, expr.span)
    return plan.Call(expr.operator, (left, right), BOOL, expr.span)


def comparable(b: Binder, left: plan.Expr, right: plan.Expr, span: Span) -> tuple[plan.Expr, plan.Expr]:
    """Both operands of == in one family: text literals take the other's type (R-035), dynamics what they hold (R-081, R-082)."""
    if left.type is DYNAMIC and right.type is DYNAMIC:
        b.refuse("The service does not compare two dynamic values; tostring(...) makes text of them (R-080).", span, alias="SEM0001")
        return left, right
    if rules.same_family(left.type, right.type):
        return left, right
    if DYNAMIC in (left.type, right.type):
        return _as_held(left, right.type), _as_held(right, left.type)
    if _is_text_literal(right):
        return left, _typed_literal(right, left.type)
    if _is_text_literal(left):
        return _typed_literal(left, right.type), right
    if _is_flag(left, right):
        return left, _flag(right)
    if _is_flag(right, left):
        return _flag(left), right
    b.refuse(f"Comparing {left.type} with {right.type} is not documented; a conversion makes the types equal (R-036).", span)
    return left, right


def _is_flag(expr: plan.Expr, literal: plan.Expr) -> bool:
    """A bool beside 0 or 1: as a number and as a bool the comparison is the same."""
    return expr.type is BOOL and isinstance(literal, plan.Const) and literal.type.is_integer and literal.value in (0, 1)


def _flag(literal: plan.Expr) -> plan.Expr:
    assert isinstance(literal, plan.Const)
    return const(bool(literal.value), BOOL, literal.span)


def _numbered(operator: str, text: plan.Expr, literal: plan.Expr, span: Span) -> plan.Expr | None:
    """A string beside a whole number: the literal takes the column's type (R-035), as it does in a list (R-120).

    Text that is another spelling of the number (`00`) would be equal to it as a number; the engine fails on it.
    """
    if text.type is not STRING or not isinstance(literal, plan.Const) or not literal.type.is_integer or literal.value is None:
        return None
    return plan.Call("equals_number" if operator == "==" else "differs_from_number", (text, literal), BOOL, span)


def _as_held(expr: plan.Expr, other: ScalarType) -> plan.Expr:
    if expr.type is not DYNAMIC:
        return expr
    if other.is_integer:
        return plan.Call("dynamic_integer", (expr,), ScalarType.LONG, expr.span)
    return convert(expr, other)


def _is_text_literal(expr: plan.Expr) -> bool:
    return isinstance(expr, plan.Const) and expr.type is STRING


def _typed_literal(expr: plan.Expr, kind: ScalarType) -> plan.Expr:
    assert isinstance(expr, plan.Const)
    assert isinstance(expr.value, str)
    if kind is ScalarType.DATETIME:
        return const(parse_datetime(expr.value), kind, expr.span)
    if kind is ScalarType.TIMESPAN:
        return const(parse_timespan(expr.value), kind, expr.span)
    return convert(expr, kind)


def _ordering(b: Binder, expr: syntax.Binary, left: plan.Expr, right: plan.Expr) -> plan.Expr:
    if not rules.ordered(left.type, right.type):
        hints = ("strcmp(a, b) orders strings.",) if left.type is STRING and right.type is STRING else ()
        return _undefined(b, expr, left, right, hints)
    if left.type is DYNAMIC and right.type is DYNAMIC:
        b.refuse("The service does not order two dynamic values; a conversion such as todouble(...) makes the type clear.", expr.span)
    pair = tuple(convert(side, ScalarType.REAL) if side.type is DYNAMIC else side for side in (left, right))
    return plan.Call(expr.operator, pair, BOOL, expr.span)


def _string_operator(b: Binder, expr: syntax.Binary, left: plan.Expr, right: plan.Expr) -> plan.Expr:
    if not (rules.textual(left.type) and rules.textual(right.type)):
        return _undefined(b, expr, left, right, ("tostring(...) makes text of a value.",))
    if right.type is DYNAMIC and expr.operator.lstrip("!").startswith("has"):
        b.refuse(f"The service refuses a dynamic after '{expr.operator}'; tostring(...) makes text of it (R-081).", expr.right.span)
    return plan.Call(expr.operator, (convert(left, STRING), convert(right, STRING)), BOOL, expr.span)


def _between(b: Binder, expr: syntax.Between, scope: Scope) -> plan.Expr:
    value, low, high = (bind_scalar(b, part, scope) for part in (expr.value, expr.low, expr.high))
    name = "!between" if expr.negated else "between"
    kinds = {value.type, low.type, high.type}
    if UNKNOWN in kinds:
        return plan.Call(name, (value, low, high), BOOL, expr.span)
    if value.type is DYNAMIC and not (kinds - {DYNAMIC}) & {STRING, ScalarType.GUID, BOOL} and kinds != {DYNAMIC}:
        value = convert(value, low.type if low.type is not DYNAMIC else high.type)
        kinds = {value.type, low.type, high.type}
    numeric = kinds <= (NUMBERS | {BOOL})
    times = value.type in (ScalarType.DATETIME, ScalarType.TIMESPAN) and low.type is value.type
    if times and high.type is ScalarType.TIMESPAN and value.type is ScalarType.DATETIME:
        high = fold(plan.Call("+", (low, high), ScalarType.DATETIME, expr.high.span))
    elif not numeric and not (times and high.type is value.type):
        message = f"The operator '{name}' is not defined for a {value.type} and the range {low.type} .. {high.type}."
        b.report("undefined-operator", message, expr.span, alias="KS106")
        return unknown(expr.span)
    return plan.Call(name, (value, low, high), BOOL, expr.span)


def membership(b: Binder, operator: str, value: plan.Expr, items: list[plan.Expr], span: Span) -> plan.Expr:
    """`value in (items)` with the items in the value's type (R-120); a dynamic item is a list, flattened by the engine."""
    if operator not in ("in", "!in"):
        value = convert(value, STRING)
    elif value.type is DYNAMIC:
        kinds = {item.type for item in items} - {DYNAMIC, UNKNOWN}
        value = _as_held(value, next(iter(kinds)) if len(kinds) == 1 else STRING)
    typed: list[plan.Expr] = []
    for item in items:
        if item.type is DYNAMIC or value.type is UNKNOWN:
            typed.append(item)
        elif value.type is STRING and item.type is not STRING and item.type is not UNKNOWN:
            if operator in ("in", "!in") and not isinstance(item, plan.Const):
                b.refuse(f"Comparing string with {item.type} is not documented; tostring(...) makes text of it (R-036).", item.span)
            typed.append(convert(item, STRING))
        else:
            typed.append(comparable(b, value, item, span)[1])
    return plan.Call(operator, (value, *typed), BOOL, span)


# --- what stands where it cannot -------------------------------------------------------------------------------------


def _named(b: Binder, expr: syntax.Named, scope: Scope) -> plan.Expr:
    b.report("name-not-allowed", "A name cannot be given here.", expr.span, alias="KS005")
    return bind_scalar(b, expr.value, scope)


def _named_argument(b: Binder, expr: syntax.NamedArgument, scope: Scope) -> plan.Expr:
    return bind_scalar(b, expr.value, scope)


def _star(b: Binder, expr: syntax.Star, scope: Scope) -> plan.Expr:
    b.report("star-not-allowed", "Expected an expression, found '*'.", expr.span, alias="KS005")
    return unknown(expr.span)


def _pipeline(b: Binder, expr: syntax.Pipeline, scope: Scope) -> plan.Expr:
    if not expr.operators and expr.parenthesised and not isinstance(expr.source, syntax.Operator):
        return bind_scalar(b, expr.source, scope)
    return scalar_expected(b, expr.span)


def condition(b: Binder, expr: syntax.Node, scope: Scope, what: str) -> plan.Expr:
    """A predicate: must be bool (R-037)."""
    value = bind_scalar(b, expr, scope)
    if value.type in (BOOL, UNKNOWN):
        return value
    hints = ("tobool(...) makes a bool of a value.",) if value.type is DYNAMIC else ()
    b.report("bool-expected", f"Expected a bool in {what}, found {value.type}.", expr.span, alias="KS141", hints=hints)
    return unknown(expr.span)


_HANDLERS.update(
    {
        syntax.Missing: _missing,
        syntax.Literal: _literal,
        syntax.Paren: _paren,
        syntax.NameRef: _name,
        syntax.Path: _path,
        syntax.Index: _index,
        syntax.Unary: _unary,
        syntax.Binary: _binary,
        syntax.Between: _between,
        syntax.Named: _named,
        syntax.NamedArgument: _named_argument,
        syntax.Star: _star,
        syntax.Pipeline: _pipeline,
    }
)
