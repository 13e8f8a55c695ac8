"""render: the chart and its properties."""

from __future__ import annotations

from toolkit.kql.diagnostics import suggestion
from toolkit.kql.lexer import IDENTIFIER
from toolkit.kql.parser.grammar import Parser
from toolkit.kql.parser.names import DECLARED_NAMES
from toolkit.kql.parser.stream import LIST_ENDS
from toolkit.kql.syntax import ColumnList, Expr, NameRef, Operator, Parameter, Render

_COLUMN_LISTS = frozenset({"ycolumns", "series", "anomalycolumns"})
_EXPRESSIONS = frozenset({"title", "xtitle", "ytitle"})
_PROPERTIES = _COLUMN_LISTS | _EXPRESSIONS | frozenset("kind accumulate xcolumn xaxis yaxis legend ysplit ymin ymax xmin xmax".split())
_CHARTS = frozenset(
    """anomalychart areachart barchart card columnchart graph ladderchart linechart piechart pivotchart plotly scatterchart
    stackedareachart timechart timeline timepivot treemap""".split()
)
"""Charts whose names are keywords; others, such as table and list, are plain words."""
_LEGACY = frozenset({"kind", "title", "accumulate"})


def render(p: Parser) -> Operator:
    start = p.start()
    p.at += 1
    chart = ""
    if p.kinds[p.at] == IDENTIFIER or p.kinds[p.at] in _CHARTS:
        chart = p.spelling()
        p.at += 1
    else:
        p.fail("the kind of chart, for example timechart")
    parameters: list[Parameter] = []
    while (p.spelling() in _LEGACY and p.kinds[p.at + 1] == "=") or p.kinds[p.at] == "by" or _legacy_with(p):
        parameters.append(_legacy_property(p))
    properties: tuple[Parameter, ...] = ()
    if p.kinds[p.at] == "with" and p.kinds[p.at + 1] == "(":
        p.at += 2
        p.take(",")
        properties = p.items(lambda: _property(p))
        p.close(")")
    return Render(chart, properties, parameters=tuple(parameters), span=p.span(start))


def _legacy_with(p: Parser) -> bool:
    return p.kinds[p.at] == "with" and p.kinds[p.at + 1] != "("


def _property(p: Parser) -> Parameter:
    """`name = value` between the parentheses; a list of columns is one Parameter per column."""
    start, name = p.start(), p.spelling()
    if name not in _PROPERTIES:
        p.fail("a property of the chart", suggestion(name, _PROPERTIES) or (f"The properties are {', '.join(sorted(_PROPERTIES))}.",))
    p.at += p.kinds[p.at] not in LIST_ENDS
    p.expect("=")
    if name in _EXPRESSIONS:
        return Parameter(name, p.operand(), span=p.span(start))
    if name in _COLUMN_LISTS:
        return Parameter(name, _columns(p), span=p.span(start))
    return Parameter(name, p.parameter_value(), span=p.span(start))


def _columns(p: Parser) -> Expr:
    """`a, b, c` up to the next `name =`."""
    first = p.name("a column name", DECLARED_NAMES)
    names = [NameRef(first.text, span=first.span)]
    while p.kinds[p.at] == "," and p.kinds[p.at + 2] != "=" and p.name_length(p.at + 1, DECLARED_NAMES):
        p.at += 1
        name = p.name("a column name", DECLARED_NAMES)
        names.append(NameRef(name.text, span=name.span))
    return ColumnList(tuple(names), span=p.span(first.span.start))


def _legacy_property(p: Parser) -> Parameter:
    """`kind=stacked title="x"`, and the older `with "x"` and `by a, b`, which have no equals sign."""
    start, name = p.start(), p.spelling()
    p.at += 1
    if name == "by":
        return Parameter(name, _columns(p), span=p.span(start))
    if name != "with":
        p.expect("=")
    value = p.operand() if name == "title" else p.parameter_value()
    return Parameter(name, value, span=p.span(start))
