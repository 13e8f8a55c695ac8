"""Functions over a polygon or multipolygon: containment, area, perimeter, centroid, distance, the union of several (R-332).

Every function answers None where the service's result is null: invalid polygons or coordinates.
"""

from __future__ import annotations

import math

from toolkit.engine.geo.geojson import write_point
from toolkit.engine.geo.shapes import (
    EARTH_RADIUS_METERS,
    S2,
    PolygonShape,
    given_point,
    meters_between,
    point_text,
    read_polygon,
    united,
    write_polygon,
)
from toolkit.engine.udf.json_text import array_elements


def area(text: str) -> float | None:
    """Square meters, of the union of the polygons."""
    shape = read_polygon(text)
    return None if shape is None else float(shape.polygon.GetArea()) * EARTH_RADIUS_METERS**2


def perimeter(text: str) -> float | None:
    """Meters along all rings of the union of the polygons."""
    shape = read_polygon(text)
    if shape is None:
        return None
    return math.fsum(meters_between(one, other) for loop in shape.loops for one, other in zip(loop, [*loop[1:], loop[0]], strict=True))


def centroid(text: str) -> str | None:
    shape = read_polygon(text)
    return None if shape is None else point_text(shape.polygon.GetCentroid().Normalize())


def distance(longitude: float, latitude: float, text: str) -> float | None:
    """Meters from a point to the polygon; 0 inside."""
    shape, point = read_polygon(text), given_point(longitude, latitude)
    return None if shape is None or point is None else distance_to(shape, point)


def distance_to(shape: PolygonShape, point: S2) -> float:
    """Meters, 0 for a point inside."""
    return meters_between(shape.polygon.Project(point), point)


def closest_point(longitude: float, latitude: float, text: str) -> str | None:
    """The closest point of the polygon; the point itself when it is inside."""
    shape, point = read_polygon(text), given_point(longitude, latitude)
    if shape is None or point is None:
        return None
    if shape.polygon.Contains(point):
        return write_point(longitude, latitude)
    return point_text(shape.polygon.Project(point))


def union(text: str) -> str | None:
    """The union of an array of polygons."""
    shapes = read_array(text)
    return write_polygon(united([shape.polygon for shape in shapes])) if shapes else None


def read_array(text: str) -> list[PolygonShape] | None:
    """The polygons of an array; None when one of them is invalid or it is no array."""
    found = [read_polygon(item) for item in array_elements(text) or ()]
    return None if not found or None in found else [shape for shape in found if shape is not None]
