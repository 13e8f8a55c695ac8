"""One module per operator family; importing this package registers them all."""

from toolkit.kql.binder.operators import expand, joins, other, parsing, rows, sources, summarize, unions

__all__ = ["expand", "joins", "other", "parsing", "rows", "sources", "summarize", "unions"]
