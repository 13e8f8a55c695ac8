"""ipv4_lookup and ipv6_lookup (R-313)."""

from __future__ import annotations

from toolkit.kql import plan
from toolkit.kql.binder.context import Binder
from toolkit.kql.binder.names import suffixed
from toolkit.kql.binder.operators.evaluate import PluginCall, plugin, refused


@plugin("ipv4_lookup", "ipv6_lookup")
def _lookup(b: Binder, call: PluginCall) -> plan.Rel:
    """All columns of the source, then those of the table; extra keys come once."""
    table = call.tables["LookupTable"]
    keys = {column.name for column in call.columns("ExtraKey")}
    taken = {column.name for column in call.rel.columns}
    right = []
    for column in table.columns:
        if column.name not in keys:
            right.append(b.column(suffixed(column.name, taken), column.type))
            taken.add(right[-1].name)
    return refused(b, call, (*call.rel.columns, *right), "it is not implemented yet")
