"""Cells of one level that cover a line or polygon: S2 cells, and H3 cells whose centers are inside (R-332)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise

from toolkit.engine.geo import buffers, geojson
from toolkit.engine.geo.hash_order import hash_order
from toolkit.engine.geo.library import h3, s2
from toolkit.engine.geo.shapes import (
    EARTH_RADIUS_METERS,
    S2,
    LineShape,
    PolygonShape,
    polygons_of,
    read_line,
    read_polygon,
)
from toolkit.engine.udf.strings import json_text

_MOST_S2_CELLS = 65_536
_MOST_H3_CELLS = 61_680
_LEVELS, _RESOLUTIONS = 30, 15

# How far a buffer may be off, as a part of its radius: cells that only such an edge decides are measured one by one.
_PRECISION = 1e-3


def line_to_s2cells(text: str, level: int, radius: float) -> str | None:
    shape = read_line(text)
    if shape is None or not _in_range(level, _LEVELS, radius):
        return None
    if not radius:
        return _tokens(_covering(shape.polylines, level))
    return _tokens(_around(level, radius, lambda meters, fraction: buffers.around_line(shape, meters, fraction), _to_line(shape)))


def polygon_to_s2cells(text: str, level: int, radius: float) -> str | None:
    shape = read_polygon(text)
    if shape is None or not _in_range(level, _LEVELS, radius):
        return None
    if not radius:
        return _tokens(_covering([shape.polygon], level))
    polygon = shape.polygon
    return _tokens(_around(level, radius, lambda meters, fraction: buffers.around_polygon(polygon, meters, fraction), _to_polygon(shape)))


def _in_range(level: int, most: int, radius: float) -> bool:
    return 0 <= level <= most and math.isfinite(radius) and radius >= 0


def _tokens(cells: Sequence[S2] | None) -> str | None:
    return None if cells is None else json_text([cell.ToToken() for cell in cells])


def _covering(regions: Sequence[S2], level: int) -> list[S2] | None:
    """The cells that meet one of the regions, in their order; None when there are too many.

    A coarser level never has more cells, so that the count is known to be too large long before the last level.
    """
    coverer = s2().S2RegionCoverer()
    coverer.set_max_cells(2**31 - 1)
    found: dict[int, S2] = {}
    for step in (*range(level % 2, level, 2), level):
        coverer.set_fixed_level(step)
        found = {cell.id(): cell for region in regions for cell in coverer.GetCovering(region)}
        if len(found) > _MOST_S2_CELLS:
            return None
    return [found[key] for key in sorted(found)]


def _around(
    level: int, radius: float, buffered: Callable[[float, float], S2], distance: Callable[[S2], Iterator[float]]
) -> list[S2] | None:
    """The cells within a radius of a shape: those that meet a slightly smaller buffer, and of those that meet a slightly
    larger one the ones that are near enough."""
    inner = _covering([buffered(radius * (1 - _PRECISION), _PRECISION / 2)], level)
    if inner is None:
        return None
    outer = _covering([buffered(radius * (1 + 2 * _PRECISION), _PRECISION / 2)], level)
    if outer is None:
        message = "kql: whether the covering has more cells than the limit cannot be told from a buffer of this radius"
        raise buffers.BufferTooWide(message)
    sure = {cell.id() for cell in inner}
    limit = radius / EARTH_RADIUS_METERS
    near = [cell for cell in outer if cell.id() in sure or any(angle <= limit for angle in distance(s2().S2Cell(cell)))]
    return near if len(near) <= _MOST_S2_CELLS else None


def _to_line(shape: LineShape) -> Callable[[S2], Iterator[float]]:
    def distances(cell: S2) -> Iterator[float]:
        for line in shape.vertices:
            for one, other in pairwise(line):
                yield cell.GetDistance(one, other).ToAngle().radians()

    return distances


def _to_polygon(shape: PolygonShape) -> Callable[[S2], Iterator[float]]:
    """Only for cells outside of the polygon: the others meet the smaller buffer."""

    def distances(cell: S2) -> Iterator[float]:
        for loop in shape.loops:
            for one, other in zip(loop, [*loop[1:], loop[0]], strict=True):
                yield cell.GetDistance(one, other).ToAngle().radians()

    return distances


# --- H3 -------------------------------------------------------------------------------------------------------------


def polygon_to_h3cells(text: str, resolution: int, radius: float) -> str | None:
    """The cells whose centers are inside; edges are straight on the plane of longitudes and latitudes."""
    shape, written = read_polygon(text), geojson.read_polygons(text)
    if shape is None or written is None or not _in_range(resolution, _RESOLUTIONS, radius):
        return None
    polygons = written.polygons if len(written.polygons) == 1 and not radius else polygons_of(_enlarged(shape, radius))
    try:
        found = _h3_cells(polygons, resolution)
    except h3().H3BaseException:
        return None
    return None if found is None or len(found) > _MOST_H3_CELLS else json_text(hash_order(found))


def _h3_cells(polygons: Iterable[geojson.Polygon], resolution: int) -> dict[str, None] | None:
    """None when there are too many."""
    found: dict[str, None] = {}
    for rings in polygons:
        shell, *holes = ([(latitude, longitude) for longitude, latitude in ring] for ring in rings)
        polygon = h3().LatLngPoly(shell, *holes)
        if _too_many(polygon, resolution):
            return None
        found.update(dict.fromkeys(reversed(list(h3().polygon_to_cells(polygon, resolution)))))
    return found


def _enlarged(shape: PolygonShape, radius: float) -> S2:
    return buffers.around_polygon(shape.polygon, radius, min(0.5, 10 / radius)) if radius else shape.polygon


def _too_many(polygon: S2, resolution: int) -> bool:
    """Whether the count is above the limit by its area alone, so that the cells need not be made."""
    for coarser in range(resolution):
        count = len(h3().polygon_to_cells(polygon, coarser))
        if count > 50 and count * 7 ** (resolution - coarser) > 2 * _MOST_H3_CELLS:
            return True
    return False
