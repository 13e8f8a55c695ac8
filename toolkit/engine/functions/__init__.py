"""One row per function: its SQL for the embedded engine. Importing `families` fills the registry."""

from __future__ import annotations

from functools import cache
from importlib import import_module

_FAMILIES = (
    "operators",
    "text_operators",
    "membership",
    "conditional",
    "conversion",
    "strings",
    "regex",
    "datetimes",
    "datetime_formats",
    "mathematics",
    "mixed",
    "dynamics",
    "encoding",
    "network",
    "networks",
    "parsing",
    "special",
    "aggregates",
    "estimates",
    "sequences",
    "series",
    "geo_points",
    "geo_shapes",
    "refused",
    "series_models",
    "graphs",
)


@cache
def load_families() -> None:
    """Registers every function, once, when the engine starts."""
    for family in _FAMILIES:
        import_module(f"{__name__}.{family}")
