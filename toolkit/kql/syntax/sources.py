"""Schemas, options, and the sources that are written out in a query."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from toolkit.kql.syntax.base import Node

if TYPE_CHECKING:
    from toolkit.kql.syntax import Expr
    from toolkit.kql.syntax.expressions import Name, NameRef
    from toolkit.kql.syntax.pipelines import Operator


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
class EntityGroup(Node):
    """`entity_group [ cluster('c').database('d'), ... ]`."""

    entities: tuple[Expr, ...]
