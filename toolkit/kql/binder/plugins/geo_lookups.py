"""geo_polygon_lookup and geo_line_lookup: every row of the lookup table whose shape holds, or is near, the source's point.

The shapes are compiled once; every distinct point is asked once which of them hold it, and the answers are joined with both sides.
"""

from __future__ import annotations

from collections.abc import Sequence

from toolkit.kql import plan
from toolkit.kql.binder.compose import Common, call, grouped, joined, with_items
from toolkit.kql.binder.context import Binder, const
from toolkit.kql.binder.expressions import convert
from toolkit.kql.binder.names import suffixed
from toolkit.kql.binder.plugins.evaluate import PluginCall, plugin, refused
from toolkit.kql.types import ScalarType

BOOL, REAL, STRING, DYNAMIC, UNKNOWN = ScalarType.BOOL, ScalarType.REAL, ScalarType.STRING, ScalarType.DYNAMIC, ScalarType.UNKNOWN

_KEYS = {"geo_polygon_lookup": "LookupPolygonKey", "geo_line_lookup": "LookupLineKey"}
_OPTIONS = ("radius", "return_unmatched", "lookup_area_radius", "return_lookup_key")
_POINT = ("SourceLongitude", "SourceLatitude")


@plugin(*_KEYS)
def _lookup(b: Binder, plugin_call: PluginCall) -> plan.Rel:
    """The source's columns, then the table's, the shape among them only with return_lookup_key."""
    table = plugin_call.tables.get("LookupTable")
    given = plugin_call.columns(_KEYS[plugin_call.name], *_POINT)
    if table is None or len(given) < 1 + len(_POINT):
        known = (*plugin_call.rel.columns, *(table.columns if table is not None else ()))
        return refused(b, plugin_call, known, "its table, shape and coordinates must be its first arguments, without names")
    shape = given[0]
    columns = _columns(plugin_call, shape)
    reason = _mistake(plugin_call, shape)
    return refused(b, plugin_call, columns, reason) if reason else _matched(b, plugin_call, shape, columns)


def _columns(plugin_call: PluginCall, shape: plan.Column) -> list[plan.Column]:
    found = list(plugin_call.rel.columns)
    taken = {column.name for column in found}
    for column in plugin_call.tables["LookupTable"].columns:
        if column.id != shape.id or _option(plugin_call, "return_lookup_key"):
            found.append(plan.Column(column.id, suffixed(column.name, taken), column.type))
            taken.add(found[-1].name)
    return found


def _option(plugin_call: PluginCall, name: str) -> object:
    value = plugin_call.value(name)
    return value.value if isinstance(value, plan.Const) else None


def _mistake(plugin_call: PluginCall, shape: plan.Column) -> str:
    """Why this call cannot be run; '' when it can."""
    unknown = next((name for name in plugin_call.named if name not in (*_OPTIONS, *_POINT)), None)
    if unknown is not None:
        return f"it has no parameter '{unknown}'"
    written = next((name for name in _OPTIONS if not isinstance(plugin_call.value(name), (plan.Const, type(None)))), None)
    if written is not None:
        return f"{written} must be a literal"
    radius = _option(plugin_call, "radius")
    if isinstance(radius, (int, float)) and not radius >= 0:
        return "its radius must not be negative"
    if radius is None and plugin_call.name == "geo_line_lookup":
        return "it needs a radius"
    if shape.type not in (DYNAMIC, UNKNOWN):
        return f"its shapes are dynamic, and '{shape.name}' is {shape.type}"
    point = plugin_call.columns(*_POINT)
    wrong = next((column for column in point if not (column.type.is_number or column.type is UNKNOWN)), None)
    return f"its coordinates are numbers, and '{wrong.name}' is {wrong.type}" if wrong else ""


def _matched(b: Binder, plugin_call: PluginCall, shape: plan.Column, columns: Sequence[plan.Column]) -> plan.Rel:
    key, longitude, latitude = b.column("key", STRING), b.column("longitude", REAL), b.column("latitude", REAL)
    given = [convert(plan.Ref(column), REAL) for column in plugin_call.columns(*_POINT)]
    points = Common(b, "points", with_items(plugin_call.rel, (longitude, given[0]), (latitude, given[1])))
    shapes = Common(b, "shapes", with_items(plugin_call.tables["LookupTable"], (key, call("geo_shape_key", STRING, shape))))
    held, point, found_key = _held(b, plugin_call, (points, longitude, latitude), (shapes, shape))
    table, theirs = shapes.again()
    found = joined("inner", held, table, (plan.Ref(found_key), plan.Ref(theirs[key.id])))
    rows, mine = points.again()
    kind = "leftouter" if _option(plugin_call, "return_unmatched") else "inner"
    on = [(plan.Ref(mine[one.id]), plan.Ref(other)) for one, other in zip((longitude, latitude), point, strict=True)]
    now = {**mine, **theirs}
    return plan.Narrow(
        joined(kind, rows, found, *on), tuple(plan.Column(now[column.id].id, column.name, column.type) for column in columns)
    )


def _held(
    b: Binder, plugin_call: PluginCall, source: tuple[Common, plan.Column, plan.Column], table: tuple[Common, plan.Column]
) -> tuple[plan.Rel, list[plan.Column], plan.Column]:
    """One row per distinct point and shape that holds it, the point's columns, and the shape's key."""
    rows, theirs = table[0].again()
    listed, handle = b.column("shapes", DYNAMIC), b.column("handle", STRING)
    index = grouped(rows, [], [(listed, plan.AggregateCall("make_list", (plan.Ref(theirs[table[1].id]),), DYNAMIC))])
    lines = const(plugin_call.name == "geo_line_lookup", BOOL)
    indexed = with_items(index, (handle, call("geo_lookup_index", STRING, listed, lines)))
    rows, mine = source[0].again()
    point = [b.column(column.name, REAL) for column in source[1:]]
    distinct = grouped(rows, [(new, plan.Ref(mine[old.id])) for new, old in zip(point, source[1:], strict=True)])
    radius = _option(plugin_call, "radius")
    within = const(float(radius) if isinstance(radius, (int, float)) else None, REAL)
    keys, key = b.column("keys", DYNAMIC), b.column("key", STRING)
    asked = with_items(joined("inner", distinct, indexed), (keys, call("geo_lookup", DYNAMIC, *point, handle, within)))
    expanded = plan.Expand(asked, (plan.ExpandItem(key, plan.Ref(keys)),), None, None, False, (*point, key), plugin_call.span)
    return expanded, point, key
