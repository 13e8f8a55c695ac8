"""Lines and polygons whose edges are straight on the plane of longitudes and latitudes, as edges on the sphere (R-332).

An edge is halved on the plane until every part is close enough to the geodesic between its ends. How far apart the two are is
estimated at two places; the constants come from the derivation in S2's edge tessellator, which the service's points agree with.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from toolkit.engine.geo import geojson
from toolkit.engine.geo.geojson import Point
from toolkit.engine.geo.library import s2
from toolkit.engine.geo.shapes import EARTH_RADIUS_METERS, S2, read_line, read_polygon, s2_point

_MEASURED_AT = 0.31215691082248312
_SCALE = 0.83829992569888509
_LEAST, _MOST = 0.1, 10_000.0
_MOST_POINTS = 10_485_760


class AntimeridianError(Exception):
    """An edge whose densified form depends on the side of the globe that it takes, which is not documented."""


def line(text: str, tolerance: float, preserve_crossing: bool) -> str | None:
    """None for an invalid line or a tolerance outside of 0.1 to 10,000 meters."""
    shape = geojson.read_lines(text)
    if shape is None or read_line(text) is None or not _LEAST <= tolerance <= _MOST:
        return None
    found = [_chain(points, tolerance, preserve_crossing) for points in shape.lines]
    if sum(map(len, found)) > _MOST_POINTS:
        return None
    return geojson.write_lines(geojson.Lines(tuple(found), shape.multi))


def polygon(text: str, tolerance: float, preserve_crossing: bool) -> str | None:
    shape = geojson.read_polygons(text)
    if shape is None or read_polygon(text) is None or not _LEAST <= tolerance <= _MOST:
        return None
    found = tuple(tuple(_chain((*ring, ring[0]), tolerance, preserve_crossing)[:-1] for ring in rings) for rings in shape.polygons)
    if sum(len(ring) for rings in found for ring in rings) > _MOST_POINTS:
        return None
    return geojson.write_polygons(geojson.Polygons(found, shape.multi))


def _chain(points: tuple[Point, ...], tolerance: float, preserve_crossing: bool) -> tuple[Point, ...]:
    allowed = _SCALE * tolerance / EARTH_RADIUS_METERS
    found = [points[0]]
    for start, end in pairwise(points):
        if abs(start[0] - end[0]) > 180 and not preserve_crossing:
            message = "kql: an edge across the antimeridian is densified with preserve_crossing = true only"
            raise AntimeridianError(message)
        found += [(_wrapped(longitude), latitude) for longitude, latitude in _halved(start, _near(start, end), allowed)]
        found[-1] = end
    return tuple(found)


def _near(start: Point, end: Point) -> Point:
    """The end of an edge with its longitude within 180 degrees of the start's."""
    if abs(end[0] - start[0]) <= 180:
        return end
    return (end[0] - 360 if end[0] > start[0] else end[0] + 360), end[1]


def _wrapped(longitude: float) -> float:
    return longitude - 360 if longitude > 180 else longitude + 360 if longitude < -180 else longitude


def _halved(start: Point, end: Point, allowed: float) -> Iterator[Point]:
    """All points after the first, recursively: an edge of any length needs at most 45 halvings."""
    one, other = s2_point(*start), s2_point(*end)
    if _error(start, one, end, other) <= allowed:
        yield end
        return
    middle = _between(start, end, 0.5)
    yield from _halved(start, middle, allowed)
    yield from _halved(middle, end, allowed)


def _between(start: Point, end: Point, fraction: float) -> Point:
    return (1 - fraction) * start[0] + fraction * end[0], (1 - fraction) * start[1] + fraction * end[1]


def _error(start: Point, one: S2, end: Point, other: S2) -> float:
    """Radians; edges beyond 90 degrees are always halved, the estimate does not hold for them."""
    if one.x() * other.x() + one.y() * other.y() + one.z() * other.z() < -1e-14:
        return float("inf")
    library = s2()
    distances = []
    for fraction in (_MEASURED_AT, 1 - _MEASURED_AT):
        on_sphere = library.S2LatLng(library.Interpolate(one, other, fraction))
        on_plane = library.S2LatLng(s2_point(*_between(start, end, fraction)))
        distances.append(float(on_sphere.GetDistance(on_plane).radians()))
    return max(distances)
