"""Lines and polygons with nearly straight chains of short edges replaced by single long ones (R-332)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise

from toolkit.engine.geo.edge_chains import SnappedEdge, simplified
from toolkit.engine.geo.library import s2
from toolkit.engine.geo.lines import chains
from toolkit.engine.geo.loops import DirectedEdge, directed_loops
from toolkit.engine.geo.polygons import read_array
from toolkit.engine.geo.shapes import (
    EARTH_RADIUS_METERS,
    S2,
    read_line,
    read_polygon,
    s2_vector,
    vector,
    vertices_of,
    write_lines,
    write_polygon,
)
from toolkit.engine.geo.snapping import Snapping
from toolkit.engine.geo.vectors import Vector

_MOST_RADIANS = math.radians(70)
_LEAST_METERS, _MOST_METERS = 0.1, 10_000


class UndocumentedTolerance(Exception):
    """A tolerance for which the documentation gives two ranges: whether the result is null is not known."""


class SharedBorders(Exception):
    """Several polygons that touch: whether the service keeps them apart or unites them is not documented."""


def line(text: str, tolerance: float) -> str | None:
    """None for an invalid line or tolerance, and for a line that disappears."""
    shape, radius = read_line(text), _radius(tolerance)
    if shape is None or radius is None:
        return None
    if not radius:
        return write_lines(chains(shape.edges))
    snapping, layers = _simplified(radius, [[(vector(one), vector(other)) for one, other in shape.edges]])
    edges = sorted(layers[0], key=lambda edge: edge.inputs[0])
    parts = chains((s2_vector(snapping.sites[edge.start]), s2_vector(snapping.sites[edge.end])) for edge in edges)
    return write_lines(parts) if parts else None


def polygon(text: str, tolerance: float) -> str | None:
    """None for an invalid polygon or tolerance, and for a polygon that disappears."""
    shape, radius = read_polygon(text), _radius(tolerance)
    if shape is None or radius is None:
        return None
    found = write_polygon(simplified_polygons([shape.polygon], radius)[0])
    if found is not None and not _LEAST_METERS <= tolerance <= _MOST_METERS:
        raise UndocumentedTolerance("kql: geo_polygon_simplify is documented for tolerances of 0.1 to 10,000 meters")
    return found


def polygons(text: str, tolerance: float) -> str | None:
    """Polygons simplified together: what they share stays shared."""
    shapes, radius = read_array(text), _radius(tolerance)
    if shapes is None or radius is None:
        return None
    found = [polygon for polygon in simplified_polygons([shape.polygon for shape in shapes], radius) if polygon.num_loops()]
    for index, one in enumerate(found):
        corners = {vector(point) for loop in _loops(one) for point in loop}
        for other in found[:index]:
            if one.Intersects(other) or any(vector(point) in corners for loop in _loops(other) for point in loop):
                message = "kql: geo_simplify_polygons_array of polygons that touch is not supported: its result is not documented"
                raise SharedBorders(message)
    return write_polygon(_together(found)) if found else None


def simplified_polygons(polygons: Sequence[S2], radius: float) -> list[S2]:
    """What is left of each polygon, which may be nothing."""
    if not radius:
        return list(polygons)
    snapping, layers = _simplified(radius, [_edges(polygon) for polygon in polygons])
    return [_built(edges, snapping.sites) for edges in layers]


def _radius(tolerance: float) -> float | None:
    radius = tolerance / EARTH_RADIUS_METERS
    return radius if 0 <= radius <= _MOST_RADIANS else None


def _loops(polygon: S2) -> list[list[S2]]:
    return [vertices_of(polygon.loop(index)) for index in range(polygon.num_loops())]


def _edges(polygon: S2) -> list[tuple[Vector, Vector]]:
    """The edges of all loops, the polygon on their left."""
    found: list[tuple[Vector, Vector]] = []
    for index, loop in enumerate(_loops(polygon)):
        ring = [vector(point) for point in loop]
        ring = ring[::-1] if polygon.loop(index).is_hole() else ring
        found += [*pairwise(ring), (ring[-1], ring[0])]
    return found


def _simplified(radius: float, layers: Sequence[Sequence[tuple[Vector, Vector]]]) -> tuple[Snapping, list[list[SnappedEdge]]]:
    """The edges of each layer after simplification, between sites."""
    snapping = Snapping(radius, layers)
    found: list[list[SnappedEdge]] = [[] for _ in layers]
    for edge in simplified(snapping):
        found[edge.layer].append(edge)
    return snapping, found


def _built(edges: Iterable[SnappedEdge], sites: Sequence[Vector]) -> S2:
    """The polygon to the left of edges."""
    found = s2().S2Polygon()
    loops = []
    for ring in directed_loops([DirectedEdge(edge.start, edge.end, edge.inputs[0]) for edge in edges], sites):
        loop = s2().S2Loop([s2_vector(sites[site]) for site in ring])
        loop.Normalize()
        loops.append(loop)
    found.InitNested(loops)
    return found


def _together(polygons: Sequence[S2]) -> S2:
    """Polygons that do not touch as one."""
    found = s2().S2Polygon()
    loops = [loop for polygon in polygons for loop in map(polygon.loop, range(polygon.num_loops()))]
    found.InitNested([s2().S2Loop(vertices_of(loop)) for loop in loops])
    return found
