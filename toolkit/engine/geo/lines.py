"""Functions over a line or multiline: length, centroid, points along it, the closest point, the union of several (R-332).

Every function answers None where the service's result is null: invalid lines, coordinates or fractions.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise

from toolkit.engine.geo.library import s2
from toolkit.engine.geo.shapes import (
    EARTH_RADIUS_METERS,
    S2,
    LineShape,
    given_point,
    meters_between,
    point_text,
    read_line,
    s2_vector,
    vector,
    write_lines,
)
from toolkit.engine.geo.vectors import Vector
from toolkit.engine.udf.json_text import array_elements

_MANY = 8


def length(text: str) -> float | None:
    """Meters; of the union of the lines of a multiline."""
    shape = read_line(text)
    if shape is None:
        return None
    if len(shape.polylines) == 1:
        return float(shape.polylines[0].GetLength().radians()) * EARTH_RADIUS_METERS
    return math.fsum(meters_between(*edge) for edge in shape.edges)


def centroid(text: str) -> str | None:
    """The point of balance; of the union of the lines of a multiline."""
    shape = read_line(text)
    if shape is None:
        return None
    parts = [vector(s2_edge(*edge).GetCentroid()) for edge in shape.edges]
    middle: Vector = (math.fsum(part[0] for part in parts), math.fsum(part[1] for part in parts), math.fsum(part[2] for part in parts))
    return point_text(s2_vector(middle).Normalize())


def s2_edge(one: S2, other: S2) -> S2:
    found = s2().S2Polyline()
    found.InitFromS2Points([one, other])
    return found


def interpolate_point(text: str, fraction: float) -> str | None:
    """The point at a fraction of a single line."""
    shape = read_line(text)
    if shape is None or len(shape.polylines) != 1 or not 0 <= fraction <= 1:
        return None
    return point_text(shape.polylines[0].Interpolate(fraction))


def locate_point(text: str, longitude: float, latitude: float) -> float | None:
    """The fraction of a single line at which it is closest to a point."""
    shape, point = read_line(text), given_point(longitude, latitude)
    if shape is None or point is None or len(shape.polylines) != 1:
        return None
    line = shape.polylines[0]
    closest_to, after = line.Project(point)
    return float(line.UnInterpolate(closest_to, after))


def distance(longitude: float, latitude: float, text: str) -> float | None:
    """Meters from a point to the closest one on the line."""
    shape, point = read_line(text), given_point(longitude, latitude)
    if shape is None or point is None:
        return None
    return closest(shape, point)[0]


def closest_point(longitude: float, latitude: float, text: str) -> str | None:
    shape, point = read_line(text), given_point(longitude, latitude)
    if shape is None or point is None:
        return None
    return point_text(closest(shape, point)[1])


def closest(shape: LineShape, point: S2) -> tuple[float, S2]:
    """The distance in meters and the closest point; of several, the one on the first line."""
    best: tuple[float, S2] | None = None
    for polyline in _nearby(shape, point):
        found = polyline.Project(point)[0]
        meters = meters_between(found, point)
        if best is None or meters < best[0]:
            best = meters, found
    assert best is not None
    return best


def _nearby(shape: LineShape, point: S2) -> Sequence[S2]:
    """The lines that may be the closest: none whose bounding cap is farther away than the far side of another's."""
    if len(shape.polylines) < _MANY:
        return shape.polylines
    import numpy as np

    centers, radii = shape.caps
    angles = np.arccos(np.clip(centers @ np.array(vector(point)), -1.0, 1.0))
    farthest = float(np.min(angles + radii))
    return [shape.polylines[index] for index in np.nonzero(angles - radii <= farthest + 1e-7)[0].tolist()]


# --- the union of lines ---------------------------------------------------------------------------------------------


def union(text: str) -> str | None:
    """The union of an array of lines: shared edges once, chains joined where nothing else meets them."""
    lines = read_array(text)
    if not lines:
        return None
    chained = chains(edge for shape in lines for line in shape.vertices for edge in pairwise(line))
    return write_lines(chained)


def read_array(text: str) -> list[LineShape] | None:
    """The lines of an array; None when one of them is invalid or it is no array."""
    found = [read_line(item) for item in array_elements(text) or ()]
    return None if not found or None in found else [shape for shape in found if shape is not None]


def chains(edges: Iterable[tuple[S2, S2]]) -> list[list[S2]]:
    """Edges as lines that are as long as they can be without passing a vertex where more than two edges meet.

    Order and direction are those of the first edge of each line; repeated edges count once.
    """
    points: dict[Vector, S2] = {}
    directed: dict[Vector, list[Vector]] = {}
    arriving: dict[Vector, int] = {}
    order: list[tuple[Vector, Vector]] = []
    known: set[frozenset[Vector]] = set()
    for one, other in edges:
        start, end = vector(one), vector(other)
        if frozenset((start, end)) in known:
            continue
        known.add(frozenset((start, end)))
        points.setdefault(start, one)
        points.setdefault(end, other)
        directed.setdefault(start, []).append(end)
        arriving[end] = arriving.get(end, 0) + 1
        order.append((start, end))
    return [[points[key] for key in path] for path in _paths(order, directed, arriving)]


def _paths(order: Sequence[tuple[Vector, Vector]], leaving: dict[Vector, list[Vector]], arriving: dict[Vector, int]) -> list[list[Vector]]:
    def passes(vertex: Vector) -> bool:
        return arriving.get(vertex, 0) == 1 and len(leaving.get(vertex, ())) == 1

    position = {edge: index for index, edge in enumerate(order)}
    before = {end: start for start, end in order if passes(end)}
    found: list[tuple[int, list[Vector]]] = []
    used: set[tuple[Vector, Vector]] = set()
    for edge in order:
        if edge in used:
            continue
        first = edge
        while first[0] in before and (before[first[0]], first[0]) != edge:
            first = (before[first[0]], first[0])
        path = [first[0]]
        while first not in used:
            used.add(first)
            path.append(first[1])
            if not passes(first[1]):
                break
            first = (first[1], leaving[first[1]][0])
        found.append((min(position[step] for step in pairwise(path)), path))
    return [path for _, path in sorted(found, key=lambda item: item[0])]
