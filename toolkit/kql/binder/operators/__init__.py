"""One module per operator family; importing this package registers them all."""

from toolkit.kql.binder.operators import apply, expand, joins, other, parsing, rows, sources, summarize, unions

__all__ = ["apply", "expand", "joins", "other", "parsing", "rows", "sources", "summarize", "unions"]
