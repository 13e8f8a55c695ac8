"""A bound query as one SQL statement, with everything that a run needs to know about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from toolkit.engine.functions import load_families
from toolkit.engine.functions.registry import REGISTRY
from toolkit.engine.lower.context import Context, Storage, StoredPart
from toolkit.engine.lower.expressions import not_supported
from toolkit.engine.lower.relations import Relations
from toolkit.engine.select import Nested, Query, Select, Statement, UnionAll
from toolkit.engine.sql import Form, Literal
from toolkit.kql import plan
from toolkit.kql.diagnostics import UnsupportedKqlError
from toolkit.kql.passes.fuse import fuse
from toolkit.kql.passes.idle_legs import drop_idle_legs
from toolkit.kql.passes.prune import prune
from toolkit.kql.passes.rewrite import own_expressions, relations
from toolkit.kql.passes.time_scope import apply_time_scope
from toolkit.kql.source import Source


class Compiler:
    """Lowers plans for one instant, one time range and one set of stored tables.

    `now_ticks`: the query's clock; `time_range`: ticks of (start, end], None for an open side.
    """

    def __init__(
        self,
        storage: Storage,
        now_ticks: int,
        time_range: tuple[int | None, int | None] = (None, None),
        settings: Mapping[str, object] | None = None,
    ) -> None:
        load_families()
        self._storage = storage
        self._now = now_ticks
        self._range = time_range
        self._settings = settings or {}

    def statement(self, rel: plan.Rel, source: Source) -> Statement:
        """The statement whose rows are the relation's. UnsupportedKqlError lists all that cannot be run."""
        _refuse_unsupported([rel], source)
        prepared = self._prepared(rel)
        context = self._context([prepared])
        lowering = Relations(context)
        block = lowering.lower(prepared)
        values = {column.id: block.columns[column.id].sql for column in prepared.columns}
        constants = {number: value.value for number, value in values.items() if isinstance(value, Literal)}
        query = lowering.result(block, [number for number in values if number not in constants])
        return self._finished(query, context, source, constants)

    def counts(self, steps: Sequence[plan.Rel], source: Source) -> Statement:
        """One statement with a row (index, count of rows) per relation."""
        _refuse_unsupported(steps, source)
        prepared = [self._prepared(plan.Narrow(step, ())) for step in steps]
        context = self._context(prepared)
        lowering = Relations(context)
        parts = []
        for index, rel in enumerate(prepared):
            count = Select(((2, Form("count(*)")),), Nested(lowering.query(rel)))
            parts.append(Select(((1, Literal(index, "BIGINT")), *count.items), count.source))
        return self._finished(UnionAll(tuple(parts)), context, source)

    def _prepared(self, rel: plan.Rel) -> plan.Rel:
        scoped = apply_time_scope(rel, *self._range)
        if not self._settings.get("optimize", True):
            return scoped
        return prune(fuse(drop_idle_legs(scoped, lambda table: bool(self._storage.stored(table)))))

    def _context(self, roots: Sequence[plan.Rel]) -> Context:
        return Context(self._storage, self._now, self._settings, _readers(roots))

    @staticmethod
    def _finished(query: Query, context: Context, source: Source, constants: Mapping[int, object] | None = None) -> Statement:
        if context.diagnostics:
            raise UnsupportedKqlError(sorted(context.diagnostics, key=lambda found: (found.start, found.end)), source)
        return Statement(query, tuple(context.tables), frozenset(context.udfs), constants or {})


def _refuse_unsupported(roots: Sequence[plan.Rel], source: Source) -> None:
    """Raises for operators that the plan has no form for, together with the functions that the engine has none for.

    What such an operator gives is not known, so a plan with one is not lowered at all.
    """
    context = Context(_NoStorage(), 0, {})
    calls: list[plan.Expr] = []
    for rel in relations(roots):
        if isinstance(rel, plan.Unsupported):
            context.refuse(f"{rel.construct} is not supported{f': {rel.reason}' if rel.reason else ''}", rel.span)
        calls += own_expressions(rel)
    if not context.diagnostics:
        return
    for expr in calls:
        for part in plan.subexpressions(expr):
            if isinstance(part, plan.Call) and part.name not in REGISTRY.scalars:
                context.refuse(not_supported(part), part.span)
    raise UnsupportedKqlError(sorted(context.diagnostics, key=lambda found: (found.start, found.end)), source)


class _NoStorage:
    def stored(self, table: str) -> Sequence[StoredPart]:
        return ()


def _readers(roots: Sequence[plan.Rel]) -> Mapping[int, int]:
    """How often each shared relation is read, by its identity."""
    return Counter(id(rel.shared) for rel in relations(roots) if isinstance(rel, plan.Reuse))
