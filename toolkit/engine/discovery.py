"""What the data says about the columns of bag_unpack and pivot (R-310, R-311)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from toolkit.engine.errors import QueryFailed
from toolkit.engine.values import parse_dynamic
from toolkit.kql import plan
from toolkit.kql.diagnostics import Diagnostic, UnsupportedKqlError
from toolkit.kql.discovery import Discover
from toolkit.kql.passes.rewrite import relations
from toolkit.kql.source import Source
from toolkit.kql.types import ScalarType

# An id that no binder gives out.
_DISTINCT = 999_999_999
_MOST_COLUMNS = 4096
MOST_PARTITIONS = 64
_LONGS = range(-(2**63), 2**63)


def pending(bound: plan.QueryPlan, source: Source) -> Discover | None:
    """A plugin whose columns have to be found next: its own input has none that is open. None when all are known."""
    found = [
        rel
        for rel in relations([*(part.rel for part in (bound, *bound.others)), *(step.rel for step in bound.steps)])
        if isinstance(rel, Discover)
    ]
    by_place = {rel.place: rel for rel in found}
    if len({id(rel) for rel in found}) > len(by_place):
        first = found[0]
        message = f"{first.construct} is not supported in a function that is called several times; an output schema names its columns"
        raise UnsupportedKqlError([_finding(message, first)], source)
    return next((rel for rel in found if not any(isinstance(below, Discover) for below in relations(rel.inputs))), None)


def probe(rel: Discover) -> plan.Aggregate:
    """The distinct values that tell the plugin's columns, as the one column of a relation."""
    assert rel.value is not None
    column = plan.Column(_DISTINCT, "value", rel.value.type)
    return plan.Aggregate(rel.inputs[0], ((column, plan.Ref(rel.value)),), (), (), (column,))


def columns_of(rel: Discover, values: Sequence[Any], source: Source) -> tuple[tuple[str, ScalarType], ...]:
    """The names and types that the values give, in the order of the names."""
    if rel.kind == "constants":
        return _constants(rel, values, source)
    if rel.kind == "keys":
        found = _keys(values)
    else:
        found = {text or "": ScalarType.STRING for text in values}
    if "" in found:
        raise UnsupportedKqlError([_finding(f"{rel.construct} would give a column without a name", rel)], source)
    if len(found) > _MOST_COLUMNS:
        raise UnsupportedKqlError([_finding(f"{rel.construct} would give {len(found)} columns", rel)], source)
    return tuple(sorted(found.items()))


def _constants(rel: Discover, values: Sequence[Any], source: Source) -> tuple[tuple[str, ScalarType], ...]:
    """The keys of a partition, which runs its subquery for each of them (R-275)."""
    assert rel.value is not None
    if len(values) > MOST_PARTITIONS:
        message = f"{rel.construct} has {len(values)} keys; with a source of its own it takes at most {MOST_PARTITIONS}"
        raise QueryFailed([_finding(message, rel)], source)
    return tuple(sorted((json.dumps(value), rel.value.type) for value in values))


def _keys(texts: Iterable[str | None]) -> dict[str, ScalarType]:
    """Top-level keys: the type that all values of a key have, dynamic when they differ; null tells nothing."""
    kinds: dict[str, set[ScalarType]] = {}
    for text in texts:
        bag = None if text is None else parse_dynamic(text)
        for key, value in bag.items() if isinstance(bag, dict) else ():
            known = kinds.setdefault(key, set())
            if value is not None:
                known.add(_kind(value))
    return {key: next(iter(known)) if len(known) == 1 else ScalarType.DYNAMIC for key, known in kinds.items()}


def _kind(value: object) -> ScalarType:
    match value:
        case bool():
            return ScalarType.BOOL
        case int():
            return ScalarType.LONG if value in _LONGS else ScalarType.DYNAMIC
        case float():
            return ScalarType.REAL
        case str():
            return ScalarType.STRING
        case _:
            return ScalarType.DYNAMIC


def _finding(message: str, rel: Discover) -> Diagnostic:
    return Diagnostic("unsupported", "error", "semantic", message, rel.span.start, rel.span.end)
