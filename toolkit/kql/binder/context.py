"""What binding needs to remember: scopes, ids of columns, findings. The binder itself is functions over `Binder`."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol, Union

from toolkit.kql import plan, syntax
from toolkit.kql.diagnostics import Diagnostic, Severity, suggestion
from toolkit.kql.discovery import Discovered
from toolkit.kql.source import NOWHERE, Span
from toolkit.kql.types import ScalarType, TableSchema

if TYPE_CHECKING:
    from toolkit.kql.binder.expansions import Trace
    from toolkit.kql.binder.graphs.patterns import PatternNames
    from toolkit.kql.binder.windows import WindowCollector

# The phantom column of an open table: while it is in scope, any column name is accepted, of unknown type.
OPEN = "*"

MAX_CALL_DEPTH = 64


@dataclass(frozen=True)
class SavedFunction:
    """A function of the workspace or the project: `parameters` as Azure writes them ("a:string, n:long = 5")."""

    name: str
    body: str
    parameters: str = ""


class Environment(Protocol):
    """The names a query may use besides its own."""

    @property
    def functions(self) -> Mapping[str, SavedFunction]: ...

    @property
    def watchlists(self) -> Mapping[str, TableSchema]: ...

    @property
    def parameters(self) -> Mapping[str, object]: ...

    @property
    def discovered(self) -> Discovered: ...

    @property
    def externals(self) -> Container[str]: ...

    @property
    def dry(self) -> bool: ...

    def table(self, name: str) -> TableSchema | None: ...

    def table_names(self) -> Iterable[str]: ...

    def has_rows(self, table: str) -> bool: ...

    def other_names(self) -> Iterable[str]: ...

    def elsewhere(self, name: str) -> Environment:
        """The names of the workspace or database that a query calls so. Raises KeyError when there is none."""
        ...


# --- what a name can mean -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ScalarBinding:
    """A scalar let, parameter or function argument: its expression is substituted at each use (R-289).

    `named` lets keep their name as the name of a result column (R-205).
    """

    value: plan.Expr
    is_parameter: bool = False


@dataclass(frozen=True, slots=True)
class TableBinding:
    shared: plan.Shared
    is_view: bool = False


@dataclass(frozen=True, slots=True)
class FunctionBinding:
    """A user function with the scope it was declared in (R-294).

    `saved` is the function of the workspace that it is; `home` the workspace of one that is saved in another.
    """

    name: str
    declaration: syntax.FunctionDecl
    scope: Scope
    saved: SavedFunction | None = None
    home: Environment | None = None


@dataclass(frozen=True, slots=True)
class HiddenBinding:
    """A table, view or function that `restrict` has left out."""


Binding = Union[ScalarBinding, TableBinding, FunctionBinding, HiddenBinding]


@dataclass(frozen=True)
class Scope:
    """Names visible at a place. Columns of the current rows win over lets, except inside scalar functions (R-292)."""

    names: Mapping[str, Binding] = field(default_factory=dict)
    parent: Scope | None = None
    columns: Mapping[str, plan.Column] | None = None
    left: Mapping[str, plan.Column] | None = None
    right: Mapping[str, plan.Column] | None = None
    open: bool = False
    # in a step of scan: what each step remembers, by the step's name and the column's
    steps: Mapping[str, Mapping[str, plan.Column]] = field(default_factory=dict)
    pattern: PatternNames | None = None

    def binding(self, name: str) -> Binding | None:
        scope: Scope | None = self
        while scope is not None:
            found = scope.names.get(name)
            if found is not None:
                return found
            scope = scope.parent
        return None

    def declared_here(self, name: str) -> bool:
        return name in self.names

    def visible_names(self) -> Iterable[str]:
        scope: Scope | None = self
        while scope is not None:
            yield from scope.names
            scope = scope.parent

    def with_rows(self, columns: Sequence[plan.Column]) -> Scope:
        """The same names over the rows of a relation."""
        found = {column.name: column for column in columns}
        is_open = found.pop(OPEN, None) is not None
        return Scope(self.names, self.parent, found, open=is_open)

    def with_pattern(self, names: PatternNames) -> Scope:
        """The scope of the clauses of a graph pattern: its variables and lets, no columns."""
        return replace(self, columns={}, left=None, right=None, open=False, steps={}, pattern=names)

    def with_sides(self, left: Sequence[plan.Column], right: Sequence[plan.Column]) -> Scope:
        """The scope of a join condition: $left, $right, and nothing bare but lets."""
        return replace(self, columns={}, left={c.name: c for c in left}, right={c.name: c for c in right}, open=False, pattern=None)

    def without_rows(self) -> Scope:
        return replace(self, columns=None, left=None, right=None, open=False, steps={}, pattern=None)

    def child(self, names: Mapping[str, Binding]) -> Scope:
        return Scope(names=names, parent=self)


@dataclass
class AggregateCollector:
    """Where aggregates met inside a summarize item are put, and the row scope their arguments are bound in."""

    rows: Scope
    calls: list[tuple[plan.Column, plan.AggregateCall]] = field(default_factory=list)
    inside: bool = False


class Binder:
    """The state of one analysis."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        # no row anywhere, neither stored nor written in the query: what is not at hand counts as empty
        self.is_dry = environment.dry
        self.diagnostics: list[Diagnostic] = []
        self.refusals: list[Diagnostic] = []
        self.steps: list[plan.Step] = []
        self.collector: AggregateCollector | None = None
        self.windows: WindowCollector | None = None
        self.inputs: list[plan.Rel] = []
        self.unordered: list[plan.Rel] = []
        self.options: dict[str, plan.Expr] = {}
        self.call_stack: list[str] = []
        # what the bodies of saved functions that are being bound ask for, the innermost last
        self.traces: list[Trace] = []
        self.place: Span | None = None
        # columns of open relations that the operator at hand met, and how many such operators are inside one another
        self.met: list[plan.Column] = []
        self.depth = 0
        # declared patterns, each with the names in scope where it stands
        self.patterns: dict[str, tuple[syntax.DeclarePattern, Scope]] = {}
        # tables that graph-to-table named, for later statements; what a graph operator made of a graph, with its partitions
        self.named: dict[str, Binding] = {}
        self.matched: dict[int, tuple[plan.Rel, plan.Column | None]] = {}
        # whether a table that is not known is an open one, which isfuzzy=true asks for in a dry run
        self.fuzzy = False
        self.visualization: plan.Visualization | None = None
        self.assertions: list[plan.Assertion] = []
        # what an operator with several results yields, by the identity of the relation that stands for it: name, rows, place
        # relations that are known by their identity, so that no other one gets it
        self.kept: list[plan.Rel] = []
        # what `as` calls a relation, by its identity
        self.aliases: dict[int, str] = {}
        self.several: dict[int, tuple[tuple[str, plan.Rel, Span], ...]] = {}
        self._next_id = 0

    # --- columns

    def column(self, name: str, kind: ScalarType) -> plan.Column:
        """A new column with an id of its own."""
        self._next_id += 1
        return plan.Column(self._next_id, name, kind)

    def fresh(self, columns: Sequence[plan.Column]) -> tuple[plan.Column, ...]:
        return tuple(self.column(column.name, column.type) for column in columns)

    @property
    def last_id(self) -> int:
        return self._next_id

    def skip_ids(self, count: int) -> int:
        """Takes the next ids for columns that are at hand; the last id before them."""
        self._next_id += count
        return self._next_id - count

    def noted(self) -> tuple[int, ...]:
        """How much is remembered besides findings: it grows when something is bound that is more than its relation."""
        results = (len(self.steps), len(self.assertions), len(self.several), len(self.named), len(self.met))
        return (*results, len(self.kept), len(self.aliases), len(self.matched), len(self.unordered))

    # --- findings

    def report(
        self,
        code: str,
        message: str,
        span: Span,
        *,
        alias: str | None = None,
        hints: tuple[str, ...] = (),
        severity: Severity = "error",
    ) -> None:
        """Adds a finding. While a saved function's body is bound, everything points at the call of that function."""
        if self.place is not None:
            where = self.call_stack[-1] if self.call_stack else "a function"
            message, span = f"In {where}(): {message}", self.place
        self.diagnostics.append(Diagnostic(code, severity, "semantic", message, span.start, span.end, hints, alias))

    def refuse(self, message: str, span: Span, *, alias: str | None = None, hints: tuple[str, ...] = ()) -> None:
        """Adds a refusal: Microsoft's analyzer accepts the construct, the service (or this engine) does not run it."""
        span = self.place or span
        found = Diagnostic("refused", "warning", "check", message, span.start, span.end, hints, alias)
        self.diagnostics.append(found)
        self.refusals.append(found)

    def unknown_name(self, name: str, span: Span, known: Iterable[str], what: str, alias: str) -> None:
        self.report(
            "unknown-name", f"The name '{name}' does not refer to any known {what}.", span, alias=alias, hints=suggestion(name, known)
        )


def const(value: object, kind: ScalarType, span: Span = NOWHERE) -> plan.Const:
    return plan.Const(value, kind, span)


def null_of(kind: ScalarType) -> plan.Const:
    """The value of an absent cell: null, and the empty string for strings (R-043)."""
    return plan.Const("" if kind is ScalarType.STRING else None, kind)
