"""Series as arrays of doubles and back: what the functions over whole series (fits, filters, decompositions) work on.

numpy is imported by whoever computes, inside the function: it takes long to load, and most queries need none of it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from toolkit.engine.udf.series import numbers_text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Reals = NDArray[np.float64]

_NUMBERS = {int, float}


def reals(series: str | None) -> Reals | None:
    """The elements as doubles; None for what is no array, and for an array with an element that is no number."""
    import numpy as np

    if series is None or not series.startswith("["):
        return None
    values = json.loads(series)
    return np.array(values, dtype=np.float64) if {type(value) for value in values} <= _NUMBERS else None


def sparse_reals(series: str | None) -> Reals | None:
    """As `reals`, with NaN for the elements that are no numbers."""
    import numpy as np

    if series is None or not series.startswith("["):
        return None
    return np.array([value if type(value) in _NUMBERS else np.nan for value in json.loads(series)], dtype=np.float64)


def text_of(values: Reals) -> str:
    """An array of doubles as JSON: every element with a point or an exponent."""
    return numbers_text(values.tolist())


def refused(reason: str) -> ValueError:
    """What a function raises for a row whose answer is not determined by the documentation; it ends the query."""
    return ValueError(f"kql:{reason}")
