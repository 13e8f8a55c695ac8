"""Parsed lines and polygons as S2 objects, compiled once per text, and S2 objects as GeoJSON (R-332).

Edges are geodesics on a sphere. Distances are on the sphere of the Earth's mean radius, which is what the service measures with.
"""

from __future__ import annotations

import heapq
import itertools
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, wraps
from typing import Any, TypeVar

from toolkit.engine.geo import geojson
from toolkit.engine.geo.geojson import Point, Polygon, Ring, valid
from toolkit.engine.geo.library import s2
from toolkit.engine.geo.vectors import Vector

EARTH_RADIUS_METERS = 6_371_010.0

# An S2 object; its package has no types.
S2 = Any

_MOST_CHARACTERS = 64_000_000


T = TypeVar("T")


def cached_by_text(compile_text: Callable[[str], T]) -> Callable[[str], T]:
    """Keeps what was compiled last, by the size of the texts: polygons differ in size by a factor of a thousand."""
    kept: OrderedDict[str, T] = OrderedDict()
    size = 0
    lock = threading.Lock()

    @wraps(compile_text)
    def compiled(text: str) -> T:
        nonlocal size
        with lock:
            if text in kept:
                kept.move_to_end(text)
                return kept[text]
        found = compile_text(text)
        with lock:
            size += len(text) if text not in kept else 0
            kept[text] = found
            while size > _MOST_CHARACTERS and len(kept) > 1:
                size -= len(kept.popitem(last=False)[0])
        return found

    return compiled


# --- points ---------------------------------------------------------------------------------------------------------


def s2_point(longitude: float, latitude: float) -> S2:
    return s2().S2LatLng.FromDegrees(latitude, longitude).ToPoint()


def s2_points(points: Iterable[Point]) -> list[S2]:
    return [s2_point(*point) for point in points]


def degrees(point: S2) -> Point:
    found = s2().S2LatLng(point)
    return found.lng().degrees(), found.lat().degrees()


def point_text(point: S2) -> str:
    return geojson.write_point(*degrees(point))


def vector(point: S2) -> Vector:
    """The coordinates of a point: equal for equal points, and usable as a key."""
    return point.x(), point.y(), point.z()


def s2_vector(coordinates: Vector) -> S2:
    return s2().S2Point_FromRaw(*coordinates)


def meters_between(one: S2, other: S2) -> float:
    found: float = s2().S2Earth.GetDistanceMeters(one, other)
    return found


def given_point(longitude: float, latitude: float) -> S2 | None:
    """The point of two arguments; None when they are no coordinates."""
    return s2_point(longitude, latitude) if valid(longitude, latitude) else None


# --- lines ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class LineShape:
    """The lines of a LineString or MultiLineString, each an S2Polyline, in order."""

    polylines: Sequence[S2]

    @property
    def parts(self) -> Sequence[S2]:
        return self.polylines

    @cached_property
    def vertices(self) -> list[list[S2]]:
        return [vertices_of(polyline) for polyline in self.polylines]

    @cached_property
    def edges(self) -> list[tuple[S2, S2]]:
        """The edges of the union of the lines: one that comes twice, in either direction, counts once."""
        if len(self.polylines) == 1:
            return list(zip(self.vertices[0], self.vertices[0][1:], strict=False))
        found: dict[frozenset[Vector], tuple[S2, S2]] = {}
        for line in self.vertices:
            for one, other in itertools.pairwise(line):
                found.setdefault(frozenset((vector(one), vector(other))), (one, other))
        return list(found.values())

    @cached_property
    def caps(self) -> tuple[Any, Any]:
        """For every line the center of a cap around it (unit vectors) and its radius in radians, both as arrays."""
        import numpy as np

        caps = [line.GetCapBound() for line in self.polylines]
        centers = np.array([vector(cap.center()) for cap in caps])
        return centers, 2 * np.arcsin(np.sqrt(np.clip([cap.height() / 2 for cap in caps], 0, 1)))


def vertices_of(chain: S2) -> list[S2]:
    """The vertices of an S2Polyline or S2Loop, as copies: what `vertex` gives lives only as long as the chain."""
    return [s2_vector(vector(chain.vertex(index))) for index in range(chain.num_vertices())]


def polyline(points: Sequence[S2]) -> S2:
    found = s2().S2Polyline()
    found.InitFromS2Points(list(points))
    return found


@cached_by_text
def read_line(text: str) -> LineShape | None:
    """None when the text is no valid line: one that is a single place, or an edge of 180 degrees.

    Unlike those of a polygon, the vertices of a line need not be distinct: repeated ones in a row count once.
    """
    shape = geojson.read_lines(text)
    if shape is None or any(_half_circle(one, other) for line in shape.lines for one, other in itertools.pairwise(line)):
        return None
    found = [polyline(_without_repeats(s2_points(line))) for line in shape.lines]
    return LineShape(found) if all(line.num_vertices() > 1 and line.IsValid() for line in found) else None


def _without_repeats(points: Sequence[S2]) -> list[S2]:
    return [points[0], *(other for one, other in itertools.pairwise(points) if vector(one) != vector(other))]


def _half_circle(one: Point, other: Point) -> bool:
    """Whether two points are opposite each other: which of the edges between them is meant cannot be said."""
    return one[1] == -other[1] and (abs(one[0] - other[0]) == 180 or abs(one[1]) == 90)


def write_lines(lines: Iterable[Sequence[S2]]) -> str:
    found = tuple(tuple(degrees(point) for point in line) for line in lines)
    return geojson.write_lines(geojson.Lines(found, len(found) > 1))


# --- polygons -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class PolygonShape:
    """The union of the polygons of a Polygon or MultiPolygon, an S2Polygon, and how many there were."""

    polygon: S2
    count: int

    @property
    def parts(self) -> Sequence[S2]:
        return [self.polygon]

    @cached_property
    def loops(self) -> list[list[S2]]:
        return [vertices_of(self.polygon.loop(index)) for index in range(self.polygon.num_loops())]

    @cached_property
    def corners(self) -> frozenset[Vector]:
        return frozenset(vector(point) for loop in self.loops for point in loop)


@cached_by_text
def read_polygon(text: str) -> PolygonShape | None:
    """None when the text is no valid polygon: rings that cross, share edges, or holes outside the shell."""
    shape = geojson.read_polygons(text)
    if shape is None:
        return None
    found = []
    for polygon in shape.polygons:
        one = _polygon(polygon)
        if one is None:
            return None
        found.append(one)
    return PolygonShape(united(found), len(found))


def _polygon(rings: Polygon) -> S2 | None:
    loops = []
    for ring in rings:
        loop = _loop(ring)
        if loop is None:
            return None
        loops.append(loop)
    polygon = s2().S2Polygon()
    polygon.InitNested(loops)
    if not polygon.IsValid():
        return None
    depths = [polygon.loop(index).depth() for index in range(polygon.num_loops())]
    return polygon if depths == [0] + [1] * (len(rings) - 1) and polygon.loop(0).Equals(loops[0]) else None


def _loop(ring: Ring) -> S2 | None:
    """The ring around the smaller of the two regions that it divides the sphere into."""
    if any(_half_circle(one, other) for one, other in zip(ring, (*ring[1:], ring[0]), strict=True)):
        return None
    loop = s2().S2Loop(s2_points(ring))
    if not loop.IsValid():
        return None
    loop.Normalize()
    return loop


def united(polygons: Sequence[S2]) -> S2:
    """The union, as S2 forms it of many polygons: the two with the fewest vertices first, of equals the oldest."""
    ages = itertools.count()
    queue = [(polygon.num_vertices(), next(ages), polygon) for polygon in polygons]
    heapq.heapify(queue)
    while len(queue) > 1:
        (_, _, one), (_, _, other) = heapq.heappop(queue), heapq.heappop(queue)
        both = s2().S2Polygon()
        both.InitToUnion(one, other)
        heapq.heappush(queue, (both.num_vertices(), next(ages), both))
    return queue[0][2] if queue else s2().S2Polygon()


def polygons_of(polygon: S2) -> tuple[Polygon, ...]:
    """Each shell with its holes, in the order of the loops; S2 keeps holes counterclockwise too, GeoJSON clockwise."""
    found: list[list[Ring]] = []
    shell_at: dict[int, list[Ring]] = {}
    for index in range(polygon.num_loops()):
        loop = polygon.loop(index)
        ring = tuple(degrees(point) for point in vertices_of(loop))
        if loop.is_hole():
            shell_at[loop.depth() - 1].append(ring[::-1])
        else:
            found.append([ring])
            shell_at[loop.depth()] = found[-1]
    return tuple(tuple(rings) for rings in found)


def write_polygon(polygon: S2) -> str | None:
    """None for a polygon without a point."""
    found = polygons_of(polygon)
    return geojson.write_polygons(geojson.Polygons(found, len(found) > 1)) if found else None
