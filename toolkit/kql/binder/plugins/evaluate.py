"""evaluate: the arguments of plugins, and the columns of what they give (R-309 to R-318)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from toolkit.kql import plan, syntax
from toolkit.kql.binder.context import OPEN, AggregateCollector, Binder, Scope
from toolkit.kql.binder.expressions import bind_scalar
from toolkit.kql.binder.opening import is_open, opened
from toolkit.kql.binder.overloads import EXPECTED, is_constant
from toolkit.kql.binder.pipeline import bind_tabular, handles, is_tabular, nothing, sources, visible
from toolkit.kql.diagnostics import suggestion
from toolkit.kql.functions import registry
from toolkit.kql.functions.registry import Function, Parameter, Signature
from toolkit.kql.source import Span
from toolkit.kql.types import DECLARABLE, TYPEOF_NAMES, ScalarType

LONG, REAL, STRING, DYNAMIC = ScalarType.LONG, ScalarType.REAL, ScalarType.STRING, ScalarType.DYNAMIC


@dataclass(frozen=True)
class PluginCall:
    """A plugin with bound arguments, by parameter name in order; `named` are those written as name = value."""

    operator: syntax.Evaluate
    name: str
    rel: plan.Rel
    values: Mapping[str, Sequence[plan.Expr]]
    tables: Mapping[str, plan.Rel]
    named: Mapping[str, plan.Expr]
    aggregates: Sequence[tuple[plan.Column, plan.AggregateCall]] = ()

    @property
    def span(self) -> Span:
        return self.operator.span

    def value(self, parameter: str) -> plan.Expr | None:
        """The argument of a parameter that takes one; None when it was left out."""
        found = self.values.get(parameter, ())
        return found[0] if found else self.named.get(parameter)

    def columns(self, *parameters: str) -> list[plan.Column]:
        """The columns given for these parameters, in order."""
        found = [value for parameter in parameters for value in self.values.get(parameter, ())]
        return [value.column for value in found if isinstance(value, plan.Ref)]


Plugin = Callable[[Binder, PluginCall], plan.Rel]
PLUGINS: dict[str, Plugin] = {}


def plugin(*names: str) -> Callable[[Plugin], Plugin]:
    """Decorator: what a plugin with correct arguments gives."""

    def register(bind: Plugin) -> Plugin:
        PLUGINS.update(dict.fromkeys(names, bind))
        return bind

    return register


@handles(syntax.Evaluate)
def _evaluate(b: Binder, operator: syntax.Evaluate, rel: plan.Rel, scope: Scope) -> plan.Rel:
    name = operator.call.name.text
    function = registry.find_plugin(name)
    if function is None:
        hints = suggestion(name, registry.names("plugin"))
        b.report("unknown-plugin", f"The plugin '{name}' is not defined.", operator.call.name.span, alias="KS124", hints=hints)
        return nothing(b)
    call = _arguments(b, function, operator, rel, scope)
    if call is None:
        return nothing(b)
    if _meets_columns(call):
        return refused(b, call, visible(rel.columns), "the columns of its input are not known before it runs")
    bind = PLUGINS.get(name) if operator.schema is None or name in _WITH_SCHEMA else None
    if bind is None and name in PLUGINS:
        return refused(b, call, _declared_columns(b, call), "an output schema is not documented for it")
    return (
        bind(b, call) if bind is not None else refused(b, call, _declared_columns(b, call), REASONS.get(name, "it is not implemented yet"))
    )


def _meets_columns(call: PluginCall) -> bool:
    """Whether an argument names a column that its open input has not got yet: the call is bound again with it (see opening.py)."""
    known = {column.id for rel in (call.rel, *call.tables.values()) for column in rel.columns}
    known |= {column.id for column, _ in call.aggregates}
    values = [value for found in call.values.values() for value in found] if is_open(call.rel) else []
    return any(part.column.id not in known for value in values for part in plan.subexpressions(value) if isinstance(part, plan.Ref))


# Plugins that take an output schema, of those that run.
_WITH_SCHEMA = frozenset({"bag_unpack", "pivot"})


@sources(syntax.Evaluate)
def _evaluate_source(b: Binder, operator: syntax.Evaluate, scope: Scope) -> plan.Rel:
    return _evaluate(b, operator, plan.Values((), ((),)), scope)


def refused(b: Binder, call: PluginCall, columns: Sequence[plan.Column], reason: str) -> plan.Rel:
    """A plugin whose columns are known and that is not run; without any columns they are open."""
    kept = tuple(columns) or (b.column(OPEN, ScalarType.UNKNOWN),)
    return plan.Unsupported(f"plugin '{call.name}'", reason, (call.rel,), kept, call.span)


_HEURISTIC = "its answer is a heuristic that only the service computes"
_EXTERNAL = "it reaches another service or runs code there"
# Plugins that are never run, and why.
REASONS = {
    **dict.fromkeys(("autocluster", "diffpatterns", "diffpatterns_text"), _HEURISTIC),
    "basket": "it samples the rows, and which patterns it leaves out, and their order, is not documented",
    "funnel_sequence": "which neighbouring states it passes over, and how it orders states of one time, is not documented",
    **dict.fromkeys(("identity", "identity_v3", "estimate_rows_count"), "what it does is not documented"),
    **dict.fromkeys(
        (
            "ai_chat_completion", "ai_chat_completion_prompt", "ai_embed_text", "ai_embeddings", "azure_digital_twins_query_request",
            "cosmosdb_sql_request", "csharp", "dax_request", "execute_query", "execute_show_command", "external_datatable", "http_request",
            "http_request_post", "infer_storage_schema", "infer_storage_schema_with_suggestions", "mysql_request", "postgresql_request",
            "python", "r", "sql_request",
        ),
        _EXTERNAL,
    ),
}  # fmt: skip


def _declared_columns(b: Binder, call: PluginCall) -> list[plan.Column]:
    """The columns of an output schema that the query or the plugin declares."""
    schema = call.operator.schema
    if schema is not None:
        declared = [(column.name.text, DECLARABLE.get(column.type or "string", STRING)) for column in schema.columns]
        return [*(visible(call.rel.columns) if schema.open else ()), *(b.column(name, kind) for name, kind in declared)]
    function = registry.find_plugin(call.name)
    returns = function.signatures[0].returns if function is not None else ""
    if not returns.startswith("("):
        return []
    pairs = (part.split(":") for part in returns.strip("()").split("/"))
    return [b.column(name, ScalarType(kind)) for name, kind in pairs]


# --- arguments ------------------------------------------------------------------------------------------------------


def _arguments(b: Binder, function: Function, operator: syntax.Evaluate, rel: plan.Rel, scope: Scope) -> PluginCall | None:
    """The arguments by parameter; None after a finding about one."""
    written = operator.call.arguments
    named_nodes = {node.names[0].text: node.value for node in written if isinstance(node, syntax.Named) and node.names}
    named_nodes |= {node.name.text: node.value for node in written if isinstance(node, syntax.NamedArgument)}
    if function.name == "sequence_detect":
        named_nodes = {}
    positional = [node for node in written if named_nodes == {} or not isinstance(node, (syntax.Named, syntax.NamedArgument))]
    if function.name in ("ipv4_lookup", "ipv6_lookup") and positional and _is_bool(positional[-1]):
        named_nodes["return_unmatched"] = positional.pop()
    if function.name == "bag_unpack" and len(positional) > 2:
        named_nodes |= dict(zip(("columnsConflict", "ignoredProperties"), positional[2:], strict=False))
        positional = positional[:2]
    signature = _signature(b, function, operator, len(positional), named_nodes)
    if signature is None:
        return None
    rows = scope.with_rows(rel.columns)
    reader = _Reader(b, function, rows, scope.without_rows())
    values: dict[str, list[plan.Expr]] = {}
    for index, node in enumerate(positional):
        if function.name == "sequence_detect" and index >= _STEPS_FROM:
            taken = reader.read_step(signature, node, values)
        else:
            parameter = signature.parameter_for(index, len(positional))
            if function.name == "new_activity_metrics" and index > signature.parameters.index(_named(signature, "Window")):
                parameter = _named(function.signatures[-1], _optional_part(b, node, index == len(positional) - 1, values, rows))
            taken = parameter is not None and reader.read(parameter, node, values)
        if not taken:
            return None
    named = {name: bind_scalar(b, node, rows) for name, node in named_nodes.items()}
    return PluginCall(operator, function.name, rel, values, reader.tables, named, tuple(reader.aggregates))


# The first argument of sequence_detect that may be a step of the sequence.
_STEPS_FROM = 3


def _named(signature: Signature, name: str) -> Parameter:
    return next(parameter for parameter in signature.parameters if parameter.name == name)


def _optional_part(b: Binder, node: syntax.Node, last: bool, values: Mapping[str, Sequence[plan.Expr]], rows: Scope) -> str:
    """What an argument behind the window of new_activity_metrics is: a cohort is no column and comes first, a look-back last."""
    if not (values.get("Cohort") or values.get("Dimension")) and not _is_column(node, rows):
        return "Cohort"
    return "lookback" if last and is_tabular(b, node, rows.without_rows()) else "Dimension"


def _is_column(node: syntax.Node, rows: Scope) -> bool:
    return isinstance(node, syntax.NameRef) and (rows.open or node.name in (rows.columns or {}))


def _is_bool(node: syntax.Node) -> bool:
    return isinstance(node, syntax.Literal) and node.kind == "bool"


def _signature(b: Binder, function: Function, operator: syntax.Evaluate, count: int, named: Mapping[str, syntax.Node]) -> Signature | None:
    """The overload for so many positional arguments; the required ones among the named count."""
    for signature in function.signatures:
        given = sum(1 for parameter in signature.parameters if parameter.name in named and parameter.minimum)
        if signature.minimum - given <= count <= signature.maximum:
            return signature
    wanted = str(function.minimum) if function.minimum == function.maximum else f"at least {function.minimum}"
    message = f"The plugin '{function.name}' expects {wanted} arguments, found {count + len(named)}."
    b.report("argument-count", message, operator.call.span, alias="KS119")
    return None


class _Reader:
    """Binds arguments one by one: what a later one may name depends on the tables before it."""

    def __init__(self, b: Binder, function: Function, rows: Scope, outside: Scope) -> None:
        self._b, self._function, self._rows, self._outside = b, function, rows, outside
        self.tables: dict[str, plan.Rel] = {}
        self.aggregates: list[tuple[plan.Column, plan.AggregateCall]] = []

    def read(self, parameter: Parameter, node: syntax.Node, values: dict[str, list[plan.Expr]]) -> bool:
        """Whether the argument is right; it is then among `values` or `tables`."""
        if "Tabular" in parameter.kinds:
            self.tables[parameter.name] = bind_tabular(self._b, node, self._outside)
            return True
        return self._take(parameter, self._value(parameter, node), node, values)

    def read_step(self, signature: Signature, node: syntax.Node, values: dict[str, list[plan.Expr]]) -> bool:
        """The conditions of sequence_detect come first; its dimensions begin where an argument is no bool."""
        value = bind_scalar(self._b, node.value if isinstance(node, syntax.Named) else node, self._rows)
        is_step = "Expr" not in values or ("Dimension" not in values and value.type is ScalarType.BOOL)
        return self._take(_named(signature, "Expr" if is_step else "Dimension"), value, node, values)

    def _take(self, parameter: Parameter, value: plan.Expr, node: syntax.Node, values: dict[str, list[plan.Expr]]) -> bool:
        if parameter.argument.startswith("Column") and not isinstance(value, plan.Ref):
            if value.type is not ScalarType.UNKNOWN:
                self._b.report("column-expected", "Expected a column name.", node.span, alias="KS109")
            return False
        values.setdefault(parameter.name, []).append(value)
        return self._fits(parameter, value, node)

    def _value(self, parameter: Parameter, node: syntax.Node) -> plan.Expr:
        if "Parameter0" in parameter.argument:
            name, table = next(iter(self.tables.items()))
            value = bind_scalar(self._b, node, self._rows.with_rows(table.columns))
            if isinstance(value, plan.Ref) and is_open(table) and value.column not in table.columns:
                self.tables[name] = opened(self._b, table, value.column)
            return value
        if parameter.argument != "Aggregate":
            return bind_scalar(self._b, node.value if isinstance(node, syntax.Named) else node, self._rows)
        collector = AggregateCollector(self._rows)
        outer, self._b.collector = self._b.collector, collector
        try:
            return bind_scalar(self._b, node, self._outside)
        finally:
            self._b.collector = outer
            self.aggregates = collector.calls

    def _fits(self, parameter: Parameter, value: plan.Expr, node: syntax.Node) -> bool:
        if parameter.argument in ("Constant", "Literal", "LiteralNotEmpty") and not is_constant(value):
            message = f"The argument '{parameter.name}' of '{self._function.name}' must be a constant."
            self._b.report("constant-expected", message, node.span, alias="KS129")
            return False
        if parameter.argument == "LiteralNotEmpty" and isinstance(value, plan.Const) and value.value == "":
            message = f"The argument '{parameter.name}' of '{self._function.name}' must not be empty."
            self._b.report("empty-literal", message, node.span, alias="KS131")
            return False
        if registry.fit(parameter, value.type) == registry.NO and not _is_calendar_step(parameter, value):
            wanted, alias = EXPECTED.get(parameter.kinds[0], ("", "KS107")) if parameter.kinds != ("string",) else ("", "KS107")
            message = f"The argument '{parameter.name}' of '{self._function.name}' does not take {value.type}"
            message += f", but {wanted}." if wanted else "."
            self._b.report("argument-type", message, node.span, alias=alias)
            return False
        return True


def _is_calendar_step(parameter: Parameter, value: plan.Expr) -> bool:
    """The plugins for user analytics document week, month and year, which the analyzer does not know of."""
    return parameter.name == "Step" and isinstance(value, plan.Const) and value.value in ("week", "month", "year")


# --- plugins whose columns are known --------------------------------------------------------------------------------


@plugin("autocluster", "basket")
def _clusters(b: Binder, call: PluginCall) -> plan.Rel:
    """basket: the documentation's answer holds the closed patterns only, in an order of its own; neither is said."""
    made = [b.column("SegmentId", LONG), b.column("Count", LONG), b.column("Percent", REAL)]
    return refused(b, call, [*made, *visible(call.rel.columns)], REASONS[call.name])


@plugin("diffpatterns")
def _differences(b: Binder, call: PluginCall) -> plan.Rel:
    kinds = {"SegmentId": LONG, "CountA": LONG, "CountB": LONG, "PercentA": REAL, "PercentB": REAL, "PercentDiffAB": REAL}
    return refused(b, call, [*(b.column(name, kind) for name, kind in kinds.items()), *visible(call.rel.columns)], _HEURISTIC)


@plugin("python", "r", "csharp")
def _code(b: Binder, call: PluginCall) -> plan.Rel:
    """The columns of typeof(...), as far as its text shows them."""
    node = call.operator.call.arguments[0]
    text = node.text if isinstance(node, syntax.Literal) else ""
    inside = text[text.find("(") + 1 : text.rfind(")")]
    columns: list[plan.Column] = []
    for part in filter(None, (piece.strip() for piece in inside.split(","))):
        name, _, kind = (side.strip() for side in part.partition(":"))
        columns += visible(call.rel.columns) if name == "*" else [b.column(name.strip("[]'\""), TYPEOF_NAMES.get(kind, ScalarType.UNKNOWN))]
    return refused(b, call, columns, _EXTERNAL)


@plugin("identity", "identity_v3")
def _identity(b: Binder, call: PluginCall) -> plan.Rel:
    return refused(b, call, visible(call.rel.columns), REASONS[call.name])
