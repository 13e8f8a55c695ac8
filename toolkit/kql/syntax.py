"""The syntax tree of KQL: what was written, before any name has a meaning.

Every node is a frozen value. `span` is its place in the text and never takes part in equality, so that
parse(print(tree)) == tree can be stated at all. Keyword spellings with the same meaning (filter/where, limit/take,
order/sort, iif ...) are one node; operator names keep their spelling where the spelling is the meaning (`in~`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Union

from toolkit.kql.source import NOWHERE, Span


@dataclass(frozen=True, slots=True)
class Node:
    """The root of all syntax. Positional fields of a subclass come before `span`, which is keyword-only."""

    span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)

    def children(self) -> Iterator[Node]:
        """The nodes directly below this one, in the order of their fields."""
        for part in fields(self):
            value = getattr(self, part.name)
            if isinstance(value, Node):
                yield value
            elif isinstance(value, tuple):
                yield from _nodes(value)


def _nodes(values: tuple[object, ...]) -> Iterator[Node]:
    for value in values:
        if isinstance(value, Node):
            yield value
        elif isinstance(value, tuple):
            yield from _nodes(value)


# --- names, literals and expressions --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Name(Node):
    """A declared or referenced name, unescaped; `['a b']` and `a` differ only in text."""

    text: str


@dataclass(frozen=True, slots=True)
class Wildcard(Node):
    """A name pattern with `*`: `T*`, `*_s`, or `*` alone, wherever the grammar takes patterns."""

    pattern: str


@dataclass(frozen=True, slots=True)
class Missing(Node):
    """Stands where an expression was required and none was found; a diagnostic says so."""


@dataclass(frozen=True, slots=True)
class Literal(Node):
    """A literal of any type.

    `kind` is a KQL type name, or "type" for typeof(T). `text` is the source spelling (adjacent strings joined by one
    blank); it alone is compared. `value`: str, bool, int, float, Decimal, int ticks of 100 ns for datetime (since
    0001-01-01) and timespan, canonical lower-case text for guid, JSON text (compact, R-021) for dynamic, None for null.
    """

    kind: str
    text: str
    value: object = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class NameRef(Node):
    """A bare name in an expression: a column, variable, table or function without arguments; also `$left`."""

    name: str


@dataclass(frozen=True, slots=True)
class Star(Node):
    """`*` as an argument or item: count(*), arg_max(t, *), distinct *, search *, `* has "x"`."""


@dataclass(frozen=True, slots=True)
class Paren(Node):
    """A parenthesised scalar expression, kept because a printer must not lose it."""

    inner: Expr


@dataclass(frozen=True, slots=True)
class Path(Node):
    """`base.member`; for a call member (`workspace("w").T`, `database("d").f(1)`) see `member` being a Call."""

    base: Expr
    member: Name | Call | Wildcard


@dataclass(frozen=True, slots=True)
class Index(Node):
    """`base[index]`. `a["x"]` and `a.x` are different nodes with one meaning."""

    base: Expr
    index: Expr


@dataclass(frozen=True, slots=True)
class Unary(Node):
    """`-x` or `+x`."""

    operator: str
    operand: Expr


@dataclass(frozen=True, slots=True)
class Binary(Node):
    """Any two-operand operator by its canonical spelling: `and`, `==`, `=~`, `!has_cs`, `matches regex`, `+`, `<>`→`!=` ...

    `operator_span` is the place of the operator itself, for diagnostics.
    """

    operator: str
    left: Expr
    right: Expr
    operator_span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Between(Node):
    """`value between (low .. high)`, or `!between` when negated."""

    value: Expr
    low: Expr
    high: Expr
    negated: bool = False


@dataclass(frozen=True, slots=True)
class In(Node):
    """Membership with a parenthesised list: `in`, `!in`, `in~`, `!in~`, `has_any`, `has_all`.

    An item may be a tabular expression (Pipeline); a bare name may turn out to be tabular when bound.
    """

    operator: str
    value: Expr
    items: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class NamedArgument(Node):
    """`name = value` inside a call's parentheses."""

    name: Name
    value: Expr


@dataclass(frozen=True, slots=True)
class Call(Node):
    """`f(a, b)`. `toscalar`, `materialize`, `view`-less user functions, aggregates and plugins all look like this."""

    name: Name
    arguments: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class ToScalar(Node):
    """`toscalar [kind=nooptimization] (pipeline)`."""

    body: Expr
    parameters: tuple[Parameter, ...] = ()


@dataclass(frozen=True, slots=True)
class ToTable(Node):
    """`totable [kind=...] (pipeline)`."""

    body: Expr
    parameters: tuple[Parameter, ...] = ()


@dataclass(frozen=True, slots=True)
class Named(Node):
    """An item of project, extend, summarize (also after `by`), print, distinct, serialize, project-rename, make-series, reduce
    and graph projections: `name = expr`, `(a, b) = expr`, or `expr` alone with no names. `tuple_form` tells `(a) =` from `a =`.

    Items of those operators are always Named, except for Star; call arguments are NamedArgument or the bare expression."""

    names: tuple[Name, ...]
    value: Expr
    tuple_form: bool = False


@dataclass(frozen=True, slots=True)
class ColumnDecl(Node):
    """`name: type` of a schema; `type` is the written type name, or None where the grammar lets it out."""

    name: Name
    type: str | None


@dataclass(frozen=True, slots=True)
class Schema(Node):
    """`(a: string, b: long)`, `(*)`, `(*, a: long)`; parameters of tabular arguments, bag_unpack output, assert-schema."""

    columns: tuple[ColumnDecl, ...]
    open: bool = False


@dataclass(frozen=True, slots=True)
class Parameter(Node):
    """An operator's option `name = value`: kind=inner, hint.strategy=shuffle, withsource=T, isfuzzy=true.

    Words are NameRef, everything else the expression as written.
    """

    name: str
    value: Expr


@dataclass(frozen=True, slots=True)
class ColumnList(Node):
    """Several columns as the value of one option: `ycolumns = a, b` of render."""

    columns: tuple[NameRef, ...]


@dataclass(frozen=True, slots=True)
class InlineExternalTable(Node):
    """`inline_external_table (schema) kind=storage [partition by ...] dataformat=csv (uris) [with (properties)]`.

    Clauses other than the schema are kept as text, because nothing in a workspace can read them.
    """

    schema: Schema | None
    text: str


@dataclass(frozen=True, slots=True)
class MaterializedViewCombine(Node):
    """`materialized-view-combine (name) base (t) delta (t) aggregations (summarize ...)`, which only the service writes."""

    name: Expr
    base: Expr
    delta: Expr
    aggregations: Operator


@dataclass(frozen=True, slots=True)
class ContextualDataTable(Node):
    """`__contextual_datatable guid (schema)`, which only the service writes."""

    id: Expr
    schema: Schema


@dataclass(frozen=True, slots=True)
class DataTable(Node):
    """`datatable (schema) [ values ]`."""

    schema: Schema
    values: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class ExternalData(Node):
    """`externaldata (schema) [ uris ] with (properties)`; also `external_data`, `inline_external_table` words."""

    schema: Schema
    uris: tuple[Expr, ...]
    properties: tuple[Parameter, ...] = ()
    parameters: tuple[Parameter, ...] = ()


@dataclass(frozen=True, slots=True)
class Pipeline(Node):
    """A tabular expression: a source and the operators applied to it.

    `source` is an expression (table name, call, path, datatable, parenthesised pipeline) or one of the operators that
    need no input (print, range, union, search, find, evaluate ...). A Pipeline in parentheses has `parenthesised`.
    """

    source: Expr | Operator
    operators: tuple[Operator, ...] = ()
    parenthesised: bool = False


@dataclass(frozen=True, slots=True)
class Input(Node):
    """The source of a subquery that is written without one: the rows that mv-apply, partition, fork, facet or make-graph
    hand to it. Never in the text; a Pipeline whose source is Input prints its operators only."""


@dataclass(frozen=True, slots=True)
class FunctionParameter(Node):
    """`name: type [= default]` or `name: (schema)`; `type` is a type name or a Schema."""

    name: Name
    type: str | Schema
    default: Expr | None = None


@dataclass(frozen=True, slots=True)
class FunctionDecl(Node):
    """`[view] (parameters) { statements; body }`; body is None for an empty one (refused when bound)."""

    parameters: tuple[FunctionParameter, ...]
    statements: tuple[Statement, ...]
    body: Expr | None
    view: bool = False


# --- operators ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Operator(Node):
    """One step of a pipeline. `parameters` are the `name=value` options after the operator's word."""

    parameters: tuple[Parameter, ...] = field(default=(), kw_only=True)


@dataclass(frozen=True, slots=True)
class BadOperator(Operator):
    """An operator that could not be parsed; its text is skipped up to the next `|`."""

    text: str


@dataclass(frozen=True, slots=True)
class OrderKey(Node):
    """`expr [asc|desc] [nulls first|last]`; None where not written. `granny_asc` etc. in project-reorder."""

    value: Expr
    direction: str | None = None
    nulls: str | None = None


@dataclass(frozen=True, slots=True)
class Where(Operator):
    predicate: Expr


@dataclass(frozen=True, slots=True)
class Extend(Operator):
    items: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Project(Operator):
    items: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class ProjectAway(Operator):
    patterns: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class ProjectKeep(Operator):
    patterns: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class ProjectRename(Operator):
    items: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class ProjectReorder(Operator):
    items: tuple[OrderKey, ...]


@dataclass(frozen=True, slots=True)
class ProjectByNames(Operator):
    items: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Summarize(Operator):
    """`by` is None when the word is absent; `bin_size` holds the old `by bin = ...` form where it is accepted."""

    aggregates: tuple[Expr, ...]
    by: tuple[Expr, ...] | None = None
    bin_size: Expr | None = None


@dataclass(frozen=True, slots=True)
class Distinct(Operator):
    items: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Sort(Operator):
    keys: tuple[OrderKey, ...]


@dataclass(frozen=True, slots=True)
class Top(Operator):
    count: Expr
    key: OrderKey


@dataclass(frozen=True, slots=True)
class Take(Operator):
    count: Expr


@dataclass(frozen=True, slots=True)
class Count(Operator):
    """`count [as name]`."""

    name: Name | None = None


@dataclass(frozen=True, slots=True)
class Join(Operator):
    """`join kind=... (right) on conditions [where predicate]`."""

    right: Expr
    on: tuple[Expr, ...] = ()
    where: Expr | None = None


@dataclass(frozen=True, slots=True)
class Lookup(Operator):
    right: Expr
    on: tuple[Expr, ...] = ()


@dataclass(frozen=True, slots=True)
class Union_(Operator):
    """`union` with its legs: names, wildcards, calls, parenthesised pipelines."""

    tables: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class ExpandItem(Node):
    """`[name =] expr [to typeof(T)]` of mv-expand and mv-apply."""

    name: Name | None
    value: Expr
    to_type: str | None = None


@dataclass(frozen=True, slots=True)
class MvExpand(Operator):
    """`mv-expand items [limit n]`; `obsolete` for the spelling `mvexpand`, which has another limit (R-099)."""

    items: tuple[ExpandItem, ...]
    limit: Expr | None = None
    obsolete: bool = False


@dataclass(frozen=True, slots=True)
class MvApply(Operator):
    items: tuple[ExpandItem, ...]
    body: Expr
    limit: Expr | None = None
    id: Expr | None = None


@dataclass(frozen=True, slots=True)
class ParseColumn(Node):
    """`name [: type]` between the texts of a parse pattern."""

    name: Name
    type: str | None = None


@dataclass(frozen=True, slots=True)
class Parse(Operator):
    """`parse [kind=..] [flags=..] expr with pattern`; pattern parts are Star, Literal (string) and ParseColumn."""

    value: Expr
    pattern: tuple[Expr, ...]
    where: bool = False


@dataclass(frozen=True, slots=True)
class ParseKv(Operator):
    value: Expr
    schema: Schema
    properties: tuple[Parameter, ...] = ()


@dataclass(frozen=True, slots=True)
class SeriesAggregate(Node):
    """`[name =] aggregate [default = value]` of make-series."""

    value: Expr
    default: Expr | None = None


@dataclass(frozen=True, slots=True)
class MakeSeries(Operator):
    """`make-series aggs on axis [from a] [to b] step s [by keys]`, or `in range(a, b, s)` as `in_range`."""

    aggregates: tuple[SeriesAggregate, ...]
    axis: Expr
    start: Expr | None = None
    stop: Expr | None = None
    step: Expr | None = None
    in_range: tuple[Expr, ...] | None = None
    by: tuple[Expr, ...] | None = None


@dataclass(frozen=True, slots=True)
class Print(Operator):
    items: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Range(Operator):
    name: Name
    start: Expr
    stop: Expr
    step: Expr


@dataclass(frozen=True, slots=True)
class Render(Operator):
    """`render kind [kind=stacked ...] [with (name=value, ...)]`."""

    chart: str
    properties: tuple[Parameter, ...] = ()


@dataclass(frozen=True, slots=True)
class Serialize(Operator):
    items: tuple[Expr, ...] = ()


@dataclass(frozen=True, slots=True)
class Sample(Operator):
    count: Expr


@dataclass(frozen=True, slots=True)
class SampleDistinct(Operator):
    count: Expr
    of: Expr


@dataclass(frozen=True, slots=True)
class TopNestedLevel(Node):
    """`top-nested [n] of expr [with others = e] by aggregate [asc|desc]`."""

    count: Expr | None
    of: Expr
    others: Expr | None
    by: OrderKey


@dataclass(frozen=True, slots=True)
class TopNested(Operator):
    levels: tuple[TopNestedLevel, ...]


@dataclass(frozen=True, slots=True)
class TopHitters(Operator):
    count: Expr
    of: Expr
    by: Expr | None = None


@dataclass(frozen=True, slots=True)
class Reduce(Operator):
    by: Expr
    properties: tuple[Parameter, ...] = ()


@dataclass(frozen=True, slots=True)
class Evaluate(Operator):
    """`evaluate plugin(args) [: schema]`."""

    call: Call
    schema: Schema | None = None


@dataclass(frozen=True, slots=True)
class Invoke(Operator):
    call: Expr


@dataclass(frozen=True, slots=True)
class As(Operator):
    name: Name


@dataclass(frozen=True, slots=True)
class Consume(Operator):
    pass


@dataclass(frozen=True, slots=True)
class GetSchema(Operator):
    pass


@dataclass(frozen=True, slots=True)
class ExecuteAndCache(Operator):
    pass


@dataclass(frozen=True, slots=True)
class AssertSchema(Operator):
    schema: Schema


@dataclass(frozen=True, slots=True)
class ForkBranch(Node):
    name: Name | None
    body: Expr


@dataclass(frozen=True, slots=True)
class Fork(Operator):
    branches: tuple[ForkBranch, ...]


@dataclass(frozen=True, slots=True)
class Facet(Operator):
    columns: tuple[Expr, ...]
    body: Expr | None = None


@dataclass(frozen=True, slots=True)
class Partition(Operator):
    """`partition by c [in scope] ( subquery )` or `{ pipeline }` (`own_source`)."""

    by: Expr
    body: Expr
    own_source: bool = False
    scope: Expr | None = None


@dataclass(frozen=True, slots=True)
class PartitionBy(Operator):
    """`__partitionby c [id guid] ( subquery )`, which only the service writes."""

    by: Expr
    body: Expr
    id: Expr | None = None


@dataclass(frozen=True, slots=True)
class Search(Operator):
    tables: tuple[Expr, ...]
    predicate: Expr


@dataclass(frozen=True, slots=True)
class Find(Operator):
    """`find [in (tables)] [where] predicate [project columns | project-smart | project-away ...]`."""

    tables: tuple[Expr, ...]
    predicate: Expr
    project: tuple[Expr, ...] | None = None
    project_away: tuple[Expr, ...] | None = None
    smart: bool = False


@dataclass(frozen=True, slots=True)
class ScanStep(Node):
    """`step name [optional] [output=...] : condition => a = x, b = y;`."""

    name: Name
    condition: Expr
    assignments: tuple[Expr, ...] = ()
    optional: bool = False
    output: str | None = None


@dataclass(frozen=True, slots=True)
class Scan(Operator):
    """`scan [with_match_id=m] [order by ...] [partition by ...] [declare (a: long = 0)] with ( steps )`."""

    declare: tuple[FunctionParameter, ...]
    steps: tuple[ScanStep, ...]
    order: tuple[OrderKey, ...] = ()
    partition: tuple[Expr, ...] = ()


@dataclass(frozen=True, slots=True)
class MacroExpand(Operator):
    """`macro-expand [options] group as X ( statements; pipeline )`."""

    group: Expr
    scope: Name | None
    statements: tuple[Statement, ...]
    body: Expr


@dataclass(frozen=True, slots=True)
class EntityGroup(Node):
    """`entity_group [ cluster('c').database('d'), ... ]`."""

    entities: tuple[Expr, ...]


# --- graph operators ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MakeGraph(Operator):
    """`make-graph src --> dst [with nodes on id [, nodes2 on id2]] [with_node_id = n] [partitioned-by c ( ... )]`."""

    source_column: Expr
    target_column: Expr
    directed: bool = True
    nodes: tuple[tuple[Expr, Expr], ...] = ()
    partitioned_by: Expr | None = None
    body: Expr | None = None
    node_id: Name | None = None


@dataclass(frozen=True, slots=True)
class GraphNode(Node):
    """`(name)`; an unnamed node has None."""

    name: Name | None


@dataclass(frozen=True, slots=True)
class GraphEdge(Node):
    """`-[name*min..max]->`, `<-[...]-`, `-[...]-`, `-->`, `<--`, `--`; `direction` is "out", "in" or "any"."""

    name: Name | None
    direction: str
    low: Expr | None = None
    high: Expr | None = None


@dataclass(frozen=True, slots=True)
class GraphMatch(Operator):
    patterns: tuple[tuple[Node, ...], ...]
    where: Expr | None = None
    project: tuple[Expr, ...] | None = None


@dataclass(frozen=True, slots=True)
class GraphShortestPaths(Operator):
    patterns: tuple[tuple[Node, ...], ...]
    where: Expr | None = None
    project: tuple[Expr, ...] | None = None


@dataclass(frozen=True, slots=True)
class GraphToTable(Operator):
    """`graph-to-table nodes [as N] [with_node_id=..], edges [as E] [...]`; one part per output."""

    parts: tuple[GraphOutput, ...]


@dataclass(frozen=True, slots=True)
class GraphOutput(Node):
    what: str
    name: Name | None = None
    options: tuple[Parameter, ...] = ()


@dataclass(frozen=True, slots=True)
class GraphMarkComponents(Operator):
    pass


@dataclass(frozen=True, slots=True)
class GraphWhere(Operator):
    """`graph-where-nodes` / `graph-where-edges`; `what` is "nodes" or "edges"."""

    what: str
    predicate: Expr


# --- statements -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Statement(Node):
    pass


@dataclass(frozen=True, slots=True)
class Let(Statement):
    """`let name = value`: a scalar, a tabular expression or a FunctionDecl."""

    name: Name
    value: Expr


@dataclass(frozen=True, slots=True)
class SetOption(Statement):
    name: str
    value: Expr | None = None


@dataclass(frozen=True, slots=True)
class Alias(Statement):
    """`alias database name = expr`."""

    name: Name
    value: Expr


@dataclass(frozen=True, slots=True)
class DeclareParameters(Statement):
    parameters: tuple[FunctionParameter, ...]


@dataclass(frozen=True, slots=True)
class PatternMatch(Node):
    """`("a", "b") = { pipeline }` or with `.["path"]` before the equals sign."""

    arguments: tuple[Expr, ...]
    path: Expr | None
    statements: tuple[Statement, ...]
    body: Expr | None


@dataclass(frozen=True, slots=True)
class DeclarePattern(Statement):
    name: Name
    parameters: tuple[FunctionParameter, ...] = ()
    path: FunctionParameter | None = None
    matches: tuple[PatternMatch, ...] = ()


@dataclass(frozen=True, slots=True)
class Restrict(Statement):
    """`restrict access to (entities) [with (properties)]`."""

    entities: tuple[Expr, ...]
    properties: tuple[Parameter, ...] = ()


@dataclass(frozen=True, slots=True)
class QueryStatement(Statement):
    """A tabular (or, inside functions, scalar) expression that yields a result."""

    value: Expr


@dataclass(frozen=True, slots=True)
class Query(Node):
    """A whole query text: its statements in order. The last QueryStatement is the result."""

    statements: tuple[Statement, ...]


Expr = Union[
    Missing,
    Literal,
    NameRef,
    Star,
    Wildcard,
    Paren,
    Path,
    Index,
    Unary,
    Binary,
    Between,
    In,
    NamedArgument,
    Call,
    ToScalar,
    ToTable,
    Named,
    DataTable,
    ExternalData,
    Input,
    ColumnList,
    InlineExternalTable,
    MaterializedViewCombine,
    ContextualDataTable,
    EntityGroup,
    ParseColumn,
    ColumnDecl,
    FunctionDecl,
    Pipeline,
]
"""Whatever may stand where an expression is expected; the binder says which of them make sense where."""
