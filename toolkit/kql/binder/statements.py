"""Statements: set, declare and the query itself."""

from __future__ import annotations

from dataclasses import replace

from toolkit.kql import plan, syntax
from toolkit.kql.binder.context import Binder, Binding, ScalarBinding, Scope, const
from toolkit.kql.binder.expressions import bind_scalar, convert
from toolkit.kql.binder.graphs.value import graph_of
from toolkit.kql.binder.lets import bind_let
from toolkit.kql.binder.pipeline import EVERY_TABLE, apply_operators, bind_tabular, is_tabular, visible
from toolkit.kql.binder.restrict import restricted
from toolkit.kql.functions import registry
from toolkit.kql.source import Span
from toolkit.kql.times import parse_datetime, parse_timespan
from toolkit.kql.types import DECLARABLE, ScalarType


def _set_option(b: Binder, statement: syntax.SetOption) -> None:
    """The properties of a request that change what a query answers; the last value of each counts."""
    value = statement.value
    if statement.name == "query_now":
        moment = bind_scalar(b, value, Scope()) if value is not None else None
        if not isinstance(moment, plan.Const) or moment.type is not ScalarType.DATETIME or moment.value is None:
            b.refuse("`set query_now` takes a datetime literal, which now() then gives.", statement.span, alias="SEM0020")
        else:
            b.options[statement.name] = moment
    elif value is not None and statement.name.startswith("query_bin_auto_"):
        b.options[statement.name] = bind_scalar(b, value, Scope())


def bind_query(b: Binder, query: syntax.Query) -> plan.QueryPlan | None:
    """The plan of a whole query: the first result, with the further ones (R-305). None when it holds no tabular statement."""
    scope = Scope(_parameters_of(b, query))
    found: list[plan.QueryPlan] = []
    results = [statement for statement in query.statements if isinstance(statement, syntax.QueryStatement) and not _only_names(statement)]
    for statement in query.statements:
        match statement:
            case syntax.Let():
                scope = bind_let(b, statement, scope)
            case syntax.QueryStatement(value=value):
                b.visualization = None
                result = _bind_result(b, value, scope, record=bool(results) and statement is results[-1])
                found += _results(b, value, result) if statement in results or not results else []
                scope = Scope({**scope.names, **b.named}, scope.parent) if b.named else scope
            case syntax.SetOption():
                _set_option(b, statement)
            case syntax.DeclarePattern(name=name):
                b.patterns[name.text] = (statement, scope)
            case syntax.Restrict():
                scope = restricted(b, statement, scope)
            case _:
                # alias: whatever a database is called, its tables are those at hand
                continue
    if not found:
        return None
    # a graph has no rows to count
    steps = tuple(step for step in b.steps if id(step.rel) not in b.several and graph_of(step.rel) is None)
    return replace(found[0], steps=steps, others=tuple(found[1:]), assertions=tuple(b.assertions))


def _results(b: Binder, statement: syntax.Node, rel: plan.Rel) -> list[plan.QueryPlan]:
    """What one statement yields: its rows, or each result of a `fork` or `facet` at its end."""
    branches = b.several.get(id(rel))
    if branches is not None:
        return [_query_plan(b, branch, name, span) for name, branch, span in branches]
    return [_query_plan(b, rel, _result_name(statement), statement.span)]


def _query_plan(b: Binder, rel: plan.Rel, name: str, span: Span) -> plan.QueryPlan:
    if any(column.name == EVERY_TABLE for column in rel.columns):
        hints = ("`search in (...)` names the tables, `project` the columns.",)
        b.refuse("The columns of a search over all tables depend on the workspace that runs it.", span, hints=hints)
    return plan.QueryPlan(plan.Narrow(rel, visible(rel.columns)), (), b.visualization, name, (), span)


def _result_name(statement: syntax.Node) -> str:
    """R-307: `as` names the result that it ends."""
    operators = statement.operators if isinstance(statement, syntax.Pipeline) else ()
    last = next((operator for operator in reversed(operators) if not isinstance(operator, syntax.Render)), None)
    return last.name.text if isinstance(last, syntax.As) else ""


def _only_names(statement: syntax.QueryStatement) -> bool:
    """Whether a statement gives names to the nodes and the edges of a graph, and no result of its own (R-323)."""
    value = statement.value
    last = value.operators[-1] if isinstance(value, syntax.Pipeline) and value.operators else None
    return isinstance(last, syntax.GraphToTable) and len(last.parts) > 1


def _bind_result(b: Binder, value: syntax.Node, scope: Scope, *, record: bool) -> plan.Rel:
    if not is_tabular(b, value, scope) and _is_scalar_statement(b, value, scope):
        expr = bind_scalar(b, value, scope)
        column = b.column("print_0", expr.type)
        return plan.Values((column,), ((expr,),))
    if not isinstance(value, syntax.Pipeline) or not record:
        return bind_tabular(b, value, scope)
    rel = bind_tabular(b, value.source, scope)
    b.steps.append(plan.Step(value.source.span, rel))
    return apply_operators(b, value.operators, rel, scope, record=True)


def _is_scalar_statement(b: Binder, value: syntax.Node, scope: Scope) -> bool:
    while isinstance(value, syntax.Pipeline) and not value.operators and not isinstance(value.source, syntax.Operator):
        value = value.source
    if isinstance(value, syntax.NameRef):
        return isinstance(scope.binding(value.name), ScalarBinding)
    if isinstance(value, syntax.Call):
        function = registry.find_function(value.name.text) if scope.binding(value.name.text) is None else None
        return function is not None and not function.is_tabular
    return not isinstance(value, (syntax.Pipeline, syntax.Call, syntax.Path))


def _parameters_of(b: Binder, query: syntax.Query) -> dict[str, Binding]:
    """`declare query_parameters`: values from the caller, else defaults (R-303)."""
    names: dict[str, Binding] = {}
    given = b.environment.parameters
    for statement in query.statements:
        if not isinstance(statement, syntax.DeclareParameters):
            continue
        for parameter in statement.parameters:
            kind = DECLARABLE.get(parameter.type, ScalarType.UNKNOWN) if isinstance(parameter.type, str) else ScalarType.UNKNOWN
            name = parameter.name.text
            if name in given:
                names[name] = ScalarBinding(_given(given[name], kind), is_parameter=True)
            elif parameter.default is not None:
                names[name] = ScalarBinding(convert(bind_scalar(b, parameter.default, Scope()), kind), is_parameter=True)
            else:
                names[name] = ScalarBinding(const(None, kind), is_parameter=True)
                b.refuse(f"The query parameter '{name}' has no value and no default.", parameter.span)
    return names


def _given(value: object, kind: ScalarType) -> plan.Expr:
    if isinstance(value, str) and kind is ScalarType.DATETIME:
        return const(parse_datetime(value), kind)
    if isinstance(value, str) and kind is ScalarType.TIMESPAN:
        return const(parse_timespan(value), kind)
    return const(value, kind)
