"""What only the data knows: the columns of bag_unpack and pivot (R-309 to R-311), the keys of a partition with its own source (R-275).

Analysis leaves such a relation open. To run one, an engine reads what the plugin needs (`value` of the rows of `input`),
gives the answer back under the plugin's `place`, and binds the query again: then the columns are ordinary ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from toolkit.kql import plan
from toolkit.kql.types import ScalarType

# The place of a plugin's call: the functions it is called in, and its span there.
Place = tuple[tuple[str, ...], int, int]
Discovered = Mapping[Place, tuple[tuple[str, ScalarType], ...]]

# The columns of a plugin whose input has no rows in a workspace without any: they stay open.
NO_ROWS = (("*", ScalarType.UNKNOWN),)


@dataclass(frozen=True, slots=True, eq=False)
class Discover(plan.Unsupported):
    """`input` is `inputs[0]`. `kind`: "keys" (top-level keys of the bags in `value`, with their types), "values" (its distinct texts),
    or "constants" (its distinct values as JSON, with their type)."""

    kind: str = "keys"
    value: plan.Column | None = None
    place: Place = ((), 0, 0)
