"""Edges snapped to a subset of their vertices that are a distance apart: the first half of S2's simplification.

The subset ("sites") is chosen along the Hilbert curve. An edge becomes the chain of sites whose Voronoi regions it passes. Where
such a chain would come too close to a site that it leaves out, another site is placed on the edge. The service simplifies with
S2Builder; its Python bindings cannot set a distance, so the algorithm that S2 documents with it is written here.
"""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cmp_to_key
from typing import TYPE_CHECKING, Any

from toolkit.engine.geo.library import s2
from toolkit.engine.geo.shapes import s2_vector
from toolkit.engine.geo.vectors import (
    Vector,
    chord2,
    compare_distances,
    cross,
    dot,
    edge_chord2,
    minus,
    normal,
    normalized,
    plus,
    scaled,
    side,
)

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Reals = npt.NDArray[np.float64]

_DEVIATION = 1.1
_MOST_PASSES = 1_000


class SnappingGivesUp(Exception):
    """A case that is not decided here: edges so long that a chain could leave them in the middle."""


def chord2_of(angle: float) -> float:
    """The squared chord of an angle in radians."""
    return float(4 * math.sin(min(math.pi, angle) / 2) ** 2)


class Snapping:
    """Input edges by layer, the sites, and for every edge the chain of sites that it becomes."""

    def __init__(self, radius: float, layers: Iterable[Sequence[tuple[Vector, Vector]]]) -> None:
        self.radius2 = chord2_of(radius)
        self.separation2 = chord2_of(radius / 2)
        self.longest2 = chord2_of(2 * math.acos(math.sin(radius) / math.sin(_DEVIATION * radius)))
        self._sine = math.sin(radius)
        self._query2 = chord2_of((_DEVIATION + 0.5) * radius)
        self._adjacent2 = chord2_of(2 * radius)
        self.vertices: list[Vector] = []
        self.edges: list[tuple[int, int]] = []
        self.layer_of: list[int] = []
        self._read(layers)
        self.sites: list[Vector] = []
        self._grid = _Grid(max(1.6 * radius, self._mean_length()))
        self.near: list[list[int]] = []
        self._arrays: tuple[Reals, Reals] | None = None
        self._choose()

    def _read(self, layers: Iterable[Sequence[tuple[Vector, Vector]]]) -> None:
        known: dict[Vector, int] = {}
        for layer, edges in enumerate(layers):
            for start, end in edges:
                ids = [known.setdefault(vertex, len(known)) for vertex in (start, end)]
                self.edges.append((ids[0], ids[1]))
                self.layer_of.append(layer)
        self.vertices = list(known)

    def _mean_length(self) -> float:
        lengths = [math.sqrt(chord2(self.vertices[one], self.vertices[other])) for one, other in self.edges]
        return math.fsum(lengths) / max(1, len(lengths))

    def _choose(self) -> None:
        self._choose_sites()
        self._collect_near()
        waiting = list(range(len(self.edges)))
        for _ in range(_MOST_PASSES):
            again: dict[int, None] = {}
            for edge in waiting:
                again.pop(edge, None)
                self._add_sites(edge, again)
            if not again:
                return
            waiting = list(again)
        raise SnappingGivesUp("kql: the shape is too tangled to be simplified here")

    def _choose_sites(self) -> None:
        cells = {vertex: s2().S2CellId(s2_vector(vertex)).id() for vertex in self.vertices}
        margin = math.sqrt(self.radius2)
        for vertex in sorted(self.vertices, key=lambda found: (cells[found], found)):
            around = self._grid.between([part - margin for part in vertex], [part + margin for part in vertex])
            if not any(chord2(vertex, self.sites[site]) <= self.radius2 for site in around):
                self._grid.add(len(self.sites), vertex)
                self.sites.append(vertex)

    def _collect_near(self) -> None:
        """The sites close enough to an edge to matter. An arc rises above its chord by at most a quarter of the chord's square."""
        for one, other in self.edges:
            start, end = self.vertices[one], self.vertices[other]
            margin = math.sqrt(self._query2) + min(1.0, chord2(start, end) / 4)
            low = tuple(min(parts) - margin for parts in zip(start, end, strict=True))
            high = tuple(max(parts) + margin for parts in zip(start, end, strict=True))
            around = (site for site in self._grid.between(low, high) if edge_chord2(self.sites[site], start, end) <= self._query2)
            self.near.append(self._sorted(around, start))

    def _sorted(self, sites: Iterable[int], point: Vector) -> list[int]:
        """By distance from a point."""

        def compare(one: int, other: int) -> int:
            return compare_distances(point, self.sites[one], self.sites[other])

        return sorted(sites, key=cmp_to_key(compare))

    # --- chains of sites

    def chain(self, edge: int) -> list[int]:
        """The sites whose Voronoi regions, within the radius around them, the edge passes, in order."""
        start, end = (self.vertices[vertex] for vertex in self.edges[edge])
        found: list[int] = []
        for site in self.near[edge]:
            if edge_chord2(self.sites[site], start, end) > self.radius2:
                continue
            if self._pushed_out(found, self.sites[site], start, end):
                found.append(site)
        return found

    def _pushed_out(self, found: list[int], new: Vector, start: Vector, end: Vector) -> bool:
        """Drops the sites at the end of a chain that a new one excludes; false when the new one is excluded itself."""
        while found:
            last = self.sites[found[-1]]
            if chord2(last, new) >= self._adjacent2:
                return True
            excluded = self._excluded(last, new, start, end)
            if excluded > 0:
                return False
            if excluded == 0 and not self._clipped(found, new, start, end):
                return True
            found.pop()
        return True

    def _clipped(self, found: Sequence[int], new: Vector, start: Vector, end: Vector) -> bool:
        """Whether the last site of a chain is excluded by the one before it and the new one together."""
        if len(found) < 2:
            return False
        before, last = self.sites[found[-2]], self.sites[found[-1]]
        if chord2(before, new) >= self._adjacent2:
            return False
        turn, on = side(before, last, new), side(start, end, last)
        if turn == on:
            return False
        sign = dot(normal(start, end), cross(minus(before, last), minus(last, new))) * turn
        return (sign > 0) - (sign < 0) == on

    def _excluded(self, last: Vector, new: Vector, start: Vector, end: Vector) -> int:
        """-1 when the new site is closer than the last to all of the edge that the last covers, 1 the other way round, else 0."""
        if compare_distances(end, last, new) < 0:
            return 1
        axis = normalized(normal(start, end))
        one, other = self._half_width(last, axis), self._half_width(new, axis)
        along = math.atan2(dot(cross(last, new), axis), dot(last, new) - dot(last, axis) * dot(new, axis))
        if along < 0:
            kept = chord2(last, start) < 2, chord2(new, end) < 2
            return 0 if all(kept) else 1 if kept[0] else -1
        return (other < one) - (other > one) if along < math.pi / 2 and abs(one - other) > along else 0

    def _half_width(self, site: Vector, axis: Vector) -> float:
        """Half of the angle that a disc around a site covers of the great circle with an axis."""
        height = dot(site, axis)
        inside = max(0.0, (self._sine - height) * (self._sine + height))
        return math.asin(min(1.0, math.sqrt(inside / (1 - height * height))))

    # --- further sites

    def _add_sites(self, edge: int, again: dict[int, None]) -> None:
        """Puts a site on an edge wherever its chain comes too close to a site that is not part of it."""
        chain, near = self.chain(edge), self.near[edge]
        place, wanted = 0, 0
        while place < len(near):
            if near[place] == chain[wanted]:
                wanted += 1
                if wanted == len(chain):
                    return
                self._check_length(edge, chain[wanted - 1], chain[wanted])
            elif wanted and self._too_close(near[place], chain[wanted - 1], chain[wanted]):
                self._add_site(self._separation(edge, near[place], chain[wanted - 1], chain[wanted]), again)
                while near[place + 1] != chain[wanted]:
                    place += 1
            place += 1

    def _check_length(self, edge: int, one: int, other: int) -> None:
        ends = [self.vertices[vertex] for vertex in self.edges[edge]]
        found = [self.sites[one], self.sites[other]]
        if found != ends and chord2(*found) >= self.longest2:
            raise SnappingGivesUp("kql: edges beyond 30 degrees are not simplified here")

    def _too_close(self, site: int, one: int, other: int) -> bool:
        return edge_chord2(self.sites[site], self.sites[one], self.sites[other]) < self.separation2

    def _separation(self, edge: int, site: int, before: int, after: int) -> Vector:
        """The point on an edge closest to a site, of those that the sites around it do not cover."""
        start, end = (self.vertices[vertex] for vertex in self.edges[edge])
        axis, direction = normal(start, end), minus(end, start)
        point = _projected(self.sites[site], start, end)
        first = self._farthest_covered(self.sites[before], axis)
        last = self._farthest_covered(self.sites[after], scaled(axis, -1.0))
        if dot(minus(point, first), direction) < 0:
            return first
        return last if dot(minus(last, point), direction) < 0 else point

    def _farthest_covered(self, site: Vector, axis: Vector) -> Vector:
        """The end, in the direction around the axis, of what a disc around a site covers of a great circle."""
        length2, height = dot(axis, axis), dot(axis, site)
        inward = minus(scaled(site, length2), scaled(axis, height))
        onward = scaled(cross(axis, site), math.sqrt(max(0.0, self._sine**2 * length2 - height * height)))
        return normalized(plus(scaled(inward, math.sqrt(1 - self._sine**2)), onward))

    def _add_site(self, site: Vector, again: dict[int, None]) -> None:
        self.sites.append(site)
        for edge in self._edges_near(site):
            start = self.vertices[self.edges[edge][0]]
            self.near[edge] = self._sorted([*self.near[edge], len(self.sites) - 1], start)
            again[edge] = None

    def _edges_near(self, point: Vector) -> list[int]:
        import numpy as np

        if self._arrays is None:
            vertices, edges = np.array(self.vertices), np.array(self.edges)
            self._arrays = vertices[edges[:, 0]], vertices[edges[:, 1]]
        found: list[int] = np.nonzero(_edge_chords2(np.array(point), *self._arrays) <= self._query2)[0].tolist()
        return found


class _Grid:
    """Numbered points by the cubes that they lie in."""

    def __init__(self, size: float) -> None:
        self._size = size
        self._cubes: dict[tuple[int, ...], list[int]] = defaultdict(list)

    def add(self, number: int, point: Vector) -> None:
        self._cubes[self._cube(point)].append(number)

    def _cube(self, point: Sequence[float]) -> tuple[int, ...]:
        return tuple(math.floor(part / self._size) for part in point)

    def between(self, low: Sequence[float], high: Sequence[float]) -> Iterator[int]:
        """The numbers in all cubes that a box touches."""
        ranges = [range(first, last + 1) for first, last in zip(self._cube(low), self._cube(high), strict=True)]
        if math.prod(map(len, ranges)) > len(self._cubes):
            for numbers in list(self._cubes.values()):
                yield from numbers
            return
        for cube in itertools.product(*ranges):
            yield from self._cubes.get(cube, ())


def _projected(point: Vector, start: Vector, end: Vector) -> Vector:
    line = s2().S2Polyline()
    line.InitFromS2Points([s2_vector(start), s2_vector(end)])
    found: Any = line.Project(s2_vector(point))[0]
    return found.x(), found.y(), found.z()


def _edge_chords2(point: Reals, starts: Reals, ends: Reals) -> Reals:
    """Squared chords from a point to the closest point of each of many edges."""
    import numpy as np

    axes = np.cross(starts - ends, starts + ends)
    across = np.cross(axes, point)
    between = (((starts - point) * across).sum(axis=1) < 0) & (((ends - point) * across).sum(axis=1) > 0)
    lengths2 = (axes**2).sum(axis=1)
    height2 = np.minimum(1.0, (axes @ point) ** 2 / np.where(lengths2 > 0, lengths2, 1.0))
    corners = np.minimum(((starts - point) ** 2).sum(axis=1), ((ends - point) ** 2).sum(axis=1))
    found: Reals = np.where(between, 2 * height2 / (1 + np.sqrt(1 - height2)), corners)
    return found
