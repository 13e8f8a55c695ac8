"""Name patterns with `*`."""

from __future__ import annotations

import re
from functools import lru_cache


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile("".join(".*" if part == "*" else re.escape(part) for part in re.split(r"(\*)", pattern)), re.DOTALL)


def matches(pattern: str, name: str) -> bool:
    """Whether a name fits a pattern; case-sensitive like all names (R-002)."""
    return _compiled(pattern).fullmatch(name) is not None
