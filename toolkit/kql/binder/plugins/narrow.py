"""narrow: one row per cell (R-312)."""

from __future__ import annotations

import json

from toolkit.kql import plan
from toolkit.kql.binder.compose import call, with_items
from toolkit.kql.binder.context import OPEN, Binder, const
from toolkit.kql.binder.expressions import convert
from toolkit.kql.binder.plugins.evaluate import PluginCall, plugin, refused
from toolkit.kql.types import ScalarType

BOOL, LONG, STRING, DYNAMIC = ScalarType.BOOL, ScalarType.LONG, ScalarType.STRING, ScalarType.DYNAMIC

# As the documentation prints cells: they are written for people, not as tostring() writes them.
_TIME_FORMAT = "yyyy-MM-dd HH:mm:ss.fffffff"
_NULL = "[null]"


@plugin("narrow")
def _narrow(b: Binder, plugin_call: PluginCall) -> plan.Rel:
    """The cells of the first row in the order of the columns, then those of the second; rows are numbered from 0 in their order."""
    row, name, value = b.column("Row", LONG), b.column("Column", STRING), b.column("Value", STRING)
    if any(column.name.startswith(OPEN) for column in plugin_call.rel.columns):
        if b.environment.dry:
            return plan.Values((row, name, value), ())
        return refused(b, plugin_call, (row, name, value), "the columns of its input are not known before it runs")
    number = call("row_number", LONG, const(0, LONG), const(False, BOOL))
    numbered = plan.Window(plan.Serialize(plugin_call.rel), ((row, number),))
    names, cells = b.column("names", DYNAMIC), b.column("cells", DYNAMIC)
    columns = plugin_call.rel.columns
    rel = with_items(
        numbered,
        (names, const(json.dumps([column.name for column in columns], ensure_ascii=False, separators=(",", ":")), DYNAMIC)),
        (cells, call("pack_array", DYNAMIC, *map(_text, columns))),
    )
    items = (plan.ExpandItem(name, plan.Ref(names)), plan.ExpandItem(value, plan.Ref(cells)))
    return plan.Expand(rel, items, None, None, False, (row, name, value), plugin_call.span)


def _text(column: plan.Column) -> plan.Expr:
    value = plan.Ref(column)
    match column.type:
        case ScalarType.STRING:
            return value
        case ScalarType.BOOL:
            text: plan.Expr = call("iff", STRING, value, const("True", STRING), const("False", STRING))
        case ScalarType.DATETIME:
            text = call("format_datetime", STRING, value, const(_TIME_FORMAT, STRING))
        case _:
            text = convert(value, STRING)
    return call("iff", STRING, call("isnull", BOOL, value), const(_NULL, STRING), text)
