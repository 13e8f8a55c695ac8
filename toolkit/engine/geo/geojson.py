"""GeoJSON as the geospatial functions read and write it (R-332).

Coordinates are (longitude, latitude) in degrees. A shape that breaks a documented constraint reads as None, which makes the
result of the function null. What needs geometry on the sphere (edges that cross, shells, holes) is for `polygons` to judge.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

Point = tuple[float, float]
Line = tuple[Point, ...]
# The vertices of a ring in order; GeoJSON repeats the first one at the end, here it stands once.
Ring = tuple[Point, ...]
# The shell, then the holes.
Polygon = tuple[Ring, ...]


@dataclass(frozen=True)
class Lines:
    """A LineString or, when `multi`, a MultiLineString."""

    lines: tuple[Line, ...]
    multi: bool


@dataclass(frozen=True)
class Polygons:
    """A Polygon or, when `multi`, a MultiPolygon."""

    polygons: tuple[Polygon, ...]
    multi: bool


def valid(longitude: float | None, latitude: float | None) -> bool:
    """Whether both are there and in range; false for NaN and the infinities."""
    return longitude is not None and latitude is not None and -180 <= longitude <= 180 and -90 <= latitude <= 90


def read_point(text: str | None) -> Point | None:
    """The coordinates of a Point."""
    shape = _shape(text)
    return _point(shape[1]) if shape and shape[0] == "Point" else None


@lru_cache(maxsize=256)
def read_lines(text: str | None) -> Lines | None:
    """A LineString or MultiLineString; every line has at least two entries."""
    kind, coordinates = _shape(text) or ("", None)
    if kind == "LineString":
        line = _line(coordinates)
        return Lines((line,), False) if line else None
    lines = _each(coordinates, _line) if kind == "MultiLineString" else None
    return Lines(lines, True) if lines else None


@lru_cache(maxsize=256)
def read_polygons(text: str | None) -> Polygons | None:
    """A Polygon or MultiPolygon of closed rings with at least three distinct vertices."""
    kind, coordinates = _shape(text) or ("", None)
    if kind == "Polygon":
        polygon = _polygon(coordinates)
        return Polygons((polygon,), False) if polygon else None
    polygons = _each(coordinates, _polygon) if kind == "MultiPolygon" else None
    return Polygons(polygons, True) if polygons else None


def _shape(text: str | None) -> tuple[str, Any] | None:
    if text is None or not text.startswith("{"):
        return None
    value = json.loads(text, strict=False)
    kind = value.get("type")
    return (kind, value.get("coordinates")) if isinstance(kind, str) else None


def _each(items: Any, read: Any) -> tuple[Any, ...] | None:
    """All items as `read` gives them; None when there are none or one of them is invalid."""
    if not isinstance(items, list) or not items:
        return None
    found = tuple(read(item) for item in items)
    return None if None in found else found


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _point(value: Any) -> Point | None:
    if not isinstance(value, list) or len(value) != 2 or not all(_number(part) for part in value) or not valid(*value):
        return None
    return float(value[0]), float(value[1])


def _line(value: Any) -> Line | None:
    points = _each(value, _point)
    return points if points and len(points) >= 2 else None


def _ring(value: Any) -> Ring | None:
    """At least four entries, of which the last repeats the first and no other repeats one before it."""
    points = _each(value, _point)
    if not points or len(points) < 4 or points[0] != points[-1] or len(set(points)) != len(points) - 1:
        return None
    return points[:-1]


def _polygon(value: Any) -> Polygon | None:
    return _each(value, _ring)


# --- writing --------------------------------------------------------------------------------------------------------


def write_point(longitude: float, latitude: float) -> str:
    return _written("Point", _point_text((longitude, latitude)))


def write_lines(lines: Lines) -> str:
    found = [_list(_point_text(point) for point in line) for line in lines.lines]
    return _written("MultiLineString", _list(found)) if lines.multi else _written("LineString", found[0])


def write_polygons(polygons: Polygons) -> str:
    found = [_list(_ring_text(ring) for ring in polygon) for polygon in polygons.polygons]
    return _written("MultiPolygon", _list(found)) if polygons.multi else _written("Polygon", found[0])


def _ring_text(ring: Sequence[Point]) -> str:
    return _list(_point_text(point) for point in (*ring, ring[0]))


def number_text(value: float) -> str:
    """A coordinate as the service prints it: fifteen digits where they are enough, else seventeen; whole ones without decimals."""
    short = f"{value + 0.0:.15g}"
    return short if float(short) == value else f"{value:.17g}"


def _point_text(point: Point) -> str:
    return f"[{number_text(point[0])},{number_text(point[1])}]"


def _list(items: Iterable[str]) -> str:
    return "[" + ",".join(items) + "]"


def _written(kind: str, coordinates: str) -> str:
    return f'{{"type":"{kind}","coordinates":{coordinates}}}'
