"""Whether lines and polygons intersect, and where (R-332).

Geodesics meet in shared vertices, shared edges or in one proper crossing: a vertex never lies inside of an edge. So what two
shapes share besides the area that S2 computes are vertices and edges that both have.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from toolkit.engine.geo import geojson
from toolkit.engine.geo.library import s2
from toolkit.engine.geo.lines import chains
from toolkit.engine.geo.shapes import (
    S2,
    PolygonShape,
    degrees,
    polygons_of,
    polyline,
    read_line,
    read_polygon,
    vector,
    vertices_of,
)
from toolkit.engine.geo.vectors import Vector

_FEW = 64

Edge = tuple[S2, S2]
EdgeKey = frozenset[Vector]


def lines_intersect(one: str, other: str) -> bool | None:
    left, right = read_line(one), read_line(other)
    if left is None or right is None:
        return None
    if len(left.polylines) * len(right.polylines) <= _FEW:
        return any(first.Intersects(second) for first in left.polylines for second in right.polylines)
    few, many = sorted((left.edges, right.edges), key=len)
    return any(s2().CrossingSign(*one, *other) >= 0 for one, other in _candidates(few, many))


def polygons_intersect(one: str, other: str) -> bool | None:
    """Polygons contain their vertices here: two that touch in one intersect."""
    left, right = read_polygon(one), read_polygon(other)
    if left is None or right is None:
        return None
    return bool(left.polygon.Intersects(right.polygon)) or not left.corners.isdisjoint(right.corners)


def line_intersects_polygon(line: str, polygon: str) -> bool | None:
    """A polygon does not necessarily contain its vertices here."""
    left, right = read_line(line), read_polygon(polygon)
    if left is None or right is None:
        return None
    return any(bool(right.polygon.Intersects(part)) for part in left.polylines)


# --- intersections --------------------------------------------------------------------------------------------------


def line_intersection(one: str, other: str) -> str | None:
    left, right = read_line(one), read_line(other)
    if left is None or right is None:
        return None
    others = {_key(edge) for edge in right.edges}
    shared = [edge for edge in left.edges if _key(edge) in others]
    on_lines = {vector(point) for edge in shared for point in edge}
    corners = {vector(point) for line in right.vertices for point in line}
    points: dict[Vector, S2] = {}
    for line in left.vertices:
        points.update((vector(point), point) for point in line if vector(point) in corners and vector(point) not in on_lines)
    for first, second in _candidates(left.edges, right.edges):
        if s2().CrossingSign(*first, *second) > 0:
            found = s2().GetIntersection(*first, *second)
            points[vector(found)] = found
    return _collection(list(points.values()), chains(shared), None)


def _candidates(left: Sequence[Edge], right: Sequence[Edge]) -> Iterator[tuple[Edge, Edge]]:
    """Pairs of edges whose bounding boxes in space overlap."""
    import numpy as np

    low, high = _boxes(right)
    for edge in left:
        lowest, highest = (bound[0] for bound in _boxes([edge]))
        hits = np.all((low <= highest) & (high >= lowest), axis=1)
        for index in np.nonzero(hits)[0].tolist():
            yield edge, right[index]


def _boxes(edges: Sequence[Edge]) -> tuple[Any, Any]:
    """An arc rises above its chord by at most an eighth of the chord's square, up to 90 degrees; beyond, by at most 1."""
    import numpy as np

    ends = np.array([[vector(point) for point in edge] for edge in edges])
    squares = np.sum((ends[:, 0] - ends[:, 1]) ** 2, axis=1, keepdims=True)
    margin = np.where(squares < 2, squares / 4, 1.0) + 1e-14
    return ends.min(axis=1) - margin, ends.max(axis=1) + margin


def polygon_intersection(one: str, other: str) -> str | None:
    """Polygons contain their borders: where only those meet, the answer has points and lines."""
    left, right = read_polygon(one), read_polygon(other)
    if left is None or right is None:
        return None
    area = common_area(left.polygon, right.polygon)
    border = [vertices_of(area.loop(index)) for index in range(area.num_loops())]
    edges = {_key(edge) for loop in border for edge in _ring_edges(loop)}
    both = {_key(edge) for loop in right.loops for edge in _ring_edges(loop)}
    shared = [edge for loop in left.loops for edge in _ring_edges(loop) if _key(edge) in both and _key(edge) not in edges]
    covered = {vector(point) for loop in border for point in loop} | {vector(point) for edge in shared for point in edge}
    points = {vector(point): point for loop in left.loops for point in loop}
    touching = [point for key, point in points.items() if key in right.corners and key not in covered]
    return _collection(touching, chains(shared), area)


def common_area(one: S2, other: S2) -> S2:
    library = s2()
    found, left, right = library.S2Polygon(), library.MutableS2ShapeIndex(), library.MutableS2ShapeIndex()
    left.Add(one.Clone())
    right.Add(other.Clone())
    operation = library.S2BooleanOperation(library.S2BooleanOperation.OpType_INTERSECTION, library.S2PolygonLayer(found))
    operation.Build(left, right)
    return found


def line_with_polygon(line: str, polygon: str) -> str | None:
    """Polygons contain their borders: a line along one, or through a vertex, is part of the answer."""
    left, right = read_line(line), read_polygon(polygon)
    if left is None or right is None:
        return None
    parts: list[list[S2]] = []
    touching: dict[Vector, S2] = {}
    for vertices in left.vertices:
        inside = _inside(vertices, right)
        covered = {vector(point) for part in inside for point in part}
        parts += inside
        touching.update((vector(point), point) for point in vertices if vector(point) in right.corners and vector(point) not in covered)
    edges = [edge for part in parts for edge in pairwise(part)]
    return _collection(list(touching.values()), chains(edges) if len(left.polylines) > 1 else parts, None)


def _inside(vertices: Sequence[S2], shape: PolygonShape) -> list[list[S2]]:
    """The parts of one line inside of a polygon or on its border, in order."""
    found: list[list[S2]] = []
    for on_border, run in _runs(vertices, shape):
        pieces = [run] if on_border else [vertices_of(piece) for piece in shape.polygon.IntersectWithPolyline(polyline(run))]
        for piece in pieces:
            if found and vector(found[-1][-1]) == vector(piece[0]):
                found[-1] += piece[1:]
            else:
                found.append(list(piece))
    return found


def _runs(vertices: Sequence[S2], shape: PolygonShape) -> Iterator[tuple[bool, list[S2]]]:
    """The line cut where it enters or leaves the border of the polygon by whole edges."""
    border = {_key(edge) for loop in shape.loops for edge in _ring_edges(loop)}
    run, kind = [vertices[0]], False
    for edge in pairwise(vertices):
        on_border = _key(edge) in border
        if on_border is not kind and len(run) > 1:
            yield kind, run
            run = [edge[0]]
        kind = on_border
        run.append(edge[1])
    yield kind, run


def _ring_edges(loop: Sequence[S2]) -> list[Edge]:
    return list(zip(loop, [*loop[1:], loop[0]], strict=True))


def _key(edge: Edge) -> EdgeKey:
    return frozenset((vector(edge[0]), vector(edge[1])))


def _collection(points: Sequence[S2], parts: Sequence[Sequence[S2]], area: S2 | None) -> str:
    """One geometry as itself, several kinds of them as a collection: points, lines, polygons."""
    found = []
    if points:
        found.append(_points_text([degrees(point) for point in points]))
    if parts:
        found.append(geojson.write_lines(geojson.Lines(tuple(tuple(map(degrees, part)) for part in parts), len(parts) > 1)))
    polygons = polygons_of(area) if area is not None else ()
    if polygons:
        found.append(geojson.write_polygons(geojson.Polygons(polygons, len(polygons) > 1)))
    return found[0] if len(found) == 1 else f'{{"type":"GeometryCollection","geometries":[{",".join(found)}]}}'


def _points_text(points: Sequence[geojson.Point]) -> str:
    if len(points) == 1:
        return geojson.write_point(*points[0])
    line = geojson.write_lines(geojson.Lines((tuple(points),), False))
    return line.replace("LineString", "MultiPoint", 1)
