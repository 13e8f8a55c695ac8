"""What a saved function without rows of its caller yields, kept for the next call: its body is bound once per arguments and surroundings.

Parsers call one another, and a project's rules call the same few. An expansion holds the relation that binding gave, and
everything that binding asked for: tables, functions, watchlists, and the names that it did not find among the caller's lets. It
serves another call where all of these are the same. Then its columns get the ids that binding would have given them, so a plan
does not tell whether it was used. A body that leaves a trace besides (a chart, an assertion, a name by `as`), or that depends on
more (a wildcard over tables, the rows of the data), is bound at each call.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar

from toolkit.kql import plan
from toolkit.kql.binder.context import MAX_CALL_DEPTH, Binder, Binding, Environment, SavedFunction, Scope
from toolkit.kql.binder.copies import NotCopied, copied
from toolkit.kql.diagnostics import Diagnostic
from toolkit.kql.discovery import Discovered
from toolkit.kql.source import Span
from toolkit.kql.types import TableSchema

V = TypeVar("V")

# Expansions that are kept; the one that was not used for the longest time goes.
_MOST = 256
_OF_THE_STACK = frozenset({"recursive-call", "nested-calls"})


@dataclass
class Trace:
    """What one binding asked for. `depends`: it asked for something that has no answer to compare."""

    tables: dict[str, TableSchema | None] = field(default_factory=dict)
    functions: dict[str, SavedFunction | None] = field(default_factory=dict)
    watchlists: dict[str, TableSchema | None] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    called: set[str] = field(default_factory=set)
    deepest: int = 0
    depends: bool = False


class _Traced(Mapping[str, V]):
    """A mapping whose answers are noted."""

    def __init__(self, found: Mapping[str, V], noted: dict[str, V | None], trace: Trace) -> None:
        self._found, self._noted, self._trace = found, noted, trace

    def get(self, key: str, default: object = None) -> V | None:  # type: ignore[override]  # no other default is asked for
        self._noted[key] = found = self._found.get(key)
        return found

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self.get(key) is not None

    def __getitem__(self, key: str) -> V:
        self._trace.depends = True
        return self._found[key]

    def __iter__(self) -> Iterator[str]:
        self._trace.depends = True
        return iter(self._found)

    def __len__(self) -> int:
        self._trace.depends = True
        return len(self._found)


class _Surroundings:
    """An environment whose answers are noted."""

    def __init__(self, environment: Environment, trace: Trace) -> None:
        self._environment, self._trace = environment, trace
        self.functions: Mapping[str, SavedFunction] = _Traced(environment.functions, trace.functions, trace)
        self.watchlists: Mapping[str, TableSchema] = _Traced(environment.watchlists, trace.watchlists, trace)
        self.dry = environment.dry

    def table(self, name: str) -> TableSchema | None:
        self._trace.tables[name] = found = self._environment.table(name)
        return found

    def table_names(self) -> Iterable[str]:
        self._trace.depends = True
        return self._environment.table_names()

    def has_rows(self, table: str) -> bool:
        self._trace.depends = True
        return self._environment.has_rows(table)

    def other_names(self) -> Iterable[str]:
        self._trace.depends = True
        return self._environment.other_names()

    def elsewhere(self, name: str) -> Environment:
        self._trace.depends = True
        found = self._environment.elsewhere(name)
        return self if found is self._environment else found

    @property
    def parameters(self) -> Mapping[str, object]:
        self._trace.depends = True
        return self._environment.parameters

    @property
    def discovered(self) -> Discovered:
        self._trace.depends = True
        return self._environment.discovered

    @property
    def externals(self) -> Container[str]:
        self._trace.depends = True
        return self._environment.externals


class _CallersNames(Mapping[str, Binding]):
    """The lets of a caller, which a saved function sees (R-306): an expansion holds where it finds none of the names it looks for."""

    def __init__(self, scope: Scope, trace: Trace) -> None:
        self._scope, self._trace = scope, trace

    def get(self, key: str, default: object = None) -> Binding | None:  # type: ignore[override]  # no other default is asked for
        found = self._scope.binding(key)
        self._trace.names.add(key)
        self._trace.depends |= found is not None
        return found

    def __getitem__(self, key: str) -> Binding:
        found = self.get(key)
        if found is None:
            raise KeyError(key)
        return found

    def __iter__(self) -> Iterator[str]:
        self._trace.depends = True
        return iter(self._scope.visible_names())

    def __len__(self) -> int:
        self._trace.depends = True
        return sum(1 for _ in self._scope.visible_names())


# Where a copy stands: the last id before its columns, the place of the call and those in its arguments.
_Stand = tuple[int, Span, tuple[Span, ...]]


@dataclass
class Expansion:
    """A bound body. `first`: the last id before its columns, of which it has `ids`; `depth`: of the calls inside it.

    `last`: the copy that was made last. Rules mostly begin with the call of a parser, so many of them want the same one.
    """

    rel: plan.Rel
    arguments: tuple[plan.Expr, ...]
    first: int
    ids: int
    diagnostics: tuple[Diagnostic, ...]
    refusals: tuple[Diagnostic, ...]
    trace: Trace
    depth: int
    last: tuple[_Stand, plan.Rel] | None = None

    def copy(self, first: int, place: Span, arguments: tuple[plan.Expr, ...]) -> plan.Rel:
        """The relation with ids from `first` on, at a place, with these arguments; raises NotCopied."""
        stand = (first, place, tuple(part.span for value in arguments for part in plan.subexpressions(value)))
        last = self.last
        if last is not None and last[0] == stand:
            return last[1]
        given = {id(old): new for old, new in zip(self.arguments, arguments, strict=True)}
        made = copied(self.rel, (self.first, self.ids), first, place, given)
        self.last = (stand, made)
        return made


class _Kept:
    """The expansions of this process, by what they are looked up with; several threads may analyse at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: OrderedDict[object, Expansion] = OrderedDict()

    def get(self, key: object) -> Expansion | None:
        with self._lock:
            found = self._found.get(key)
            if found is not None:
                self._found.move_to_end(key)
            return found

    def put(self, key: object, expansion: Expansion) -> None:
        with self._lock:
            self._found[key] = expansion
            self._found.move_to_end(key)
            if len(self._found) > _MOST:
                self._found.popitem(last=False)

    def clear(self) -> None:
        with self._lock:
            self._found.clear()


KEPT = _Kept()


def key_of(b: Binder, function: SavedFunction, arguments: Iterable[plan.Expr]) -> object | None:
    """What tells the expansions of a function apart; None where an argument is more than a value, or names are declared otherwise.

    The text of an argument is exact where its value is not: 0.0 equals -0.0.
    """
    values = tuple(arguments)
    if b.patterns or b.inputs or any(not isinstance(part, _VALUES) for value in values for part in plan.subexpressions(value)):
        return None
    return (function.name, function.parameters, function.body, repr(values), repr(b.options), b.is_dry, b.environment.dry, b.depth)


_VALUES = (plan.Const, plan.Call, plan.Now, plan.DynamicPath)


def expanded(
    b: Binder, key: object, scope: Scope, arguments: tuple[plan.Expr, ...], place: Span, bind: Callable[[Scope], plan.Rel]
) -> plan.Rel:
    """The relation of a saved function's body: a kept one where it holds, else what `bind` gives over the caller's scope.

    `b.call_stack` has the function on top. All places in the result are `place`, those in `arguments` excepted.
    """
    kept = KEPT.get(key)
    if kept is not None and _holds(b, kept, scope):
        try:
            return _used(b, kept, arguments, place)
        except NotCopied:
            pass
    return _bound(b, key, scope, arguments, place, bind)


def _holds(b: Binder, kept: Expansion, scope: Scope) -> bool:
    environment, trace, above = b.environment, kept.trace, b.call_stack[:-1]
    return (
        len(b.call_stack) + kept.depth <= MAX_CALL_DEPTH
        and trace.called.isdisjoint(above)
        and all(scope.binding(name) is None for name in trace.names)
        and all(environment.functions.get(name) == found for name, found in trace.functions.items())
        and all(environment.table(name) == found for name, found in trace.tables.items())
        and all(environment.watchlists.get(name) == found for name, found in trace.watchlists.items())
    )


def _used(b: Binder, kept: Expansion, arguments: tuple[plan.Expr, ...], place: Span) -> plan.Rel:
    rel = kept.copy(b.skip_ids(kept.ids), place, arguments)
    moved = {id(found): replace(found, start=place.start, end=place.end) for found in (*kept.diagnostics, *kept.refusals)}
    b.diagnostics += [moved[id(found)] for found in kept.diagnostics]
    b.refusals += [moved[id(found)] for found in kept.refusals]
    for trace in b.traces:
        trace.called |= kept.trace.called
        trace.deepest = max(trace.deepest, len(b.call_stack) + kept.depth)
    return rel


def _bound(
    b: Binder, key: object, scope: Scope, arguments: tuple[plan.Expr, ...], place: Span, bind: Callable[[Scope], plan.Rel]
) -> plan.Rel:
    trace = Trace(deepest=len(b.call_stack))
    noted, first, findings, refusals = b.noted(), b.last_id, len(b.diagnostics), len(b.refusals)
    environment, b.environment = b.environment, _Surroundings(b.environment, trace)
    b.traces.append(trace)
    try:
        rel, is_charted = _with_chart(b, partial(bind, Scope(_CallersNames(scope, trace))))
    finally:
        b.environment = environment
        b.traces.pop()
    if is_charted or b.noted() != noted:
        return rel
    trace.called |= {name for name, found in trace.functions.items() if found is not None}
    said = tuple(b.diagnostics[findings:]), tuple(b.refusals[refusals:])
    expansion = Expansion(rel, arguments, first, b.last_id - first, *said, trace, trace.deepest - len(b.call_stack))
    if not trace.depends and trace.called.isdisjoint(b.call_stack[:-1]) and not any(found.code in _OF_THE_STACK for found in said[0]):
        KEPT.put(key, expansion)
    try:
        return expansion.copy(first, place, arguments)
    except NotCopied:
        return rel


def _with_chart(b: Binder, bind: Callable[[], plan.Rel]) -> tuple[plan.Rel, bool]:
    """What `bind` gives, and whether it asked for a chart."""
    before, b.visualization = b.visualization, None
    rel = bind()
    asked = b.visualization is not None
    b.visualization = b.visualization if asked else before
    return rel, asked
