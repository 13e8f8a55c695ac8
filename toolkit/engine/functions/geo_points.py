"""Geospatial functions of points and of the cells of grids (R-332).

What is asked of a row per event (distances, circles, geohashes) is SQL, on a sphere as the service has it; S2 cells are numpy
over batches. Coordinates out of range give null, or '' where the result is text.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from toolkit.engine.errors import failing
from toolkit.engine.functions import forms
from toolkit.engine.functions.registry import REGISTRY, Lowering, PythonFunction, Refusal
from toolkit.engine.functions.strings import strict_text
from toolkit.engine.geo import geohash, h3_cells, locations, points, s2_cells, wkt
from toolkit.engine.sql import Form, Literal, Lowered, Sql
from toolkit.kql import plan
from toolkit.kql.types import ScalarType

STRING, DYNAMIC, BOOL, UNKNOWN = ScalarType.STRING, ScalarType.DYNAMIC, ScalarType.BOOL, ScalarType.UNKNOWN

# The sphere of S2, on which the service measures: all 15 printed digits agree.
_RADIUS = 6_371_010.0
_RADIAN = repr(math.pi / 180)
_TURN = repr(2 * math.pi)
_SAME = repr((1e-15 / 2) ** 2)
"""The haversine of 1e-15 radians: below it S2 takes points for the same."""

_SPHEROID = forms.register_python("geo_spheroid_distance", points.spheroid_distance, ["DOUBLE"] * 4, "DOUBLE")
_H3_OF_POINT = forms.register_python("geo_h3_of_point", h3_cells.of_point, ["DOUBLE", "DOUBLE", "BIGINT"], "VARCHAR")
_S2_TOKENS = "kql_geo_s2_tokens"
REGISTRY.python[_S2_TOKENS] = PythonFunction(
    _S2_TOKENS, s2_cells.tokens, ("DOUBLE", "DOUBLE", "DOUBLE", "BIGINT"), "VARCHAR", vectorized=True
)


# --- coordinates ----------------------------------------------------------------------------------------------------


def _named(values: Sequence[Sql], build: Callable[[Sequence[Sql]], Sql]) -> Sql:
    """`build` over names for the values, which it uses many times; DuckDB computes each of them once."""
    fields = ", ".join(f"a{index} := {{{index}}}" for index in range(len(values)))
    names = [Form(f"v.a{index}") for index in range(len(values))]
    return Form(f"list_transform([struct_pack({fields})], lambda v: {{{len(values)}}})[1]", (*values, build(names)))


def _points(call: plan.Call, args: Sequence[Lowered], count: int) -> list[Sql]:
    """The coordinates of the first points, as DOUBLE: longitude, latitude, longitude, ..."""
    return [forms.real(call.args[index].type, args[index].sql) for index in range(2 * count)]


def _valid(coordinates: Sequence[Sql]) -> Sql:
    """NULL, NaN and the infinities are out of range too."""
    tests = [
        Form(f"{{0}} BETWEEN -{limit} AND {limit}", (value,))
        for value, limit in zip(coordinates, (180, 90) * len(coordinates), strict=False)
    ]
    return Form("(" + " AND ".join(f"{{{index}}}" for index in range(len(tests))) + ")", tuple(tests))


def _where_valid(call: plan.Call, args: Sequence[Lowered], count: int, build: Callable[[Sequence[Sql]], Sql]) -> Lowered:
    """What `build` makes of the coordinates; null where one of them is invalid."""

    def checked(names: Sequence[Sql]) -> Sql:
        return Form("CASE WHEN {0} THEN {1} END", (_valid(names[: 2 * count]), build(names)))

    return Lowered(_named(_points(call, args, count), checked), True)


def _haversine(p: Sequence[Sql]) -> Sql:
    """sin(angle / 2) squared of the angle between two points, as S2LatLng computes it."""
    return Form(
        f"(pow(sin(0.5 * ({{3}} * {_RADIAN} - {{1}} * {_RADIAN})), 2)"
        f" + pow(sin(0.5 * ({{2}} * {_RADIAN} - {{0}} * {_RADIAN})), 2) * cos({{1}} * {_RADIAN}) * cos({{3}} * {_RADIAN}))",
        tuple(p),
    )


def _haversine_of_antipode(p: Sequence[Sql]) -> Sql:
    """The same between the first point and the antipode of the second one."""
    return Form(
        f"(pow(sin(0.5 * ({{3}} * {_RADIAN} + {{1}} * {_RADIAN})), 2)"
        f" + pow(cos(0.5 * ({{2}} * {_RADIAN} - {{0}} * {_RADIAN})), 2) * cos({{1}} * {_RADIAN}) * cos({{3}} * {_RADIAN}))",
        tuple(p),
    )


def _distance(p: Sequence[Sql]) -> Sql:
    return Form(f"({_RADIUS!r} * (2 * asin(least(1.0, sqrt({{0}})))))", (_haversine(p),))


def _directed(p: Sequence[Sql]) -> Sql:
    """Whether there is one direction from the first point to the second: they are neither equal nor antipodal."""
    return Form(f"({{0}} > {_SAME} AND {{1}} > {_SAME})", (_haversine(p), _haversine_of_antipode(p)))


def _bearing(p: Sequence[Sql]) -> Sql:
    """Radians clockwise from north of the way from the first point to the second, in -pi to pi."""
    return Form(
        f"atan2(sin(({{2}} - {{0}}) * {_RADIAN}) * cos({{3}} * {_RADIAN}), sin(({{3}} - {{1}}) * {_RADIAN})"
        f" + sin({{1}} * {_RADIAN}) * cos({{3}} * {_RADIAN}) * 2 * pow(sin(0.5 * ({{2}} - {{0}}) * {_RADIAN}), 2))",
        tuple(p),
    )


def _positive(angle: Sql) -> Sql:
    """An angle of -2 pi to 2 pi as one of 0 to 2 pi; the tiniest negative ones would round up to 2 pi."""
    return _named([angle], lambda a: Form(f"CASE WHEN {{0}} < 0 THEN ({{0}} + {_TURN}) % {_TURN} ELSE {{0}} END", tuple(a)))


# --- points ---------------------------------------------------------------------------------------------------------


@REGISTRY.builder("geo_distance_2points")
def _distance_2points(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    if len(args) < 5:
        return _where_valid(call, args, 2, _distance)
    flag = Form("CAST({0} AS BOOLEAN)", (args[4].sql,)) if call.args[4].type is not BOOL else args[4].sql

    def build(p: Sequence[Sql]) -> Sql:
        spheroid = forms.python_call(lowering, _SPHEROID, *p)
        return Form("CASE WHEN {0} THEN {1} WHEN NOT {0} THEN {2} END", (flag, spheroid, _distance(p)))

    return _where_valid(call, args, 2, build)


@REGISTRY.builder("geo_azimuth")
def _azimuth(call: plan.Call, args: Sequence[Lowered], _: Lowering) -> Lowered:
    return _where_valid(call, args, 2, lambda p: Form("CASE WHEN {0} THEN {1} END", (_directed(p), _positive(_bearing(p)))))


@REGISTRY.builder("geo_angle")
def _angle(call: plan.Call, args: Sequence[Lowered], _: Lowering) -> Lowered:
    """The angle at the second point, clockwise from the first point to the third."""

    def build(p: Sequence[Sql]) -> Sql:
        back, onward = [*p[2:4], *p[0:2]], p[2:6]
        between = Form("({0} - {1})", (_bearing(onward), _bearing(back)))
        return Form("CASE WHEN {0} AND {1} THEN {2} END", (_directed(back), _directed(onward), _positive(between)))

    return _where_valid(call, args, 3, build)


@REGISTRY.builder("geo_point_in_circle")
def _point_in_circle(call: plan.Call, args: Sequence[Lowered], _: Lowering) -> Lowered:
    radius = forms.real(call.args[4].type, args[4].sql)

    def build(p: Sequence[Sql]) -> Sql:
        # NaN is greater than everything in DuckDB
        return Form("CASE WHEN {0} > 0 AND NOT isnan({0}) THEN {1} <= {0} END", (p[4], _distance(p[:4])))

    def checked(names: Sequence[Sql]) -> Sql:
        return Form("CASE WHEN {0} THEN {1} END", (_valid(names[:4]), build(names)))

    return Lowered(_named([*_points(call, args, 2), radius], checked), True)


def _of_point(
    call: plan.Call, args: Sequence[Lowered], default: int, limits: tuple[int, int], build: Callable[[Sequence[Sql]], Sql]
) -> Lowered:
    """The name of the cell that holds a point; '' for invalid coordinates and for a level out of range."""
    level = forms.whole(call.args[2].type, args[2].sql) if len(args) > 2 else forms.number(default)

    def checked(names: Sequence[Sql]) -> Sql:
        test = Form(f"({{0}} AND {{1}} BETWEEN {limits[0]} AND {limits[1]})", (_valid(names[:2]), names[2]))
        return Form("CASE WHEN {0} THEN {1} ELSE '' END", (test, build(names)))

    return Lowered(_named([*_points(call, args, 1), level], checked), False)


# --- geohash --------------------------------------------------------------------------------------------------------


def _alphabet(odd: bool) -> str:
    """The 32 letters by 4 * longitude bits + latitude bits, or the other way round for a letter that begins with latitude."""

    def letter(three: int, two: int) -> str:
        woven = sum((three >> bit & 1) << 2 * bit for bit in range(3)) + sum((two >> bit & 1) << 2 * bit + 1 for bit in range(2))
        return geohash.ALPHABET[woven]

    return "".join(letter(index >> 2, index & 3) if not odd else letter(index & 7, index >> 3) for index in range(32))


_EVEN, _ODD = _alphabet(False), _alphabet(True)


def _column(value: Sql, span: int, bit_count: int) -> Sql:
    """The number of the part of -span/2 to span/2 that holds a coordinate, of 2**bit_count equal ones; the last one is closed.

    The division may round up to the next part; the product, which is exact, tells.
    """
    width = repr(span / 2**bit_count)
    half, last = 2 ** (bit_count - 1), 2**bit_count - 1
    part = f"floor({{0}} / {width})"
    exact = f"({part} - CASE WHEN {part} * {width} > {{0}} THEN 1 ELSE 0 END)"
    return Form(f"least(CAST({exact} AS BIGINT) + {half}, {last})", (value,))


def _letters(column: Sql, row: Sql, length: int) -> Sql:
    """The letters of a cell: the first of longitude, latitude, longitude, latitude, longitude, the second the other way."""
    across, up = geohash.bits(length)
    letters = []
    for place in range(length):
        odd = place % 2 == 1
        taken_across, taken_up = geohash.bits(place + 1)
        bits = (f"(({{0}} >> {across - taken_across}) & {3 if odd else 7})", f"(({{1}} >> {up - taken_up}) & {7 if odd else 3})")
        letters.append(f"substr('{_ODD if odd else _EVEN}', CAST(1 + {bits[0]} * {8 if odd else 4} + {bits[1]} AS BIGINT), 1)")
    return Form("(" + " || ".join(letters) + ")", (column, row))


@REGISTRY.builder("geo_point_to_geohash")
def _point_to_geohash(call: plan.Call, args: Sequence[Lowered], _: Lowering) -> Lowered:
    """A geohash begins with the shorter ones of the same point."""
    known = forms.constant_number(call.args[2]) if len(args) > 2 else 5
    length = known if isinstance(known, int) and 1 <= known <= geohash.MOST else geohash.MOST
    across, up = geohash.bits(length)

    def build(names: Sequence[Sql]) -> Sql:
        cell = (_column(names[0], 360, across), _column(names[1], 180, up))
        letters = Form(
            "list_transform([struct_pack(x := {0}, y := {1})], lambda c: {2})[1]", (*cell, _letters(Form("c.x"), Form("c.y"), length))
        )
        return Form("left({0}, {1})", (letters, names[2])) if length != known else letters

    return _of_point(call, args, 5, (1, geohash.MOST), build)


# --- S2 and H3 ------------------------------------------------------------------------------------------------------


@REGISTRY.builder("geo_point_to_s2cell")
def _point_to_s2cell(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    def build(names: Sequence[Sql]) -> Sql:
        axes = (
            f"(cos({{0}} * {_RADIAN}) * cos({{1}} * {_RADIAN}))",
            f"(sin({{0}} * {_RADIAN}) * cos({{1}} * {_RADIAN}))",
            f"sin({{1}} * {_RADIAN})",
        )
        return forms.python_call(lowering, _S2_TOKENS, *(Form(axis, tuple(names[:2])) for axis in axes), names[2])

    return _of_point(call, args, 11, (0, s2_cells.LEVELS), build)


@REGISTRY.builder("geo_point_to_h3cell")
def _point_to_h3cell(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    return _of_point(call, args, 6, (0, h3_cells.FINEST), lambda names: forms.python_call(lowering, _H3_OF_POINT, *names))


REGISTRY.udf("geo_geohash_to_central_point", geohash.central_point, [STRING], DYNAMIC)
REGISTRY.udf("geo_geohash_to_polygon", geohash.polygon, [STRING], DYNAMIC)
REGISTRY.udf("geo_geohash_neighbors", geohash.neighbors, [STRING], DYNAMIC)
REGISTRY.udf("geo_s2cell_to_central_point", s2_cells.central_point, [STRING], DYNAMIC)
REGISTRY.udf("geo_s2cell_to_polygon", s2_cells.polygon, [STRING], DYNAMIC)
REGISTRY.udf("geo_s2cell_neighbors", s2_cells.neighbors, [STRING], DYNAMIC)
REGISTRY.udf("geo_h3cell_to_central_point", h3_cells.central_point, [STRING], DYNAMIC)
REGISTRY.udf("geo_h3cell_to_polygon", h3_cells.polygon, [STRING], DYNAMIC)
REGISTRY.udf("geo_h3cell_neighbors", h3_cells.neighbors, [STRING], DYNAMIC)


def _register(name: str, function: Callable[..., Any], arguments: Sequence[str], result: str = "VARCHAR") -> str:
    return forms.register_python(f"geo_h3cell_{name}", function, arguments, result)


_LEVEL = _register("level", h3_cells.level, ["VARCHAR"], "BIGINT")
_RINGS = _register("rings", h3_cells.rings, ["VARCHAR", "BIGINT"])
_CHILDREN = _register("children", h3_cells.children, ["VARCHAR", "BIGINT"])
_ALL_CHILDREN = _register("all_children", h3_cells.all_children, ["VARCHAR"])
_PARENT = _register("parent", h3_cells.parent, ["VARCHAR", "BIGINT"])
_NEXT_PARENT = _register("next_parent", h3_cells.next_parent, ["VARCHAR"])


@REGISTRY.builder("geo_h3cell_level")
def _h3cell_level(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    return Lowered(Form("CAST({0} AS INTEGER)", (forms.python_call(lowering, _LEVEL, strict_text(call, args, 0)),)), True)


@REGISTRY.builder("geo_h3cell_children", "geo_h3cell_parent", "geo_h3cell_rings")
def _h3cell_family(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    """A null resolution or distance is an invalid one."""
    cell = strict_text(call, args, 0)
    relatives = {
        "geo_h3cell_children": (_ALL_CHILDREN, _CHILDREN),
        "geo_h3cell_parent": (_NEXT_PARENT, _PARENT),
        "geo_h3cell_rings": ("", _RINGS),
    }
    alone, at_level = relatives[call.name]
    if len(args) > 1:
        found = forms.python_call(lowering, at_level, cell, forms.whole(call.args[1].type, args[1].sql))
    else:
        found = forms.python_call(lowering, alone, cell)
    return Lowered(Form("coalesce({0}, '')", (found,)), False) if call.type is STRING else Lowered(found, True)


# --- other sources of places ----------------------------------------------------------------------------------------

_FROM_WKT = forms.register_python("geo_from_wkt", wkt.from_wkt, ["VARCHAR"], "VARCHAR")
_LOCATION = forms.register_python("geo_ip_location", locations.location_of, ["VARCHAR", "VARCHAR"], "VARCHAR")
_LOCATABLE = forms.register_python("geo_ip_locatable", locations.is_locatable, ["VARCHAR"], "BOOLEAN")
_NO_LOCATIONS = (
    "geo_info_from_ip_address: where a public address is stands in a database that is not part of this engine; "
    "Workspace.map_ip_locations takes a file of networks in its place"
)


@REGISTRY.builder("geo_from_wkt")
def _from_wkt(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    if call.args[0].type not in (STRING, UNKNOWN):
        raise Refusal(f"geo_from_wkt is documented for a string, not for {call.args[0].type}", call.span)
    return Lowered(forms.python_call(lowering, _FROM_WKT, args[0].sql), True)


@REGISTRY.builder("geo_info_from_ip_address")
def _info_from_ip_address(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    """Without a file of locations only a row with a public address fails: others have no location anywhere (R-170)."""
    address = strict_text(call, args, 0)
    path = lowering.settings.get("ip_locations")
    if isinstance(path, str):
        return Lowered(forms.python_call(lowering, _LOCATION, address, forms.text(path)), True)
    asks = forms.python_call(lowering, _LOCATABLE, address)
    # without a type of its own DuckDB takes the whole form for NULL and does not run it
    refusal = Form("CAST(error({0}) AS VARCHAR)", (Literal(failing(_NO_LOCATIONS, call.span), "VARCHAR"),))
    return Lowered(Form("CASE WHEN {0} THEN {1} END", (asks, refusal)), True)
