"""The order in which the service prints sets of cells: that of a C++ std::unordered_set of texts.

The printed answers of geo_s2cell_neighbors and geo_geohash_neighbors follow it to the last item: FNV-1a of the text, buckets
in the order of their first item, the newest item first within a bucket. Eight buckets hold up to eight items.
"""

from __future__ import annotations

from collections.abc import Iterable

_OFFSET, _PRIME, _MASK = 14_695_981_039_346_656_037, 1_099_511_628_211, 2**64 - 1
_BUCKETS = 8


def _hash(text: str) -> int:
    value = _OFFSET
    for byte in text.encode():
        value = (value ^ byte) * _PRIME & _MASK
    return value


def hash_order(texts: Iterable[str]) -> list[str]:
    """Up to eight distinct texts, given in the order of insertion, as the set lists them."""
    buckets: dict[int, list[str]] = {}
    for text in dict.fromkeys(texts):
        buckets.setdefault(_hash(text) % _BUCKETS, []).insert(0, text)
    found = [text for bucket in buckets.values() for text in bucket]
    assert len(found) <= _BUCKETS, "a larger set has more buckets"
    return found
