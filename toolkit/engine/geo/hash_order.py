"""The order in which the service prints sets of cells: that of a C++ std::unordered_set of texts.

The printed answers of geo_s2cell_neighbors, geo_geohash_neighbors and geo_polygon_to_h3cells follow it to the last item: FNV-1a
of the text, buckets in the order of their first item, the newest item first within a bucket. Eight buckets hold up to eight
items; a set that outgrows its buckets gets eight times as many, from 512 on twice as many, and its items keep their order but
for those that share a bucket then.
"""

from __future__ import annotations

from collections.abc import Iterable

_OFFSET, _PRIME, _MASK = 14_695_981_039_346_656_037, 1_099_511_628_211, 2**64 - 1
_FIRST, _MANY = 8, 512


def _hash(text: str) -> int:
    value = _OFFSET
    for byte in text.encode():
        value = (value ^ byte) * _PRIME & _MASK
    return value


def hash_order(texts: Iterable[str]) -> list[str]:
    """Distinct texts, given in the order of insertion, as the set lists them."""
    count, buckets = _FIRST, dict[int, list[tuple[int, str]]]()
    for size, text in enumerate(dict.fromkeys(texts), 1):
        if size > count:
            count *= 8 if count < _MANY else 2
            buckets = _spread([item for bucket in buckets.values() for item in bucket], count)
        value = _hash(text)
        buckets.setdefault(value % count, []).insert(0, (value, text))
    return [text for bucket in buckets.values() for _, text in bucket]


def _spread(items: Iterable[tuple[int, str]], count: int) -> dict[int, list[tuple[int, str]]]:
    buckets: dict[int, list[tuple[int, str]]] = {}
    for item in items:
        buckets.setdefault(item[0] % count, []).append(item)
    return buckets
