"""Geospatial functions against S2 itself, against bisection, and against one another, over generated points."""

from __future__ import annotations

import json
import math
from contextlib import closing
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from toolkit import Workspace
from toolkit.engine.geo.geojson import Lines, Polygons, read_lines, read_point, read_polygons, write_lines, write_point, write_polygons

EXAMPLES = settings(max_examples=20, deadline=None)
# Edges and corners of cells are where an encoding goes wrong.
LONGITUDES = st.one_of(st.floats(-180, 180), st.sampled_from([-180.0, -135.0, -90.0, -45.0, 0.0, 45.0, 90.0, 135.0, 180.0]))
LATITUDES = st.one_of(st.floats(-90, 90), st.sampled_from([-90.0, -45.0, -35.264389682754654, 0.0, 35.264389682754654, 45.0, 90.0]))
POINTS = st.tuples(LONGITUDES, LATITUDES)
ALPHABET = "0123456789bcdefghjkmnpqrstuvwxyz"


def _query(points: list[tuple[float, float]], query: str) -> list[tuple[Any, ...]]:
    with closing(Workspace({"T": {"i": "long", "x": "real", "y": "real"}})) as workspace:
        workspace.ingest("T", [{"i": index, "x": x, "y": y} for index, (x, y) in enumerate(points)])
        return list(workspace.query(f"T | order by i asc | {query}").rows())


@EXAMPLES
@given(st.lists(POINTS, min_size=1, max_size=40), st.integers(0, 30))
def test_s2_cells_are_those_of_the_library(points: list[tuple[float, float]], level: int) -> None:
    s2 = pytest.importorskip("s2geometry")
    for (x, y), (token,) in zip(points, _query(points, f"project geo_point_to_s2cell(x, y, {level})"), strict=True):
        assert token == s2.S2CellId(s2.S2LatLng.FromDegrees(y, x)).parent(level).ToToken()


@EXAMPLES
@given(st.lists(POINTS, min_size=1, max_size=40))
def test_distances_and_bearings_are_those_of_the_library(points: list[tuple[float, float]]) -> None:
    s2 = pytest.importorskip("s2geometry")
    here = s2.S2LatLng.FromDegrees(20, 10)
    rows = _query(points, "project geo_distance_2points(x, y, 10, 20), geo_distance_2points(10, 20, x, y), geo_azimuth(x, y, 10, 20)")
    for (x, y), (distance, back, azimuth) in zip(points, rows, strict=True):
        there = s2.S2LatLng.FromDegrees(y, x)
        assert distance == pytest.approx(s2.S2Earth.GetDistanceMeters(there, here), rel=1e-14, abs=1e-6)
        assert back == pytest.approx(distance, rel=1e-14, abs=1e-6)
        if azimuth is not None:
            turn = azimuth - s2.S2Earth.GetInitialBearing(there, here).radians()
            assert math.cos(turn) == pytest.approx(1)
            assert 0 <= azimuth < 2 * math.pi


def _bisected(x: float, y: float, length: int) -> str:
    """A geohash by its definition; halves of halves of 180 are exact."""
    ranges, found = [[-180.0, 180.0], [-90.0, 90.0]], 0
    for index in range(5 * length):
        span, value = ranges[index % 2], (x, y)[index % 2]
        middle = (span[0] + span[1]) / 2
        above = value >= middle
        span[0 if above else 1] = middle
        found = found * 2 + above
    return "".join(ALPHABET[found >> 5 * (length - 1 - place) & 31] for place in range(length))


@EXAMPLES
@example([(-1e-300, -1e-300), (math.nextafter(45, 0), math.nextafter(-45, -90)), (180.0, 90.0)], 18)
@given(st.lists(POINTS, min_size=1, max_size=40), st.integers(1, 18))
def test_geohashes_are_those_of_bisection(points: list[tuple[float, float]], length: int) -> None:
    found = _query(points, f"project geo_point_to_geohash(x, y, {length}), geo_point_to_geohash(x, y, toint(i - i) + {length})")
    assert found == [(_bisected(x, y, length),) * 2 for x, y in points]


@EXAMPLES
@given(st.lists(POINTS, min_size=1, max_size=20), st.integers(1, 15))
def test_the_centre_of_a_cell_is_in_the_cell(points: list[tuple[float, float]], level: int) -> None:
    pytest.importorskip("s2geometry")
    query = (
        f"extend g = geo_point_to_geohash(x, y, {level}), s = geo_point_to_s2cell(x, y, {level}), h = geo_point_to_h3cell(x, y, {level})"
        "| extend gc = geo_geohash_to_central_point(g).coordinates, sc = geo_s2cell_to_central_point(s).coordinates,"
        " hc = geo_h3cell_to_central_point(h).coordinates"
        f"| project g == geo_point_to_geohash(toreal(gc[0]), toreal(gc[1]), {level}),"
        f" s == geo_point_to_s2cell(toreal(sc[0]), toreal(sc[1]), {level}),"
        f" h == geo_point_to_h3cell(toreal(hc[0]), toreal(hc[1]), {level}),"
        " set_has_element(geo_h3cell_children(geo_h3cell_parent(h)), h), h in (geo_h3cell_rings(h, 1)[0])"
    )
    assert _query(points, query) == [(True,) * 5] * len(points)


@EXAMPLES
@given(st.lists(POINTS, min_size=1, max_size=20), st.integers(2, 8))
def test_neighbours_are_neighbours_of_each_other(points: list[tuple[float, float]], level: int) -> None:
    pytest.importorskip("s2geometry")
    inner = [(x, y * 0.49) for x, y in points]  # a geohash at a pole is refused
    query = (
        f"extend g = geo_point_to_geohash(x, y, {level}), s = geo_point_to_s2cell(x, y, {level}), h = geo_point_to_h3cell(x, y, {level})"
        "| extend gn = geo_geohash_neighbors(g), sn = geo_s2cell_neighbors(s), hn = geo_h3cell_neighbors(h)"
        "| project set_has_element(geo_geohash_neighbors(tostring(gn[0])), g),"
        " set_has_element(geo_s2cell_neighbors(tostring(sn[0])), s), set_has_element(geo_h3cell_neighbors(tostring(hn[0])), h)"
    )
    assert _query(inner, query) == [(True,) * 3] * len(points)


# --- GeoJSON --------------------------------------------------------------------------------------------------------

PLACES = st.tuples(st.floats(-180, 180).map(abs), st.floats(-90, 90).map(abs))  # -0.0 is written as 0
RINGS = st.lists(PLACES, min_size=3, max_size=5, unique=True).map(tuple)


@given(PLACES, st.lists(st.lists(PLACES, min_size=2, max_size=4).map(tuple), min_size=1, max_size=3).map(tuple), st.booleans())
def test_points_and_lines_come_back(point: Any, lines: Any, multi: bool) -> None:
    shape = Lines(lines if multi else lines[:1], multi)
    assert read_point(write_point(*point)) == point
    assert read_lines(write_lines(shape)) == shape


@given(st.lists(st.lists(RINGS, min_size=1, max_size=3).map(tuple), min_size=1, max_size=3).map(tuple), st.booleans())
def test_polygons_come_back(polygons: Any, multi: bool) -> None:
    shape = Polygons(polygons if multi else polygons[:1], multi)
    assert read_polygons(write_polygons(shape)) == shape


@pytest.mark.parametrize(
    ("kind", "coordinates"),
    [
        ("Point", [180.1, 0]),
        ("Point", [0, -90.5]),
        ("Point", [1]),
        ("Point", ["1", 2]),
        ("Point", [True, 2]),
        ("Point", None),
        ("point", [1, 2]),
        ("LineString", [[1, 1]]),
        ("LineString", []),
        ("LineString", [[1, 1], [300, 1]]),
        ("MultiLineString", [[[1, 1], [2, 2]], [[1, 1]]]),
        ("MultiLineString", []),
        ("Polygon", []),
        ("Polygon", [[[0, 0], [10, 10], [0, 0]]]),
        ("Polygon", [[[0, 0], [10, 10], [10, 10], [0, 0]]]),
        ("Polygon", [[[0, 0], [10, 10], [10, 0], [0, 1]]]),
        ("Polygon", [[[0, 0], [10, 10], [10, 0], [0, 0]], [[1, 1]]]),
        ("MultiPolygon", [[[[0, 0], [10, 10], [10, 0], [0, 0]]], []]),
    ],
)
def test_what_is_no_shape(kind: str, coordinates: Any) -> None:
    text = json.dumps({"type": kind, "coordinates": coordinates})
    assert (read_point(text), read_lines(text), read_polygons(text)) == (None, None, None)


@pytest.mark.parametrize("text", [None, "", "null", "1", '"x"', "[]", "{}", '{"type":1,"coordinates":[1,2]}', '{"coordinates":[1,2]}'])
def test_what_is_no_geojson(text: str | None) -> None:
    assert (read_point(text), read_lines(text), read_polygons(text)) == (None, None, None)
