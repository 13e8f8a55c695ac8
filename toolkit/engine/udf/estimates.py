"""Weighted percentiles, and the states of hll and tdigest (R-259, R-260), which here are the values themselves.

The service's states are private sketches. Ours hold every value, so that the final numbers are exact; they are marked
with a name no one can take for the service's format.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TypeVar

from toolkit.engine.udf.json_text import array_elements, array_text, bag_members, key_of, scalar

HLL = "$hll"
TDIGEST = "$tdigest"

Value = TypeVar("Value", int, float, str, Decimal)


def nearest_rank(pairs: Sequence[tuple[Value, int]], percent: str) -> Value | None:
    """The least value such that at least `percent` of the weight is not above it. `pairs`: value, weight."""
    kept = sorted((value, weight) for value, weight in pairs if weight > 0)
    target = Decimal(percent) * sum(weight for _, weight in kept) / 100
    reached = 0
    for value, weight in kept:
        reached += weight
        if reached >= target:
            return value
    return kept[-1][0] if kept else None


def weighted_percentile_integers(values: Sequence[int | None], weights: Sequence[int | None], percent: str) -> int | None:
    return nearest_rank([(v, w) for v, w in zip(values, weights, strict=True) if v is not None and w is not None], percent)


def weighted_percentile_reals(values: Sequence[float | None], weights: Sequence[int | None], percent: str) -> float | None:
    return nearest_rank([(v, w) for v, w in zip(values, weights, strict=True) if v is not None and w is not None], percent)


def _state(state: str | None, mark: str) -> list[str] | None:
    members = bag_members(state)
    return None if members is None or mark not in members else array_elements(members[mark])


def hll_merge(states: Sequence[str | None]) -> str | None:
    """One state that holds the values of all; nulls are passed over."""
    found: dict[str, str] = {}
    for state in states:
        for element in _state(state, HLL) or []:
            found.setdefault(key_of(element), element)
    return f'{{"{HLL}":{array_text(found.values())}}}'


def dcount_hll(state: str) -> int | None:
    values = _state(state, HLL)
    return None if values is None else len({key_of(value) for value in values})


def dcount_intersect(states: Sequence[str | None]) -> int | None:
    """How many values all the states hold; None where one is no state."""
    common: set[object] | None = None
    for state in states:
        values = None if state is None else _state(state, HLL)
        if values is None:
            return None
        found: set[object] = {key_of(value) for value in values}
        common = found if common is None else common & found
    return len(common or ())


def tdigest_merge(states: Sequence[str | None]) -> str | None:
    return f'{{"{TDIGEST}":{array_text(pair for state in states for pair in _state(state, TDIGEST) or [])}}}'


def _pairs(state: str) -> list[tuple[str, int]] | None:
    pairs = _state(state, TDIGEST)
    if pairs is None:
        return None
    taken = [array_elements(pair) or [] for pair in pairs]
    return [(pair[0], int(pair[1])) for pair in taken if len(pair) == 2]


def percentile_tdigest(state: str, percent: str) -> str | None:
    """The value as JSON text; datetimes are ISO text, which sorts as they do."""
    pairs = _pairs(state)
    if not pairs:
        return None
    if all(value[0] != '"' for value, _ in pairs):
        spelling = {Decimal(value): value for value, _ in pairs}
        number = nearest_rank([(Decimal(value), weight) for value, weight in pairs], percent)
        return None if number is None else spelling[number]
    return nearest_rank(pairs, percent)


def percentiles_array_tdigest(state: str, percents: Sequence[str]) -> str | None:
    values = [percentile_tdigest(state, percent) for percent in percents]
    return None if any(value is None for value in values) else array_text(value or "null" for value in values)


def rank_tdigest(state: str, value: str) -> float | None:
    """How much of the weight is not above the value (JSON text)."""
    pairs = _pairs(state)
    limit = scalar(value)
    if pairs is None or not isinstance(limit, (int, float, str)):
        return None
    return float(sum(weight for text, weight in pairs if _not_above(scalar(text), limit)))


def _not_above(value: object, limit: int | float | str) -> bool:
    if isinstance(value, str) or isinstance(limit, str):
        return isinstance(value, str) and isinstance(limit, str) and value <= limit
    return isinstance(value, (int, float)) and value <= limit


def percentrank_tdigest(state: str, value: str) -> float | None:
    rank = rank_tdigest(state, value)
    total = sum(weight for _, weight in _pairs(state) or [])
    return None if rank is None or not total else rank * 100 / total
