"""The bound plan: what a query means, with every name resolved and every expression typed, and no trace of SQL.

A column is known by its `id`, unique in one plan; its name is only for people (KQL's names are case-sensitive, an
engine's often are not). Renaming, dropping and reordering columns costs nothing: `Narrow` lists ids under new names.
The binder writes every implicit conversion out as a call, so an engine never has to guess a type.

Expressions: values of literals are as in `syntax.Literal.value`. Operators are calls named by their spelling ("==",
"and", "has", "in~"); functions by their canonical name (aliases are resolved: `pack` is `bag_pack`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Union

from toolkit.kql.source import NOWHERE, Span
from toolkit.kql.types import ScalarType


@dataclass(frozen=True, slots=True)
class Column:
    id: int
    name: str
    type: ScalarType


# --- expressions ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Const:
    """A value; None is the typed null (never of type string: R-020). dynamic: compact JSON text."""

    value: object
    type: ScalarType
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Ref:
    column: Column
    span: Span = field(default=NOWHERE, compare=False, repr=False)

    @property
    def type(self) -> ScalarType:
        return self.column.type


@dataclass(frozen=True, slots=True)
class Call:
    """A scalar function or operator. `span` is the place to point at when an engine cannot run it."""

    name: str
    args: tuple[Expr, ...]
    type: ScalarType
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class DynamicPath:
    """Member and element access on a dynamic: `steps` are member names (str), indices (int) or dynamic expressions.

    Chains are collapsed: d.a["b"][0] is one path with steps ("a", "b", 0).
    """

    base: Expr
    steps: tuple[str | int | Expr, ...]
    span: Span = field(default=NOWHERE, compare=False, repr=False)
    type: ScalarType = ScalarType.DYNAMIC


@dataclass(frozen=True, slots=True)
class Now:
    """The query's one instant (R-183)."""

    span: Span = field(default=NOWHERE, compare=False, repr=False)
    type: ScalarType = ScalarType.DATETIME


@dataclass(frozen=True, slots=True)
class ScalarSubquery:
    """toscalar(T): first column of the first row; the type's null, or '', when T is empty (R-299, R-300)."""

    rel: Rel
    type: ScalarType
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class InTable:
    """`value in (T)`: membership in the first column of T. `operator`: in, !in, in~, !in~, has_any, has_all."""

    operator: str
    value: Expr
    rel: Rel
    span: Span = field(default=NOWHERE, compare=False, repr=False)
    type: ScalarType = ScalarType.BOOL


Expr = Union[Const, Ref, Call, DynamicPath, Now, ScalarSubquery, InTable]


@dataclass(frozen=True, slots=True)
class AggregateCall:
    """An aggregate over the rows of a group. Predicated forms (countif, sumif, make_set_if) keep their own names."""

    name: str
    args: tuple[Expr, ...]
    type: ScalarType
    span: Span = field(default=NOWHERE, compare=False, repr=False)


# --- relations ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """The stored rows of a table. Columns that no ingested file had are null ('' for strings)."""

    table: str
    columns: tuple[Column, ...]
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True, eq=False)
class Values:
    """Rows written in the query (datatable, print): one expression per column and row, no column references."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Expr, ...], ...]


@dataclass(frozen=True, slots=True, eq=False)
class RangeRows:
    """`range x from start to stop step step` (R-213); all three share the column's type (step: timespan for datetime).

    `most`: how many steps there may be; more fail.
    """

    column: Column
    start: Expr
    stop: Expr
    step: Expr
    span: Span = NOWHERE
    most: int | None = None

    @property
    def columns(self) -> tuple[Column, ...]:
        return (self.column,)


@dataclass(frozen=True, slots=True, eq=False)
class Filter:
    """Keeps the rows whose predicate is true; null drops the row (R-050)."""

    input: Rel
    predicate: Expr

    @property
    def columns(self) -> tuple[Column, ...]:
        return self.input.columns


@dataclass(frozen=True, slots=True, eq=False)
class Extend:
    """Adds computed columns. `columns` is the visible result in order: a replaced column's id is simply not listed."""

    input: Rel
    items: tuple[tuple[Column, Expr], ...]
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Narrow:
    """The same rows with some of the columns, in another order or under other names (same ids)."""

    input: Rel
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True, eq=False)
class RowExtreme:
    """arg_max / arg_min / take_any over whole rows: one row of the group supplies all `values`.

    `kind` is "max", "min" or "any" (then `by` is None). A null `by` loses to any value; a group whose `by` is all null
    still yields a row (R-253). `by_column`, where present, receives the extreme itself.
    """

    kind: str
    by: Expr | None
    by_column: Column | None
    values: tuple[tuple[Column, Expr], ...]
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True, eq=False)
class Aggregate:
    """summarize and distinct. Without keys there is exactly one row, also for empty input (R-245).

    Expressions around aggregates are an `Extend` above; `columns` lists keys first, then results, in visible order.
    """

    input: Rel
    keys: tuple[tuple[Column, Expr], ...]
    aggregates: tuple[tuple[Column, AggregateCall], ...]
    extremes: tuple[RowExtreme, ...]
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class SortKey:
    value: Expr
    descending: bool
    nulls_first: bool


@dataclass(frozen=True, slots=True, eq=False)
class Sort:
    """Orders the rows; the order holds through row-wise operators up to the result or the next Limit (R-237, R-238)."""

    input: Rel
    keys: tuple[SortKey, ...]

    @property
    def columns(self) -> tuple[Column, ...]:
        return self.input.columns


@dataclass(frozen=True, slots=True, eq=False)
class Limit:
    """The first `count` rows of the input's order, any rows when it has none; of each `partition`, where one is given."""

    input: Rel
    count: Expr
    partition: Column | None = None

    @property
    def columns(self) -> tuple[Column, ...]:
        return self.input.columns


@dataclass(frozen=True, slots=True, eq=False)
class Serialize:
    """Gives every row a fixed place: the input's order, and one order among rows that it does not tell apart (R-244)."""

    input: Rel

    @property
    def columns(self) -> tuple[Column, ...]:
        return self.input.columns


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """Window functions over the input's order (R-268..R-273), each by its KQL name, restarting with each `partition`.

    The new columns are not among `columns`: an `Extend` or `Filter` above reads them by id.
    """

    input: Rel
    items: tuple[tuple[Column, Call], ...]
    partition: Column | None = None

    @property
    def columns(self) -> tuple[Column, ...]:
        return self.input.columns


@dataclass(frozen=True, slots=True)
class MatchStep:
    """One step of `scan`. `output`: all, last or none. `assignments` set columns that are among `MatchSteps.made`.

    `state`: what other steps read of this one, by columns of their own, each with the column of the row it remembers.
    """

    name: str
    condition: Expr
    assignments: tuple[tuple[Column, Expr], ...]
    output: str
    state: tuple[tuple[Column, Column], ...]


@dataclass(frozen=True, slots=True, eq=False)
class MatchSteps:
    """scan (R-274), restarting with each `partition`. Expressions of a step may read the state of this step and of those before it.

    `made`: the columns that steps assign, with their value in a step that does not: a constant for a declared column
    (which is also what an empty state holds), the row's own column for one whose values are replaced.
    """

    input: Rel
    steps: tuple[MatchStep, ...]
    made: tuple[tuple[Column, Expr], ...]
    match_id: Column | None
    columns: tuple[Column, ...]
    partition: Column | None = None
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True, eq=False)
class Join:
    """All kinds of join and lookup (R-219..R-230).

    `kind`: inner innerunique leftouter rightouter fullouter leftsemi rightsemi leftanti rightanti. `on` pairs an
    expression over the left columns with one over the right; null matches null (R-224). Columns of a side that may be
    missing are null there, '' for strings (R-225). No `on` at all is a cross join.
    """

    kind: str
    left: Rel
    right: Rel
    on: tuple[tuple[Expr, Expr], ...]
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True, eq=False)
class UnionLeg:
    rel: Rel
    values: tuple[Expr, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Union_:
    """All rows of all legs; each leg supplies one expression over its own columns per result column."""

    legs: tuple[UnionLeg, ...]
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class ExpandItem:
    """`column` receives the elements of `value` (dynamic), converted to the column's type when it is not dynamic."""

    column: Column
    value: Expr


@dataclass(frozen=True, slots=True, eq=False)
class Expand:
    """mv-expand (R-099..R-108): items in lockstep; `limit` rows per input row; `bags_as_pairs` for kind=array."""

    input: Rel
    items: tuple[ExpandItem, ...]
    index: Column | None
    limit: Expr | None
    bags_as_pairs: bool
    columns: tuple[Column, ...]
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class ParseText:
    """A literal text (simple, relaxed) or regular expression (regex) between captures."""

    text: str


@dataclass(frozen=True, slots=True)
class ParseStar:
    """`*`: anything."""


@dataclass(frozen=True, slots=True)
class ParseCapture:
    column: Column


ParsePart = Union[ParseText, ParseStar, ParseCapture]


@dataclass(frozen=True, slots=True, eq=False)
class Parse:
    """parse and parse-where (R-278..R-287). `kind`: simple, relaxed, regex; `flags` of regex, for example "iU"."""

    input: Rel
    value: Expr
    kind: str
    flags: str
    parts: tuple[ParsePart, ...]
    where: bool
    columns: tuple[Column, ...]
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Gather:
    """What a walk collects on its way: `value`, a column of the steps, into `column`.

    `kind`: "list" (a dynamic array of dynamic values), "all" or "any" (bool; a null condition does not hold).
    `inner`: the value belongs to the node that a step begins at; the first one, where the walk began, is left out.
    """

    column: Column
    value: Column
    kind: str
    inner: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Walk:
    """Every way over `steps` from a seed: `low` to `high` steps, each beginning at the node where the one before ended.

    `seed`: a column of `seeds`, each value once. `row`, `near`, `far`: columns of `steps`, all long and never null; the two
    directions of one edge have the same `row`. `once`: what does not repeat within a walk, "rows", "nodes" or "" (nothing).
    `passes`: a bool column of the steps that is true for all but the first. `backwards`: what is gathered is in the order
    from the end to the start.

    Results: `start`, `end`, `length`, `trail` (the rows), `inner` (the nodes between start and end) and the gathered values;
    `trail` and `inner` are lists that only the calls trail_has and trails_meet understand. `shortest`: "any" or "all" of the
    shortest walks between two nodes, instead of all walks; `low` is then at most 1 and `once` is "nodes".
    """

    seeds: Rel
    seed: Column
    steps: Rel
    row: Column
    near: Column
    far: Column
    low: int
    high: int
    once: str
    passes: Column | None
    backwards: bool
    gathers: tuple[Gather, ...]
    start: Column
    end: Column
    length: Column
    trail: Column
    inner: Column
    shortest: str = ""

    @property
    def columns(self) -> tuple[Column, ...]:
        return (self.start, self.end, self.length, self.trail, self.inner, *(gather.column for gather in self.gathers))


@dataclass(eq=False, slots=True)
class Shared:
    """A tabular expression with a name, which may be read several times; `pinned`: it is run once (materialize R-298, toscalar R-301)."""

    name: str
    rel: Rel
    pinned: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Reuse:
    """The rows of a shared expression under fresh column ids; `columns` match `shared.rel.columns` by position."""

    shared: Shared
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Unsupported:
    """A construct the plan has no form for yet. It has columns, so analysis goes on; an engine refuses it."""

    construct: str
    reason: str
    inputs: tuple[Rel, ...]
    columns: tuple[Column, ...]
    span: Span = NOWHERE


Rel = Union[
    Scan,
    Values,
    RangeRows,
    Filter,
    Extend,
    Narrow,
    Aggregate,
    Sort,
    Limit,
    Serialize,
    Window,
    MatchSteps,
    Join,
    Union_,
    Expand,
    Parse,
    Walk,
    Reuse,
    Unsupported,
]


@dataclass(frozen=True, slots=True)
class Visualization:
    """What `render` asked for: the chart's kind and its properties as written."""

    kind: str
    properties: tuple[tuple[str, object], ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One pipe step of the outermost pipeline: its place in the text and the relation after it."""

    span: Span
    rel: Rel


@dataclass(frozen=True, slots=True)
class Assertion:
    """assert(condition, message): both constants, looked at before the query runs, whether or not a row would reach the call."""

    condition: Expr
    message: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class QueryPlan:
    """A bound query: its relation, its steps from the source on, and how it asks to be drawn.

    `others`: the further results, where there are several statements, or `fork` or `facet` at the end of one (R-276,
    R-305). `name` is what fork or `as` calls the result, `span` the place that it comes from.
    """

    rel: Rel
    steps: tuple[Step, ...] = ()
    visualization: Visualization | None = None
    name: str = ""
    others: tuple[QueryPlan, ...] = ()
    span: Span = NOWHERE
    assertions: tuple[Assertion, ...] = ()

    @property
    def columns(self) -> tuple[Column, ...]:
        return self.rel.columns


def inputs(rel: Rel) -> tuple[Rel, ...]:
    """The relations directly below one, not counting those inside its expressions."""
    match rel:
        case Scan() | Values() | RangeRows():
            return ()
        case Join():
            return (rel.left, rel.right)
        case Walk():
            return (rel.seeds, rel.steps)
        case Union_():
            return tuple(leg.rel for leg in rel.legs)
        case Reuse():
            return (rel.shared.rel,)
        case Unsupported():
            return rel.inputs
        case _:
            return (rel.input,)


def subexpressions(expr: Expr) -> Iterator[Expr]:
    """The expression and everything below it, outermost first; relations inside are not entered."""
    pending = [expr]
    while pending:
        found = pending.pop()
        yield found
        match found:
            case Call(args=args):
                pending.extend(reversed(args))
            case DynamicPath(base=base, steps=steps):
                pending.extend(step for step in reversed(steps) if not isinstance(step, (str, int)))
                pending.append(base)
            case InTable(value=value):
                pending.append(value)
            case _:
                continue
