"""parse and parse-where (R-278..R-287)."""

from __future__ import annotations

from itertools import pairwise

from toolkit.kql import plan, syntax
from toolkit.kql.binder.context import Binder, Scope
from toolkit.kql.binder.expressions import bind_scalar, convert
from toolkit.kql.binder.operators.items import duplicate
from toolkit.kql.binder.pipeline import handles, parameter, word
from toolkit.kql.types import DECLARABLE, ScalarType


@handles(syntax.Parse)
def _parse(b: Binder, operator: syntax.Parse, rel: plan.Rel, scope: Scope) -> plan.Rel:
    value = bind_scalar(b, operator.value, scope.with_rows(rel.columns))
    if value.type not in (ScalarType.STRING, ScalarType.DYNAMIC, ScalarType.UNKNOWN):
        b.report("string-expected", f"parse expects a string, found {value.type}.", operator.value.span, alias="KS141")
    kind = word(parameter(operator, "kind")) or "simple"
    if kind not in ("simple", "relaxed", "regex"):
        option = parameter(operator, "kind")
        assert option is not None
        b.report("unknown-kind", f"Expected simple, relaxed or regex, found '{kind}'.", option.value.span, alias="KS132")
        kind = "simple"
    if operator.where and kind == "relaxed":
        b.refuse("The service refuses parse-where with kind=relaxed (R-285).", operator.span, alias="SEM0477")
    parts: list[plan.ParsePart] = []
    columns = list(rel.columns)
    names: set[str] = set()
    for part in operator.pattern:
        bound = _part(b, part, columns, names, scope)
        if bound is not None:
            parts.append(bound)
    _check_stars(b, operator, parts, kind)
    flags = word(parameter(operator, "flags")) or ""
    return plan.Parse(rel, convert(value, ScalarType.STRING), kind, flags, tuple(parts), operator.where, tuple(columns), operator.span)


def _part(b: Binder, part: syntax.Node, columns: list[plan.Column], names: set[str], scope: Scope) -> plan.ParsePart | None:
    match part:
        case syntax.Star():
            return plan.ParseStar()
        case syntax.ParseColumn(name=name, type=written):
            return plan.ParseCapture(_capture(b, part, name.text, written, columns, names))
        case _:
            text = bind_scalar(b, part, scope.without_rows())
            if not isinstance(text, plan.Const) or not isinstance(text.value, str):
                b.report("constant-expected", "A parse pattern consists of constant texts, columns and *.", part.span, alias="KS129")
                return None
            if not text.value:
                b.refuse("The service refuses an empty text in a parse pattern (R-283).", part.span)
            return plan.ParseText(text.value)


def _capture(b: Binder, part: syntax.Node, name: str, written: str | None, columns: list[plan.Column], names: set[str]) -> plan.Column:
    if name in names:
        duplicate(b, name, part)
    names.add(name)
    kind = ScalarType.STRING if written is None else DECLARABLE.get(written, ScalarType.STRING)
    column = b.column(name, kind)
    for position, existing in enumerate(columns):
        if existing.name == name:
            columns[position] = column
            return column
    columns.append(column)
    return column


def _check_stars(b: Binder, operator: syntax.Parse, parts: list[plan.ParsePart], kind: str) -> None:
    """R-283: `*` directly behind a string column cannot be told apart from it."""
    for position, (first, second) in enumerate(pairwise(parts)):
        if isinstance(first, plan.ParseCapture) and isinstance(second, plan.ParseStar) and first.column.type is ScalarType.STRING:
            span = operator.pattern[min(position + 1, len(operator.pattern) - 1)].span
            b.report("parse-star", "'*' cannot follow a string column directly.", span, alias="SEM0476")
