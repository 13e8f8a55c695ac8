"""mv-expand (R-099 to R-108)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from toolkit.engine.errors import failing
from toolkit.engine.functions.conversion import convert_text
from toolkit.engine.functions.forms import register_python
from toolkit.engine.lower.block import Block, Ordering, plain_columns
from toolkit.engine.lower.expressions import Expressions, is_plain, null_of
from toolkit.engine.select import Nested, Select
from toolkit.engine.sql import ColumnName, Form, Literal, Lowered, Sql
from toolkit.engine.udf.bags import bag_pieces
from toolkit.kql import plan
from toolkit.kql.passes.rewrite import own_expressions, references
from toolkit.kql.types import ScalarType

if TYPE_CHECKING:
    from toolkit.engine.lower.relations import Relations

# In SQL it is a lambda, which takes DuckDB a millisecond to bind; most queries never see a bag here.
_BAG = register_python("bag_pieces", bag_pieces, ["VARCHAR", "BOOLEAN"], "VARCHAR[]")
_OF_TEXT = (ScalarType.DATETIME, ScalarType.GUID)
_SCALAR = "'mv-expand' found a value that is neither an array nor a bag; what the service gives for it is not documented (R-099)"


def expand(lowering: Relations, rel: plan.Expand) -> Block:
    """UNNEST of all items in one SELECT list: DuckDB walks them in lockstep and pads with NULL, as KQL does (R-101)."""
    block = lowering.lower(rel.input)
    block = block.ready_for({number for expr in own_expressions(rel) for number in references(expr)})
    expressions = lowering.expressions(block.columns)
    limit = None if rel.limit is None else expressions.lower(rel.limit).sql
    block, values = _with_columns(lowering, block, [expressions.lower(item.value) for item in rel.items])
    scalar = Literal(failing(_SCALAR, rel.span), "VARCHAR")
    lowering.context.udfs.add(_BAG)
    lists = [_elements(value, scalar, limit, rel.bags_as_pairs) for value in values]
    order = block.order if lowering.context.ordered else ()
    position = rel.index.id if rel.index is not None else lowering.context.fresh_id() if order else None
    if position is not None:
        block, lists = _with_columns(lowering, block, [Lowered(elements, True) for elements in lists])
    hidden = {item.column.id for item in rel.items} | {part.id for part in lists if isinstance(part, ColumnName)}
    kept = {number: value for number, value in block.columns.items() if number not in hidden}
    raw = [lowering.context.fresh_id() for _ in rel.items]
    items = [(number, value.sql) for number, value in kept.items()]
    items += [(number, Form("unnest({0})", (elements,))) for number, elements in zip(raw, lists, strict=True)]
    columns = plain_columns(kept)
    if position is not None:
        items.append((position, _positions(lists)))
        columns[position] = Lowered(ColumnName(position), False)
        if order:
            # elements keep their order among rows that are equal to the sort
            order = (*order, Ordering(position, ScalarType.LONG, False, False))
    result = Block(Nested(Select(tuple(items), block.source, tuple(block.where))), columns, [], order)
    texts = {number: _text_of_string(number) for item, number in zip(rel.items, raw, strict=True) if item.column.type in _OF_TEXT}
    if texts:
        # their conversions read the text many times
        elements = {number: Lowered(ColumnName(number), True) for number in raw}
        wider = Block(result.source, {**columns, **elements, **texts}, [], order).sealed()
        result = Block(wider.source, plain_columns(columns), [], order)
    for item, number in zip(rel.items, raw, strict=True):
        result.columns[item.column.id] = _converted(lowering, expressions, rel, item.column, number)
    return result


def _with_columns(lowering: Relations, block: Block, values: Sequence[Lowered]) -> tuple[Block, list[Sql]]:
    """The values as plain columns, so that what stands on them does not compute them several times."""
    if all(is_plain(value.sql) for value in values):
        return block, [value.sql for value in values]
    ids = [lowering.context.fresh_id() for _ in values]
    wider = Block(block.source, {**block.columns, **dict(zip(ids, values, strict=True))}, block.where, block.order)
    return wider.sealed(), [ColumnName(number) for number in ids]


def _elements(value: Sql, scalar: Sql, limit: Sql | None, as_pairs: bool) -> Sql:
    """The elements of an array, or of a bag one by one; null is one element, nothing is none (R-099, R-100, R-106)."""
    template = (
        "CASE WHEN {0} IS NULL THEN CAST([NULL] AS VARCHAR[])"
        " WHEN starts_with({0}, '[') THEN CAST(json_extract({0}, '$[*]') AS VARCHAR[])"
        f" WHEN starts_with({{0}}, '{{{{') THEN {_BAG}({{0}}, {{2}})"
        " ELSE CAST(error({1}) AS VARCHAR[]) END"
    )
    elements = Form(template, (value, scalar, Literal(as_pairs, "BOOLEAN")))
    return elements if limit is None else Form("list_slice({0}, 1, greatest({1}, 0))", (elements, limit))


def _positions(lists: Sequence[Sql]) -> Sql:
    lengths = ", ".join(f"len({{{index}}})" for index in range(len(lists)))
    return Form(f"unnest(range(greatest({lengths})))" if len(lists) > 1 else f"unnest(range({lengths}))", tuple(lists))


def _converted(lowering: Relations, expressions: Expressions, rel: plan.Expand, column: plan.Column, number: int) -> Lowered:
    """`to typeof(T)`: what an element must hold to become a T (R-104); everything else is null."""
    element = ColumnName(number)
    dynamic = Form("nullif({0}, 'null')", (element,))
    text = Form("json_extract_string({0}, '$')", (element,))
    whole = "CASE WHEN regexp_matches({0}, '^-?[0-9]+$') THEN TRY_CAST({0} AS BIGINT)"
    match column.type:
        case ScalarType.DYNAMIC | ScalarType.UNKNOWN:
            return Lowered(dynamic, True)
        case ScalarType.STRING:
            return Lowered(Form("coalesce({0}, '')", (text,)), False)
        case ScalarType.LONG:
            return Lowered(Form(whole + " ELSE TRY_CAST(trunc(TRY_CAST({0} AS DOUBLE)) AS BIGINT) END", (element,)), True)
        case ScalarType.INT:
            return Lowered(Form("TRY_CAST(trunc(TRY_CAST({0} AS DOUBLE)) AS INTEGER)", (element,)), True)
        case ScalarType.REAL:
            return Lowered(Form("TRY_CAST({0} AS DOUBLE)", (element,)), True)
        case ScalarType.BOOL:
            return Lowered(Form("CASE {0} WHEN 'true' THEN TRUE WHEN 'false' THEN FALSE ELSE " + whole + " END <> 0 END", (element,)), True)
        case ScalarType.DATETIME | ScalarType.GUID:
            return convert_text(column.type, element, expressions)
        case _:
            lowering.context.refuse(f"'mv-expand ... to typeof({column.type})' is not supported", rel.span)
            return null_of(column.type)


def _text_of_string(number: int) -> Lowered:
    """The text of an element that is a string, '' for any other."""
    return Lowered(Form("CASE WHEN starts_with({0}, '\"') THEN json_extract_string({0}, '$') ELSE '' END", (ColumnName(number),)), False)
