"""Chains of snapped edges replaced by single ones: the second half of S2's simplification.

From a site on, directions are kept in which an edge would pass within the tolerance of every vertex that it replaces and on the
right side of every site nearby; the chain is followed as long as the next site lies in one of them.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from toolkit.engine.geo.snapping import Snapping
from toolkit.engine.geo.vectors import Vector, chord2, dot, side

_FULL, _EMPTY = (-math.pi, math.pi), (math.pi, -math.pi)
_ROUNDING = 2.0**-53
_TURN = 2 * math.pi

Interval = tuple[float, float]


@dataclass(frozen=True)
class SnappedEdge:
    """An edge between sites, of one of the layers; `inputs` are the input edges that became it."""

    start: int
    end: int
    layer: int
    inputs: tuple[int, ...]


def simplified(snapping: Snapping) -> list[SnappedEdge]:
    """The edges between sites, with chains replaced where that keeps within the tolerance."""
    return _Simplifier(snapping).run()


class _Simplifier:
    def __init__(self, snapping: Snapping) -> None:
        self._snapping = snapping
        self._snapped_to: dict[int, set[int]] = defaultdict(set)
        self._edges = sorted(self._snapped(), key=lambda edge: (edge.start, edge.end, edge.layer))
        self._between: dict[tuple[int, int], list[int]] = defaultdict(list)
        self._leaving: dict[int, list[int]] = defaultdict(list)
        self._arriving: dict[int, list[int]] = defaultdict(list)
        for index, edge in enumerate(self._edges):
            self._between[edge.start, edge.end].append(index)
            self._leaving[edge.start].append(index)
            self._arriving[edge.end].append(index)
        self._interior = {site for site in self._leaving if self._is_interior(site)}
        self._used = [False] * len(self._edges)
        self._found: list[SnappedEdge] = []

    def _snapped(self) -> Iterator[SnappedEdge]:
        for index, (start, end) in enumerate(self._snapping.edges):
            chain = self._snapping.chain(index)
            self._snapped_to[chain[0]].add(start)
            if len(chain) > 1:
                self._snapped_to[chain[-1]].add(end)
            for one, other in pairwise(chain):
                yield SnappedEdge(one, other, self._snapping.layer_of[index], (index,))

    def _is_interior(self, site: int) -> bool:
        """Two neighbours in all layers, and in each layer as many edges from one as to the other, both ways."""
        if len(self._leaving[site]) != len(self._arriving[site]):
            return False
        neighbours = {self._edges[edge].end for edge in self._leaving[site]} | {self._edges[edge].start for edge in self._arriving[site]}
        if len(neighbours) != 2:
            return False
        excess: dict[int, int] = defaultdict(int)
        balance: dict[int, int] = defaultdict(int)
        first = min(neighbours)
        for edges, sign in ((self._leaving[site], 1), (self._arriving[site], -1)):
            for edge in map(self._edges.__getitem__, edges):
                other = edge.end if sign > 0 else edge.start
                excess[edge.layer] += sign
                balance[edge.layer] += 1 if other == first else -1
        return not any(excess.values()) and not any(balance.values())

    def run(self) -> list[SnappedEdge]:
        for index, edge in enumerate(self._edges):
            if self._used[index] or edge.start in self._interior:
                continue
            if edge.end in self._interior:
                self._follow(edge.start, edge.end)
            else:
                self._keep(index)
        for index, edge in enumerate(self._edges):
            if not self._used[index]:
                self._follow(edge.start, edge.end)
        return self._found

    def _keep(self, index: int) -> None:
        self._found.append(self._edges[index])
        self._used[index] = True

    def _follow(self, start: int, after: int) -> None:
        """Simplifies a whole chain, piece by piece, up to a site where it ends or back to its beginning."""
        first, done = start, False
        while not done:
            piece, start, after = self._piece(start, after, first)
            done = start == after
            if len(piece) == 2:
                for index in [*self._between.get((piece[0], piece[1]), ()), *self._between.get((piece[1], piece[0]), ())]:
                    self._keep(index)
            else:
                self._merge(piece)

    def _piece(self, start: int, after: int, first: int) -> tuple[list[int], int, int]:
        """As many sites from `start` on as one edge can replace, then the two sites to go on with: the same one twice at the end."""
        piece, seen = [start], {start}
        window = _Window(self._snapping.sites[start])
        possible = self._avoid(window, (start, start, after), seen)
        while True:
            piece.append(after)
            seen.add(after)
            if after not in self._interior or after == first:
                return piece, after, after
            start, after = after, self._next(start, after)
            if not (possible and self._extends(window, (piece[0], start, after), seen)):
                return piece, start, after

    def _extends(self, window: _Window, corner: tuple[int, int, int], seen: set[int]) -> bool:
        """Whether the edge may pass the middle one of three sites, near all that was snapped to it, and end at the last."""
        snapping = self._snapping
        passed = [snapping.vertices[vertex] for vertex in self._snapped_to[corner[1]]]
        return (
            all(window.target(vertex, snapping.radius2) for vertex in passed)
            and self._avoid(window, corner, seen)
            and window.holds(snapping.sites[corner[2]])
        )

    def _next(self, before: int, at: int) -> int:
        return next(self._edges[edge].end for edge in self._leaving[at] if self._edges[edge].end not in (before, at))

    def _avoid(self, window: _Window, corner: tuple[int, int, int], seen: set[int]) -> bool:
        """Narrows the directions so that the sites near the last edge of a chain stay on their side; false when none is left."""
        sites = self._snapping.sites
        origin, one, other = (sites[site] for site in corner)
        nearer2, farther2 = chord2(origin, one), chord2(origin, other)
        if farther2 < nearer2 or farther2 >= self._snapping.longest2:
            return False
        for site in self._near(corner[1], corner[2]):
            if chord2(origin, sites[site]) >= farther2 or site in seen:
                continue
            seen.add(site)
            on_left = side(one, other, sites[site]) > 0 if corner[0] == corner[1] else _ordered(origin, other, sites[site], one)
            if not window.avoid(sites[site], self._snapping.separation2, on_left):
                return False
        return True

    def _near(self, one: int, other: int) -> Sequence[int]:
        edges = [*self._between.get((one, other), ()), *self._between.get((other, one), ())]
        return min((self._snapping.near[number] for edge in edges for number in self._edges[edge].inputs), key=len)

    def _merge(self, piece: Sequence[int]) -> None:
        """One edge for every chain along these sites, in both directions."""
        for path in (piece, piece[::-1]):
            steps = [self._between.get(step, ()) for step in pairwise(path)]
            for edges in zip(*steps, strict=True):
                for edge in edges:
                    self._used[edge] = True
                inputs = sorted(number for edge in edges for number in self._edges[edge].inputs)
                self._found.append(SnappedEdge(path[0], path[-1], self._edges[edges[0]].layer, tuple(inputs)))


def _ordered(one: Vector, middle: Vector, other: Vector, origin: Vector) -> bool:
    """Whether three directions from the origin come in this order counterclockwise."""
    turns = side(middle, origin, one) >= 0, side(other, origin, middle) >= 0, side(one, origin, other) > 0
    return sum(turns) >= 2


class _Window:
    """The directions from a point in which an edge may go, as an interval of angles in the tangent plane."""

    def __init__(self, origin: Vector) -> None:
        self._origin = origin
        smallest = min(range(3), key=lambda axis: (abs(origin[axis]), axis))
        second, third = (smallest + 1) % 3, (smallest + 2) % 3
        up, right = [0.0] * 3, [0.0] * 3
        up[second], up[third] = origin[third], -origin[second]
        right[smallest] = origin[second] ** 2 + origin[third] ** 2
        right[second], right[third] = -origin[second] * origin[smallest], -origin[third] * origin[smallest]
        self._up, self._right = (up[0], up[1], up[2]), (right[0], right[1], right[2])
        self._allowed: Interval = _FULL
        self._later: list[tuple[Interval, bool]] = []

    def holds(self, point: Vector) -> bool:
        if chord2(self._origin, point) > 2:
            return False
        direction = self._direction(point)
        return _contains(self._allowed, direction) and not any(_contains(interval, direction) for interval, _ in self._later)

    def target(self, point: Vector, radius2: float) -> bool:
        """Only directions within a distance of a point from now on; false when there are none."""
        half = self._half_width(point, radius2, -1)
        if half >= math.pi:
            return True
        if half < 0:
            self._allowed = _EMPTY
            return False
        center = self._direction(point)
        self._allowed = _common(self._allowed, _expanded(center, half))
        for interval, on_left in self._later:
            self._leave_out(interval, on_left)
        self._later.clear()
        return self._allowed != _EMPTY

    def avoid(self, point: Vector, radius2: float, on_left: bool) -> bool:
        """No directions within a distance of a point, which stays on its side; false when there are none left."""
        half = self._half_width(point, radius2, 1)
        if half >= math.pi:
            self._allowed = _EMPTY
            return False
        center = self._direction(point)
        left, right = (math.pi / 2, half) if on_left else (half, math.pi / 2)
        interval = math.remainder(center - right, _TURN), math.remainder(center + left, _TURN)
        if self._allowed == _FULL:
            self._later.append((interval, on_left))
            return True
        self._leave_out(interval, on_left)
        return self._allowed != _EMPTY

    def _leave_out(self, interval: Interval, on_left: bool) -> None:
        if not _holds(self._allowed, interval):
            self._allowed = _common(self._allowed, (interval[1], interval[0]))
        elif on_left:
            self._allowed = self._allowed[0], interval[0]
        else:
            self._allowed = interval[1], self._allowed[1]

    def _direction(self, point: Vector) -> float:
        return math.atan2(dot(point, self._up), dot(point, self._right))

    def _half_width(self, point: Vector, radius2: float, rounding: int) -> float:
        """Half of the angle that a disc covers as seen from the origin, rounded outwards (1) or inwards (-1); pi around the origin."""
        distance2 = chord2(self._origin, point) - 64 * _ROUNDING**2 * rounding
        if distance2 <= radius2:
            return math.pi
        sine2 = radius2 * (1 - radius2 / 4) / (distance2 * (1 - distance2 / 4))
        half = math.asin(math.sqrt(sine2))
        return half + rounding * _ROUNDING * (24 + 17 * half)


# --- intervals on a circle: the second bound may be the smaller one ---------------------------------------------------


def _contains(interval: Interval, value: float) -> bool:
    low, high = interval
    value = math.pi if value == -math.pi else value
    if low > high:
        return (value >= low or value <= high) and interval != _EMPTY
    return low <= value <= high


def _holds(outer: Interval, inner: Interval) -> bool:
    if outer[0] > outer[1]:
        if inner[0] > inner[1]:
            return inner[0] >= outer[0] and inner[1] <= outer[1]
        return (inner[0] >= outer[0] or inner[1] <= outer[1]) and outer != _EMPTY
    if inner[0] > inner[1]:
        return outer == _FULL or inner == _EMPTY
    return inner[0] >= outer[0] and inner[1] <= outer[1]


def _length(interval: Interval) -> float:
    length = interval[1] - interval[0]
    return length if length >= 0 else length + _TURN if length + _TURN > 0 else -1.0


def _common(one: Interval, other: Interval) -> Interval:
    """What two intervals share; of two separate parts the smaller of the intervals."""
    if other == _EMPTY:
        return _EMPTY
    if _contains(one, other[0]):
        if _contains(one, other[1]):
            return other if _length(other) < _length(one) else one
        return other[0], one[1]
    if _contains(one, other[1]):
        return one[0], other[1]
    return one if _contains(other, one[0]) else _EMPTY


def _expanded(center: float, margin: float) -> Interval:
    if 2 * margin + 4 * _ROUNDING >= _TURN:
        return _FULL
    low, high = math.remainder(center - margin, _TURN), math.remainder(center + margin, _TURN)
    return (math.pi if low <= -math.pi else low), high
