"""One module per operator family; importing this package registers them all."""

from toolkit.kql.binder.operators import (
    apply,
    expand,
    joins,
    key_values,
    lookups,
    other,
    parsing,
    refused,
    rows,
    search,
    series,
    sources,
    summarize,
    tops,
    unions,
    unpack,
)

__all__ = [
    "apply",
    "expand",
    "joins",
    "key_values",
    "lookups",
    "other",
    "parsing",
    "refused",
    "rows",
    "search",
    "series",
    "sources",
    "summarize",
    "tops",
    "unions",
    "unpack",
]
