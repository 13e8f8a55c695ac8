"""The options of operators (`kind=outer`, `hint.strategy=shuffle`): whether a value is one that the option knows.

Hints change no row, but the service rejects what it does not know. Kinds that change how an operator is bound are checked
where that is done.
"""

from __future__ import annotations

from collections.abc import Mapping

from toolkit.kql import syntax
from toolkit.kql.binder.context import Binder, Scope
from toolkit.kql.diagnostics import suggestion

_BOOL, _NUMBER, _COLUMN = ("true", "false"), ("a whole number",), ("a column",)
_STRATEGIES = ("auto", "broadcast", "centralized", "shuffle")
_PLACES = ("auto", "left", "local", "right", "unresolved")
_SHUFFLE: Mapping[str, tuple[str, ...]] = {"hint.shufflekey": _COLUMN, "hint.num_partitions": _NUMBER}

# Values by operator and option. Kinds are spelled exactly so, hints in any case.
_OPTIONS: Mapping[type[syntax.Operator], Mapping[str, tuple[str, ...]]] = {
    syntax.Union_: {"kind": ("inner", "outer"), "isfuzzy": _BOOL, "best_effort": _BOOL, "hint.spread": ("auto", "local")},
    syntax.Join: {"hint.strategy": _STRATEGIES, "hint.remote": _PLACES, **_SHUFFLE},
    syntax.Distinct: {"hint.strategy": _STRATEGIES, **_SHUFFLE},
    syntax.Summarize: {"hint.strategy": ("shuffle",), **_SHUFFLE},
    syntax.Sort: {"hint.strategy": ("splitBlock", "multipleBlocks")},
    syntax.MakeSeries: {"kind": ("nonempty",), "hint.shufflekey": _COLUMN},
    syntax.Search: {"kind": ("default", "case_insensitive", "case_sensitive")},
    syntax.Scan: {"kind": ("partial", "full")},
    syntax.Reduce: {"kind": ("source",)},
    syntax.Consume: {"decodeblocks": _BOOL},
    syntax.Evaluate: {"hint.distribution": ("single", "per_node", "per_shard", "default"), "hint.remote": ("auto", "local")},
}
_CHARTS = (
    "table", "list", "barchart", "piechart", "ladderchart", "timechart", "linechart", "anomalychart", "pivotchart", "areachart",
    "stackedareachart", "scatterchart", "timepivot", "columnchart", "timeline", "3Dchart", "card", "treemap", "plotly", "graph", "sankey",
)  # fmt: skip
_STYLES: Mapping[str, tuple[str, ...]] = {"kind": ("default", "unstacked", "stacked", "stacked100", "map"), "accumulate": _BOOL}


def check_options(b: Binder, operator: syntax.Operator, scope: Scope) -> None:
    """Reports values that an operator's options do not have. `scope`: the rows that a shuffle key is a column of."""
    if isinstance(operator, syntax.Render):
        if operator.chart and operator.chart not in _CHARTS:
            _unknown(b, operator.chart, _CHARTS, operator)
        for option in (*operator.parameters, *operator.properties):
            _check(b, option, _STYLES.get(option.name, ()), scope)
        return
    known = _OPTIONS.get(type(operator))
    for option in operator.parameters if known is not None else ():
        _check(b, option, known.get(option.name, ()) if known is not None else (), scope)


def _check(b: Binder, option: syntax.Parameter, allowed: tuple[str, ...], scope: Scope) -> None:
    value = option.value
    if isinstance(value, syntax.Missing) or not allowed:
        return
    if allowed is _COLUMN:
        if isinstance(value, syntax.NameRef) and not scope.open and value.name not in (scope.columns or {}):
            b.unknown_name(value.name, value.span, scope.columns or {}, "column, table, variable or function", "KS142")
    elif allowed is _NUMBER:
        if not isinstance(value, syntax.Literal) or value.kind not in ("int", "long"):
            b.report("unknown-value", f"Expected a whole number for {option.name}.", value.span, alias="KS221")
    elif allowed is _BOOL:
        if not isinstance(value, syntax.Literal) or value.kind != "bool":
            b.report("unknown-value", f"Expected true or false for {option.name}.", value.span, alias="KS223")
    else:
        word = value.name if isinstance(value, syntax.NameRef) else ""
        in_any_case = option.name.startswith("hint.")
        if word not in allowed and not (in_any_case and word.lower() in map(str.lower, allowed)):
            _unknown(b, word, allowed, value)


def _unknown(b: Binder, word: str, allowed: tuple[str, ...], node: syntax.Node) -> None:
    found = f", found '{word}'" if word else ""
    b.report("unknown-value", f"Expected {' or '.join(allowed)}{found}.", node.span, alias="KS005", hints=suggestion(word, allowed))
