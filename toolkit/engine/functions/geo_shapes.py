"""Geospatial functions over lines and polygons (R-332): GeoJSON in, numbers or GeoJSON out, in Python over S2.

Invalid shapes, coordinates and tolerances give null; what is not a number where one is expected is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from toolkit.engine.functions.forms import constant_number, python_call, real, whole
from toolkit.engine.functions.registry import REGISTRY, Lowering, PythonFunction, Refusal
from toolkit.engine.geo import buffers, containment, coverings, densify, lines, overlay, polygons, simplify
from toolkit.engine.sql import Form, Literal, Lowered, Sql
from toolkit.kql import plan
from toolkit.kql.types import ScalarType

TEXT, NUMBER, FLAG, INTEGER = "VARCHAR", "DOUBLE", "BOOLEAN", "BIGINT"


@dataclass(frozen=True)
class _Row:
    """Physical types of the arguments, and the values of those at the end that may be left out.

    `vectorized`: called with arrays of a batch of rows.
    """

    function: Callable[..., Any]
    arguments: tuple[str, ...]
    result: str = TEXT
    defaults: tuple[object, ...] = ()
    vectorized: bool = False


_POINT = (NUMBER, NUMBER)
_ROWS = {
    "geo_closest_point_on_line": _Row(lines.closest_point, (*_POINT, TEXT)),
    "geo_closest_point_on_polygon": _Row(polygons.closest_point, (*_POINT, TEXT)),
    "geo_distance_point_to_line": _Row(lines.distance, (*_POINT, TEXT), NUMBER),
    "geo_distance_point_to_polygon": _Row(polygons.distance, (*_POINT, TEXT), NUMBER),
    "geo_intersection_2lines": _Row(overlay.line_intersection, (TEXT, TEXT)),
    "geo_intersection_2polygons": _Row(overlay.polygon_intersection, (TEXT, TEXT)),
    "geo_intersection_line_with_polygon": _Row(overlay.line_with_polygon, (TEXT, TEXT)),
    "geo_intersects_2lines": _Row(overlay.lines_intersect, (TEXT, TEXT), FLAG),
    "geo_intersects_2polygons": _Row(overlay.polygons_intersect, (TEXT, TEXT), FLAG),
    "geo_intersects_line_with_polygon": _Row(overlay.line_intersects_polygon, (TEXT, TEXT), FLAG),
    "geo_line_buffer": _Row(buffers.line_buffer, (TEXT, NUMBER, NUMBER), TEXT, (10.0,)),
    "geo_line_centroid": _Row(lines.centroid, (TEXT,)),
    "geo_line_densify": _Row(densify.line, (TEXT, NUMBER, FLAG), TEXT, (10.0, False)),
    "geo_line_interpolate_point": _Row(lines.interpolate_point, (TEXT, NUMBER)),
    "geo_line_length": _Row(lines.length, (TEXT,), NUMBER),
    "geo_line_locate_point": _Row(lines.locate_point, (TEXT, *_POINT), NUMBER),
    "geo_line_simplify": _Row(simplify.line, (TEXT, NUMBER), TEXT, (10.0,)),
    "geo_line_to_s2cells": _Row(coverings.line_to_s2cells, (TEXT, INTEGER, NUMBER), TEXT, (11, 0.0)),
    "geo_point_buffer": _Row(buffers.point_buffer, (*_POINT, NUMBER, NUMBER), TEXT, (10.0,)),
    "geo_point_in_polygon": _Row(containment.contains, (*_POINT, TEXT), FLAG, vectorized=True),
    "geo_polygon_area": _Row(polygons.area, (TEXT,), NUMBER),
    "geo_polygon_buffer": _Row(buffers.polygon_buffer, (TEXT, NUMBER, NUMBER), TEXT, (10.0,)),
    "geo_polygon_centroid": _Row(polygons.centroid, (TEXT,)),
    "geo_polygon_densify": _Row(densify.polygon, (TEXT, NUMBER, FLAG), TEXT, (10.0, False)),
    "geo_polygon_perimeter": _Row(polygons.perimeter, (TEXT,), NUMBER),
    "geo_polygon_simplify": _Row(simplify.polygon, (TEXT, NUMBER), TEXT, (10.0,)),
    "geo_polygon_to_h3cells": _Row(coverings.polygon_to_h3cells, (TEXT, INTEGER, NUMBER), TEXT, (6, 0.0)),
    "geo_polygon_to_s2cells": _Row(coverings.polygon_to_s2cells, (TEXT, INTEGER, NUMBER), TEXT, (11, 0.0)),
    "geo_simplify_polygons_array": _Row(simplify.polygons, (TEXT, NUMBER), TEXT, (10.0,)),
    "geo_union_lines_array": _Row(lines.union, (TEXT,)),
    "geo_union_polygons_array": _Row(polygons.union, (TEXT,)),
    # What the lookup plugins are made of.
    "geo_shape_key": _Row(containment.shape_key, (TEXT,)),
    "geo_lookup_index": _Row(containment.lookup_index, (TEXT, FLAG)),
    "geo_lookup": _Row(containment.lookup, (*_POINT, TEXT, NUMBER), vectorized=True),
}


def _argument(call: plan.Call, args: Sequence[Lowered], row: _Row, index: int) -> Sql:
    physical = row.arguments[index]
    if index >= len(args):
        return Literal(row.defaults[index - len(row.arguments)], physical)
    kind, value = call.args[index].type, args[index].sql
    if physical == TEXT:
        if kind not in (ScalarType.DYNAMIC, ScalarType.STRING):
            raise Refusal(f"{call.name} takes a dynamic value here, not {kind}", call.span)
        return value
    if physical == FLAG:
        return value if kind is ScalarType.BOOL else Form("({0} <> 0)", (real(kind, value),))
    return real(kind, value) if physical == NUMBER else whole(kind, value)


def _register(name: str, row: _Row) -> None:
    sql_name = f"kql_{name}"
    REGISTRY.python[sql_name] = PythonFunction(sql_name, row.function, row.arguments, row.result, vectorized=row.vectorized)

    def build(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
        values = [_argument(call, args, row, index) for index in range(len(row.arguments))]
        return Lowered(python_call(lowering, sql_name, *values), True)

    REGISTRY.builder(name)(build)


for _name, _row in _ROWS.items():
    _register(_name, _row)
_located = REGISTRY.scalars["geo_line_locate_point"]


@REGISTRY.builder("geo_line_locate_point")
def _locate(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    """On the sphere only: where a line of geodesics on the spheroid is closest, S2 does not tell."""
    if len(args) > 3:
        flag = call.args[3]
        if constant_number(flag) != 0 and not (isinstance(flag, plan.Const) and flag.value is False):
            raise Refusal("geo_line_locate_point is supported on the sphere only, use_spheroid = false", flag.span)
    return _located(call, args[:3], lowering)
