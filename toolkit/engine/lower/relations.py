"""Relations -> SELECT: the dispatcher, and the row-wise operators."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from toolkit.engine.lower import expand, groups, joins, parse, scan, sources, walks, windows
from toolkit.engine.lower.block import Block, Ordering
from toolkit.engine.lower.context import Context
from toolkit.engine.lower.expressions import Expressions, null_of
from toolkit.engine.select import Named, Nested, NoRows, OrderKey, Query, Select, TableExpression, print_order
from toolkit.engine.sql import Form, Literal, Lowered, Sql
from toolkit.kql import plan
from toolkit.kql.passes.rewrite import conjuncts, references


@dataclass
class Relations:
    """Lowers relations; `context` collects what the statement needs and what had to be refused."""

    context: Context

    def query(self, rel: plan.Rel) -> Query:
        """A complete SELECT of the relation's columns, in its order."""
        block = self.in_order(rel)
        return block.select((column.id for column in rel.columns), ordered=True)

    def result(self, block: Block, ids: Iterable[int]) -> Select:
        """The outermost SELECT. Groups of a large table come out in another order each time: they are put into one."""
        found = block.select(ids, ordered=True)
        grouped = isinstance(block.source, Nested) and isinstance(block.source.query, Select) and block.source.query.groups
        if found.order or not grouped or not self.context.threads_share:
            return found
        return replace(found, order=tuple(OrderKey(sql, False, True) for _, sql in found.items))

    def expressions(self, scope: Mapping[int, Lowered], block: Block | None = None) -> Expressions:
        row_order: Sequence[Sql] = ()
        if block is not None:
            keys = block.order_keys(implicit=True)
            row_order = [Form(print_order([key]).replace("{", "{{").replace("}", "}}")) for key in keys]
        return Expressions(self.context, scope, self.query, row_order)

    def lower(self, rel: plan.Rel) -> Block:
        match rel:
            case plan.Scan():
                return sources.scan(self, rel)
            case plan.Values():
                return sources.values(self, rel)
            case plan.RangeRows():
                return sources.range_rows(self, rel)
            case plan.Filter() | plan.Extend() | plan.Narrow() | plan.Sort() | plan.Limit():
                return self._row_wise(rel)
            case plan.Serialize():
                return windows.placed(self, self.in_order(rel.input))
            case plan.Window():
                return windows.window(self, rel)
            case plan.MatchSteps():
                return scan.match_steps(self, rel)
            case plan.Aggregate():
                return groups.aggregate(self, rel)
            case plan.Join():
                return joins.join(self, rel)
            case plan.Union_():
                return joins.union(self, rel)
            case plan.Expand():
                return expand.expand(self, rel)
            case plan.Parse():
                return parse.parse(self, rel)
            case plan.Walk():
                return walks.walk(self, rel)
            case plan.Reuse():
                return self._reuse(rel)
            case plan.Unsupported():
                return self._unsupported(rel)

    def in_order(self, rel: plan.Rel) -> Block:
        """The relation for something that asks in which order its rows come."""
        with self.context.order_matters(True):
            return self.lower(rel)

    # --- row-wise operators -------------------------------------------------------------------------------------------

    def _row_wise(self, rel: plan.Filter | plan.Extend | plan.Narrow | plan.Sort | plan.Limit) -> Block:
        """The whole run of row-wise operators, innermost first: long pipelines must not exhaust Python's stack."""
        chain: list[plan.Rel] = []
        node: plan.Rel = rel
        while isinstance(node, (plan.Filter, plan.Extend, plan.Narrow, plan.Sort, plan.Limit)):
            chain.append(node)
            node = node.input
        with self.context.order_matters(self.context.ordered or any(isinstance(step, plan.Limit) for step in chain)):
            block = self.lower(node)
        for step in reversed(chain):
            block = self._apply(step, block)
        return block

    def _apply(self, step: plan.Rel, block: Block) -> Block:
        match step:
            case plan.Filter():
                return self._filter(step, block)
            case plan.Extend():
                return self._extend(step, block)
            case plan.Sort():
                return self._sort(step, block)
            case plan.Limit():
                return self._limit(step, block)
            case _:
                return block

    def _filter(self, rel: plan.Filter, block: Block) -> Block:
        parts = conjuncts(rel.predicate)
        if not block.is_empty:
            block = sources.bounded(block, parts, self)
        block = block.ready_for(references(rel.predicate))
        lowering = self.expressions(block.columns)
        tests = [lowering.condition(part) for part in parts]
        # what cannot be run is refused also where there are no rows; the statement does without the tests
        return Block(block.source, block.columns, block.where if block.is_empty else [*block.where, *tests], block.order, block.parts)

    def _extend(self, rel: plan.Extend, block: Block) -> Block:
        used = {number for _, value in rel.items for number in references(value)}
        block = block.ready_for(used)
        lowering = self.expressions(block.columns)
        made = {column.id: lowering.lower(value) for column, value in rel.items}
        if block.is_empty:
            made = {column.id: null_of(column.type) for column, _ in rel.items}
        return Block(block.source, {**block.columns, **made}, block.where, block.order)

    def _sort(self, rel: plan.Sort, block: Block) -> Block:
        block = block.ready_for(number for key in rel.keys if not isinstance(key.value, plan.Ref) for number in references(key.value))
        lowering = self.expressions(block.columns)
        columns = dict(block.columns)
        order: list[Ordering] = []
        for key in rel.keys:
            if isinstance(key.value, plan.Ref) and key.value.column.id in columns:
                number = key.value.column.id
            else:
                number = self.context.fresh_id()
                columns[number] = lowering.lower(key.value)
            if not isinstance(columns[number].sql, Literal):
                order.append(Ordering(number, key.value.type, key.descending, key.nulls_first))
        return Block(block.source, columns, block.where, tuple(order))

    def _limit(self, rel: plan.Limit, block: Block) -> Block:
        count = self.expressions({}).lower(rel.count).sql
        if isinstance(count, Literal) and isinstance(count.value, int):
            count = Literal(max(0, count.value), "BIGINT")
        else:
            count = Form("(SELECT greatest(coalesce({0}, 0), 0))", (count,))
        if rel.partition is not None:
            return windows.first_of_each(self, block, rel.partition, count)
        return block.nested(block.select(block.columns, ordered=True, limit=count))

    # --- shared relations ---------------------------------------------------------------------------------------------

    def _reuse(self, rel: plan.Reuse) -> Block:
        shared = rel.shared
        if self.context.readers.get(id(shared), 1) < 2:
            block = self.lower(shared.rel)
            renamed = {above.id: block.columns[below.id] for above, below in zip(rel.columns, shared.rel.columns, strict=True)}
            ordering = {part.column: block.columns[part.column] for part in block.order}
            return Block(block.source, {**ordering, **renamed}, block.where, block.order)
        name, inner = self._table_expression(shared)
        columns = {above.id: inner.columns[below.id] for above, below in zip(rel.columns, shared.rel.columns, strict=True)}
        order: list[Ordering] = []
        for part in inner.order:
            # each reader gets its own copy of a hidden sort column: two readers may meet in one join
            number = self.context.fresh_id()
            columns[number] = inner.columns[part.column]
            order.append(replace(part, column=number))
        return Block(Named(name), columns, [], tuple(order))

    def _table_expression(self, shared: plan.Shared) -> tuple[str, Block]:
        """The WITH entry of a shared relation, and its columns as seen by a reader."""
        known = self.context.shared_blocks.get(id(shared))
        if known is None:
            with self.context.order_matters(True):
                block = self.lower(shared.rel)
            kept = [*(column.id for column in shared.rel.columns), *(part.column for part in block.order)]
            level = block.nested(block.select(kept))
            name = f"s{len(self.context.tables) + 1}"
            self.context.tables.append(TableExpression(name, block.select(kept), shared.pinned or _worth_keeping(shared.rel)))
            known = self.context.shared_blocks[id(shared)] = (name, level)
        return known

    def _unsupported(self, rel: plan.Unsupported) -> Block:
        reason = f": {rel.reason}" if rel.reason else ""
        self.context.refuse(f"{rel.construct} is not supported{reason}", rel.span)
        for inner in rel.inputs:
            self.lower(inner)
        return Block(NoRows(), {column.id: null_of(column.type) for column in rel.columns})


def _worth_keeping(rel: plan.Rel) -> bool:
    """Whether computing it once beats reading it in place: groups are few, and a filter above them saves little."""
    pending = [rel]
    while pending:
        found = pending.pop()
        if isinstance(found, (plan.Aggregate, plan.Window)):
            return True
        if not isinstance(found, plan.Reuse):
            pending += plan.inputs(found)
    return False
