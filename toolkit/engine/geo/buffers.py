"""All points within a radius of a point, a line or a polygon, as a polygon (R-332).

S2's own operation buffers points and polygons. For lines its Python bindings have none: a line is cut into the pieces that the
operation would sweep (both sides of every edge, the wedge outside of every bend, the caps), with the vertices it would place,
and their union is formed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from toolkit.engine.geo.library import s2
from toolkit.engine.geo.shapes import (
    EARTH_RADIUS_METERS,
    S2,
    LineShape,
    given_point,
    read_line,
    read_polygon,
    s2_vector,
    united,
    vector,
    write_polygon,
)
from toolkit.engine.geo.vectors import Vector, angle, cross, normal, normalized, on_ray, scaled

_LEAST_FRACTION, _MOST_FRACTION = 1e-6, 1 - 1e-6
_LEAST_ERROR = 2.2e-16
_ROUNDING = 1e-15
_WIDEST = 5_000_000 / EARTH_RADIUS_METERS


def point_buffer(longitude: float, latitude: float, radius: float, tolerance: float) -> str | None:
    point, fraction = given_point(longitude, latitude), error_fraction(radius, tolerance)
    if point is None or fraction is None:
        return None
    return write_polygon(_buffered(radius, fraction, lambda operation: operation.AddPoint(point)))


def polygon_buffer(text: str, radius: float, tolerance: float) -> str | None:
    shape, fraction = read_polygon(text), error_fraction(radius, tolerance)
    return None if shape is None or fraction is None else write_polygon(around_polygon(shape.polygon, radius, fraction))


def line_buffer(text: str, radius: float, tolerance: float) -> str | None:
    shape, fraction = read_line(text), error_fraction(radius, tolerance)
    return None if shape is None or fraction is None else write_polygon(around_line(shape, radius, fraction))


def error_fraction(radius: float, tolerance: float) -> float | None:
    """The tolerance as a part of the radius, below all of it; None when one of them is invalid."""
    if not (math.isfinite(radius) and math.isfinite(tolerance)) or radius <= 0 or tolerance < _LEAST_FRACTION * radius or tolerance <= 0:
        return None
    return min(_MOST_FRACTION, tolerance / radius)


def around_polygon(polygon: S2, radius: float, fraction: float) -> S2:
    return _buffered(radius, fraction, lambda operation: operation.AddPolygon(polygon.Clone()))


def _buffered(radius: float, fraction: float, add: Callable[[S2], None]) -> S2:
    library = s2()
    options = library.S2BufferOperationOptions()
    options.set_buffer_radius(library.S1Angle.Radians(radius / EARTH_RADIUS_METERS))
    options.set_error_fraction(fraction)
    found = library.S2Polygon()
    operation = library.S2BufferOperation(library.S2PolygonLayer(found), options)
    add(operation)
    operation.Build()
    return found


# --- lines ----------------------------------------------------------------------------------------------------------


def around_line(shape: LineShape, radius: float, fraction: float) -> S2:
    sweep = _Sweep(radius / EARTH_RADIUS_METERS, fraction)
    return united([piece for vertices in shape.vertices for piece in sweep.pieces([vector(point) for point in vertices])])


class BufferTooWide(Exception):
    """A radius for which the pieces of a line are no simple polygons."""


class _Sweep:
    """The pieces of a buffered line. `radius` in radians."""

    def __init__(self, radius: float, fraction: float) -> None:
        if radius >= _WIDEST:
            raise BufferTooWide("kql: geo_line_buffer is supported for a radius below 5,000 km")
        self._radius = radius
        error = max(_LEAST_ERROR, fraction * radius)
        self._vertex_step = _longest_span(radius, error)
        self._edge_step = _longest_span(math.pi / 2 - radius, error)

    def pieces(self, line: Sequence[Vector]) -> Iterator[S2]:
        edges = list(pairwise(line))
        axes = [_axis(*edge) for edge in edges]
        for (one, other), axis in zip(edges, axes, strict=True):
            yield _polygon([one, *self._side(one, other, axis), other, *self._side(other, one, scaled(axis, -1.0))])
        for (before, at), (_, after), first, second in zip(edges, edges[1:], axes, axes[1:], strict=False):
            if s2().TurnAngle(*map(s2_vector, (before, at, after))) >= 0:
                yield self._wedge(at, first, second)
            else:
                yield self._wedge(at, scaled(second, -1.0), scaled(first, -1.0))
        yield self._wedge(line[0], scaled(axes[0], -1.0), axes[0])
        yield self._wedge(line[-1], axes[-1], scaled(axes[-1], -1.0))

    def _side(self, one: Vector, other: Vector, axis: Vector) -> list[Vector]:
        """The offset of an edge, to the side that the axis points to, with both ends."""
        along = normalized(cross(one, axis))
        span = angle(one, other)
        steps = max(1, math.ceil(span / self._edge_step - _ROUNDING))
        bases = [one, *(on_ray(one, along, step * self._edge_step) for step in range(1, steps))]
        return [on_ray(base, axis, self._radius) for base in (*bases, other)]

    def _wedge(self, at: Vector, start: Vector, end: Vector) -> S2:
        """The part of a circle around a vertex, counterclockwise between two directions."""
        around = normalized(cross(at, start))
        span = angle(start, end)
        steps = max(1, math.ceil(span / self._vertex_step - _ROUNDING))
        turned = [start, *(on_ray(start, around, step * self._vertex_step) for step in range(1, steps)), end]
        return _polygon([at, *(on_ray(at, direction, self._radius) for direction in turned)])


def _longest_span(radius: float, error: float) -> float:
    """The longest edge, as an angle at the center, that stays within `error` of a circle."""
    step, least = 2 * math.pi / 3 + _ROUNDING, max(0.0, radius - error)
    return min(step, 2 * math.acos(min(1.0, math.tan(least) / math.tan(radius)))) if radius < math.pi / 2 else step


def _polygon(points: Sequence[Vector]) -> S2:
    distinct = [point for point, after in zip(points, [*points[1:], points[0]], strict=True) if point != after]
    loop = s2().S2Loop([s2_vector(point) for point in distinct])
    loop.Normalize()
    found = s2().S2Polygon()
    found.InitNested([loop])
    return found


def _axis(one: Vector, other: Vector) -> Vector:
    """The direction from an edge to its right, at a right angle."""
    return normalized(normal(other, one))
