"""What has several results: fork, facet (R-276) and the plugin preview. They end a query; each result is one of its own."""

from __future__ import annotations

from collections.abc import Sequence

from toolkit.kql import plan, syntax
from toolkit.kql.binder.context import OPEN, Binder, Scope
from toolkit.kql.binder.names import Namer
from toolkit.kql.binder.operators.apply import bind_subquery
from toolkit.kql.binder.operators.items import columns_of
from toolkit.kql.binder.pipeline import handles, operator_word
from toolkit.kql.binder.plugins.evaluate import PluginCall, plugin
from toolkit.kql.source import Span
from toolkit.kql.types import ScalarType

_Results = Sequence[tuple[str, plan.Rel, Span]]

_IN_A_BRANCH = (
    *(syntax.As, syntax.Count, syntax.Distinct, syntax.Extend, syntax.Invoke, syntax.MvExpand, syntax.Parse, syntax.ParseKv),
    *(syntax.Project, syntax.ProjectAway, syntax.ProjectByNames, syntax.ProjectKeep, syntax.ProjectRename, syntax.ProjectReorder),
    *(syntax.Reduce, syntax.Sample, syntax.SampleDistinct, syntax.Sort, syntax.Summarize, syntax.Take, syntax.Top),
    *(syntax.TopHitters, syntax.TopNested, syntax.Where, syntax.Input, syntax.BadOperator),
)


@handles(syntax.Fork)
def _fork(b: Binder, operator: syntax.Fork, rel: plan.Rel, scope: Scope) -> plan.Rel:
    found: list[tuple[str, plan.Rel, Span]] = []
    for branch in operator.branches:
        operators = branch.body.operators if isinstance(branch.body, syntax.Pipeline) else ()
        for inner in operators:
            if not isinstance(inner, _IN_A_BRANCH):
                message = f"The operator '{operator_word(inner)}' is not allowed in a fork."
                b.report("operator-not-allowed", message, inner.span, alias="KS177")
        last = operators[-1] if operators else None
        given = branch.name.text if branch.name is not None else last.name.text if isinstance(last, syntax.As) else ""
        found.append((given, bind_subquery(b, branch.body, rel, scope), branch.span))
    return _several(b, f"operator '{operator_word(operator)}'", operator.span, rel, found)


@handles(syntax.Facet)
def _facet(b: Binder, operator: syntax.Facet, rel: plan.Rel, scope: Scope) -> plan.Rel:
    """The rows of `with`, then the values of each column and how many rows have each. Their order is not defined."""
    found: list[tuple[str, plan.Rel, Span]] = []
    if operator.body is not None:
        found.append(("", bind_subquery(b, operator.body, rel, scope), operator.body.span))
    for node in operator.columns:
        found += [(column.name, _values(b, rel, column, node), node.span) for column in columns_of(b, node, rel.columns)]
    return _several(b, f"operator '{operator_word(operator)}'", operator.span, rel, found)


def _values(b: Binder, rel: plan.Rel, column: plan.Column, node: syntax.Node) -> plan.Rel:
    if column.type is ScalarType.DYNAMIC:
        hints = ("tostring(...) makes a value that can be grouped.",)
        b.refuse("How the service groups dynamic values in a facet is not documented.", node.span, hints=hints)
    namer = Namer(explicit=frozenset({column.name}))
    key, total = b.column(column.name, column.type), b.column(namer.derive(f"count_{column.name}"), ScalarType.LONG)
    call = plan.AggregateCall("count", (), ScalarType.LONG, node.span)
    return plan.Aggregate(rel, ((key, plan.Ref(column)),), ((total, call),), (), (key, total))


@plugin("preview")
def _preview(b: Binder, call: PluginCall) -> plan.Rel:
    """The first rows, and how many there are."""
    total, rows = b.column("Count", ScalarType.LONG), call.value("NumberOfRows")
    assert rows is not None
    count = plan.Aggregate(call.rel, (), ((total, plan.AggregateCall("count", (), ScalarType.LONG, call.span)),), (), (total,))
    return _several(b, "plugin 'preview'", call.span, call.rel, [("", plan.Limit(call.rel, rows), call.span), ("", count, call.span)])


def _several(b: Binder, construct: str, span: Span, rel: plan.Rel, results: _Results) -> plan.Rel:
    """What stands for the results where the query goes on: only at its end there is a place for them."""
    reason = "it yields several results, which only the end of a query can do"
    stands = plan.Unsupported(construct, reason, (rel,), (b.column(OPEN, ScalarType.UNKNOWN),), span)
    if results:
        b.several[id(stands)] = tuple(results)
        b.kept.append(stands)
    return stands
